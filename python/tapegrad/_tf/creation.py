"""TensorFlow's names for making tensors."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, Value
from tapegrad._ops import creation, gathering, shaping
from tapegrad._ops.arguments import as_int, as_shape, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import as_indices
from tapegrad.dtypes import as_dtype, bool, float32

__all__ = [
    "cast",
    "constant",
    "convert_to_tensor",
    "eye",
    "fill",
    "identity",
    "identity_n",
    "is_tensor",
    "linspace",
    "one_hot",
    "ones",
    "ones_like",
    "range",
    "saturate_cast",
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


def convert_to_tensor(value: TensorLike, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    """Return `value` as a tensor: a tensor itself, the value of a variable, or a constant.

    Nested lists that hold tensors are stacked, and gradients flow to these. `dtype_hint` is the type to use
    if it can hold the value; `name` has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.convert_to_tensor([1, 2]).dtype
    tf.int32
    """
    if dtype is not None:
        return _native.tensor(value, as_dtype(dtype))
    if dtype_hint is not None and not isinstance(value, Value):
        try:
            return _native.tensor(value, as_dtype(dtype_hint))
        except (TypeError, ValueError):
            pass
    return _native.tensor(value)


def zeros(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Return zeros of the given shape.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.zeros((2,)).numpy()
    array([0., 0.], dtype=float32)
    """
    return creation.zeros(shape, dtype)


def ones(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Return ones of the given shape.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.ones((2,)).numpy()
    array([1., 1.], dtype=float32)
    """
    return creation.ones(shape, dtype)


def zeros_like(input: TensorLike, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return zeros with the shape (and type) of `input`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.zeros_like([1, 2]).numpy()
    array([0, 0], dtype=int32)
    """
    return creation.zeros_like(input, dtype)


def ones_like(input: TensorLike, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return ones with the shape (and type) of `input`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.ones_like([3, 2]).numpy()
    array([1, 1], dtype=int32)
    """
    return creation.ones_like(input, dtype)


def fill(dims: Any, value: TensorLike, name: str | None = None) -> Tensor:
    """Return `value` repeated to the shape `dims`; it is differentiable with respect to the value.

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

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.eye(2).numpy().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return creation.eye(num_rows, num_columns, batch_shape, dtype)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = "range") -> Tensor:
    """Return the numbers from `start` (0 if only one number is given) to before `limit` in steps of `delta`.

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

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linspace(0.0, 1.0, 3).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return creation.linspace(start, stop, num, axis)


def cast(x: TensorLike, dtype: Any, name: str | None = None) -> Tensor:
    """Return `x` with elements of another type. Gradients flow between floating and complex types.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.cast([1.7, -1.7], tf.int32).numpy()
    array([ 1, -1], dtype=int32)
    """
    return _native.cast(x, as_dtype(dtype))


def identity(input: TensorLike, name: str | None = None) -> Tensor:
    """Return a new tensor with the value of `input`; gradients flow to it.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.identity(3.0))
    3.0
    """
    return shaping.identity(input)


def is_tensor(x: object) -> builtins.bool:
    """Return whether `x` is a tensor or a variable.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.is_tensor(tf.Variable(1.0)), tf.is_tensor(1.0)
    (True, False)
    """
    return isinstance(x, Value)


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

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.one_hot([0, 2], 3).numpy().tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return gathering.one_hot(indices, depth, on_value, off_value, None if axis == -1 else axis, dtype)


def identity_n(input: Sequence[TensorLike], name: str | None = None) -> list[Tensor]:
    """Return new tensors with the values of several ones; gradients flow to them.

    Examples
    --------
    >>> import tapegrad as tf
    >>> [float(x) for x in tf.identity_n([1.0, 2.0])]
    [1.0, 2.0]
    """
    return [shaping.identity(x) for x in input]


def saturate_cast(value: TensorLike, dtype: Any, name: str | None = None) -> Tensor:
    """Return `value` with elements of another type, those beyond its range becoming its least and greatest number.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.saturate_cast([300.0, -5.0, 7.0], tf.uint8).numpy()
    array([255,   0,   7], dtype=uint8)
    """
    x, kind = as_tensor(value), as_dtype(dtype)
    if not (x.dtype.is_complex or kind.is_complex or x.dtype.is_bool or kind.is_bool):
        least, greatest = [_within(bound, x.dtype.dtype) for bound in (kind.min, kind.max)]
        x = elementwise.clip(x, least, greatest)
    return _native.cast(x, kind)


def _within(bound: Any, kind: np.dtype[Any]) -> Any:
    """Return the number of a type that is nearest to `bound` and not beyond it."""
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return kind.type(min(max(bound, limits.min), limits.max) if isinstance(bound, int) else limits.max)
    number = kind.type(bound)
    # A float may have no room for all digits of an integer.
    return np.nextafter(number, kind.type(0)) if isinstance(bound, int) and abs(int(number)) > abs(bound) else number


def sequence_mask(lengths: TensorLike, maxlen: Any = None, dtype: Any = bool, name: str | None = None) -> Tensor:
    """Return a new last axis of size `maxlen`, true (1) at as many first positions as `lengths` says.

    The size is the greatest length by default.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.sequence_mask([1, 3], dtype=tf.int32).numpy().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    counts = as_indices(lengths, "sequence_mask")
    size = int(counts.max(initial=0)) if maxlen is None else as_int(maxlen)
    return _native.own((np.arange(size) < counts[..., np.newaxis]).astype(as_dtype(dtype).dtype))
