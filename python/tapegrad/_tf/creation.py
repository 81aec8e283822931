"""TensorFlow's names for making tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import creation, gathering, shaping
from tapegrad._ops.arguments import as_int, as_shape
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.indexing import as_indices
from tapegrad._tf.conversion import convert_to_tensor
from tapegrad.dtypes import as_dtype, bool, float32

__all__ = [
    "constant",
    "eye",
    "fill",
    "linspace",
    "one_hot",
    "ones",
    "ones_like",
    "range",
    "sequence_mask",
    "zeros",
    "zeros_like",
]


def constant(value: TensorLike, dtype: Any = None, shape: Any = None, name: str | None = "Const") -> Tensor:
    """Return a tensor with the given value.

    Python floats make float32, ints int32; NumPy arrays keep their type and are copied.

    Parameters
    ----------
    value
        A number, nested lists of numbers, or an array.
    dtype
        Another type for the elements.
    shape
        The shape of the result: that of another arrangement of the elements, or what a single number is
        repeated to.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.constant([1.0, 2.0])
    <tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>
    >>> tf.constant(0, shape=(2, 2)).shape
    (2, 2)
    """
    tensor = convert_to_tensor(value, dtype)
    if shape is None:
        return tensor
    size = as_shape(shape)
    return shaping.broadcast_to(tensor, size) if tensor.size == 1 else shaping.reshape(tensor, size)


def zeros(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Return zeros of the given shape.

    Parameters
    ----------
    shape
        The shape of the result.
    dtype
        The type of the elements.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.zeros((2,)).numpy()
    array([0., 0.], dtype=float32)
    """
    return creation.zeros(shape, dtype)


def ones(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Return ones of the given shape.

    Parameters
    ----------
    shape
        The shape of the result.
    dtype
        The type of the elements.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.ones((2,)).numpy()
    array([1., 1.], dtype=float32)
    """
    return creation.ones(shape, dtype)


def zeros_like(input: TensorLike, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return zeros with the shape (and type) of `input`.

    Parameters
    ----------
    input
        A tensor.
    dtype
        The type of the elements; `None` is that of `input`.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.zeros_like([1, 2]).numpy()
    array([0, 0], dtype=int32)
    """
    return creation.zeros_like(input, dtype)


def ones_like(input: TensorLike, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return ones with the shape (and type) of `input`.

    Parameters
    ----------
    input
        A tensor.
    dtype
        The type of the elements; `None` is that of `input`.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.ones_like([3, 2]).numpy()
    array([1, 1], dtype=int32)
    """
    return creation.ones_like(input, dtype)


def fill(dims: Any, value: TensorLike, name: str | None = None) -> Tensor:
    """Return `value` repeated to the shape `dims`; it is differentiable with respect to the value.

    Parameters
    ----------
    dims
        The shape of the result.
    value
        A number, or a tensor without dimensions.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.fill((2,), 7.0).numpy()
    array([7., 7.], dtype=float32)
    """
    return creation.full(dims, value)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """Return identity matrices: `num_rows` x `num_columns`, repeated to `batch_shape`.

    Parameters
    ----------
    num_rows
        The number of rows.
    num_columns
        The number of columns; `None` is `num_rows`.
    batch_shape
        The shape of the axes in front, if there are to be any.
    dtype
        The type of the elements.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.eye(2).numpy().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return creation.eye(num_rows, num_columns, batch_shape, dtype)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = "range") -> Tensor:
    """Return the numbers from `start` (0 if only one number is given) to before `limit` in steps of `delta`.

    Parameters
    ----------
    start
        The first number; if `limit` is `None`, the limit.
    limit
        The end, which is left out.
    delta
        The step.
    dtype
        The type of the result; `None` leaves it to the numbers.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.range(3)
    <tf.Tensor: shape=(3,), dtype=int32, numpy=array([0, 1, 2], dtype=int32)>
    """
    return creation.arange(start, limit, delta, dtype)


def linspace(start: TensorLike, stop: TensorLike, num: Any, name: str | None = None, axis: Any = 0) -> Tensor:
    """Return `num` evenly spaced numbers from `start` to `stop`, both included, along a new axis.

    It is differentiable with respect to both ends.

    Parameters
    ----------
    start, stop
        Tensors, which are broadcast.
    num
        How many numbers there are.
    name
        Has no effect.
    axis
        The place of the new axis.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linspace(0.0, 1.0, 3).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return creation.linspace(start, stop, num, axis)


def one_hot(
    indices: TensorLike,
    depth: Any,
    on_value: TensorLike | None = None,
    off_value: TensorLike | None = None,
    axis: Any = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return a new axis of size `depth` with `on_value` (1) where the index says, `off_value` (0) elsewhere.

    The new axis is the last unless `axis` says otherwise; the type is `dtype`, else that of the values, else
    float32. An index outside 0 ... depth - 1 gives only `off_value`.

    Parameters
    ----------
    indices
        Integers of any shape.
    depth
        The size of the new axis.
    on_value, off_value
        Numbers; `None` is 1 and 0.
    axis
        The place of the new axis; `None` or -1 is the end.
    dtype
        The type of the result, or `None`.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.one_hot([0, 2], 3).numpy().tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return gathering.one_hot(indices, depth, on_value, off_value, None if axis == -1 else axis, dtype)


def sequence_mask(lengths: TensorLike, maxlen: Any = None, dtype: Any = bool, name: str | None = None) -> Tensor:
    """Return a new last axis of size `maxlen`, true (1) at as many first positions as `lengths` says.

    The size is the greatest length by default.

    Parameters
    ----------
    lengths
        Integers of any shape.
    maxlen
        The size of the new axis; `None` is the greatest length.
    dtype
        The type of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.sequence_mask([1, 3], dtype=tf.int32).numpy().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    counts = as_indices(lengths, "sequence_mask")
    size = int(counts.max(initial=0)) if maxlen is None else as_int(maxlen)
    return _native.own((np.arange(size) < counts[..., np.newaxis]).astype(as_dtype(dtype).dtype))
