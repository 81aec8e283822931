"""TensorFlow's `tf.math`: elementwise operations and reductions.

Every elementwise operation is here under NumPy's name, and under TensorFlow's where that is another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import complex_parts
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._tf.arrays import top_k
from tapegrad._tf.reductions import (
    add_n,
    argmax,
    argmin,
    count_nonzero,
    cumprod,
    cumsum,
    reduce_all,
    reduce_any,
    reduce_euclidean_norm,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_std,
    reduce_sum,
    reduce_variance,
)

__all__ = [
    "add_n",
    "angle",
    "argmax",
    "argmin",
    "conj",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "floordiv",
    "floormod",
    "imag",
    "is_finite",
    "is_inf",
    "is_nan",
    "real",
    "reciprocal_no_nan",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "rsqrt",
    "scalar_mul",
    "top_k",
    "truediv",
    *vars(elementwise),
]

globals().update(vars(elementwise))

floordiv = elementwise.floor_divide
floormod = elementwise.remainder
is_finite = elementwise.isfinite
is_inf = elementwise.isinf
is_nan = elementwise.isnan


def truediv(x: TensorLike, y: TensorLike, name: str | None = None) -> Tensor:
    """Return `x / y`, elementwise."""
    return elementwise.divide(x, y)


def scalar_mul(scalar: TensorLike, x: TensorLike, name: str | None = None) -> Tensor:
    """Return `scalar * x`; the scalar must have no dimensions."""
    if as_tensor(scalar).ndim:
        raise ValueError(f"scalar_mul: the first argument must be a scalar, not of shape {as_tensor(scalar).shape}.")
    return elementwise.multiply(scalar, x)


def rsqrt(x: TensorLike, name: str | None = None) -> Tensor:
    """Return `1 / sqrt(x)`, elementwise."""
    return elementwise.reciprocal(elementwise.sqrt(x))


def reciprocal_no_nan(x: TensorLike, name: str | None = None) -> Tensor:
    """Return `1 / x`, elementwise, and 0 where `x` is 0."""
    x = as_tensor(x)
    return elementwise.divide_no_nan(_native.cast(1, x.dtype), x)


def real(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the real part, elementwise."""
    return complex_parts.real(input)


def imag(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the imaginary part, elementwise."""
    return complex_parts.imag(input)


def conj(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the complex conjugate, elementwise."""
    return complex_parts.conjugate(x)


def angle(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the argument of complex numbers, elementwise."""
    return complex_parts.angle(input)


if TYPE_CHECKING:
    # What else there is are the elementwise operations, whose names are only known at run time.
    def __getattr__(name: str) -> Callable[..., Tensor]: ...
