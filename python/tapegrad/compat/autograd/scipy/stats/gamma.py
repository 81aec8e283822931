"""The gamma distribution: `f(x, a, loc=0, scale=1)`."""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad.numpy as tnp
from tapegrad import special
from tapegrad.compat.autograd.scipy.stats._common import of, outside, standardized, valid

__all__ = ["cdf", "logpdf", "pdf"]


@of("gamma", "logpdf")
def logpdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standardized(x, loc, scale)
    value = special.xlogy(a - 1.0, z) - z - special.gammaln(a) - tnp.log(scale)
    return valid(outside(value, z >= 0, -np.inf), a > 0, scale > 0)


@of("gamma", "pdf")
def pdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return tnp.exp(logpdf(x, a, loc, scale))


@of("gamma", "cdf")
def cdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return valid(special.gammainc(a, tnp.maximum(standardized(x, loc, scale), 0.0)), a > 0, scale > 0)
