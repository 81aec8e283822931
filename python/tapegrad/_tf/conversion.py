"""TensorFlow's names for conversions: to tensors, and of their elements."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, Value
from tapegrad._ops import shaping
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad.dtypes import as_dtype

__all__ = [
    "cast",
    "convert_to_tensor",
    "identity",
    "identity_n",
    "is_tensor",
    "saturate_cast",
]


def convert_to_tensor(value: TensorLike, dtype: Any = None, dtype_hint: Any = None, name: str | None = None) -> Tensor:
    """Return `value` as a tensor: a tensor itself, the value of a variable, or a constant.

    Nested lists that hold tensors are stacked, and gradients flow to these.

    Parameters
    ----------
    value
        A tensor, a variable, an array, a number, or nested lists of them.
    dtype
        The type of the result; `None` leaves it to the value.
    dtype_hint
        The type to use if `dtype` is `None` and the type can hold the value.
    name
        Has no effect.

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


def cast(x: TensorLike, dtype: Any, name: str | None = None) -> Tensor:
    """Return `x` with elements of another type. Gradients flow between floating and complex types.

    Parameters
    ----------
    x
        A tensor; `IndexedSlices` become one.
    dtype
        The type of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.cast([1.7, -1.7], tf.int32).numpy()
    array([ 1, -1], dtype=int32)
    """
    return _native.cast(x, as_dtype(dtype))


def identity(input: TensorLike, name: str | None = None) -> Tensor:
    """Return a new tensor with the value of `input`; gradients flow to it.

    Parameters
    ----------
    input
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.identity(3.0))
    3.0
    """
    return shaping.identity(input)


def is_tensor(x: object) -> builtins.bool:
    """Return whether `x` is a tensor or a variable.

    Parameters
    ----------
    x
        Any object.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.is_tensor(tf.Variable(1.0)), tf.is_tensor(1.0)
    (True, False)
    """
    return isinstance(x, Value)


def identity_n(input: Sequence[TensorLike], name: str | None = None) -> list[Tensor]:
    """Return new tensors with the values of several ones; gradients flow to them.

    Parameters
    ----------
    input
        Tensors.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> [float(x) for x in tf.identity_n([1.0, 2.0])]
    [1.0, 2.0]
    """
    return [shaping.identity(x) for x in input]


def saturate_cast(value: TensorLike, dtype: Any, name: str | None = None) -> Tensor:
    """Return `value` with elements of another type, those beyond its range becoming its least and greatest number.

    Parameters
    ----------
    value
        A tensor.
    dtype
        The type of the result.
    name
        Has no effect.

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
