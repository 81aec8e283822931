"""What Python objects become as tensors: lists, tuples, numbers and whatever NumPy can read.

TensorFlow's rules: Python floats make float32, integers int32 (int64 if they need it), and anything that has
a NumPy dtype keeps it. Lists that hold tensors are packed elsewhere, in recorded operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import Tensor, Value, array, is_watched
from tapegrad.dtypes import DType, as_dtype

__all__ = ["convert", "holds_value", "is_sparse", "weak_type"]

# Python's numbers, each with the kinds of dtype that can hold it.
_KINDS_FOR: dict[type, str] = {bool: "b", int: "iufc", float: "fc", complex: "c"}
_DEFAULTS: dict[type, np.dtype[Any]] = {
    bool: np.dtype(np.bool_),
    float: np.dtype(np.float32),
    complex: np.dtype(np.complex128),
}
_INT64 = np.dtype(np.int64)
_INT32 = np.iinfo(np.int32)


def convert(value: Any, dtype: DType | None = None) -> npt.NDArray[Any] | Tensor:
    """Return the elements of `value` as a fresh array in native byte order, of a dtype that tensors can have.

    What stands for a tensor, such as `IndexedSlices`, has a method `to_dense` that returns it; this is recorded.

    Parameters
    ----------
    value
        A number, nested lists or tuples of numbers and arrays, or an object that NumPy can read as an array;
        not a tensor, and without tensors in it.
    dtype
        What is wanted; `None` leaves the choice to the value.

    Raises
    ------
    TypeError
        If `value` is nothing that a tensor can hold, or not losslessly what `dtype` asks for (a float for an
        integer type).
    ValueError
        If nested lists are not rectangular, or an integer is out of range.
    """
    numbers = _python_numbers(value)
    if numbers is None and hasattr(value, "to_dense"):
        return _dense(value, dtype)
    if numbers is None:
        return _read(value, None if dtype is None else dtype.dtype)
    if dtype is not None:
        for number in numbers:
            if dtype.dtype.kind not in _KINDS_FOR[number]:
                raise TypeError(f"Cannot convert {value!r} to a tensor of dtype {dtype.name}.")
        return _read(value, dtype.dtype)
    widest = _widest(numbers)
    if widest is int:
        return _smallest_integers(_read(value, _INT64))
    return _read(value, _DEFAULTS[widest])


def _dense(value: Any, dtype: DType | None) -> npt.NDArray[Any] | Tensor:
    """Return what `value` stands for: as an array if no tape follows it."""
    dense: Tensor = value.to_dense()
    if dtype is not None and dense.dtype is not dtype:
        raise ValueError(f"Incompatible tensor conversion requested to dtype {dtype.name} for {value!r}.")
    return dense if is_watched(dense) else array(dense)


def weak_type(value: list[Any] | tuple[Any, ...]) -> type | None:
    """Return the widest type in lists of Python numbers only, which give way to others; else None."""
    numbers = _python_numbers(value)
    return None if numbers is None else _widest(numbers)


def holds_value(value: list[Any] | tuple[Any, ...]) -> bool:
    """Whether a list or tuple holds a tensor or a variable, at any depth."""
    return any(issubclass(kind, Value) for kind in _leaf_types(value))


def _python_numbers(value: Any) -> set[type] | None:
    """Return the types of the Python numbers that `value` consists of; None if it has anything else."""
    leaves = _leaf_types(value) if isinstance(value, (list, tuple)) else {type(value)}
    if leaves == {range}:
        return {int}
    return leaves if leaves <= _KINDS_FOR.keys() else None


def _widest(numbers: set[type]) -> type:
    """Return that of Python's types of numbers which can hold all of these; empty lists are of floats."""
    if complex in numbers:
        return complex
    if float in numbers or not numbers:
        return float
    return int if int in numbers else bool


def _leaf_types(value: Sequence[Any]) -> set[type]:
    """Return the types of all elements of nested lists and tuples."""
    kinds = set(map(type, value))
    if kinds <= _KINDS_FOR.keys():
        return kinds
    found: set[type] = set()
    pending: list[Sequence[Any]] = [value]
    while pending:
        sequence = pending.pop()
        # A set of types first: long flat lists take no step of Python code per element.
        kinds = set(map(type, sequence))
        nested = {kind for kind in kinds if issubclass(kind, (list, tuple))}
        found |= kinds - nested
        if nested:
            pending.extend(element for element in sequence if type(element) in nested)
    return found


def _smallest_integers(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return int64 `values` as int32 if they fit."""
    if values.size and (values.min() < _INT32.min or values.max() > _INT32.max):
        return values
    return values.astype(np.int32)


def _read(value: Any, dtype: np.dtype[Any] | None) -> npt.NDArray[Any]:
    """Return NumPy's reading of `value` in a dtype that tensors can have, or explain why there is none."""
    try:
        # An object's own __array__ may give away its memory, whatever copy it is asked for.
        source = value if isinstance(value, (list, tuple)) else np.asarray(value)
        result = np.array(source, dtype=_strong_dtype(value) if dtype is None else dtype, order="C")
    except OverflowError as error:
        raise ValueError(f"Can't convert Python sequence with out-of-range integer to Tensor: {value!r}.") from error
    except ValueError as error:
        if isinstance(value, (list, tuple)) and "inhomogeneous" in str(error):
            raise ValueError(f"Can't convert non-rectangular Python sequence to Tensor: {value!r}.") from error
        raise _unsupported(value) from error
    except TypeError as error:
        if hasattr(value, "__array__"):
            raise  # the object says itself why it is no array
        raise _unsupported(value) from error
    if dtype is not None:
        return result
    try:
        return result.astype(as_dtype(result.dtype).dtype, copy=False)
    except TypeError:
        raise _unsupported(value) from None


def _strong_dtype(value: Any) -> np.dtype[Any] | None:
    """Return the dtype of a list of arrays and numbers, where the numbers are weak; None: NumPy's choice."""
    if not isinstance(value, (list, tuple)):
        return None
    kinds = _leaf_types(value)
    if not kinds & _KINDS_FOR.keys() or not all(
        kind in _KINDS_FOR or issubclass(kind, (np.generic, np.ndarray)) for kind in kinds
    ):
        return None
    weak = [kind(0) for kind in kinds & _KINDS_FOR.keys()]
    return np.result_type(*weak, *_strong_dtypes(value))


def _strong_dtypes(value: Sequence[Any]) -> set[np.dtype[Any]]:
    """Return the dtypes of the arrays and NumPy scalars in nested lists and tuples."""
    found: set[np.dtype[Any]] = set()
    for element in value:
        if isinstance(element, (list, tuple)):
            found |= _strong_dtypes(element)
        elif type(element) not in _KINDS_FOR:
            found.add(element.dtype)
    return found


def is_sparse(value: Any) -> bool:
    """Return whether a value is a sparse matrix or array of SciPy's, which need not be imported for that."""
    return type(value).__module__.startswith("scipy.sparse")


def _unsupported(value: Any) -> TypeError:
    if is_sparse(value):
        advice = "Multiply it by tapegrad.sparse.matmul, solve with it by tapegrad.sparse.solve, or give .toarray()."
    else:
        advice = "Give a number, an array, or nested lists of them."
    return TypeError(
        f"Attempt to convert a value ({value!r}) with an unsupported type ({type(value)}) to a Tensor. {advice}"
    )
