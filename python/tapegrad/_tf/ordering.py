"""TensorFlow's names for order: sorting, searching, ranks, distinct elements."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import sorting
from tapegrad._ops.arguments import as_int, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.indexing import as_indices
from tapegrad.dtypes import as_dtype, int32

__all__ = [
    "Unique",
    "UniqueWithCounts",
    "argsort",
    "in_top_k",
    "invert_permutation",
    "is_non_decreasing",
    "is_strictly_increasing",
    "searchsorted",
    "sort",
    "top_k",
    "unique",
    "unique_with_counts",
]


class Unique(NamedTuple):
    """The result of `unique`: the distinct elements, and for each element which of them it is."""

    y: Tensor
    idx: Tensor


class UniqueWithCounts(NamedTuple):
    """The result of `unique_with_counts`: that of `unique`, and how often each element occurs."""

    y: Tensor
    idx: Tensor
    count: Tensor  # type: ignore[assignment]  # a tuple has a method of this name


def sort(values: TensorLike, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """Return `values` sorted along `axis`, `"ASCENDING"` or `"DESCENDING"`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.sort([2, 3, 1], direction="DESCENDING").numpy().tolist()
    [3, 2, 1]
    """
    return sorting.sort(values, axis, _is_descending("sort", direction))


def argsort(
    values: TensorLike,
    axis: Any = -1,
    direction: str = "ASCENDING",
    stable: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return the positions that sort `values` along `axis`, as int32.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.argsort([2, 3, 1]).numpy().tolist()
    [2, 0, 1]
    """
    return _native.cast(sorting.argsort(values, axis, _is_descending("argsort", direction), stable), int32)


def _is_descending(what: str, direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"{what}: direction is 'ASCENDING' or 'DESCENDING', not {direction!r}.")
    return direction == "DESCENDING"


def top_k(
    input: TensorLike, k: Any = 1, sorted: bool = True, index_type: Any = int32, name: str | None = None
) -> sorting.TopK:
    """Return the `k` greatest elements along the last axis, the greatest first, and their positions.

    They are always sorted: `sorted` and `name` have no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> values, indices = tf.math.top_k([1.0, 3.0, 2.0], k=2)
    >>> values.numpy().tolist(), indices.numpy().tolist()
    ([3.0, 2.0], [1, 2])
    """
    values, indices = sorting.top_k(input, k)
    return sorting.TopK(values, _native.cast(indices, as_dtype(index_type)))


def in_top_k(targets: TensorLike, predictions: TensorLike, k: Any, name: str | None = None) -> Tensor:
    """Return for each row of `predictions` whether its element number `targets[row]` is among its `k` greatest.

    Elements that tie for the last place all are. The answer is no for a row with a number that is not finite, and for
    a target outside of its row.

    Raises
    ------
    ValueError
        If the predictions are no matrix, or there is not one target for each of its rows.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.in_top_k([1, 0], [[0.1, 0.9, 0.0], [0.3, 0.3, 0.4]], k=1).numpy().tolist()
    [True, False]
    """
    rows = array(predictions)
    places = as_indices(targets, "in_top_k")
    if rows.ndim != 2 or places.shape != rows.shape[:1]:
        raise ValueError(
            f"in_top_k: targets of shape {places.shape} do not fit predictions of shape {rows.shape}; there must be "
            "one target per row."
        )
    inside = (places >= 0) & (places < rows.shape[1])
    chosen = rows[np.arange(len(rows)), np.where(inside, places, 0)][:, np.newaxis]
    sound = inside & np.isfinite(rows).all(axis=1)
    return _native.own(sound & ((rows > chosen).sum(axis=1) < as_int(k)))


