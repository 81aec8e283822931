"""Reductions of rows that belong together: one result for each segment, an integer naming the segment of each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import joining, reductions
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import index_add

__all__ = ["segment_max", "segment_mean", "segment_min", "segment_prod", "segment_sqrt_n", "segment_sum"]

_Ids = npt.NDArray[np.integer[Any]]


def segment_sum(data: Tensor, ids: _Ids, count: int) -> Tensor:
    """Return `count` sums of rows of `data`: number k is over the rows whose id is k, and 0 if there are none."""
    return index_add(data, (ids,), (count, *data.shape[1:]))


def segment_mean(data: Tensor, ids: _Ids, count: int) -> Tensor:
    """Return the means of segments; that of an empty segment is 0."""
    return elementwise.divide(segment_sum(data, ids, count), _sizes(data, ids, count))


def segment_sqrt_n(data: Tensor, ids: _Ids, count: int) -> Tensor:
    """Return the sums of segments divided by the roots of the segments' sizes."""
    return elementwise.divide(segment_sum(data, ids, count), np.sqrt(_sizes(data, ids, count)))


def _sizes(data: Tensor, ids: _Ids, count: int) -> npt.NDArray[Any]:
    """Return the sizes of the segments, 1 for those that are empty, to divide the sums of `data` by."""
    sizes = np.maximum(np.bincount(ids, minlength=count), 1).reshape([-1] + [1] * (data.ndim - 1))
    return sizes if data.dtype.is_integer else sizes.astype(data.dtype.dtype)


def segment_prod(data: Tensor, ids: _Ids, count: int) -> Tensor:
    """Return the products of segments, 1 for an empty one; derivatives are exact also where rows are zero."""
    return _native.cast(_of_groups(reductions.prod, data, ids, count, 1), data.dtype)


def segment_max(data: Tensor, ids: _Ids, count: int, empty: Any) -> Tensor:
    """Return the greatest of each segment, `empty` for an empty one; those that tie for it share its derivative."""
    return _of_groups(reductions.max, data, ids, count, empty)


def segment_min(data: Tensor, ids: _Ids, count: int, empty: Any) -> Tensor:
    """Return the least of each segment, `empty` for an empty one; those that tie for it share its derivative."""
    return _of_groups(reductions.min, data, ids, count, empty)


def _of_groups(reduce: Callable[..., Tensor], data: Tensor, ids: _Ids, count: int, empty: Any) -> Tensor:
    """Return a reduction of each segment: segments of one size are reduced together, as the rows of one array.

    There are at most sqrt(2 n) different sizes of segments in n rows.
    """
    sizes = np.bincount(ids, minlength=count)
    ends = np.cumsum(sizes)
    by_segment = np.argsort(ids, kind="stable")
    results, segments = [], []
    for size in np.unique(sizes):
        members = np.flatnonzero(sizes == size)
        if size:
            rows = by_segment[(ends[members] - size)[:, np.newaxis] + np.arange(size)]
            results.append(reduce(_native.take(data, rows, 0), 1))
        else:
            results.append(_native.own(np.full((members.size, *data.shape[1:]), empty, data.dtype.dtype)))
        segments.append(members)
    if not results:
        return _native.own(np.zeros((0, *data.shape[1:]), data.dtype.dtype))
    if len(results) == 1:
        return results[0]
    return _native.take(joining.concatenate(results), np.argsort(np.concatenate(segments)), 0)
