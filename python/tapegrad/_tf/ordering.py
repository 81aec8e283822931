"""TensorFlow's names for order: sorting, searching, ranks, distinct elements."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import sorting
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.indexing import as_indices
from tapegrad.dtypes import as_dtype, int32

__all__ = [
    "Unique",
    "UniqueWithCounts",
    "argsort",
    "invert_permutation",
    "is_non_decreasing",
    "is_strictly_increasing",
    "searchsorted",
    "sort",
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

    Parameters
    ----------
    values
        A real tensor.
    axis
        The axis to sort along.
    direction : {"ASCENDING", "DESCENDING"}
        Whether the least or the greatest comes first.
    name
        Has no effect.

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

    Parameters
    ----------
    values
        A real tensor.
    axis
        The axis to sort along.
    direction : {"ASCENDING", "DESCENDING"}
        Whether the least or the greatest comes first.
    stable
        Whether equal elements stay in their order.
    name
        Has no effect.

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

    Parameters
    ----------
    x
        A vector.
    out_idx
        The integer type of positions and numbers.
    name
        Has no effect.

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

    Parameters
    ----------
    x
        A vector.
    out_idx
        The integer type of positions and numbers.
    name
        Has no effect.

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

    Parameters
    ----------
    x
        A vector of integers.
    name
        Has no effect.

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

    Parameters
    ----------
    x
        A real tensor.
    name
        Has no effect.

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

    Parameters
    ----------
    x
        A real tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> bool(tf.math.is_strictly_increasing([1.0, 1.0, 3.0]))
    False
    """
    values = array(as_tensor(x)).ravel()
    return _native.own(np.all(values[:-1] < values[1:]))
