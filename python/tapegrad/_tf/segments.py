"""TensorFlow's names for reductions over segments, that is, over the rows that have one number in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import segment_reductions as segments
from tapegrad._ops.arguments import as_int, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import as_indices

__all__ = [
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
]

_Segments = tuple[Tensor, npt.NDArray[Any], int]


def segment_sum(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Tensor:
    """Return the sums of rows with equal ids; the ids are sorted, and an id that is left out gives 0.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the first axis) are taken together.
    segment_ids
        A vector of integers, ascending, one for each row.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.segment_sum([1.0, 2.0, 3.0], [0, 0, 1]).numpy().tolist()
    [3.0, 3.0]
    """
    return segments.segment_sum(*_sorted(data, segment_ids))


def segment_mean(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Tensor:
    """Return the means of rows with equal ids; the ids are sorted, and an id that is left out gives 0.

    The means of integers are integers, rounded towards 0.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the first axis) are taken together.
    segment_ids
        A vector of integers, ascending, one for each row.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.segment_mean([1.0, 2.0, 3.0], [0, 0, 1]).numpy().tolist()
    [1.5, 3.0]
    """
    rows, ids, count = _sorted(data, segment_ids)
    mean = segments.segment_mean(rows, ids, count)
    return _native.cast(elementwise.trunc(mean), rows.dtype) if rows.dtype.is_integer else mean


def segment_prod(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Tensor:
    """Return the products of rows with equal ids; the ids are sorted, and an id that is left out gives 1.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the first axis) are taken together.
    segment_ids
        A vector of integers, ascending, one for each row.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.segment_prod([2.0, 3.0, 4.0], [0, 0, 1]).numpy().tolist()
    [6.0, 4.0]
    """
    return segments.segment_prod(*_sorted(data, segment_ids))


def segment_max(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Tensor:
    """Return the greatest of rows with equal ids; the ids are sorted, and an id that is left out gives 0.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the first axis) are taken together.
    segment_ids
        A vector of integers, ascending, one for each row.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.segment_max([1.0, 2.0, 3.0], [0, 0, 1]).numpy().tolist()
    [2.0, 3.0]
    """
    return segments.segment_max(*_sorted(data, segment_ids), empty=0)


def segment_min(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Tensor:
    """Return the least of rows with equal ids; the ids are sorted, and an id that is left out gives 0.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the first axis) are taken together.
    segment_ids
        A vector of integers, ascending, one for each row.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.segment_min([1.0, 2.0, 3.0], [0, 0, 1]).numpy().tolist()
    [1.0, 3.0]
    """
    return segments.segment_min(*_sorted(data, segment_ids), empty=0)


def unsorted_segment_sum(
    data: TensorLike, segment_ids: TensorLike, num_segments: Any, name: str | None = None
) -> Tensor:
    """Return `num_segments` sums of rows with equal ids; rows with a negative id are left out.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the axes of the ids) are taken together.
    segment_ids
        Integers, whose shape `data`'s begins with.
    num_segments
        The number of rows of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.unsorted_segment_sum([1.0, 2.0, 3.0], [2, 0, 2], 3).numpy().tolist()
    [2.0, 0.0, 4.0]
    """
    return segments.segment_sum(*_unsorted(data, segment_ids, num_segments))


def unsorted_segment_mean(
    data: TensorLike, segment_ids: TensorLike, num_segments: Any, name: str | None = None
) -> Tensor:
    """Return `num_segments` means of rows with equal ids, 0 for none; rows with a negative id are left out.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the axes of the ids) are taken together.
    segment_ids
        Integers, whose shape `data`'s begins with.
    num_segments
        The number of rows of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.unsorted_segment_mean([1.0, 2.0, 3.0], [2, 0, 2], 3).numpy().tolist()
    [2.0, 0.0, 2.0]
    """
    return segments.segment_mean(*_unsorted(data, segment_ids, num_segments))


def unsorted_segment_sqrt_n(
    data: TensorLike, segment_ids: TensorLike, num_segments: Any, name: str | None = None
) -> Tensor:
    """Return `num_segments` sums of rows with equal ids, each divided by the root of the number of its rows.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the axes of the ids) are taken together.
    segment_ids
        Integers, whose shape `data`'s begins with.
    num_segments
        The number of rows of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.unsorted_segment_sqrt_n([1.0] * 4, [0, 0, 0, 0], 1).numpy().tolist()
    [2.0]
    """
    return segments.segment_sqrt_n(*_unsorted(data, segment_ids, num_segments))


def unsorted_segment_prod(
    data: TensorLike, segment_ids: TensorLike, num_segments: Any, name: str | None = None
) -> Tensor:
    """Return `num_segments` products of rows with equal ids, 1 for none; rows with a negative id are left out.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the axes of the ids) are taken together.
    segment_ids
        Integers, whose shape `data`'s begins with.
    num_segments
        The number of rows of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.unsorted_segment_prod([2.0, 3.0, 4.0], [2, 0, 2], 3).numpy().tolist()
    [3.0, 1.0, 8.0]
    """
    return segments.segment_prod(*_unsorted(data, segment_ids, num_segments))


def unsorted_segment_max(
    data: TensorLike, segment_ids: TensorLike, num_segments: Any, name: str | None = None
) -> Tensor:
    """Return the greatest of rows with equal ids, the lowest number of the type where there is none.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the axes of the ids) are taken together.
    segment_ids
        Integers, whose shape `data`'s begins with.
    num_segments
        The number of rows of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.unsorted_segment_max([1.0, 2.0, 3.0], [1, 0, 1], 2).numpy().tolist()
    [2.0, 3.0]
    """
    rows = _unsorted(data, segment_ids, num_segments)
    return segments.segment_max(*rows, empty=rows[0].dtype.min)


def unsorted_segment_min(
    data: TensorLike, segment_ids: TensorLike, num_segments: Any, name: str | None = None
) -> Tensor:
    """Return the least of rows with equal ids, the greatest number of the type where there is none.

    Parameters
    ----------
    data
        A tensor whose rows (slices along the axes of the ids) are taken together.
    segment_ids
        Integers, whose shape `data`'s begins with.
    num_segments
        The number of rows of the result.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.unsorted_segment_min([1.0, 2.0, 3.0], [1, 0, 1], 2).numpy().tolist()
    [2.0, 1.0]
    """
    rows = _unsorted(data, segment_ids, num_segments)
    return segments.segment_min(*rows, empty=rows[0].dtype.max)


def _sorted(data: TensorLike, segment_ids: TensorLike) -> _Segments:
    """Return rows, ids and the number of segments for ids that must be sorted."""
    rows = as_tensor(data)
    ids = as_indices(segment_ids, "segment_ids")
    if ids.ndim != 1 or rows.shape[:1] != ids.shape:
        raise ValueError(
            f"segment_ids should be a vector with one id for each row of the data: their shapes are {ids.shape} and "
            f"{rows.shape}."
        )
    if ids.size and (ids[0] < 0 or np.any(ids[1:] < ids[:-1])):
        raise ValueError(f"segment ids must be sorted and not negative: {ids}. See tf.math.unsorted_segment_sum.")
    return rows, ids, int(ids[-1]) + 1 if ids.size else 0


def _unsorted(data: TensorLike, segment_ids: TensorLike, num_segments: Any) -> _Segments:
    """Return rows, ids and the number of segments for ids in any order and of any shape that the data's starts with."""
    rows = as_tensor(data)
    ids = as_indices(segment_ids, "segment_ids")
    count = as_int(num_segments)
    if rows.shape[: ids.ndim] != ids.shape:
        raise ValueError(f"The data's shape {rows.shape} does not start with the segment_ids' shape {ids.shape}.")
    if ids.size and ids.max() >= count:
        raise ValueError(f"segment_ids: {ids.max()} is out of range [0, {count}).")
    rows = _native.reshape(rows, (ids.size, *rows.shape[ids.ndim :]))
    ids = ids.reshape(-1)
    kept = np.flatnonzero(ids >= 0)
    return (rows, ids, count) if kept.size == ids.size else (_native.take(rows, kept, 0), ids[kept], count)
