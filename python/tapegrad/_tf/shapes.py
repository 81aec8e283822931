"""TensorFlow's names for shapes: asking for them, checking them, giving a tensor another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import shaping
from tapegrad._ops.arguments import as_int, as_shape, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._tf.tensor_shape import TensorShape
from tapegrad.dtypes import as_dtype, int32
from tapegrad.errors import InvalidArgumentError

__all__ = [
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "ensure_shape",
    "expand_dims",
    "rank",
    "reshape",
    "shape",
    "shape_n",
    "size",
    "squeeze",
]


def shape(input: TensorLike, out_type: Any = int32, name: str | None = None) -> Tensor:
    """Return the shape of `input` as an integer vector; `input.shape` is the tuple.

    Parameters
    ----------
    input
        A tensor.
    out_type
        The integer type of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.shape([[1.0, 2.0, 3.0]])
    <tf.Tensor: shape=(2,), dtype=int32, numpy=array([1, 3], dtype=int32)>
    """
    return _native.own(np.array(as_tensor(input).shape, as_dtype(out_type).dtype))


def shape_n(input: Sequence[TensorLike], out_type: Any = int32, name: str | None = None) -> list[Tensor]:
    """Return the shapes of several tensors, as `shape` does.

    Parameters
    ----------
    input
        Tensors.
    out_type
        The integer type of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> [s.numpy().tolist() for s in tf.shape_n([tf.ones(3), tf.ones((1, 2))])]
    [[3], [1, 2]]
    """
    return [shape(x, out_type) for x in input]


def size(input: TensorLike, out_type: Any = int32, name: str | None = None) -> Tensor:
    """Return the number of elements of `input`.

    Parameters
    ----------
    input
        A tensor.
    out_type
        The integer type of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.size([[1.0, 2.0, 3.0]]))
    3
    """
    return _native.own(np.array(as_tensor(input).size, as_dtype(out_type).dtype))


def rank(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the number of dimensions of `input`.

    Parameters
    ----------
    input
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.rank([[1.0, 2.0, 3.0]]))
    2
    """
    return _native.own(np.array(as_tensor(input).ndim, np.int32))


def reshape(tensor: TensorLike, shape: Any, name: str | None = None) -> Tensor:
    """Return `tensor` with another shape of the same size; one entry may be -1 and follows from the size.

    Parameters
    ----------
    tensor
        A tensor.
    shape
        The sizes of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.reshape(tf.range(6), [-1, 3]).shape
    (2, 3)
    """
    return shaping.reshape(tensor, shape)


def squeeze(input: TensorLike, axis: Any = None, name: str | None = None) -> Tensor:
    """Return `input` without its axes of size 1, or without those that `axis` names.

    Parameters
    ----------
    input
        A tensor.
    axis
        An axis, several, or `None` for all of size 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.squeeze(tf.ones((1, 3, 1))).shape, tf.squeeze(tf.ones((1, 3, 1)), axis=0).shape
    ((3,), (3, 1))
    """
    return shaping.squeeze(input, axis)


def expand_dims(input: TensorLike, axis: Any, name: str | None = None) -> Tensor:
    """Return `input` with a new axis of size 1 at position `axis`.

    Parameters
    ----------
    input
        A tensor.
    axis
        The place of the new axis in the result, from the end if negative.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.expand_dims([1.0, 2.0], axis=-1).shape
    (2, 1)
    """
    return shaping.expand_dims(input, as_int(axis))


def broadcast_to(input: TensorLike, shape: Any, name: str | None = None) -> Tensor:
    """Return `input` repeated to `shape` by NumPy's broadcasting rules.

    Parameters
    ----------
    input
        A tensor.
    shape
        The shape of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.broadcast_to([1, 2], (2, 2)).numpy().tolist()
    [[1, 2], [1, 2]]
    """
    return shaping.broadcast_to(input, shape)


def ensure_shape(x: TensorLike, shape: Any, name: str | None = None) -> Tensor:
    """Return `x` as a tensor, after a check that it is of a shape in which `None` stands for any size.

    Parameters
    ----------
    x
        A tensor.
    shape
        The shape; `None` in it, or for the whole, allows anything.
    name
        Has no effect.

    Raises
    ------
    InvalidArgumentError
        If the shape of `x` is another.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.ensure_shape([[1.0, 2.0]], [None, 2]).shape
    (1, 2)
    """
    x = as_tensor(x)
    expected = TensorShape(shape)
    if not expected.is_compatible_with(x.shape):
        raise InvalidArgumentError(f"Shape of tensor input {x.shape} is not compatible with expected shape {expected}.")
    return x


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """Return the shape that two shapes broadcast to, as far as their sizes are known.

    Parameters
    ----------
    shape_x, shape_y
        The shapes.

    Raises
    ------
    ValueError
        If they cannot be broadcast.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.broadcast_static_shape(tf.TensorShape([None, 1]), (3,))
    TensorShape([None, 3])
    """
    x, y = TensorShape(shape_x), TensorShape(shape_y)
    if x.rank is None or y.rank is None:
        return TensorShape(None)
    ndim = max(x.rank, y.rank)
    pairs = zip([1] * (ndim - x.rank) + x.as_list(), [1] * (ndim - y.rank) + y.as_list(), strict=True)
    sizes: list[int | None] = []
    for a, b in pairs:
        known = {size for size in (a, b) if size is not None and size != 1}
        if len(known) > 1:
            raise ValueError(
                "Incompatible shapes for broadcasting. Two shapes are compatible if for each dimension pair they are "
                f"either equal or one of them is 1. Received: {x} and {y}."
            )
        # A size that is not known may be 1, and so gives way to any other that is greater.
        sizes.append(known.pop() if known else None if None in (a, b) else 1)
    return TensorShape(sizes)


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """Return the shape that two shapes broadcast to, as an int32 vector.

    Parameters
    ----------
    shape_x, shape_y
        The shapes.

    Raises
    ------
    ValueError
        If they cannot be broadcast.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.broadcast_dynamic_shape([2, 1], [3]).numpy().tolist()
    [2, 3]
    """
    return _native.own(np.array(np.broadcast_shapes(as_shape(shape_x), as_shape(shape_y)), np.int32))
