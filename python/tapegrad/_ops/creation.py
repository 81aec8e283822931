"""New tensors: constants, ranges, identity matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.arguments import as_axis, as_int, as_shape, as_tensor, shape_along
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad.dtypes import as_dtype, float32

__all__ = ["arange", "eye", "full", "linspace", "ones", "ones_like", "zeros", "zeros_like"]


def zeros(shape: Any, dtype: Any = float32) -> Tensor:
    """Return zeros of the given shape."""
    return _native.own(np.zeros(as_shape(shape), as_dtype(dtype).dtype))


def ones(shape: Any, dtype: Any = float32) -> Tensor:
    """Return ones of the given shape."""
    return _native.own(np.ones(as_shape(shape), as_dtype(dtype).dtype))


def full(shape: Any, fill_value: TensorLike, dtype: Any = None) -> Tensor:
    """Return `fill_value` broadcast to the given shape; it is differentiable with respect to the value."""
    value = as_tensor(fill_value) if dtype is None else _native.cast(fill_value, as_dtype(dtype))
    return _native.broadcast_to(value, as_shape(shape))


def zeros_like(a: TensorLike, dtype: Any = None) -> Tensor:
    """Return zeros with the shape (and type) of `a`."""
    a = as_tensor(a)
    return zeros(a.shape, a.dtype if dtype is None else dtype)


def ones_like(a: TensorLike, dtype: Any = None) -> Tensor:
    """Return ones with the shape (and type) of `a`."""
    a = as_tensor(a)
    return ones(a.shape, a.dtype if dtype is None else dtype)


def eye(n: Any, m: Any = None, batch_shape: Any = None, dtype: Any = float32) -> Tensor:
    """Return `n` x `m` (`n` x `n`) matrices with ones on the diagonal, repeated to `batch_shape`."""
    rows = as_int(n)
    matrix = np.eye(rows, rows if m is None else as_int(m), dtype=as_dtype(dtype).dtype)
    if batch_shape is not None:
        matrix = np.broadcast_to(matrix, as_shape(batch_shape) + matrix.shape).copy()
    return _native.own(matrix)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """Return the numbers from `start` (0 if only one is given) to before `stop` in steps.

    Python ints make int32, Python floats float32, tensors and arrays keep their type.
    """
    if stop is None:
        start, stop = 0, start
    bounds = [as_tensor(bound) for bound in (start, stop, step)]
    kind = _kind_of_range(bounds, (start, stop, step)) if dtype is None else as_dtype(dtype).dtype
    first, last, by = [array(bound).item() for bound in (start, stop, step)]
    if by == 0:
        raise ValueError("arange: the step must not be zero.")
    return _native.own(np.arange(first, last, by, dtype=kind))


def _kind_of_range(bounds: list[Tensor], given: tuple[Any, ...]) -> np.dtype[Any]:
    """Return the type of a range: that of its tensors and arrays; Python numbers are weak."""
    strong = [
        bound.dtype.dtype
        for bound, number in zip(bounds, given, strict=True)
        if isinstance(number, np.generic) or not isinstance(number, int | float)
    ]
    integers = [bound.dtype.dtype for bound in bounds if bound.dtype.is_integer]
    kind = np.result_type(*(strong or integers or [float32.dtype]))
    has_floats = any(bound.dtype.is_floating for bound in bounds)
    return float32.dtype if has_floats and kind.kind in "iu" else kind


def linspace(start: TensorLike, stop: TensorLike, num: Any = 50, axis: Any = 0) -> Tensor:
    """Return `num` evenly spaced numbers from `start` to `stop`, both included, along a new axis.

    Python floats make float32, integers float64, tensors and arrays keep their type. The result is
    differentiable with respect to both ends.
    """
    first, last = as_tensor(start), as_tensor(stop)
    kind = np.result_type(first.dtype, last.dtype)
    if kind.kind in "iu":
        kind = np.dtype(np.float64)
    count = as_int(num)
    if count < 1:
        raise ValueError(f"linspace: at least one number is needed, not {count}.")
    place = as_axis(axis, max(first.ndim, last.ndim) + 1, "linspace")
    if not (_native.is_watched(first) or _native.is_watched(last)):
        return _native.own(np.linspace(array(first), array(last), count, axis=place, dtype=kind))
    shape = np.broadcast_shapes(first.shape, last.shape)
    weights = np.linspace(0.0, 1.0, count, dtype=kind).reshape(shape_along(place, len(shape) + 1))
    with_axis = (*shape[:place], 1, *shape[place:])
    ends = [_native.reshape(_native.broadcast_to(_native.cast(end, kind), shape), with_axis) for end in (first, last)]
    # Exact at both ends.
    return elementwise.add(
        elementwise.multiply(ends[0], 1 - weights),
        elementwise.multiply(ends[1], weights),
    )
