"""What the distributions share: which function tensors go to, and where there is no density."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

import tapegrad.numpy as tnp
from tapegrad.compat.autograd._primitives import library

__all__ = ["of", "outside", "standardized", "valid"]


def of(distribution: str, method: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate what is called for tensors; the result is SciPy's method for all other arguments."""
    plain = getattr(getattr(stats, distribution), method)
    return lambda recorded: library(plain, recorded)


def standardized(x: Any, loc: Any, scale: Any) -> Any:
    """Return `(x - loc) / scale`."""
    return (tnp.asarray(x) - loc) / scale


def valid(value: Any, *conditions: Any) -> Any:
    """Return a function's value, and nan where a condition on the parameters does not hold."""
    return _where(value, conditions, np.nan)


def outside(value: Any, inside: Any, constant: float) -> Any:
    """Return a function's value inside the support, and a constant elsewhere (nan stays nan)."""
    return _where(value, (inside,), constant)


def _where(value: Any, conditions: tuple[Any, ...], other: float) -> Any:
    for condition in conditions:
        if not np.all(condition):
            value = tnp.where(condition, value, other)
    return value
