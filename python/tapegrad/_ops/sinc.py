"""NumPy's `sinc`, sin(pi x) / (pi x), and its derivatives of every order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._ops.declare import Operation, silent, structural
from tapegrad._ops.ufunc_rules import product

__all__ = ["sinc", "sinc_derivative"]

_Array = npt.NDArray[Any]


@silent
def _derivative(x: _Array, *, order: int) -> _Array:
    """Return the derivative of `order` (1 or more) of sinc.

    With s(t) = sin(t) / t, (t s)^(n) = t s^(n) + n s^(n-1) is the n-th derivative of the sine. Solved for s^(n) it is
    exact for large t and cancels for small t, where the Taylor series takes its place.
    """
    kind = np.result_type(x.dtype, np.float32)
    t = np.pi * x.astype(np.result_type(kind, np.float64))
    limit = order + 2.0
    is_small = np.abs(t) < limit
    small, large = np.where(is_small, t, 0.0), np.where(is_small, limit, t)
    s = np.sin(large) / large
    for n in range(1, order + 1):
        s = (_sine_derivative(large, n) - n * s) / large
    return (np.pi**order * np.where(is_small, _series(small, order), s)).astype(kind)


def _sine_derivative(t: _Array, n: int) -> _Array:
    values: _Array = (np.sin, np.cos)[n % 2](t)
    return -values if n % 4 in (2, 3) else values


def _series(t: _Array, order: int) -> _Array:
    """Return the derivative of the Taylor series of sin(t) / t: the terms of t**(2k) that `order` leaves."""
    k = (order + 1) // 2
    power = 2 * k - order
    # The first term: (-1)**k / (2k + 1)! times (2k)! / power!, which is 1 / (2k + 1) / power! but for the sign.
    term = (-1.0) ** k / (2 * k + 1) * t**power
    total = term
    squares = t * t
    while np.any(np.abs(term) > 1e-17 * np.abs(total)) and k < order + 60:
        # The ratio of two terms: (2k + 1) / (2k + 3) for the integral, the rest from t**power / power!.
        term = -term * squares * (2 * k + 1) / ((2 * k + 3) * (power + 1) * (power + 2))
        total = total + term
        k, power = k + 1, power + 2
    return total


sinc_derivative: Operation = structural(
    "derivative of sinc",
    _derivative,
    x=lambda g, x, order: product(sinc_derivative(x, order=order + 1), g),
)


sinc: Operation = structural(
    "sinc", silent(lambda x: np.sinc(x)), x=lambda g, x: product(sinc_derivative(x, order=1), g)
)
