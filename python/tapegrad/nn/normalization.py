"""Means and variances, normalisation by them, and the addition of a bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native as native
from tapegrad._native import Tensor
from tapegrad._ops import reductions, statistics
from tapegrad._ops.arguments import as_axes, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise

__all__ = [
    "batch_normalization",
    "bias_add",
    "moments",
    "normalize_moments",
    "sufficient_statistics",
    "weighted_moments",
]


def moments(
    x: TensorLike, axes: Any, shift: None = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance of `x` over `axes`.

    Parameters
    ----------
    x
        The tensor.
    axes
        The axes, an integer or several.
    keepdims : bool
        Whether the axes stay, with size 1.
    shift, name
        Have no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> mean, variance = tf.nn.moments([[1.0, 2.0], [3.0, 6.0]], axes=[0])
    >>> mean.numpy().tolist(), variance.numpy().tolist()
    ([2.0, 4.0], [1.0, 4.0])
    """
    return reductions.mean(x, axes, keepdims), statistics.var(x, axes, keepdims)


def weighted_moments(
    x: TensorLike, axes: Any, frequency_weights: TensorLike, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance of `x` over `axes`, each element counting as its weight says.

    Parameters
    ----------
    x, axes, keepdims, name
        As for `moments`.
    frequency_weights
        The weights, which are broadcast with `x`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> mean, variance = tf.nn.weighted_moments([1.0, 4.0], axes=[0], frequency_weights=[2.0, 1.0])
    >>> float(mean), float(variance)
    (2.0, 2.0)
    """
    x = as_tensor(x)
    weights = as_tensor(frequency_weights)
    # In the shape of the products, so that their sum counts every element.
    weights = native.broadcast_to(weights, np.broadcast_shapes(weights.shape, x.shape))
    total = reductions.sum(weights, axes, keepdims=True)
    mean = elementwise.divide(reductions.sum(elementwise.multiply(weights, x), axes, keepdims=True), total)
    squares = elementwise.multiply(weights, elementwise.square(elementwise.subtract(x, mean)))
    variance = elementwise.divide(reductions.sum(squares, axes, keepdims=True), total)
    if keepdims:
        return mean, variance
    dropped = as_axes(axes, mean.ndim, "weighted_moments")
    shape = tuple([size for k, size in enumerate(mean.shape) if k not in dropped])
    return native.reshape(mean, shape), native.reshape(variance, shape)


def sufficient_statistics(
    x: TensorLike, axes: Any, shift: TensorLike | None = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Return what `normalize_moments` makes the mean and the variance of `x` over `axes` from.

    Parameters
    ----------
    x, axes, keepdims, name
        As for `moments`.
    shift
        A number near the mean, to be subtracted for the sake of accuracy.

    Returns
    -------
    tuple
        The number of elements, the sum of `x - shift`, the sum of their squares, and the shift.

    Examples
    --------
    >>> import tapegrad as tf
    >>> count, total, squares, shift = tf.nn.sufficient_statistics([1.0, 3.0], axes=[0])
    >>> float(count), float(total), float(squares), shift
    (2.0, 4.0, 10.0, None)
    """
    x = as_tensor(x)
    count = 1
    for axis in as_axes(axes, x.ndim, "sufficient_statistics"):
        count *= x.shape[axis]
    moved = None if shift is None else native.tensor(shift, x.dtype)
    deviation = x if moved is None else elementwise.subtract(x, moved)
    return (
        native.cast(count, x.dtype),
        reductions.sum(deviation, axes, keepdims),
        reductions.sum(elementwise.square(deviation), axes, keepdims),
        moved,
    )


def normalize_moments(
    counts: TensorLike,
    mean_ss: TensorLike,
    variance_ss: TensorLike,
    shift: TensorLike | None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance that the sums of `sufficient_statistics` give.

    Parameters
    ----------
    counts
        The number of elements.
    mean_ss, variance_ss
        The sums that `sufficient_statistics` returns.
    shift
        What was subtracted from the elements before, or `None`.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> mean, variance = tf.nn.normalize_moments(2.0, 4.0, 10.0, None)
    >>> float(mean), float(variance)
    (2.0, 1.0)
    """
    counts = as_tensor(counts)
    shifted = elementwise.divide(mean_ss, counts)
    variance = elementwise.subtract(elementwise.divide(variance_ss, counts), elementwise.square(shifted))
    return shifted if shift is None else elementwise.add(shifted, shift), variance


def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    offset: TensorLike | None,
    scale: TensorLike | None,
    variance_epsilon: TensorLike,
    name: str | None = None,
) -> Tensor:
    """Return ``scale * (x - mean) / sqrt(variance + variance_epsilon) + offset``, elementwise with broadcasting.

    Parameters
    ----------
    x, mean, variance
        The tensor, and what to normalise it by.
    offset, scale
        `None` for 0 and for 1.
    variance_epsilon
        A small number against division by zero.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.batch_normalization([1.0, 5.0], 3.0, 4.0, offset=10.0, scale=2.0, variance_epsilon=0.0).numpy()
    array([ 8., 12.], dtype=float32)
    """
    x = as_tensor(x)
    factor = elementwise.reciprocal(elementwise.sqrt(elementwise.add(native.tensor(variance), variance_epsilon)))
    if scale is not None:
        factor = elementwise.multiply(factor, scale)
    shift = elementwise.negative(elementwise.multiply(mean, factor))
    if offset is not None:
        shift = elementwise.add(shift, offset)
    return elementwise.add(elementwise.multiply(x, factor), shift)


def bias_add(value: TensorLike, bias: TensorLike, data_format: str | None = None, name: str | None = None) -> Tensor:
    """Return `value` with one number of `bias` added to each channel.

    Parameters
    ----------
    value
        Of two axes or more; the channels are its last axis, or the second for a `data_format` that begins with ``NC``.
    bias
        A vector with a number for each channel.
    data_format : str, optional
        ``"N...C"`` (the default) or ``"NC..."``.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If there are not as many numbers as channels.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.bias_add([[1.0, 2.0]], [10.0, 20.0]).numpy()
    array([[11., 22.]], dtype=float32)
    """
    x, numbers = as_tensor(value), as_tensor(bias)
    form = "N...C" if data_format is None else data_format
    if not form.startswith("N") or not (form.startswith("NC") or form.endswith("C")):
        raise ValueError(f"`data_format` must be of the form `N...C` or `NC...`. Received: data_format={data_format}")
    channels = 1 if form.startswith("NC") else -1
    if x.ndim < 2 or numbers.ndim != 1 or x.shape[channels] != numbers.size:
        raise ValueError(
            f"bias_add: a bias of shape {numbers.shape} does not fit a tensor of shape {x.shape}, whose channels are "
            f"along axis {channels % max(x.ndim, 1)}."
        )
    if channels == 1:
        numbers = native.reshape(numbers, (-1,) + (1,) * (x.ndim - 2))
    return elementwise.add(x, numbers)
