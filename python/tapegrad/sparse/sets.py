"""Index sets: for each element of a tensor, on which elements of the sources it depends.

The sets of a tensor are the rows of a sparse array of booleans, one row for each of its elements in C order, one column
for each element of the sources. Everything that operations do to them comes down to three steps: rows are gathered,
merged, or united with those of another tensor.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

__all__ = [
    "Indices",
    "Sets",
    "Shape",
    "broadcast",
    "dependence",
    "every",
    "gathered",
    "identity",
    "merged",
    "numbers",
    "through",
    "union",
]

Sets: TypeAlias = Any
"""A `scipy.sparse.csr_array` of booleans with sorted indices. It is never changed, so that tensors can share it."""

Indices: TypeAlias = npt.NDArray[np.intp]
Shape: TypeAlias = tuple[int, ...]


def numbers(shape: Shape) -> Indices:
    """Return the elements' numbers in C order, in their places."""
    return np.arange(math.prod(shape)).reshape(shape)


def identity(first: int, size: int, width: int) -> Sets:
    """Return the sets of a source: its elements are the columns from `first` on."""
    return csr_array((np.ones(size, np.bool_), np.arange(first, first + size), np.arange(size + 1)), (size, width))


def dependence(rows: Indices, columns: Indices, shape: tuple[int, int]) -> Sets:
    """Return which of `shape[0]` elements depend on which of `shape[1]`: `rows[k]` on `columns[k]`."""
    return csr_array((np.ones(len(rows), np.bool_), (rows, columns)), shape)


def gathered(sets: Sets, rows: Indices) -> Sets:
    """Return the sets of elements each of which is one of the given."""
    rows = rows.reshape(-1)
    if len(rows) == sets.shape[0] and np.array_equal(rows, np.arange(len(rows))):
        return sets
    return sets[rows]


def merged(sets: Sets, places: Indices, size: int) -> Sets:
    """Return the sets of `size` elements to which the given ones contribute: the k-th to that at `places[k]`."""
    count = sets.shape[0]
    contributions = csr_array((np.ones(count, np.bool_), places.reshape(-1), np.arange(count + 1)), (count, size))
    return through(contributions.T.tocsr(), sets)


def through(dependence: Sets, sets: Sets) -> Sets:
    """Return the sets of elements that depend on the given ones as the rows of `dependence` say."""
    result = dependence @ sets
    result.sort_indices()
    return result


def union(a: Sets | None, b: Sets | None) -> Sets | None:
    """Return the union of the sets of two tensors of one size; None stands for empty ones."""
    if a is None or a is b:
        return b
    return a if b is None else a + b


def broadcast(sets: Sets, shape: Shape, whole: Shape) -> Sets:
    """Return the sets of a tensor of one shape that is broadcast to another."""
    return sets if shape == whole else gathered(sets, np.broadcast_to(numbers(shape), whole))


def every(sets: Sets, size: int) -> Sets:
    """Return the sets of `size` elements each of which depends on all of the given ones."""
    return gathered(merged(sets, np.zeros(sets.shape[0], np.intp), 1), np.zeros(size, np.intp))
