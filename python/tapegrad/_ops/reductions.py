"""Reductions over axes: sums, products, extrema, and where they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import reducing
from tapegrad._ops.arguments import as_axes, as_axis, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.untracked import untracked

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
    total = _native.sum(a, axis, keepdims)
    if dtype == np.complex64:  # NumPy divides it by an integer, and so in complex128
        return _native.cast(elementwise.divide(total, np.int64(count)), dtype)
    return elementwise.divide(total, count)


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


_max, _min = reducing.EXTREMA[np.maximum], reducing.EXTREMA[np.minimum]


def prod(a: TensorLike, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product over `axis`; its derivatives are exact also where elements are zero."""
    a = as_tensor(a)
    axes = as_axes(axis, a.ndim, "prod")
    result: Tensor = reducing.product(a, axis=axes, keepdims=bool(keepdims), dtype=None, initial=None, where=True)
    return result


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
