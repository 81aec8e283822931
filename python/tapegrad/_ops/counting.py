"""Counting: how many samples fall into each bin, or how much their weights add up to.

The counts are piecewise constant in the samples. They are linear in the weights, and densities also change with the
width of the bins, so with their edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import differences
from tapegrad._ops.arguments import shape_along
from tapegrad._ops.declare import Operation, linear, structural
from tapegrad._ops.elementwise import elementwise

__all__ = ["bin_edges", "bincount", "density", "weighted_counts"]

_Array = npt.NDArray[Any]


def bincount(x: _Array, weights: Tensor, minlength: int = 0) -> Tensor:
    """Return for each number 0, 1, ... the sum of the weights of the elements of `x` that are equal to it."""
    result: Tensor = _bincount(weights, x=x, minlength=minlength)
    return result


_bincount: Operation = linear(
    "bincount",
    lambda weights, *, x, minlength: np.bincount(x, weights, minlength),
    transpose=lambda g, x: _native.take(g, x),
)


def weighted_counts(weights: Tensor, counts: _Array, samples: Sequence[_Array], edges: Sequence[_Array]) -> Tensor:
    """Return `counts`, a histogram by NumPy, recorded as the sums of the weights that it consists of.

    Parameters
    ----------
    weights
        A vector with the weight of each sample.
    counts
        The sums, which NumPy adds up in an order that depends on the kind of bins.
    samples
        The samples' coordinate along each axis of the histogram, as vectors.
    edges
        The limits of the bins along each axis.
    """
    result: Tensor = _counts(weights, counts=counts, samples=tuple(samples), edges=tuple(edges))
    return result


def _counts_vjp(g: Tensor, samples: Sequence[_Array], edges: Sequence[_Array]) -> Tensor:
    bins = [_bin_of(x, limits) for x, limits in zip(samples, edges, strict=True)]
    inside = np.logical_and.reduce([k >= 0 for k in bins])
    places = np.ravel_multi_index([np.where(inside, k, 0) for k in bins], g.shape)
    return _native.where(inside, _native.take(_native.reshape(g, (-1,)), places), 0)


def _bin_of(x: _Array, edges: _Array) -> _Array:
    """Return the number of the bin in which each sample is, -1 outside; the last bin has both its edges."""
    k = np.searchsorted(edges, x, side="right") - 1
    k[x == edges[-1]] = len(edges) - 2
    k[k > len(edges) - 2] = -1  # a NaN, too: it is sorted behind all others
    return k


_counts: Operation = structural("histogram", lambda weights, *, counts, samples, edges: counts, weights=_counts_vjp)


def bin_edges(first: Tensor, last: Tensor, values: _Array) -> Tensor:
    """Return `values`, evenly spaced edges of bins, recorded as functions of what the first and the last follow."""
    result: Tensor = _bin_edges(first, last, values=values)
    return result


def _shares(values: _Array) -> _Array:
    return np.linspace(0.0, 1.0, values.size, dtype=values.dtype)


_bin_edges: Operation = structural(
    "bin edges",
    lambda first, last, *, values: values,
    first=lambda g, values: _native.sum(elementwise.multiply(g, 1 - _shares(values))),
    last=lambda g, values: _native.sum(elementwise.multiply(g, _shares(values))),
)


def density(counts: Tensor, edges: Sequence[Tensor]) -> Tensor:
    """Return the counts divided by the widths of the bins and by their sum: an integral of 1."""
    total = _native.sum(counts)
    for axis, limits in enumerate(edges):
        width = _native.reshape(differences.diff(limits), shape_along(axis, counts.ndim))
        width = _native.cast(width, np.float64)
        counts = elementwise.divide(counts, width)
    return elementwise.divide(counts, total)
