"""Joining tensors into one, and cutting one into several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, Value
from tapegrad._ops.arguments import as_axis, as_shape, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad.dtypes import DType

__all__ = ["concatenate", "pack", "split", "stack", "unstack"]


def concatenate(values: Sequence[TensorLike], axis: Any = 0) -> Tensor:
    """Return the tensors joined along an existing axis."""
    tensors = _of_one_type(values)
    if not tensors:
        raise ValueError("concatenate: at least one tensor is needed.")
    return _native.concatenate(tensors, as_axis(axis, tensors[0].ndim, "concatenate"))


def stack(values: Sequence[TensorLike], axis: Any = 0) -> Tensor:
    """Return the tensors, which have one shape, joined along a new axis."""
    tensors = _of_one_type(values)
    if not tensors:
        raise ValueError("stack: at least one tensor is needed.")
    return _native.stack(tensors, as_axis(axis, tensors[0].ndim + 1, "stack"))


def _of_one_type(values: Sequence[TensorLike]) -> list[Tensor]:
    """Return the values as tensors of the type that they promote to; plain numbers are weak."""
    if _native.alike(values):
        return values
    tensors = [as_tensor(value) for value in values]
    if not tensors or _native.alike(tensors):
        return tensors
    is_weak = [not hasattr(value, "dtype") for value in values]
    strong = [x.dtype.dtype for x, weak in zip(tensors, is_weak, strict=True) if not weak]
    kinds: list[Any] = [x.dtype.dtype for x, weak in zip(tensors, is_weak, strict=True) if weak]
    if strong:
        kinds = [kind.type(0).item() for kind in kinds]  # Python numbers are weak in NumPy's promotion
    elif any(kind.kind in "fc" for kind in kinds):
        kinds = [kind for kind in kinds if kind.kind in "fc"]  # ints beside floats give way
    common = np.result_type(*strong, *kinds)
    return [
        x if x.dtype == common else _native.tensor(value, common) if weak else _native.cast(x, common)
        for x, value, weak in zip(tensors, values, is_weak, strict=True)
    ]


def unstack(a: TensorLike, axis: Any = 0) -> list[Tensor]:
    """Return the slices of `a` along `axis`, without that axis."""
    a = as_tensor(a)
    axis = as_axis(axis, a.ndim, "unstack")
    return _native.unstack(a, axis)


def split(a: TensorLike, indices_or_sections: Any, axis: Any = 0) -> list[Tensor]:
    """Return the pieces of `a` along `axis`: a number of equal ones, or those between the given indices."""
    a = as_tensor(a)
    axis = as_axis(axis, a.ndim, "split")
    size = a.shape[axis]
    if isinstance(indices_or_sections, int):
        sections = indices_or_sections
        if sections < 1 or size % sections:
            raise ValueError(f"split: axis {axis} of a tensor with shape {a.shape} has no {sections} equal parts.")
        stops = tuple(range(size // sections, size, size // sections)) if size else (0,) * (sections - 1)
    else:
        stops = as_shape(indices_or_sections)
    return _native.split(a, stops, axis)


def pack(values: Any, dtype: DType | None = None) -> Tensor:
    """Return nested lists of tensors and numbers as one tensor: a list becomes a (recorded) stack.

    Numbers take the type that the tensors beside them have.
    """
    if dtype is None:
        found = {np.dtype(dtype_of) for dtype_of in _dtypes(values)}
        dtype_of_tensors = np.result_type(*found) if found else None
    else:
        dtype_of_tensors = dtype.dtype
    return _pack(values, dtype_of_tensors)


def _dtypes(values: Any) -> set[DType]:
    if isinstance(values, Value):
        return {values.dtype}
    if isinstance(values, list | tuple):
        return set().union(*[_dtypes(value) for value in values])
    return set()


def _pack(values: Any, dtype: np.dtype[Any] | None) -> Tensor:
    if isinstance(values, list | tuple) and any(isinstance(value, Value | list | tuple) for value in values):
        return stack([_pack(value, dtype) for value in values])
    if isinstance(values, Value):
        return as_tensor(values) if dtype is None or values.dtype == dtype else _native.cast(values, dtype)
    return _native.tensor(values, dtype)
