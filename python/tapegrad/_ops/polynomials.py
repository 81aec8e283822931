"""Polynomials as vectors of coefficients, the highest power first; their roots."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.complex_parts import conjugate, real
from tapegrad._ops.convolving import convolve
from tapegrad._ops.declare import Operation, silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.joining import concatenate
from tapegrad._ops.padding import pad

__all__ = [
    "add",
    "derivative",
    "divide",
    "evaluate",
    "from_roots",
    "integral",
    "multiply",
    "roots",
    "subtract",
    "vander",
]

_Array = npt.NDArray[Any]


def evaluate(p: Tensor, x: Tensor) -> Tensor:
    """Return the value at `x` of the polynomial with the coefficients `p`, by Horner's scheme."""
    y: Tensor = _native.own(np.zeros(x.shape, x.dtype.dtype))
    for k in range(len(p)):
        y = elementwise.add(elementwise.multiply(y, x), _native.basic_index(p, k))
    return y


def add(a: Tensor, b: Tensor) -> Tensor:
    """Return the sum of two polynomials."""
    return elementwise.add(*_of_one_length(a, b))


def subtract(a: Tensor, b: Tensor) -> Tensor:
    """Return the difference of two polynomials."""
    return elementwise.subtract(*_of_one_length(a, b))


def _of_one_length(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    size = max(len(a), len(b))
    return _led_by_zeros(a, size), _led_by_zeros(b, size)


def _led_by_zeros(p: Tensor, size: int) -> Tensor:
    return pad(p, [(size - len(p), 0), *[(0, 0)] * (p.ndim - 1)]) if len(p) < size else p


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """Return the product of two polynomials; leading zeros are dropped first."""
    return convolve(_without_leading_zeros(a), _without_leading_zeros(b))


def _without_leading_zeros(p: Tensor) -> Tensor:
    (places,) = np.nonzero(array(p))
    return _native.basic_index(p, slice(int(places[0]) if places.size else max(len(p) - 1, 0), None))


def divide(u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return quotient and remainder of two polynomials."""
    u, v = elementwise.add(u, 0.0), elementwise.add(v, 0.0)
    dtype = np.result_type(u.dtype.dtype, v.dtype.dtype)
    steps = len(u) - len(v) + 1
    scale = elementwise.divide(1.0, _native.basic_index(v, 0))
    rest = _native.cast(u, dtype)
    if steps < 1:
        return _native.own(np.zeros(1, dtype)), _without_tiny_lead(rest)
    quotient, done = [], []
    for _ in range(steps):
        factor = elementwise.multiply(scale, _native.basic_index(rest, slice(0, 1)))
        part = elementwise.subtract(_native.basic_index(rest, slice(None, len(v))), elementwise.multiply(factor, v))
        rest = _native.concatenate([part, _native.basic_index(rest, slice(len(v), None))])
        quotient.append(_native.cast(factor, dtype))
        done.append(_native.basic_index(rest, slice(0, 1)))
        rest = _native.basic_index(rest, slice(1, None))
    return _native.concatenate(quotient), _without_tiny_lead(_native.concatenate([*done, rest]))


def _without_tiny_lead(r: Tensor) -> Tensor:
    """Return a remainder without the leading coefficients that NumPy takes for zeros; one stays."""
    values = array(r)
    first = 0
    while len(values) - first > 1 and np.allclose(values[first], 0, rtol=1e-14):
        first += 1
    return _native.basic_index(r, slice(first, None)) if first else r


def derivative(p: Tensor, m: int = 1) -> Tensor:
    """Return the `m`-th derivative of a polynomial."""
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(m):
        p = elementwise.multiply(_native.basic_index(p, slice(None, -1)), np.arange(len(p) - 1, 0, -1))
    return p


def integral(p: Tensor, m: int = 1, k: Tensor | None = None) -> Tensor:
    """Return the `m`-th integral of a polynomial, with the constants of integration `k` (0)."""
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    k = _native.own(np.zeros(m)) if k is None else k
    if len(k) == 1 and m > 1:
        k = _native.broadcast_to(k, (m,))
    if len(k) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for step in range(m):
        higher = elementwise.divide(p, np.arange(len(p), 0, -1))
        constant = _native.basic_index(k, slice(step, step + 1))
        p = concatenate([higher, constant])
    return p


def from_roots(zeros: Tensor) -> Tensor:
    """Return the coefficients, the first of them 1, of the polynomial with these zeros.

    Zeros that are each other's conjugates give real coefficients.
    """
    one = _native.own(np.ones(1, zeros.dtype.dtype))
    p = one
    for k in range(len(zeros)):
        factor = _native.concatenate([one, elementwise.negative(_native.basic_index(zeros, slice(k, k + 1)))])
        p = convolve(p, factor)
    values = array(zeros)
    if np.iscomplexobj(values) and np.all(np.sort(values) == np.sort(values.conjugate())):
        return real(p)
    return p


def vander(x: Tensor, n: int | None = None, increasing: bool = False) -> Tensor:
    """Return the powers n-1 ... 0 (or 0 ... n-1) of the elements of `x`, those of one element in a row."""
    result: Tensor = _vander(x, n=len(x) if n is None else n, increasing=increasing)
    return result


def _vander_vjp(g: Tensor, x: Tensor, out: Tensor, n: int, increasing: bool) -> Tensor:
    # The power k has the derivative k x**(k - 1), which stands in the column beside it.
    lower, upper, powers = slice(None, -1), slice(1, None), np.arange(1, max(n, 1))
    if not increasing:
        lower, upper, powers = upper, lower, powers[::-1]
    slopes = elementwise.multiply(_native.basic_index(out, (slice(None), lower)), powers)
    rates = elementwise.multiply_no_nan(conjugate(slopes), _native.basic_index(g, (slice(None), upper)))
    return _native.sum(rates, axis=1)


_vander: Operation = structural(
    "vander", silent(lambda x, *, n, increasing: np.vander(x, n, increasing)), x=_vander_vjp
)


def roots(p: Tensor) -> Tensor:
    """Return the zeros of a polynomial; the derivatives are those of simple zeros, and infinite at others."""
    if p.ndim != 1:
        raise ValueError("Input must be a rank-1 array.")
    result: Tensor = _roots(_without_leading_zeros(p))
    return result


def _roots_vjp(g: Tensor, p: Tensor, out: Tensor) -> Tensor:
    # P(z) stays 0 while p[k] changes: P'(z) dz + z**(n - 1 - k) dp[k] = 0.
    powers = vander(out, len(p))
    slope = conjugate(evaluate(derivative(p), out))
    drag = elementwise.multiply_no_nan(elementwise.reciprocal(slope), g)
    shares = elementwise.multiply(conjugate(powers), _native.reshape(elementwise.negative(drag), (-1, 1)))
    total = _native.sum(shares, axis=0)
    return total if p.dtype.is_complex else real(total)


_roots: Operation = structural("roots", lambda p: np.roots(p), p=_roots_vjp)
