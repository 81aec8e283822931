"""The multivariate normal distribution: `f(x, mean=None, cov=1, allow_singular=False)`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tapegrad.numpy as tnp
from tapegrad import linalg
from tapegrad.compat.autograd._values import getval
from tapegrad.compat.autograd.scipy.stats._common import of

__all__ = ["entropy", "logpdf", "pdf"]


@of("multivariate_normal", "logpdf")
def logpdf(x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    x = tnp.asarray(x)
    size = _size(mean, cov)
    matrix = _matrix(cov, size)
    # SciPy's meaning of x: points along the last axis, which may be missing if there is one dimension only.
    points = x if size > 1 or x.ndim > 1 else tnp.reshape(x, (-1, 1))
    difference = points - (0.0 if mean is None else mean)
    log_volume, squared = (_singular if allow_singular else _regular)(matrix, difference)
    return tnp.squeeze(-0.5 * (log_volume + squared))


@of("multivariate_normal", "pdf")
def pdf(x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False) -> Any:
    return tnp.exp(logpdf(x, mean, cov, allow_singular))


@of("multivariate_normal", "entropy")
def entropy(mean: Any = None, cov: Any = 1.0) -> Any:
    size = _size(mean, cov)
    _, log_volume = tnp.linalg.slogdet(_matrix(cov, size))
    return 0.5 * (size * (1.0 + math.log(2.0 * math.pi)) + log_volume)


def _size(mean: Any, cov: Any) -> int:
    """Return the number of dimensions."""
    if mean is not None:
        return int(np.size(mean))
    return int(np.shape(cov)[0]) if np.ndim(cov) == 2 else 1


def _matrix(cov: Any, size: int) -> Any:
    """Return the covariance as a matrix: a number is for all dimensions, a vector is the diagonal."""
    cov = tnp.asarray(cov)
    return cov if cov.ndim == 2 else cov * np.eye(size)


def _regular(matrix: Any, difference: Any) -> tuple[Any, Any]:
    """Return the logarithm of the determinant of 2 pi cov, and the squared distances."""
    factor = tnp.linalg.cholesky(matrix)
    size = matrix.shape[0]
    columns = tnp.transpose(tnp.reshape(difference, (-1, size)))
    scaled = linalg.triangular_solve(factor, columns, lower=True)
    log_volume = size * math.log(2.0 * math.pi) + 2.0 * tnp.sum(tnp.log(tnp.diagonal(factor)))
    return log_volume, tnp.reshape(tnp.sum(scaled * scaled, axis=0), difference.shape[:-1])


def _singular(matrix: Any, difference: Any) -> tuple[Any, Any]:
    """Return the same on the space that the covariance spans."""
    values, vectors = tnp.linalg.eigh(matrix)
    spread = np.abs(getval(values))
    kept = spread > spread.max() * 1e6 * np.finfo(float).eps
    values, vectors = values[kept], vectors[:, kept]
    scaled = (difference @ vectors) / tnp.sqrt(values)
    log_volume = int(kept.sum()) * math.log(2.0 * math.pi) + tnp.sum(tnp.log(values))
    return log_volume, tnp.sum(scaled * scaled, axis=-1)
