"""The beta distribution: `f(x, a, b, loc=0, scale=1)`."""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad.numpy as tnp
from tapegrad import special
from tapegrad.compat.autograd.scipy.stats._common import of, outside, standardized, valid

__all__ = ["cdf", "logpdf", "pdf"]


@of("beta", "logpdf")
def logpdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = standardized(x, loc, scale)
    value = special.xlogy(a - 1.0, z) + special.xlog1py(b - 1.0, -z) - special.betaln(a, b) - tnp.log(scale)
    return valid(outside(value, (z >= 0) & (z <= 1), -np.inf), a > 0, b > 0, scale > 0)


@of("beta", "pdf")
def pdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return tnp.exp(logpdf(x, a, b, loc, scale))


@of("beta", "cdf")
def cdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    z = tnp.clip(standardized(x, loc, scale), 0.0, 1.0)
    return valid(special.betainc(a, b, z), a > 0, b > 0, scale > 0)
