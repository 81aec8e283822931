"""TensorFlow's names for rearranging, joining and cutting tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import indexing, joining, padding, shaping
from tapegrad._ops.arguments import as_axis, as_int, as_shape, as_tensor, shape_along
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import TensorLike

__all__ = [
    "concat",
    "meshgrid",
    "pad",
    "repeat",
    "reverse",
    "reverse_sequence",
    "roll",
    "split",
    "stack",
    "tile",
    "transpose",
    "unstack",
]


def transpose(a: TensorLike, perm: Any = None, conjugate: bool = False, name: str | None = "transpose") -> Tensor:
    """Return `a` with its axes reversed, or permuted: axis k of the result is axis `perm[k]` of `a`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.transpose([[1.0, 2.0, 3.0]]).shape
    (3, 1)
    """
    result = shaping.transpose(a, perm)
    return _conjugate(result) if conjugate else result


_conjugate = conjugate  # the name is a parameter above


def tile(input: TensorLike, multiples: Any, name: str | None = None) -> Tensor:
    """Return `input` repeated `multiples[k]` times along axis k.

    Raises
    ------
    ValueError
        If there is not one number for each axis.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.tile([1.0, 2.0], [2]).numpy()
    array([1., 2., 1., 2.], dtype=float32)
    """
    x, counts = as_tensor(input), as_shape(multiples)
    if len(counts) != x.ndim:
        raise ValueError(f"tile: multiples {counts} must have one number per axis of a tensor of shape {x.shape}.")
    return shaping.tile(x, counts)


def repeat(input: TensorLike, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Return `input` with element k along `axis` repeated `repeats` (or `repeats[k]`) times.

    Without `axis` the elements are those of `input` as a vector.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.repeat([1.0, 2.0], 2).numpy()
    array([1., 1., 2., 2.], dtype=float32)
    """
    return shaping.repeat(input, repeats, axis)


def reverse(tensor: TensorLike, axis: Any, name: str | None = None) -> Tensor:
    """Return `tensor` in reverse order along each of the axes in the list `axis`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reverse([1.0, 2.0, 3.0], axis=[0]).numpy()
    array([3., 2., 1.], dtype=float32)
    """
    return shaping.flip(tensor, as_shape(axis))


