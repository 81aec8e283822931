"""Reductions over axes: sums, products, extrema, and where they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import cumulative
from tapegrad._ops.arguments import as_axes, as_axis, as_tensor, kept_shape
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import TensorLike, silent, structural, untracked
from tapegrad._ops.elementwise import elementwise

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "mean",
    "min",
    "prod",
    "sum",
]

_Axes = tuple[int, ...]


def sum(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over `axis` (an int, several, or `None` for all)."""
    if axis is not None and type(axis) is not int:
        axis = as_axes(axis, as_tensor(a).ndim, "sum")
    return _native.sum(a, axis, keepdims)


def mean(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the mean over `axis`; integers give float64, and float16 is summed in float32."""
    a = as_tensor(a)
    shape = a.shape
    count = a.size if axis is None else 1
    if axis is not None:
        axis = as_axes(axis, len(shape), "mean")
        for k in axis:
            count *= shape[k]
    dtype = a.dtype
    if dtype.itemsize == 2 and dtype.is_floating:
        return _native.cast(elementwise.divide(_native.sum(_native.cast(a, np.float32), axis, keepdims), count), dtype)
    return elementwise.divide(_native.sum(a, axis, keepdims), count)


def max(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the greatest element over `axis`; elements that tie for it share its derivative."""
    a = as_tensor(a)
    result: Tensor = _max(a, axis=as_axes(axis, a.ndim, "max"), keepdims=bool(keepdims))
    return result


def min(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the least element over `axis`; elements that tie for it share its derivative."""
    a = as_tensor(a)
    result: Tensor = _min(a, axis=as_axes(axis, a.ndim, "min"), keepdims=bool(keepdims))
    return result


def _extremum_vjp(g: Tensor, a: Tensor, out: Tensor, axis: _Axes) -> Tensor:
    shape = kept_shape(a.shape, axis)
    there = _native.cast(elementwise.equal(a, _native.reshape(out, shape)), g.dtype)
    share = elementwise.divide(there, _native.sum(there, axis, True))
    return elementwise.multiply_no_nan(share, _native.reshape(g, shape))


_max = structural("max", lambda a, *, axis, keepdims: np.max(a, axis, keepdims=keepdims), a=_extremum_vjp)
_min = structural("min", lambda a, *, axis, keepdims: np.min(a, axis, keepdims=keepdims), a=_extremum_vjp)


def prod(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product over `axis`; its derivatives are exact also where elements are zero."""
    a = as_tensor(a)
    result: Tensor = _prod(a, axis=as_axes(axis, a.ndim, "prod"), keepdims=bool(keepdims))
    return result


def _prod_vjp(g: Tensor, a: Tensor, axis: _Axes) -> Tensor:
    # d prod / d a[i] is the product of the elements before i times that of those behind it: no division.
    shape = a.shape
    rest = tuple([k for k in range(len(shape)) if k not in axis])
    lanes = _native.reshape(_native.transpose(a, rest + axis), (*[shape[k] for k in rest], -1))
    before = cumulative.cumprod(lanes, -1, exclusive=True)
    behind = cumulative.cumprod(lanes, -1, exclusive=True, reverse=True)
    others = _native.reshape(elementwise.multiply(before, behind), tuple([shape[k] for k in rest + axis]))
    others = _native.transpose(others, tuple(np.argsort(rest + axis).tolist()))
    return elementwise.multiply_no_nan(conjugate(others), _native.reshape(g, kept_shape(shape, axis)))


_prod = structural("prod", silent(lambda a, *, axis, keepdims: np.prod(a, axis, keepdims=keepdims)), a=_prod_vjp)


def all(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return whether all elements over `axis` are true (not zero)."""
    return _over_axes(np.all, a, axis, keepdims)


def any(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return whether any element over `axis` is true (not zero)."""
    return _over_axes(np.any, a, axis, keepdims)


def count_nonzero(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the number of elements over `axis` that are not zero, as int64."""
    return _over_axes(np.count_nonzero, a, axis, keepdims)


def _over_axes(function: Any, a: TensorLike, axis: Any, keepdims: bool) -> Tensor:
    a = as_tensor(a)
    axes = as_axes(axis, a.ndim, function.__name__)
    return untracked(function, a, axis=axes, keepdims=bool(keepdims))


def argmax(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the position of the (first) greatest element along `axis`, or in `a` as a vector, as int64."""
    a = as_tensor(a)
    axis = None if axis is None else as_axis(axis, a.ndim, "argmax")
    return untracked(np.argmax, a, axis=axis, keepdims=bool(keepdims))


def argmin(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the position of the (first) least element along `axis`, or in `a` as a vector, as int64."""
    a = as_tensor(a)
    axis = None if axis is None else as_axis(axis, a.ndim, "argmin")
    return untracked(np.argmin, a, axis=axis, keepdims=bool(keepdims))
