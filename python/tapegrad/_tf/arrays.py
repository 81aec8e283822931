"""TensorFlow's names for rearranging and repeating tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import indexing, padding, shaping
from tapegrad._ops.arguments import as_axis, as_shape, as_tensor, shape_along
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import TensorLike

__all__ = [
    "meshgrid",
    "pad",
    "repeat",
    "reverse",
    "reverse_sequence",
    "roll",
    "tile",
    "transpose",
]


def transpose(a: TensorLike, perm: Any = None, conjugate: bool = False, name: str | None = "transpose") -> Tensor:
    """Return `a` with its axes reversed, or permuted: axis k of the result is axis `perm[k]` of `a`.

    Parameters
    ----------
    a
        A tensor.
    perm
        The order of the axes; `None` reverses it.
    conjugate
        Whether to take the complex conjugate as well.
    name
        Has no effect.

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

    Parameters
    ----------
    input
        A tensor.
    multiples
        An integer for each axis.
    name
        Has no effect.

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

    Parameters
    ----------
    input
        A tensor.
    repeats
        An integer, or one for each element.
    axis
        The axis to repeat along, or `None`.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.repeat([1.0, 2.0], 2).numpy()
    array([1., 1., 2., 2.], dtype=float32)
    """
    return shaping.repeat(input, repeats, axis)


def reverse(tensor: TensorLike, axis: Any, name: str | None = None) -> Tensor:
    """Return `tensor` in reverse order along each of the axes in the list `axis`.

    Parameters
    ----------
    tensor
        A tensor.
    axis
        An axis, or a list of them.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reverse([1.0, 2.0, 3.0], axis=[0]).numpy()
    array([3., 2., 1.], dtype=float32)
    """
    return shaping.flip(tensor, as_shape(axis))


def roll(input: TensorLike, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Return `input` shifted circularly by `shift` places along `axis`.

    Parameters
    ----------
    input
        A tensor.
    shift
        A number of places, or one for each axis of a list.
    axis
        An axis, or a list of them.
    name
        Has no effect.

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
