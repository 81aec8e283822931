"""TensorFlow's names for making tensors."""

from __future__ import annotations

from typing import Any

from tapegrad import _native
from tapegrad._native import Tensor, Value
from tapegrad._ops import creation, gathering, shaping
from tapegrad._ops.arguments import as_shape
from tapegrad._ops.declare import TensorLike
from tapegrad.dtypes import as_dtype, float32

__all__ = [
    "cast",
    "constant",
    "convert_to_tensor",
    "eye",
    "fill",
    "identity",
    "is_tensor",
    "linspace",
    "one_hot",
    "ones",
    "ones_like",
    "range",
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
    """Return zeros of the given shape."""
    return creation.zeros(shape, dtype)


def ones(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """Return ones of the given shape."""
    return creation.ones(shape, dtype)


def zeros_like(input: TensorLike, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return zeros with the shape (and type) of `input`."""
    return creation.zeros_like(input, dtype)


def ones_like(input: TensorLike, dtype: Any = None, name: str | None = None) -> Tensor:
    """Return ones with the shape (and type) of `input`."""
    return creation.ones_like(input, dtype)


def fill(dims: Any, value: TensorLike, name: str | None = None) -> Tensor:
    """Return `value` repeated to the shape `dims`; it is differentiable with respect to the value."""
    return creation.full(dims, value)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """Return identity matrices: `num_rows` x `num_columns`, repeated to `batch_shape`."""
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
    """
    return creation.linspace(start, stop, num, axis)


def cast(x: TensorLike, dtype: Any, name: str | None = None) -> Tensor:
    """Return `x` with elements of another type. Gradients flow between floating and complex types."""
    return _native.cast(x, as_dtype(dtype))


def identity(input: TensorLike, name: str | None = None) -> Tensor:
    """Return a new tensor with the value of `input`; gradients flow to it."""
    return shaping.identity(input)


def is_tensor(x: object) -> bool:
    """Return whether `x` is a tensor or a variable."""
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
