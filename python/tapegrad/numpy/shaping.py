"""Shapes and axes: reshaping, moving axes, broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import linear, shaping
from tapegrad._ops.arguments import as_axis, as_int, as_shape, as_vector
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, operand

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "expand_dims",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "ravel",
    "reshape",
    "resize",
    "rollaxis",
    "squeeze",
    "swapaxes",
    "transpose",
]


@implements(np.reshape)
def reshape(a: TensorLike, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Tensor:
    """Return `a` in another shape of the same size; one size may be -1 and follows from the others.

    Raises
    ------
    ValueError
        If the order is none of "C", "F" and "A", or the sizes do not fit.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.reshape([1, 2, 3, 4], (2, -1), order="F").numpy()
    array([[1, 3],
           [2, 4]])
    """
    a = operand(a)
    sizes = as_shape(shape)
    if order == "C" or (order == "A" and not array(a).flags.fnc):
        return _native.reshape(a, sizes)
    if order not in ("F", "A"):
        raise ValueError(f"reshape: the order is 'C', 'F' or 'A', not {order!r}.")
    return _native.transpose(_native.reshape(_native.transpose(a), sizes[::-1]))


@implements(np.ravel)
def ravel(a: TensorLike, order: str = "C") -> Tensor:
    """Return `a` as a vector, read in C order, in Fortran's or, with "K", in that of memory.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.ravel([[1, 2], [3, 4]], order="F").numpy()
    array([1, 3, 2, 4])
    """
    a = operand(a)
    if order == "K":
        strides = array(a).strides
        axes = sorted(range(a.ndim), key=lambda k: -abs(strides[k]))
        return _native.reshape(_native.transpose(a, axes), (-1,))
    return reshape(a, (-1,), order)


@implements(np.resize)
def resize(a: TensorLike, new_shape: Any) -> Tensor:
    """Return the elements of `a`, repeated as often as needed, in a new shape.

    Raises
    ------
    ValueError
        If an empty tensor is to be repeated.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.resize([1.0, 2.0], 5).numpy()
    array([1., 2., 1., 2., 1.])
    """
    a, shape = operand(a), as_shape(new_shape)
    if not a.size and 0 not in shape:
        raise ValueError("resize: an empty tensor has no elements to repeat.")
    places = np.resize(np.arange(a.size), shape) if a.size else np.zeros(shape, np.intp)
    return _native.take(as_vector(a), places, 0)


@implements(np.transpose, "permute_dims")
def transpose(a: TensorLike, axes: Any = None) -> Tensor:
    """Return `a` with its axes reversed, or in the order `axes`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.transpose(np.ones((1, 2, 3)), (2, 0, 1)).shape
    (3, 1, 2)
    """
    return shaping.transpose(operand(a), axes)


permute_dims = transpose


@implements("matrix_transpose")
def matrix_transpose(x: TensorLike, /) -> Tensor:
    """Return stacked matrices transposed: the last two axes exchanged.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.matrix_transpose(np.ones((5, 2, 3))).shape
    (5, 3, 2)
    """
    return linear.matrix_transpose(operand(x))


@implements(np.moveaxis)
def moveaxis(a: TensorLike, source: Any, destination: Any) -> Tensor:
    """Return `a` with axes moved to other positions, the others in their order.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    return shaping.moveaxis(operand(a), source, destination)


@implements(np.rollaxis)
def rollaxis(a: TensorLike, axis: Any, start: Any = 0) -> Tensor:
    """Return `a` with one axis moved before the axis `start`.

    Raises
    ------
    ValueError
        If `start` is out of range.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.rollaxis(np.ones((3, 4, 5, 6)), 3, 1).shape
    (3, 6, 4, 5)
    """
    a = operand(a)
    axis, start = as_axis(axis, a.ndim, "rollaxis"), as_int(start)
    start += a.ndim if start < 0 else 0
    if not 0 <= start <= a.ndim:
        raise ValueError(f"rollaxis: start {start} is out of bounds for a tensor with {a.ndim} dimensions.")
    return shaping.moveaxis(a, axis, start - (axis < start))


@implements(np.swapaxes)
def swapaxes(a: TensorLike, axis1: Any, axis2: Any) -> Tensor:
    """Return `a` with two axes exchanged.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.swapaxes(np.ones((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    return shaping.swapaxes(operand(a), axis1, axis2)


@implements(np.squeeze)
def squeeze(a: TensorLike, axis: Any = None) -> Tensor:
    """Return `a` without its axes of size 1, or without those that are named.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.squeeze(np.ones((1, 3, 1))).shape
    (3,)
    """
    return shaping.squeeze(operand(a), axis)


@implements(np.expand_dims)
def expand_dims(a: TensorLike, axis: Any) -> Tensor:
    """Return `a` with new axes of size 1 at positions of the result.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.expand_dims(np.ones(3), (0, 2)).shape
    (1, 3, 1)
    """
    return shaping.expand_dims(operand(a), axis)


@implements(np.broadcast_to)
def broadcast_to(array: TensorLike, shape: Any, subok: bool = False) -> Tensor:
    """Return a tensor repeated to a shape by the rules of broadcasting.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.broadcast_to([1.0, 2.0], (2, 2)).numpy()
    array([[1., 2.],
           [1., 2.]])
    """
    return shaping.broadcast_to(operand(array), shape)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: TensorLike, subok: bool = False) -> tuple[Tensor, ...]:
    """Return tensors in the shape that they broadcast to together.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> [x.shape for x in np.broadcast_arrays(np.ones((3, 1)), np.ones(2))]
    [(3, 2), (3, 2)]
    """
    tensors = [operand(x) for x in args]
    shape = np.broadcast_shapes(*[x.shape for x in tensors])
    return tuple([x if x.shape == shape else _native.broadcast_to(x, shape) for x in tensors])


@implements(np.atleast_1d)
def atleast_1d(*arys: TensorLike) -> Any:
    """Return tensors with at least one dimension: one tensor, or a tuple of several.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.atleast_1d(1.0).shape
    (1,)
    """
    return _one_or_all([x if x.ndim else _native.reshape(x, (1,)) for x in map(operand, arys)])


@implements(np.atleast_2d)
def atleast_2d(*arys: TensorLike) -> Any:
    """Return tensors with at least two dimensions: one tensor, or a tuple of several.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.atleast_2d([1.0, 2.0]).shape
    (1, 2)
    """
    return _one_or_all([as_matrix(x) for x in map(operand, arys)])


@implements(np.atleast_3d)
def atleast_3d(*arys: TensorLike) -> Any:
    """Return tensors with at least three dimensions: one tensor, or a tuple of several.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.atleast_3d([1.0, 2.0]).shape, np.atleast_3d([[1.0, 2.0]]).shape
    ((1, 2, 1), (1, 2, 1))
    """
    return _one_or_all([as_cube(x) for x in map(operand, arys)])


def as_matrix(x: Tensor) -> Tensor:
    """Return a tensor with two dimensions at least; a vector becomes a row."""
    return x if x.ndim > 1 else _native.reshape(x, (1, -1))


def as_cube(x: Tensor) -> Tensor:
    """Return a tensor with three dimensions at least."""
    if x.ndim > 2:
        return x
    return _native.reshape(x, (*x.shape, 1) if x.ndim == 2 else (1, -1, 1))


def _one_or_all(tensors: list[Tensor]) -> Tensor | tuple[Tensor, ...]:
    return tensors[0] if len(tensors) == 1 else tuple(tensors)
