"""Shapes, axes and sizes as users write them (lists, arrays, tensors), as Python's ints and tuples."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from tapegrad._native import Tensor, Value, array, cast, reshape, tensor

__all__ = ["as_axes", "as_axis", "as_inexact", "as_int", "as_shape", "as_tensor", "as_vector"]
__all__ += ["kept_shape", "shape_along"]


_ALL_AXES = tuple(tuple(range(ndim)) for ndim in range(5))


def as_tensor(x: Any) -> Tensor:
    """Return `x` as a tensor: itself if it is one, a variable's (recorded) value, or a constant."""
    return x if type(x) is Tensor else tensor(x)


def as_vector(a: Tensor) -> Tensor:
    """Return the elements of `a` as a vector, for a further operation: it is `a` itself if that is one."""
    return a if a.ndim == 1 else reshape(a, (-1,))


def as_inexact(x: Any) -> Tensor:
    """Return `x` as a floating or complex tensor; integers and bools become float64, as in NumPy."""
    value = x if type(x) is Tensor else tensor(x)
    dtype = value.dtype
    return value if dtype.is_floating or dtype.is_complex else cast(value, np.float64)


def as_int(x: Any) -> int:
    """Return an integer given as a Python or NumPy integer or a 0-d integer tensor."""
    if type(x) is int:
        return x
    try:
        return operator.index(array(x).item() if isinstance(x, Value | np.ndarray) else x)
    except (TypeError, ValueError):
        raise TypeError(f"An integer is needed, not {x!r}.") from None


def as_shape(shape: Any) -> tuple[int, ...]:
    """Return a shape given as an int, a sequence of ints (or 0-d tensors), an array or a tensor."""
    if type(shape) is tuple and all(type(size) is int for size in shape):
        return shape
    if isinstance(shape, Value | np.ndarray):
        shape = np.atleast_1d(array(shape)).tolist()
    if isinstance(shape, Iterable) and not isinstance(shape, str):
        return tuple([as_int(size) for size in shape])
    return (as_int(shape),)


def as_axis(axis: Any, ndim: int, what: str) -> int:
    """Return `axis` between 0 and `ndim - 1`; `what` names the operation in the error."""
    number = axis if type(axis) is int else as_int(axis)
    if not -ndim <= number < ndim:
        raise ValueError(f"{what}: axis {number} is out of bounds for a tensor with {ndim} dimensions.")
    return number % ndim


def as_axes(axis: Any, ndim: int, what: str) -> tuple[int, ...]:
    """Return the axes that `axis` (`None` for all, an int, or several) names, between 0 and `ndim - 1`."""
    if axis is None:
        return _ALL_AXES[ndim] if ndim < len(_ALL_AXES) else tuple(range(ndim))
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)
    axes = tuple([as_axis(number, ndim, what) for number in (axis if type(axis) is tuple else as_shape(axis))])
    if len(set(axes)) != len(axes):
        raise ValueError(f"{what}: axis {axis} names a dimension twice.")
    return axes


def kept_shape(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return what a reduction of `shape` over `axes` has with `keepdims=True`."""
    return tuple([1 if k in axes else size for k, size in enumerate(shape)])


def shape_along(axis: int, ndim: int) -> tuple[int, ...]:
    """Return the shape, with one -1 in it, that makes a vector lie along `axis` of `ndim` axes."""
    return tuple([-1 if k == axis else 1 for k in range(ndim)])
