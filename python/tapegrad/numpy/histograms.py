"""NumPy's histograms: counts of samples, and sums of their weights, in bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array, unrecorded
from tapegrad._ops import counting, joining, reductions, shaping
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, operand
from tapegrad.numpy._unrecorded import constant

__all__ = ["bincount", "digitize", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]

_Array = npt.NDArray[Any]


@implements(np.bincount)
def bincount(x: TensorLike, /, weights: TensorLike | None = None, minlength: int = 0) -> Tensor:
    """Return how often each number 0, 1, ... occurs in `x`, or the sums of the weights there.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> w = tf.constant([0.5, 1.0, 2.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(w)
    ...     zeros = np.bincount([0, 2, 0], weights=w)[0]
    >>> print(zeros.numpy(), tape.gradient(zeros, w).numpy())
    2.5 [1. 0. 1.]
    """
    numbers = array(operand(x))
    if weights is None:
        return _native.own(np.bincount(numbers, minlength=minlength))
    return counting.bincount(numbers, operand(weights), minlength)


digitize = constant(np.digitize)


@implements(np.histogram)
def histogram(
    a: TensorLike,
    bins: Any = 10,
    range: Any = None,
    density: Any = None,
    weights: TensorLike | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the number of elements of `a` in each bin, or the sum of their weights, and the edges of the bins.

    Numbers are piecewise constant; sums of weights are differentiable with respect to the weights. Edges, and so
    densities, are functions of what they are made from: given edges, the given range, or the least and the greatest
    element.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> w = tf.constant([1.0, 2.0, 4.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(w)
    ...     counts, edges = np.histogram([0.0, 1.0, 1.5], bins=2, range=(0, 2), weights=w)
    ...     last = counts[1]
    >>> print(edges.numpy(), counts.numpy(), tape.gradient(last, w).numpy())
    [0. 1. 2.] [1. 6.] [0. 1. 1.]
    """
    samples, amounts = operand(a), None if weights is None else operand(weights)
    numbers, found = np.histogram(
        array(samples), unrecorded(bins), unrecorded(range), weights=None if amounts is None else array(amounts)
    )
    edges = _edges(samples, bins, range, found)
    counts = _counts(numbers, amounts, [array(samples).reshape(-1)], [found])
    return (counting.density(counts, [edges]) if density else counts), edges


def _counts(numbers: _Array, weights: Tensor | None, samples: list[_Array], edges: list[_Array]) -> Tensor:
    """Return the histogram that NumPy found, recorded as a function of the weights."""
    if weights is None:
        return _native.own(numbers)
    return counting.weighted_counts(shaping.ravel(weights), numbers, samples, edges)


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: TensorLike, bins: Any = 10, range: Any = None, weights: TensorLike | None = None) -> Tensor:
    """Return the edges of the bins that `histogram` uses.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.histogram_bin_edges([0.0, 1.0, 4.0], bins=2).numpy())
    [0. 2. 4.]
    """
    samples = operand(a)
    found = np.histogram_bin_edges(array(samples), unrecorded(bins), unrecorded(range), unrecorded(weights))
    return _edges(samples, bins, range, found)


def _edges(samples: Tensor, bins: Any, bounds: Any, found: _Array) -> Tensor:
    """Return the edges that NumPy found, recorded as functions of what they depend on."""
    if not isinstance(bins, str) and operand(bins).ndim == 1:
        return operand(bins)
    if bounds is not None:
        first, last = bounds
        if _native.is_watched(first) or _native.is_watched(last):
            return counting.bin_edges(operand(first), operand(last), found)
    elif _native.is_watched(samples) and samples.size:
        return counting.bin_edges(reductions.min(samples), reductions.max(samples), found)
    return _native.own(found)


@implements(np.histogramdd)
def histogramdd(
    sample: Any,
    bins: Any = 10,
    range: Any = None,
    density: Any = None,
    weights: TensorLike | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """Return the histogram of points in several dimensions, and the edges of the bins along each; see `histogram`.

    `sample` has a point in each row, or is a list with the coordinates along each dimension.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> y, edges = np.histogramdd([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]], bins=2, weights=[1.0, 2.0, 4.0])
    >>> print(y.numpy())
    [[1. 0.]
     [2. 4.]]
    """
    coordinates = _coordinates(sample)
    dimensions = len(coordinates)
    each = list(bins) if _has_length(bins) else [bins] * dimensions
    bounds = [None] * dimensions if range is None else list(range)
    points = np.stack([array(x) for x in coordinates], axis=1)
    amounts = None if weights is None else operand(weights)
    numbers, found = np.histogramdd(
        points, unrecorded(each), unrecorded(bounds), weights=None if amounts is None else array(amounts)
    )
    edges = [_edges(*about) for about in zip(coordinates, each, bounds, found, strict=True)]
    counts = _counts(numbers, amounts, list(points.T), list(found))
    return (counting.density(counts, edges) if density else counts), edges


def _has_length(bins: Any) -> bool:
    """Whether `bins` has something for each dimension, or edges, rather than one number for all dimensions."""
    return np.ndim(unrecorded(bins)) > 0 if isinstance(bins, (np.ndarray, Tensor)) else hasattr(bins, "__len__")


def _coordinates(sample: Any) -> list[Tensor]:
    """Return the coordinates of points as a vector for each dimension."""
    if isinstance(sample, (list, tuple)):
        return [operand(x) for x in sample] if np.ndim(unrecorded(sample[0])) else [operand(sample)]
    points = operand(sample)
    return joining.unstack(points, axis=1) if points.ndim == 2 else [points]


@implements(np.histogram2d)
def histogram2d(
    x: TensorLike,
    y: TensorLike,
    bins: Any = 10,
    range: Any = None,
    density: Any = None,
    weights: TensorLike | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the histogram of points in the plane, and the edges of the bins along both axes; see `histogram`.

    Raises
    ------
    ValueError
        If `x` and `y` differ in length.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> counts, _, _ = np.histogram2d([0.0, 1.0, 1.0], [0.0, 0.0, 1.0], bins=2)
    >>> print(counts.numpy())
    [[1. 0.]
     [1. 1.]]
    """
    first, second = operand(x), operand(y)
    if len(first) != len(second):
        raise ValueError("x and y must have the same length.")
    if _has_length(bins) and len(bins) not in (1, 2):
        bins = [operand(bins)] * 2  # edges for both axes
    counts, edges = histogramdd([first, second], bins, range, density, weights)
    return counts, edges[0], edges[1]
