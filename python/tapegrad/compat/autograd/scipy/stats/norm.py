"""The normal distribution: `f(x, loc=0, scale=1)`."""

from __future__ import annotations

import math
from typing import Any

import tapegrad.numpy as tnp
from tapegrad import special
from tapegrad.compat.autograd.scipy.stats._common import of, standardized, valid

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


@of("norm", "logpdf")
def logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standardized(x, loc, scale)
    return -0.5 * z * z - _HALF_LOG_2PI - tnp.log(scale)


@of("norm", "pdf")
def pdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standardized(x, loc, scale)
    return valid(tnp.exp(-0.5 * z * z - _HALF_LOG_2PI) / scale, scale > 0)


@of("norm", "cdf")
def cdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return valid(special.ndtr(standardized(x, loc, scale)), scale > 0)


@of("norm", "sf")
def sf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return valid(special.ndtr(-standardized(x, loc, scale)), scale > 0)


@of("norm", "logcdf")
def logcdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return valid(special.log_ndtr(standardized(x, loc, scale)), scale > 0)


@of("norm", "logsf")
def logsf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return valid(special.log_ndtr(-standardized(x, loc, scale)), scale > 0)
