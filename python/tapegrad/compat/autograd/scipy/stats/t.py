"""Student's t distribution: `f(x, df, loc=0, scale=1)`."""

from __future__ import annotations

import math
from typing import Any

import tapegrad.numpy as tnp
from tapegrad import special
from tapegrad.compat.autograd.scipy.stats._common import of, standardized, valid

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]


@of("t", "logpdf")
def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standardized(x, loc, scale)
    value = (
        special.gammaln(0.5 * (df + 1.0))
        - special.gammaln(0.5 * df)
        - 0.5 * tnp.log(math.pi * df)
        - 0.5 * (df + 1.0) * tnp.log1p(z * z / df)
        - tnp.log(scale)
    )
    return valid(value, df > 0)


@of("t", "pdf")
def pdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return tnp.exp(logpdf(x, df, loc, scale))


@of("t", "cdf")
def cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return valid(special.stdtr(df, standardized(x, loc, scale)), df > 0, scale > 0)


@of("t", "logcdf")
def logcdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return tnp.log(cdf(x, df, loc, scale))