def roll(input: TensorLike, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Return `input` shifted circularly by `shift` places along `axis`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.roll([1.0, 2.0, 3.0], shift=1, axis=0).numpy()
    array([3., 1., 2.], dtype=float32)
    """
    return shaping.roll(input, shift, axis)


def pad(
    tensor: TensorLike,
    paddings: Any,
    mode: str = "CONSTANT",
    constant_values: TensorLike = 0,
    name: str | None = None,
) -> Tensor:
    """Return `tensor` with elements added around it.

    Parameters
    ----------
    tensor
        The tensor to extend.
    paddings
        One pair (before, after) per axis.
    mode
        `"CONSTANT"`, `"REFLECT"` (mirrored at the edge element) or `"SYMMETRIC"` (mirrored beside it).
    constant_values
        The number that the mode `"CONSTANT"` adds.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.pad([1, 2, 3], [[2, 1]], "REFLECT").numpy().tolist()
    [3, 2, 1, 2, 3, 2]
    """
    return padding.pad(tensor, paddings, mode.lower(), constant_values)


def concat(values: Any, axis: Any, name: str | None = "concat") -> Tensor:
    """Return the tensors joined along an existing axis.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.concat([[[1.0, 2.0]], [[3.0, 4.0]]], axis=0).numpy().tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if type(values) is not list and not isinstance(values, list | tuple):
        return as_tensor(values)
    return joining.concatenate(values, axis)


def stack(values: Sequence[TensorLike], axis: Any = 0, name: str | None = "stack") -> Tensor:
    """Return the tensors, which have one shape, joined along a new axis.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.stack([tf.constant(1.0), 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """
    return joining.stack(values, axis)


def unstack(value: TensorLike, num: int | None = None, axis: Any = 0, name: str | None = "unstack") -> list[Tensor]:
    """Return the slices of `value` along `axis`, without that axis; `num` checks how many there are.

    Raises
    ------
    ValueError
        If `num` is given and not the number of slices.

    Examples
    --------
    >>> import tapegrad as tf
    >>> [part.numpy().tolist() for part in tf.unstack([[1.0, 2.0], [3.0, 4.0]])]
    [[1.0, 2.0], [3.0, 4.0]]
    """
    value = as_tensor(value)
    parts = joining.unstack(value, axis)
    if num is not None and num != len(parts):
        raise ValueError(f"unstack: axis {axis} of a tensor of shape {value.shape} has {len(parts)} slices, not {num}.")
    return parts


def split(
    value: TensorLike,
    num_or_size_splits: Any,
    axis: Any = 0,
    num: int | None = None,
    name: str | None = "split",
) -> list[Tensor]:
    """Return the pieces of `value` along `axis`.

    Parameters
    ----------
    value
        The tensor to split.
    num_or_size_splits
        How many equal pieces, or a list of their sizes, one of which may be -1 for what is left.
    axis
        The axis to split along.
    num
        Checks how many pieces there are.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the pieces do not add up to the axis, or `num` is not their number.

    Examples
    --------
    >>> import tapegrad as tf
    >>> [part.shape for part in tf.split(tf.zeros((4, 6)), [2, -1], axis=1)]
    [(4, 2), (4, 4)]
    """
    value = as_tensor(value)
    if np.ndim(num_or_size_splits) == 0:
        parts = joining.split(value, as_int(num_or_size_splits), axis)
    else:
        total = value.shape[as_axis(axis, value.ndim, "split")]
        sizes = list(as_shape(num_or_size_splits))
        if sizes.count(-1) == 1:
            sizes[sizes.index(-1)] = total - (sum(sizes) + 1)
        if sum(sizes) != total or min(sizes, default=0) < 0:
            raise ValueError(
                f"split: pieces of {list(as_shape(num_or_size_splits))} do not add up to axis {axis} of a "
                f"tensor of shape {value.shape}."
            )
        parts = joining.split(value, np.cumsum(sizes)[:-1].tolist(), axis)
    if num is not None and num != len(parts):
        raise ValueError(f"split: there are {len(parts)} pieces, not {num}.")
    return parts


def meshgrid(*args: TensorLike, indexing: str = "xy", name: str | None = None) -> list[Tensor]:
    """Return coordinates on a grid: tensor k of the result repeats vector k along all other axes.

    Parameters
    ----------
    *args
        Vectors (or single numbers).
    indexing
        `"ij"`: vector k runs along axis k. `"xy"`: the first two axes change places.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If `indexing` is neither "xy" nor "ij".

    Examples
    --------
    >>> import tapegrad as tf
    >>> x, y = tf.meshgrid([1, 2, 3], [4, 5])
    >>> x.numpy().tolist(), y.numpy().tolist()
    ([[1, 2, 3], [1, 2, 3]], [[4, 4, 4], [5, 5, 5]])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Argument `indexing` parameter must be either 'xy' or 'ij', got {indexing!r}")
    vectors = [_native.reshape(x, (-1,)) for x in args]
    axes = list(range(len(vectors)))
    if indexing == "xy" and len(axes) > 1:
        axes[0], axes[1] = 1, 0
    sizes = [0] * len(vectors)
    for axis, vector in zip(axes, vectors, strict=True):
        sizes[axis] = vector.size
    return [
        _native.broadcast_to(_native.reshape(vector, shape_along(axis, len(axes))), sizes)
        for axis, vector in zip(axes, vectors, strict=True)
    ]


def reverse_sequence(
    input: TensorLike,
    seq_lengths: TensorLike,
    seq_axis: Any = None,
    batch_axis: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return `input` with the first `seq_lengths[k]` elements along `seq_axis` of batch entry k in reverse order.

    Parameters
    ----------
    input
        The tensor.
    seq_lengths
        A vector with one number for each entry along `batch_axis`.
    seq_axis
        The axis to reverse along, 0 by default.
    batch_axis
        The axis that the numbers count along, 0 by default.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If there is not one length for each entry of the batch, or a length is out of range.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], seq_axis=1).numpy().tolist()
    [[2, 1, 3], [6, 5, 4]]
    """
    x = as_tensor(input)
    along = as_axis(0 if seq_axis is None else seq_axis, x.ndim, "reverse_sequence")
    batch = as_axis(0 if batch_axis is None else batch_axis, x.ndim, "reverse_sequence")
    lengths = _as_indices(seq_lengths, "reverse_sequence")
    if along == batch or lengths.shape != (x.shape[batch],):
        raise ValueError(
            f"reverse_sequence: one length is needed for each entry along axis {batch} of a tensor of shape {x.shape}, "
            f"other than the axis {along} to reverse; there are {lengths.shape} lengths."
        )
    if lengths.size and not 0 <= lengths.min() <= lengths.max() <= x.shape[along]:
        raise ValueError(f"reverse_sequence: the lengths {lengths} are not between 0 and {x.shape[along]}.")

    def column(values: Any, axis: int) -> Any:
        return np.reshape(values, shape_along(axis, x.ndim))

    steps, stops = column(np.arange(x.shape[along]), along), column(lengths, batch)
    places = np.where(steps < stops, stops - 1 - steps, steps)
    return _take_along_axis(x, places, along, repeats=False)


# The name of the module is that of a parameter above.
_as_indices = indexing.as_indices
_take_along_axis = indexing.take_along_axis
