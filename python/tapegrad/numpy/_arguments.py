"""The arguments of NumPy's functions: operands as tensors by NumPy's rules, where results go, what cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._conversion import holds_value
from tapegrad._native import Tensor, Value, array, is_watched, rebind, tensor
from tapegrad._ops import joining
from tapegrad._ops.arguments import as_int, as_shape
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.writing import check_writable

__all__ = [
    "UNSET",
    "Array",
    "Out",
    "TensorLike",
    "as_axis_argument",
    "as_dtype",
    "check_device",
    "delivered",
    "holds_watched",
    "operand",
    "operands_of",
    "stacked",
    "without_nan",
    "write",
]

Array: TypeAlias = npt.NDArray[Any]

Out: TypeAlias = Tensor | Array | None
"""Where a result may go: a tensor gets the result as its next version, an array is written to."""

UNSET: Any = np._NoValue
"""NumPy's default of parameters whose absence means something."""


def operand(x: Any) -> Tensor:
    """Return `x` as a tensor of the type that NumPy gives it: Python's floats are float64 here.

    Nested lists with tensors in them become a recorded stack.
    """
    if type(x) is Tensor:
        return x
    if isinstance(x, Value):
        return tensor(x)
    if isinstance(x, (list, tuple)) and holds_value(x):
        return stacked(x)
    return tensor(np.asarray(x))


def stacked(values: Sequence[Any], dtype: np.dtype[Any] | None = None) -> Tensor:
    """Return nested sequences that hold tensors as one tensor, of the type that `numpy.array` would choose."""
    if dtype is None:
        dtype = np.result_type(*{_dtype_of(leaf) for leaf in _leaves(values)})
    return _stacked(values, dtype)


def _leaves(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _leaves(value)
        else:
            yield value


def _dtype_of(leaf: Any) -> np.dtype[Any]:
    return leaf.dtype.dtype if isinstance(leaf, Value) else np.asarray(leaf).dtype


def _stacked(value: Any, dtype: np.dtype[Any]) -> Tensor:
    if isinstance(value, (list, tuple)):
        if not value:
            return _native.own(np.empty(0, dtype))
        return joining.stack([_stacked(element, dtype) for element in value])
    return _native.cast(operand(value), dtype)


def operands_of(values: Any) -> list[Tensor]:
    """Return the tensors of a sequence: of a list, or of an array or tensor along its first axis."""
    return [operand(value) for value in values]


def without_nan(x: Any, number: int) -> Tensor:
    """Return `x` as a tensor with a number in place of nan."""
    values = operand(x)
    if not (values.dtype.is_floating or values.dtype.is_complex):
        return values
    there = np.isnan(array(values))
    return _native.where(there, np.asarray(number, values.dtype.dtype), values) if there.any() else values


def as_dtype(dtype: Any) -> np.dtype[Any] | None:
    """Return a dtype as NumPy means it (`float` is float64), or `None` for none."""
    return None if dtype is None else np.dtype(dtype)


def as_axis_argument(axis: Any) -> int | tuple[int, ...] | None:
    """Return the axis parameter of a NumPy function with tensors in it as Python's ints."""
    if axis is None or type(axis) is int:
        return axis
    if isinstance(axis, (tuple, list)):
        return as_shape(axis)
    return as_int(axis)


def check_device(device: Any) -> None:
    """Raise ValueError for a device on which there are no tensors."""
    if device not in (None, "cpu"):
        raise ValueError(f'Device not understood. Only "cpu" is allowed, but received: {device}')


def holds_watched(*arguments: Any) -> bool:
    """Whether a tape that records watches a value among the arguments, in lists, tuples and dicts too."""
    for value in arguments:
        if isinstance(value, Value):
            if is_watched(value):
                return True
        elif isinstance(value, (list, tuple)):
            if holds_watched(*value):
                return True
        elif isinstance(value, dict) and holds_watched(*value.values()):
            return True
    return False


def delivered(result: Tensor, out: Any, casting: Any = "same_kind") -> Any:
    """Return the result where the caller wants it: itself, or in `out`.

    Raises
    ------
    TypeError
        If `out` is an array and a tape watches the result, which in an array would leave the tape.
    ValueError
        If `out` has another shape.
    """
    if out is None:
        return result
    if isinstance(out, tuple):
        (out,) = out
        if out is None:
            return result
    if not isinstance(out, (Tensor, np.ndarray)):
        raise TypeError(f"out= must be a tensor or an array, not {type(out).__name__}; assign to a variable instead.")
    if out.shape != result.shape:
        raise ValueError(f"out= has shape {out.shape}, but the result has shape {result.shape}.")
    write(out, result, casting)
    return out


def write(target: Any, result: Tensor, casting: Any = "same_kind") -> None:
    """Make `target`, a tensor or an array, hold the values of `result`, cast to its type."""
    dtype = np.dtype(target.dtype)
    if not np.can_cast(result.dtype.dtype, dtype, casting):
        raise TypeError(f"Cannot cast a result of type {result.dtype.name} to {dtype} by the rule {casting!r}.")
    if isinstance(target, Tensor):
        check_writable(target)
        rebind(target, _native.cast(result, dtype))
    elif is_watched(result):
        raise TypeError(
            "A tape records this result, and written into a numpy.ndarray it would leave the tape: make the array a "
            "tensor first (x = tapegrad.numpy.array(x)), or write x = x + y instead of x += y."
        )
    else:
        np.copyto(target, array(result), casting=casting)
