"""The Poisson distribution: `f(k, mu, loc=0)`, differentiated for `mu`."""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad.numpy as tnp
from tapegrad import special
from tapegrad.compat.autograd._values import getval
from tapegrad.compat.autograd.scipy.stats._common import of, outside, valid

__all__ = ["cdf", "logpmf", "pmf"]


@of("poisson", "logpmf")
def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    count = np.asarray(getval(k) - getval(loc), dtype=float)
    value = special.xlogy(count, mu) - special.gammaln(count + 1.0) - mu
    return valid(outside(value, (count >= 0) & (count == np.floor(count)), -np.inf), mu >= 0)


@of("poisson", "pmf")
def pmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    return tnp.exp(logpmf(k, mu, loc))


@of("poisson", "cdf")
def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    count = np.asarray(np.floor(getval(k) - getval(loc)), dtype=float)
    value = special.gammaincc(np.maximum(count, 0.0) + 1.0, mu)
    return valid(outside(value, count >= 0, 0.0), mu >= 0)
