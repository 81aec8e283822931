"""Fitting a polynomial to points by least squares."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.matrix.inverse import inv
from tapegrad._ops.matrix.pseudo import lstsq
from tapegrad._ops.polynomials import vander

__all__ = ["Fit", "covariance_of", "fit"]


class Fit(NamedTuple):
    """A polynomial fitted to points, and what is known about it."""

    coefficients: Tensor
    """Of shape (degree + 1,), or (degree + 1, k) for k sets of points."""
    residuals: Tensor
    """The sums of squared residuals, of shape (k,); empty if the rank is deficient."""
    rank: Tensor
    singular_values: Tensor
    matrix: Tensor
    """The scaled matrix of the least-squares problem."""
    scale: Tensor
    """What its columns were divided by."""


def fit(x: Tensor, y: Tensor, degree: int, rcond: float, weights: Tensor | None = None) -> Fit:
    """Return the polynomial of a degree for which the weighted squares of the distances from the points are least.

    It is differentiable with respect to the points and the weights.
    """
    matrix, target = vander(x, degree + 1), y
    if weights is not None:
        column = _native.reshape(weights, (-1, 1))
        matrix = _weighted(matrix, column)
        target = _weighted(target, column if y.ndim == 2 else weights)
    scale = elementwise.sqrt(_native.sum(elementwise.multiply(matrix, matrix), 0))
    matrix = elementwise.divide(matrix, scale)
    scaled, residuals, rank, values = lstsq(matrix, target, rcond)
    coefficients = elementwise.divide(scaled, _native.reshape(scale, (-1, 1)) if y.ndim == 2 else scale)
    return Fit(coefficients, residuals, rank, values, matrix, scale)


def _weighted(a: Tensor, weights: Tensor) -> Tensor:
    """Return the product in the type of `a`, as NumPy does."""
    if weights.dtype.is_complex and not a.dtype.is_complex:
        raise TypeError("polyfit: complex weights need complex points.")
    return _native.cast(elementwise.multiply(a, weights), a.dtype)


def covariance_of(fitted: Fit, observations: int, scaled: bool) -> Tensor:
    """Return the covariances of the coefficients; `scaled` by the variance of the residuals.

    The result has shape (degree + 1, degree + 1), with an axis more for k sets of points.
    """
    order = len(fitted.scale)
    normal = _native.matmul(_native.transpose(fitted.matrix), fitted.matrix)
    outer = elementwise.multiply(_native.reshape(fitted.scale, (-1, 1)), fitted.scale)
    covariance = elementwise.divide(inv(normal), outer)
    factor = _native.own(np.ones(()))
    if scaled:
        if observations <= order:
            raise ValueError("the number of data points must exceed order to scale the covariance matrix")
        factor = elementwise.divide(fitted.residuals, observations - order)
    if fitted.coefficients.ndim == 2:
        covariance = _native.reshape(covariance, (order, order, 1))
    return elementwise.multiply(covariance, factor)
