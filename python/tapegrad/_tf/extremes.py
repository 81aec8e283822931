"""TensorFlow's names for the greatest and least elements: where they are, and the first few."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import reductions, sorting
from tapegrad._ops.arguments import as_int
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.indexing import as_indices
from tapegrad.dtypes import as_dtype, int32, int64

__all__ = [
    "argmax",
    "argmin",
    "in_top_k",
    "top_k",
]


def argmax(input: TensorLike, axis: Any = None, output_type: Any = int64, name: str | None = None) -> Tensor:
    """Return the position of the (first) greatest element along `axis`, which is 0 by default.

    Parameters
    ----------
    input
        A real tensor.
    axis
        The axis to search, which the result lacks.
    output_type
        The integer type of the positions.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.argmax([1, 3, 2]))
    1
    """
    return _native.cast(reductions.argmax(input, 0 if axis is None else axis), as_dtype(output_type))


def argmin(input: TensorLike, axis: Any = None, output_type: Any = int64, name: str | None = None) -> Tensor:
    """Return the position of the (first) least element along `axis`, which is 0 by default.

    Parameters
    ----------
    input
        A real tensor.
    axis
        The axis to search, which the result lacks.
    output_type
        The integer type of the positions.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.argmin([2, 1, 3]))
    1
    """
    return _native.cast(reductions.argmin(input, 0 if axis is None else axis), as_dtype(output_type))


def top_k(
    input: TensorLike, k: Any = 1, sorted: bool = True, index_type: Any = int32, name: str | None = None
) -> sorting.TopK:
    """Return the `k` greatest elements along the last axis, the greatest first, and their positions.

    Parameters
    ----------
    input
        A real tensor, of shape (..., n).
    k
        How many elements to return, at most n.
    sorted
        Has no effect: they are always sorted.
    index_type
        The integer type of the positions.
    name
        Has no effect.

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

    Parameters
    ----------
    targets
        A vector of integers, one for each row.
    predictions
        A real matrix.
    k
        How many places there are.
    name
        Has no effect.

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
