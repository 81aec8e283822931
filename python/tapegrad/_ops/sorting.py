"""Order: sorting, and where the sorted elements came from. The derivative of a sort is its permutation's."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.arguments import as_axis, as_int, as_tensor, as_vector
from tapegrad._ops.declare import TensorLike, structural
from tapegrad._ops.indexing import take_along_axis
from tapegrad._ops.shaping import flip

__all__ = ["TopK", "argsort", "distinct", "partition", "sort", "top_k"]


class TopK(NamedTuple):
    """The result of `top_k`: the greatest elements of each row, and where they were."""

    values: Tensor
    indices: Tensor


def sort(a: TensorLike, axis: Any = -1, descending: bool = False, kind: Any = None, stable: Any = None) -> Tensor:
    """Return `a` sorted along `axis`; NaNs come last, or first in descending order.

    `kind` and `stable` are NumPy's parameters.
    """
    a = as_tensor(a)
    axis = as_axis(axis, a.ndim, "sort")
    result: Tensor = _sort(a, axis=axis, kind=kind, stable=stable)
    return flip(result, axis) if descending else result


def partition(a: TensorLike, kth: Any, axis: Any = -1, kind: Any = "introselect") -> Tensor:
    """Return `a` reordered along `axis`: at `kth` what a sort would put there, what is less before it."""
    a = as_tensor(a)
    result: Tensor = _partition(a, axis=as_axis(axis, a.ndim, "partition"), kth=kth, kind=kind)
    return result


def _reordered_vjp(g: Tensor, a: Tensor, out: Tensor, axis: int) -> Tensor:
    """Return the cotangent of what NumPy put in some order: the k-th least element of `a` is that of `out`."""
    rank = array(a).argsort(axis, stable=True).argsort(axis)
    order = array(out).argsort(axis, stable=True)
    places = order[rank] if a.ndim == 1 else np.take_along_axis(order, rank, axis)
    return take_along_axis(g, places, axis, repeats=False)


_sort = structural(
    "sort",
    lambda a, *, axis, kind, stable: np.sort(a, axis, kind=kind, stable=stable),
    a=_reordered_vjp,
)
_partition = structural(
    "partition", lambda a, *, axis, kth, kind: np.partition(a, kth, axis, kind=kind), a=_reordered_vjp
)


def distinct(a: Tensor, values: npt.NDArray[Any], axis: Any, equal_nan: bool) -> Tensor:
    """Return the different elements, or slices along `axis`, of `a`, which are `values` in the order found by NumPy.

    Of equal elements the first has the derivative.
    """
    if not _native.is_watched(a):
        return _native.own(values)
    _, first = np.unique(array(a), return_index=True, axis=axis, equal_nan=equal_nan)
    if axis is None:
        # NumPy may leave the values in the order of its hash table.
        order = np.empty_like(first)
        order[np.argsort(values, stable=True)] = first
        return _native.take(as_vector(a), order)
    return _native.take(a, first, as_axis(axis, a.ndim, "unique"))


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
