"""Order: sorting, and where the sorted elements came from. The derivative of a sort is its permutation's."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.arguments import as_axis, as_int, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.indexing import take_along_axis

__all__ = ["TopK", "argsort", "sort", "top_k"]


class TopK(NamedTuple):
    """The result of `top_k`: the greatest elements of each row, and where they were."""

    values: Tensor
    indices: Tensor


def sort(a: TensorLike, axis: Any = -1, descending: bool = False) -> Tensor:
    """Return `a` sorted along `axis`; NaNs come last, or first in descending order."""
    a = as_tensor(a)
    axis = as_axis(axis, a.ndim, "sort")
    if not _native.is_watched(a):
        ascending = np.sort(array(a), axis)
        return _native.own(np.flip(ascending, axis) if descending else ascending)
    return take_along_axis(a, _order(array(a), axis, descending, stable=False), axis, repeats=False)


def argsort(a: TensorLike, axis: Any = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Return the positions that sort `a` along `axis`; `stable` keeps equal elements in their order."""
    a = as_tensor(a)
    return _native.own(_order(array(a), as_axis(axis, a.ndim, "argsort"), descending, stable))


def _order(a: npt.NDArray[Any], axis: int, descending: bool, stable: bool) -> npt.NDArray[np.intp]:
    if not descending:
        return np.argsort(a, axis, stable=stable)
    # Sorting the reversed elements and reversing the result keeps equal elements in their order.
    backwards = np.argsort(np.flip(a, axis), axis, stable=True)
    return np.flip(a.shape[axis] - 1 - backwards, axis)


def top_k(a: TensorLike, k: Any = 1) -> TopK:
    """Return the `k` greatest elements along the last axis, descending; of equal ones the earlier first."""
    a = as_tensor(a)
    if a.ndim == 0:
        raise ValueError("top_k: a tensor with at least one dimension is needed, not a scalar.")
    count = as_int(k)
    if not 0 <= count <= a.shape[-1]:
        raise ValueError(f"top_k: a tensor of shape {a.shape} has no {count} elements along its last axis.")
    order = _order(array(a), a.ndim - 1, descending=True, stable=True)[..., :count]
    return TopK(take_along_axis(a, order, -1, repeats=False), _native.own(order.astype(np.int32)))