def searchsorted(
    sorted_sequence: TensorLike,
    values: TensorLike,
    side: str = "left",
    out_type: Any = int32,
    name: str | None = None,
) -> Tensor:
    """Return where `values` would have to be inserted to keep `sorted_sequence` sorted along its last axis.

    Parameters
    ----------
    sorted_sequence
        One sorted sequence, or a stack of them.
    values
        As many axes as `sorted_sequence`, all but the last of the same sizes.
    side
        `"left"`: before equal elements; `"right"`: behind them.
    out_type
        The integer type of the result.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If `side` is unknown, or the shapes of sequence and values do not fit.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.searchsorted([1.0, 2.0, 2.0, 5.0], [2.0, 0.0, 9.0]).numpy().tolist()
    [1, 0, 4]
    """
    if side not in ("left", "right"):
        raise ValueError(f"Argument `side` must be either 'right' or 'left'. Received: `side` = {side!r}.")
    keys, wanted = array(as_tensor(sorted_sequence)), array(as_tensor(values))
    if keys.ndim == 0 or keys.ndim != wanted.ndim or keys.shape[:-1] != wanted.shape[:-1]:
        raise ValueError(
            f"searchsorted: a sequence of shape {keys.shape} and values of shape {wanted.shape} must agree in all axes "
            "but the last."
        )
    out = np.empty(wanted.shape, as_dtype(out_type).dtype)
    for row in np.ndindex(keys.shape[:-1]):
        out[row] = np.searchsorted(keys[row], wanted[row], side)  # type: ignore[call-overload]
    return _native.own(out)


def unique(x: TensorLike, out_idx: Any = int32, name: str | None = None) -> Unique:
    """Return the distinct elements of a vector in the order in which they first occur, and which each element is.

    The first occurrences carry the gradient.

    Examples
    --------
    >>> import tapegrad as tf
    >>> y, idx = tf.unique([3, 1, 3, 2])
    >>> y.numpy().tolist(), idx.numpy().tolist()
    ([3, 1, 2], [0, 1, 0, 2])
    """
    y, idx, _ = unique_with_counts(x, out_idx)
    return Unique(y, idx)


def unique_with_counts(x: TensorLike, out_idx: Any = int32, name: str | None = None) -> UniqueWithCounts:
    """Return what `unique` returns, and how often each distinct element occurs.

    Raises
    ------
    ValueError
        If `x` is not a vector.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.unique_with_counts([3, 1, 3, 2]).count.numpy().tolist()
    [2, 1, 1]
    """
    x = as_tensor(x)
    if x.ndim != 1:
        raise ValueError(f"unique: a vector is needed, not a tensor of shape {x.shape}.")
    _, first, which, counts = np.unique(array(x), return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)  # from NumPy's order, which is that of the values, to that of occurrence
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    kind = as_dtype(out_idx).dtype
    return UniqueWithCounts(
        _native.take(x, first[order], 0),
        _native.own(place[which].astype(kind)),
        _native.own(counts[order].astype(kind)),
    )


def invert_permutation(x: TensorLike, name: str | None = None) -> Tensor:
    """Return `y` with `y[x[k]] == k` for a vector `x` that holds the numbers 0 ... n - 1 in some order.

    Raises
    ------
    ValueError
        If `x` is not a permutation.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.invert_permutation([2, 0, 1]).numpy().tolist()
    [1, 2, 0]
    """
    places = as_indices(as_tensor(x), "invert_permutation")
    if places.ndim != 1 or not np.array_equal(np.sort(places), np.arange(places.size)):
        raise ValueError(f"invert_permutation: {places} is not a permutation of 0 ... n - 1.")
    return _native.own(np.argsort(places).astype(places.dtype))


def is_non_decreasing(x: TensorLike, name: str | None = None) -> Tensor:
    """Return whether no element of `x`, as a vector, is less than the one before it.

    Examples
    --------
    >>> import tapegrad as tf
    >>> bool(tf.math.is_non_decreasing([1.0, 1.0, 3.0]))
    True
    """
    values = array(as_tensor(x)).ravel()
    return _native.own(np.all(values[:-1] <= values[1:]))


def is_strictly_increasing(x: TensorLike, name: str | None = None) -> Tensor:
    """Return whether each element of `x`, as a vector, is greater than the one before it.

    Examples
    --------
    >>> import tapegrad as tf
    >>> bool(tf.math.is_strictly_increasing([1.0, 1.0, 3.0]))
    False
    """
    values = array(as_tensor(x)).ravel()
    return _native.own(np.all(values[:-1] < values[1:]))
