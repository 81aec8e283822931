"""The Dirichlet distribution: `f(x, alpha)`."""

from __future__ import annotations

from typing import Any

from scipy import stats

import tapegrad.numpy as tnp
from tapegrad import special
from tapegrad.compat.autograd._primitives import library
from tapegrad.compat.autograd._values import getval
from tapegrad.compat.autograd.scipy.stats._common import of

__all__ = ["logpdf", "pdf", "rvs"]

rvs = library(stats.dirichlet.rvs, None)


@of("dirichlet", "logpdf")
def logpdf(x: Any, alpha: Any) -> Any:
    x, alpha = tnp.asarray(x), tnp.asarray(alpha)
    stats.dirichlet.logpdf(getval(x), getval(alpha))  # raises what is wrong with them
    if x.shape[0] == alpha.shape[0] - 1:
        x = tnp.concatenate([x, 1.0 - tnp.sum(x, axis=0, keepdims=True)])
    norm = tnp.sum(special.gammaln(alpha)) - special.gammaln(tnp.sum(alpha))
    powers = tnp.reshape(alpha - 1.0, (-1,) + (1,) * (x.ndim - 1))
    return tnp.sum(special.xlogy(powers, x), axis=0) - norm


@of("dirichlet", "pdf")
def pdf(x: Any, alpha: Any) -> Any:
    return tnp.exp(logpdf(x, alpha))
