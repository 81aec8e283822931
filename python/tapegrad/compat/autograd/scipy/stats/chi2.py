"""The chi-squared distribution: `f(x, df, loc=0, scale=1)`, a gamma distribution."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.autograd.scipy.stats import gamma
from tapegrad.compat.autograd.scipy.stats._common import of

__all__ = ["cdf", "logpdf", "pdf"]


@of("chi2", "logpdf")
def logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return gamma.logpdf(x, 0.5 * df, loc, 2.0 * scale)


@of("chi2", "pdf")
def pdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return gamma.pdf(x, 0.5 * df, loc, 2.0 * scale)


@of("chi2", "cdf")
def cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return gamma.cdf(x, 0.5 * df, loc, 2.0 * scale)
