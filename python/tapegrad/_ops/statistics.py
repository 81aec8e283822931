"""Reductions that are functions of sums: spread, norms, log-sum-exp; finite derivatives at edge points."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import reductions, spread
from tapegrad._ops.arguments import as_axes, as_inexact, as_tensor, kept_shape
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import Operation, TensorLike, silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.shaping import squeeze

__all__ = ["direction_of", "logsumexp", "norm", "norm_vjp", "shares", "std", "var"]

_Axes = tuple[int, ...]


def var(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the variance over `axis`: the mean of the squared (for complex numbers: absolute) deviations."""
    return _spread(spread.var, a, axis, keepdims)


def std(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the standard deviation over `axis`; the derivative at constants is 0."""
    return _spread(spread.std, a, axis, keepdims)


def _spread(operation: Operation, a: TensorLike, axis: Any, keepdims: bool) -> Tensor:
    a = as_tensor(a)
    axes = as_axes(axis, a.ndim, operation.__name__)
    result: Tensor = operation(a, axis=axes, dtype=None, ddof=0, keepdims=bool(keepdims), where=True, skip_nan=False)
    return result


def logsumexp(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the logarithm of the sum of exponentials over `axis`, without overflow.

    The derivative is the softmax. Where all elements are -inf the result is -inf and the derivative 0.
    """
    a = as_inexact(a)
    result: Tensor = _logsumexp(a, axis=as_axes(axis, a.ndim, "logsumexp"), keepdims=bool(keepdims))
    return result


def _greatest(a: npt.NDArray[Any], axis: _Axes) -> npt.NDArray[Any]:
    """Return what to subtract before exponentials: the maximum over `axis`, where that is finite, else 0."""
    top: npt.NDArray[Any] = np.max(a, axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(top), top, a.dtype.type(0))


@silent
def _logsumexp_forward(a: npt.NDArray[Any], *, axis: _Axes, keepdims: bool) -> npt.NDArray[Any]:
    top = _greatest(a, axis)
    out: npt.NDArray[Any] = np.log(np.sum(np.exp(a - top), axis, keepdims=True)) + top
    return out if keepdims else np.squeeze(out, axis)


def _logsumexp_vjp(g: Tensor, a: Tensor, axis: _Axes) -> Tensor:
    # Not exp(a - out), in which the rounding of a great `out` would show. The maximum cancels, so it is a
    # constant.
    values = array(a)
    shifted = elementwise.subtract(a, _greatest(values, axis))
    infinite = values == np.inf
    if infinite.any():
        # All the weight is on the elements that are +inf: exp(0) for these and exp(-inf) for the others
        # beside them.
        beside = np.any(infinite, axis, keepdims=True)
        shifted = _native.where(beside, np.where(infinite, 0, -np.inf).astype(values.dtype), shifted)
    weights = elementwise.exp(shifted)
    # The sum is 0, and so are the weights, where all elements are -inf.
    softmax = elementwise.divide_no_nan(weights, _native.sum(weights, axis, True))
    return elementwise.multiply_no_nan(conjugate(softmax), _native.reshape(g, kept_shape(a.shape, axis)))


_logsumexp = structural("logsumexp", _logsumexp_forward, a=_logsumexp_vjp)


def norm(a: TensorLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return a norm over `axis`; the derivative at zero is 0.

    Parameters
    ----------
    a
        The tensor.
    ord
        `None`, `"euclidean"`, `"fro"` or 2: the root of the sum of squares. 1: the sum of absolute values.
        `inf`: their maximum. Another positive number p: the p-norm. With a pair of axes, 1 and `inf` are the
        matrix norms (the greatest column and row sum).
    axis
        One axis, a pair of axes (a matrix norm), or `None` for all elements as one vector; the root of the
        sum of squares can be over any number of axes.
    keepdims
        Whether the axes stay, with size 1.
    """
    a = as_inexact(a)
    axes = as_axes(axis, a.ndim, "norm")
    matrix = axis is not None and len(axes) == 2
    if ord is None or ord in ("euclidean", "fro") or (ord == 2 and not matrix):
        result: Tensor = _norm(a, ord=None, axis=axes, keepdims=bool(keepdims))
        return result
    if isinstance(ord, str) or not ord > 0 or (matrix and ord not in (1, np.inf)):
        raise ValueError(f"norm: unknown order {ord!r} for {'a pair of axes' if matrix else 'vectors'}.")
    if axis is not None and len(axes) > 2:
        raise ValueError(f"norm: the order {ord!r} is over one axis or a pair of axes, not {axis}.")
    if matrix:
        rows, columns = axes
        inner, outer = (rows, columns) if ord == 1 else (columns, rows)
        sums = reductions.sum(elementwise.absolute(a), inner, keepdims=True)
        greatest = reductions.max(sums, outer, keepdims=True)
        return greatest if keepdims else squeeze(greatest, axes)
    if ord == 1:
        return reductions.sum(elementwise.absolute(a), axes, keepdims)
    if ord == np.inf:
        return reductions.max(elementwise.absolute(a), axes, keepdims)
    result = _norm(a, ord=float(ord), axis=axes, keepdims=bool(keepdims))
    return result


@silent
def _norm_forward(x: npt.NDArray[Any], *, ord: float | None, axis: _Axes, keepdims: bool) -> npt.NDArray[Any]:
    # As np.linalg.norm computes it, which takes at most two axes.
    if ord is None:
        squares = np.square(x) if x.dtype.kind == "f" else np.square(x.real) + np.square(x.imag)
        out: npt.NDArray[Any] = np.sqrt(np.sum(squares, axis, keepdims=keepdims))
    else:
        out = np.sum(np.abs(x) ** ord, axis, keepdims=keepdims) ** (1.0 / ord)
    return out


def norm_vjp(g: Tensor, x: Tensor, out: Tensor, ord: Any, axis: int | tuple[int, ...] | None) -> Tensor:
    """Return the cotangent of `x` for that of `out`, its norm of `ord` over any number of axes."""
    shape = kept_shape(x.shape, as_axes(axis, x.ndim, "norm"))
    out = _native.reshape(out, shape)
    return elementwise.multiply_no_nan(_slope(x, out, ord, axis), _native.reshape(g, shape))


def _slope(x: Tensor, out: Tensor, ord: Any, axis: Any) -> Tensor:
    if ord is None or ord == "fro" or ord == 2:
        return elementwise.divide_no_nan(x, out)
    magnitude = elementwise.absolute(x)
    direction = direction_of(x, magnitude)
    if ord == 1:
        return direction
    if abs(ord) == np.inf:
        share = shares(array(magnitude) == array(out), axis, array(out).dtype)
        return elementwise.multiply(share, direction)
    # Powers of what is at most 1: of |x| / out for p > 1, of its reciprocal for p < 1.
    above, below = (magnitude, out) if ord > 1 else (out, magnitude)
    return elementwise.multiply(elementwise.power(elementwise.divide_no_nan(above, below), abs(ord - 1.0)), direction)


def direction_of(x: Tensor, magnitude: Tensor) -> Tensor:
    """Return `x` divided by its absolute value, and 0 at 0."""
    return elementwise.divide_no_nan(x, magnitude) if x.dtype.is_complex else elementwise.sign(x)


def shares(chosen: npt.NDArray[np.bool_], axis: Any, dtype: Any) -> npt.NDArray[Any]:
    """Return equal weights, summing to 1 over `axis`, on the elements that are chosen."""
    count = np.sum(chosen, axis, keepdims=True)
    return np.asarray(chosen / np.maximum(count, 1), dtype)


_norm = structural("norm", _norm_forward, x=norm_vjp)
