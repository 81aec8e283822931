"""TensorFlow's names for updates of elements at given positions, and for rows parted and put together by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import gathering, joining, scattering, writing
from tapegrad._ops.arguments import as_int, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import Selection, as_indices, as_positions, boolean_mask

__all__ = [
    "dynamic_partition",
    "dynamic_stitch",
    "scatter_nd",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
]


def scatter_nd(indices: TensorLike, updates: TensorLike, shape: Any, name: str | None = None) -> Tensor:
    """Return zeros of `shape` with `updates` added at the positions in the last axis of `indices`.

    Parameters
    ----------
    indices
        Integers, of shape (..., k): in each row the position along the first k axes.
    updates
        For each row an element, or a slice along the remaining axes.
    shape
        The shape of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.scatter_nd([[0], [2], [0]], [1, 2, 3], [4]).numpy().tolist()
    [4, 0, 2, 0]
    """
    return gathering.scatter_nd(indices, updates, shape)


def tensor_scatter_nd_update(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None
) -> Tensor:
    """Return `tensor` with `updates` at the positions in the last axis of `indices`.

    Of several updates of one element the last one counts, and it alone has a derivative.

    Parameters
    ----------
    tensor
        A tensor, which stays as it is.
    indices
        Integers, of shape (..., k): in each row the position along the first k axes.
    updates
        For each row an element, or a slice along the remaining axes.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.tensor_scatter_nd_update([1, 2, 3], [[0], [2]], [7, 9]).numpy().tolist()
    [7, 2, 9]
    """
    x, key, values = _operands("tensor_scatter_nd_update", tensor, indices, updates)
    return writing.set_at(x, key, values)


def tensor_scatter_nd_add(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None
) -> Tensor:
    """Return `tensor` with `updates` added at the positions in the last axis of `indices`.

    Parameters
    ----------
    tensor
        A tensor, which stays as it is.
    indices
        Integers, of shape (..., k): in each row the position along the first k axes.
    updates
        For each row an element, or a slice along the remaining axes.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.tensor_scatter_nd_add([1, 2, 3], [[0], [0]], [10, 20]).numpy().tolist()
    [31, 2, 3]
    """
    x, key, values = _operands("tensor_scatter_nd_add", tensor, indices, updates)
    return writing.add_at(x, key, values)


def tensor_scatter_nd_sub(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None
) -> Tensor:
    """Return `tensor` with `updates` subtracted at the positions in the last axis of `indices`.

    Parameters
    ----------
    tensor
        A tensor, which stays as it is.
    indices
        Integers, of shape (..., k): in each row the position along the first k axes.
    updates
        For each row an element, or a slice along the remaining axes.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.tensor_scatter_nd_sub([10, 20, 30], [[0], [0]], [1, 2]).numpy().tolist()
    [7, 20, 30]
    """
    x, key, values = _operands("tensor_scatter_nd_sub", tensor, indices, updates)
    return writing.add_at(x, key, elementwise.negative(values))


def tensor_scatter_nd_max(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None
) -> Tensor:
    """Return `tensor` with the greatest of each element and its updates; those that tie share the derivative.

    Parameters
    ----------
    tensor
        A tensor, which stays as it is.
    indices
        Integers, of shape (..., k): in each row the position along the first k axes.
    updates
        For each row an element, or a slice along the remaining axes.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.tensor_scatter_nd_max([1, 2, 3], [[0], [1]], [7, 0]).numpy().tolist()
    [7, 2, 3]
    """
    x, key, values = _operands("tensor_scatter_nd_max", tensor, indices, updates)
    return scattering.max_at(x, Selection(key, x.shape), values)


def tensor_scatter_nd_min(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None
) -> Tensor:
    """Return `tensor` with the least of each element and its updates; those that tie share the derivative.

    Parameters
    ----------
    tensor
        A tensor, which stays as it is.
    indices
        Integers, of shape (..., k): in each row the position along the first k axes.
    updates
        For each row an element, or a slice along the remaining axes.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.tensor_scatter_nd_min([1, 2, 3], [[0], [1]], [7, 0]).numpy().tolist()
    [1, 0, 3]
    """
    x, key, values = _operands("tensor_scatter_nd_min", tensor, indices, updates)
    return scattering.min_at(x, Selection(key, x.shape), values)


def _operands(
    what: str, tensor: TensorLike, indices: TensorLike, updates: TensorLike
) -> tuple[Tensor, tuple[Any, ...], Tensor]:
    """Return the tensor, the key of the positions, and the updates, whose shape is checked."""
    x = as_tensor(tensor)
    places, key = as_positions(indices, x.shape, what)
    if not key:
        raise ValueError(f"{what}: indices of shape {places.shape} have no coordinates in their last axis.")
    # Numbers are weak: they take the tensor's type.
    values = as_tensor(updates) if isinstance(updates, Tensor) else _native.tensor(updates, x.dtype)
    expected = places.shape[:-1] + x.shape[len(key) :]
    if values.shape != expected:
        raise ValueError(
            f"{what}: updates of shape {values.shape} do not fit indices of shape {places.shape} and a tensor of shape "
            f"{x.shape}; they must have shape {expected}."
        )
    return x, key, values


def dynamic_partition(
    data: TensorLike, partitions: TensorLike, num_partitions: Any, name: str | None = None
) -> list[Tensor]:
    """Return a list of tensors: number k has the rows of `data` for which `partitions` is k.

    Parameters
    ----------
    data
        A tensor.
    partitions
        Integers, whose shape `data`'s begins with.
    num_partitions
        The number of tensors to return.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the shape of `data` does not start with that of `partitions`, or a number is out of range.

    Examples
    --------
    >>> import tapegrad as tf
    >>> [part.numpy().tolist() for part in tf.dynamic_partition([10, 20, 30], [1, 0, 1], 2)]
    [[20], [10, 30]]
    """
    data = as_tensor(data)
    numbers = as_indices(partitions, "dynamic_partition")
    count = as_int(num_partitions)
    if numbers.ndim == 0 or data.shape[: numbers.ndim] != numbers.shape:
        raise ValueError(
            f"dynamic_partition: data of shape {data.shape} do not start with the shape {numbers.shape} of the "
            "partitions."
        )
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < count:
        raise ValueError(f"dynamic_partition: the partitions {numbers} are not between 0 and {count - 1}.")
    return [boolean_mask(data, numbers == k) for k in range(count)]


def dynamic_stitch(indices: Sequence[TensorLike], data: Sequence[TensorLike], name: str | None = None) -> Tensor:
    """Return the tensor whose rows with the numbers `indices[k]` are those of `data[k]`.

    Of several rows with one number the last one counts; rows that are not given are zero.

    Parameters
    ----------
    indices
        Tensors of integers.
    data
        As many tensors, whose shapes begin with those of the indices.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the indices do not fit the data, or an index is negative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]).numpy().tolist()
    [10, 20, 30]
    """
    numbers = [as_indices(part, "dynamic_stitch") for part in indices]
    values = [as_tensor(part) for part in data]
    if not numbers or len(numbers) != len(values):
        raise ValueError(f"dynamic_stitch: {len(numbers)} indices do not fit {len(values)} data.")
    for number, value in zip(numbers, values, strict=True):
        if value.shape[: number.ndim] != number.shape:
            raise ValueError(
                f"dynamic_stitch: data of shape {value.shape} do not start with the shape {number.shape} of "
                "their indices."
            )
    rows = joining.concatenate(
        [_native.reshape(v, (-1, *v.shape[n.ndim :])) for n, v in zip(numbers, values, strict=True)]
    )
    places = np.concatenate([number.ravel() for number in numbers])
    if places.size and places.min() < 0:
        raise ValueError("dynamic_stitch: the indices must not be negative.")
    zeros = np.zeros((int(places.max(initial=-1)) + 1, *rows.shape[1:]), rows.dtype.dtype)
    return writing.set_at(_native.own(zeros), (places,), rows)
