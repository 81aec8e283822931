"""TensorFlow's names for counts: how often numbers occur, alone or in pairs, and the share of zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.arguments import as_axis, as_int, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.indexing import as_indices, index_add
from tapegrad.dtypes import as_dtype, int32

__all__ = ["bincount", "confusion_matrix", "zero_fraction"]


def bincount(
    arr: TensorLike,
    weights: TensorLike | None = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = int32,
    name: str | None = None,
    axis: Any = None,
    binary_output: bool = False,
) -> Tensor:
    """Return how often each of the numbers 0, 1, ... occurs, or the sum of the weights where it does.

    Parameters
    ----------
    arr
        Integers that are not negative.
    weights
        What each of them counts, in the shape of `arr`; the result is differentiable with respect to it.
    minlength, maxlength
        Limits for the length of the result, which otherwise goes up to the greatest number. Numbers beyond it are not
        counted.
    dtype
        The type of the counts; with weights the result has their type.
    name
        Has no effect.
    axis
        0 or `None`: all numbers are counted together; -1: the rows of a matrix each for itself.
    binary_output
        Whether to give 1 for what occurs at all.

    Raises
    ------
    ValueError
        If a number is negative, the axis is neither 0 nor -1, or the weights do not fit.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.bincount([1, 1, 3]).numpy().tolist()
    [0, 2, 0, 1]
    >>> tf.math.bincount([1, 1, 3], weights=[0.5, 1.0, 2.0]).numpy().tolist()
    [0.0, 1.5, 0.0, 2.0]
    """
    numbers = as_indices(arr, "bincount")
    if numbers.size and numbers.min() < 0:
        raise ValueError("bincount: the numbers must not be negative.")
    by_row = axis is not None and numbers.ndim == 2 and as_axis(axis, 2, "bincount") == 1
    if not by_row and axis is not None and as_int(axis) not in (0, -1):
        raise ValueError(f"bincount: the axis is 0 or -1, not {axis}.")
    if binary_output and weights is not None:
        raise ValueError("bincount: a binary output has no weights.")
    length = int(numbers.max(initial=-1)) + 1
    length = length if minlength is None else max(length, as_int(minlength))
    length = length if maxlength is None else min(length, as_int(maxlength))
    counted = np.nonzero(numbers < length)
    key = (*counted[:1], numbers[counted]) if by_row else (numbers[counted],)
    shape = (len(numbers), length) if by_row else (length,)
    if weights is not None:
        values = as_tensor(weights)
        if values.shape != numbers.shape:
            raise ValueError(f"bincount: weights of shape {values.shape} for numbers of shape {numbers.shape}.")
        return index_add(values[counted], key, shape)
    counts = np.zeros(shape, as_dtype(dtype).dtype)
    if binary_output:
        counts[key] = 1
    else:
        np.add.at(counts, key, 1)
    return _native.own(counts)


def confusion_matrix(
    labels: TensorLike,
    predictions: TensorLike,
    num_classes: Any = None,
    weights: TensorLike | None = None,
    dtype: Any = int32,
    name: str | None = None,
) -> Tensor:
    """Return a matrix that counts in row i and column j how often i was labelled and j predicted.

    Parameters
    ----------
    labels, predictions
        Vectors of class numbers.
    num_classes
        The size of the matrix; by default it holds the greatest number.
    weights
        What each pair counts.
    dtype
        The type of the result.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If labels and predictions differ in number, or one of them is out of range.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]).numpy().tolist()
    [[1, 0], [1, 1]]
    """
    rows, columns = [as_indices(x, "confusion_matrix").reshape(-1) for x in (labels, predictions)]
    if rows.shape != columns.shape:
        raise ValueError(f"confusion_matrix: there are {rows.size} labels, but {columns.size} predictions.")
    both = np.concatenate([rows, columns])
    size = int(both.max(initial=-1)) + 1 if num_classes is None else as_int(num_classes)
    if both.size and not 0 <= both.min() <= both.max() < size:
        raise ValueError(f"confusion_matrix: labels and predictions must be between 0 and {size - 1}.")
    kind = as_dtype(dtype)
    values = np.ones(rows.shape, kind.dtype) if weights is None else _native.cast(weights, kind)
    return index_add(values, (rows, columns), (size, size))


def zero_fraction(value: TensorLike, name: str | None = None) -> Tensor:
    """Return the share of elements that are zero, as float32; NaN if there are no elements.

    Parameters
    ----------
    value
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.math.zero_fraction([0.0, 1.0, 0.0, 3.0]))
    0.5
    """
    values = array(as_tensor(value))
    zeros = values.size - np.count_nonzero(values)
    return _native.own(np.float32(zeros / values.size if values.size else np.nan))
