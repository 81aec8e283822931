"""Weighted means, covariances and correlations, composed as NumPy composes them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import reductions
from tapegrad._ops.arguments import as_axes
from tapegrad._ops.complex_parts import complex as from_parts
from tapegrad._ops.complex_parts import conjugate, imag, real
from tapegrad._ops.elementwise import elementwise

__all__ = ["average", "correlation", "covariance"]


def average(a: Tensor, weights: Tensor | None, axis: Any = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Return the mean over `axis` with the given weights, and the sum of these (the number of elements)."""
    if weights is None:
        mean = reductions.mean(a, axis, keepdims)
        count = np.full(mean.shape, a.size / mean.size, mean.dtype.dtype)
        return mean, _native.own(count)
    weights = _beside(a, weights, axis)
    dtypes = [a.dtype.dtype, weights.dtype.dtype]
    if dtypes[0].kind in "iub":
        dtypes.append(np.dtype(np.float64))
    dtype = np.result_type(*dtypes)
    a, weights = _native.cast(a, dtype), _native.cast(weights, dtype)
    total = reductions.sum(weights, axis, keepdims)
    if np.any(array(total) == 0.0):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    mean = elementwise.divide(reductions.sum(elementwise.multiply(a, weights), axis, keepdims), total)
    return mean, _native.broadcast_to(total, mean.shape)


def _beside(a: Tensor, weights: Tensor, axis: Any) -> Tensor:
    """Return weights of the axes that are reduced in a shape that broadcasts against `a`."""
    if a.shape == weights.shape:
        return weights
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = as_axes(axis, a.ndim, "average")
    if weights.shape != tuple([a.shape[k] for k in axes]):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    ordered = _native.transpose(weights, tuple(np.argsort(axes).tolist()))
    return _native.reshape(ordered, tuple([size if k in axes else 1 for k, size in enumerate(a.shape)]))


def covariance(
    samples: Tensor, ddof: int, frequencies: Tensor | None = None, importances: Tensor | None = None
) -> Tensor:
    """Return the covariances of the rows of `samples`, whose columns are observations.

    Parameters
    ----------
    samples
        A matrix, floating or complex.
    ddof
        What is subtracted from the number of observations.
    frequencies
        How often each observation was made.
    importances
        The relative weight of each observation.

    Returns
    -------
    Tensor
        A square matrix.
    """
    weights = importances
    if frequencies is not None:
        weights = frequencies if importances is None else elementwise.multiply(frequencies, importances)
    mean, total = average(samples, weights, axis=1)
    count = _degrees_of_freedom(samples.shape[1], ddof, weights, total, importances)
    if float(np.real(array(count))) <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=3)
        count = _native.own(np.zeros(()))
    # NumPy computes with float64 weights and counts, and stores in the type of the samples.
    deviations = _native.cast(elementwise.subtract(samples, _native.reshape(mean, (-1, 1))), samples.dtype)
    weighted = deviations if weights is None else elementwise.multiply(deviations, weights)
    products = _native.matmul(deviations, _native.transpose(conjugate(weighted)))
    return _native.cast(elementwise.multiply(products, elementwise.divide(1, count)), products.dtype)


def _degrees_of_freedom(
    observations: int, ddof: int, weights: Tensor | None, total: Tensor, importances: Tensor | None
) -> Tensor:
    if weights is None:
        return _native.own(np.asarray(float(observations - ddof)))
    count = _native.basic_index(total, 0)
    if ddof == 0:
        return count
    if importances is None:
        return elementwise.subtract(count, ddof)
    squares = _native.sum(elementwise.multiply(weights, importances))
    return elementwise.subtract(count, elementwise.divide(elementwise.multiply(ddof, squares), count))


def correlation(covariances: Tensor) -> Tensor:
    """Return the covariances divided by the standard deviations, their parts limited to -1 ... 1."""
    if not covariances.ndim:
        return elementwise.divide(covariances, covariances)
    places = np.arange(len(covariances))
    variances = _native.take(_native.reshape(covariances, (-1,)), places * (len(covariances) + 1))
    deviations = elementwise.sqrt(real(variances))
    scaled = elementwise.divide(covariances, _native.reshape(deviations, (-1, 1)))
    scaled = elementwise.divide(scaled, _native.reshape(deviations, (1, -1)))
    if scaled.dtype.is_complex:
        return from_parts(_limited(real(scaled)), _limited(imag(scaled)))
    return _limited(scaled)


def _limited(a: Tensor) -> Tensor:
    return elementwise.clip(a, -1, 1)
