"""TensorFlow's names for reading from a tensor: slices, gathers, masks, choices."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import gathering, indexing
from tapegrad._ops.arguments import as_shape, as_tensor
from tapegrad._ops.declare import TensorLike

__all__ = ["boolean_mask", "gather", "gather_nd", "slice", "strided_slice", "unravel_index", "where"]


def slice(input_: TensorLike, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """Return the block of `input_` that starts at `begin` and has the given sizes, -1 being all that is left.

    Parameters
    ----------
    input_
        A tensor.
    begin
        A position along each axis.
    size
        A size for each axis.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the block does not lie within the tensor.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.slice([[1, 2, 3], [4, 5, 6]], begin=[0, 1], size=[-1, 2]).numpy().tolist()
    [[2, 3], [5, 6]]
    """
    x = as_tensor(input_)
    starts, sizes = as_shape(begin), as_shape(size)
    if not len(starts) == len(sizes) == x.ndim:
        raise ValueError(
            f"slice: begin {list(starts)} and size {list(sizes)} must have one number per axis of a tensor of shape "
            f"{x.shape}."
        )
    key = []
    for start, length, whole in zip(starts, sizes, x.shape, strict=True):
        stop = whole if length == -1 else start + length
        if not 0 <= start <= stop <= whole:
            raise ValueError(
                f"slice: begin {list(starts)} with size {list(sizes)} is out of bounds for a tensor of shape {x.shape}."
            )
        key.append(builtins.slice(start, stop))
    return _native.basic_index(x, tuple(key))


def strided_slice(
    input_: TensorLike,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: None = None,
    name: str | None = None,
) -> Tensor:
    """Return `input_[begin[0] : end[0] : strides[0], begin[1] : end[1] : strides[1], ...]`.

    Parameters
    ----------
    input_
        The tensor.
    begin, end, strides
        Equally many integers, for the first axes; the strides are 1 by default.
    begin_mask, end_mask
        Where bit k is set, slice k has no beginning (no end).
    ellipsis_mask, new_axis_mask, shrink_axis_mask
        Where bit k is set, entry k of the index is `...`, a new axis, or the integer `begin[k]` alone.
    var, name
        Have no effect.

    Raises
    ------
    ValueError
        If begin, end and strides differ in length.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = [[1, 2, 3], [4, 5, 6]]
    >>> tf.strided_slice(x, [0, 2], [2, 0], [1, -1]).numpy().tolist()  # x[0:2, 2:0:-1]
    [[3, 2], [6, 5]]
    >>> tf.strided_slice(x, [1], [2], shrink_axis_mask=1).numpy().tolist()  # x[1]
    [4, 5, 6]
    """
    starts, stops = as_shape(begin), as_shape(end)
    steps = (1,) * len(starts) if strides is None else as_shape(strides)
    if not len(starts) == len(stops) == len(steps):
        raise ValueError(
            f"strided_slice: begin {list(starts)}, end {list(stops)} and strides {list(steps)} differ in length."
        )
    key: list[Any] = []
    for k, (start, stop, step) in enumerate(zip(starts, stops, steps, strict=True)):
        bit = 1 << k
        if ellipsis_mask & bit:
            key.append(...)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_axis_mask & bit:
            key.append(start)
        else:
            key.append(builtins.slice(None if begin_mask & bit else start, None if end_mask & bit else stop, step))
    return _native.basic_index(as_tensor(input_), tuple(key))


def gather(
    params: TensorLike,
    indices: TensorLike,
    validate_indices: object = None,
    axis: Any = None,
    batch_dims: Any = 0,
    name: str | None = None,
) -> Tensor:
    """Return the slices of `params` at `indices` along `axis` (`batch_dims` by default).

    The first `batch_dims` axes are shared by `params` and `indices`. An index out of range raises an IndexError.

    Parameters
    ----------
    params
        The tensor to take from.
    indices
        Integers of any shape.
    validate_indices
        Has no effect: indices are always checked.
    axis
        The axis to take from; `None` is `batch_dims`.
    batch_dims
        How many leading axes are shared.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.gather([[1.0, 2.0], [3.0, 4.0]], [1, 0, 1]).numpy().tolist()
    [[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]
    """
    return gathering.gather(params, indices, axis, batch_dims)


def gather_nd(params: TensorLike, indices: TensorLike, batch_dims: Any = 0, name: str | None = None) -> Tensor:
    """Return the slices of `params` at the positions in the last axis of `indices`.

    Parameters
    ----------
    params
        The tensor to take from.
    indices
        Integers, of shape (..., k): in each row the position along the first k axes.
    batch_dims
        How many leading axes `params` and `indices` share.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.gather_nd([[1, 2], [3, 4]], [[0, 0], [1, 1]]).numpy().tolist()
    [1, 4]
    """
    return gathering.gather_nd(params, indices, batch_dims)


def boolean_mask(tensor: TensorLike, mask: TensorLike, axis: Any = None, name: str | None = "boolean_mask") -> Tensor:
    """Return the elements of `tensor` where `mask` is true; the mask covers the axes from `axis` (0) on.

    Parameters
    ----------
    tensor
        A tensor.
    mask
        Bools, as many as there are elements along the axes that they cover.
    axis
        The first of these axes; `None` is 0.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.boolean_mask([1, 2, 3], [True, False, True]).numpy().tolist()
    [1, 3]
    """
    return indexing.boolean_mask(tensor, mask, axis)


def where(
    condition: TensorLike, x: TensorLike | None = None, y: TensorLike | None = None, name: str | None = None
) -> Tensor:
    """Return `x` where `condition` is true and `y` elsewhere.

    Without `x` and `y` it returns the positions of the true elements, one a row. The value that is not chosen
    contributes nothing to the gradient, whatever it is.

    Parameters
    ----------
    condition
        A tensor of bools.
    x, y
        The values to choose from; all three are broadcast.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If only one of `x` and `y` is given.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.where([True, False], 1.0, 2.0).numpy().tolist()
    [1.0, 2.0]
    >>> tf.where([False, True]).numpy().tolist()
    [[1]]
    """
    if x is None and y is None:
        return gathering.where_true(condition)
    if x is None or y is None:
        raise ValueError("where: give both x and y, or none of them.")
    return _native.where(condition, x, y)


def unravel_index(indices: TensorLike, dims: Any, name: str | None = None) -> Tensor:
    """Return the coordinates, one row for each axis, of elements given by their numbers in a tensor of shape `dims`.

    Parameters
    ----------
    indices
        Integers: elements' numbers in row-major order.
    dims
        The shape of the tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.unravel_index([5, 1], [2, 3]).numpy().tolist()
    [[1, 0], [2, 1]]
    """
    numbers = indexing.as_indices(as_tensor(indices), "unravel_index")
    return _native.own(np.array(np.unravel_index(numbers, as_shape(dims)), numbers.dtype))
