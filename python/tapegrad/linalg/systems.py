"""Inverses, linear systems, least squares and determinants, under TensorFlow's names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array, matmul
from tapegrad._ops.arguments import as_inexact
from tapegrad._ops.complex_parts import real
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.matrix import determinant, factor, inverse, parts, pseudo

__all__ = [
    "cholesky_solve",
    "det",
    "inv",
    "logdet",
    "lstsq",
    "pinv",
    "slogdet",
    "solve",
    "triangular_solve",
]


def inv(input: TensorLike, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Return the inverses of square matrices, or of their adjoints.

    Parameters
    ----------
    input
        Square matrices, of shape (..., n, n).
    adjoint
        Whether to invert the adjoints instead.
    name
        Has no effect.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is singular or not square.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.inv([[2.0, 0.0], [0.0, 4.0]]).numpy().tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return inverse.inv(_adjoined(input) if adjoint else input)


def _adjoined(matrix: TensorLike) -> Tensor:
    return parts.adjoint(parts.as_matrices(matrix, "adjoint"))


def solve(matrix: TensorLike, rhs: TensorLike, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Return x with `matrix @ x == rhs`.

    Parameters
    ----------
    matrix
        Square matrices, of shape (..., n, n).
    rhs
        Right-hand sides, of shape (..., n, k); also one vector of shape (n,).
    adjoint
        Whether to solve with the adjoint of the matrix instead.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [[1.0], [1.0]]).numpy().tolist()
    [[0.5], [0.25]]
    """
    return inverse.solve(_adjoined(matrix) if adjoint else matrix, rhs)


def triangular_solve(
    matrix: TensorLike, rhs: TensorLike, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """Return x with `matrix @ x == rhs`, where only the lower (or upper) triangle of the matrix is read.

    If SciPy is installed its BLAS solves the systems; without it NumPy does, more slowly.

    Parameters
    ----------
    matrix
        Triangular matrices, of shape (..., n, n).
    rhs
        Right-hand sides, of shape (..., n, k).
    lower
        Whether the lower triangle is read.
    adjoint
        Whether to solve with the adjoint of the matrix instead.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.triangular_solve([[2.0, 9.0], [1.0, 1.0]], [[2.0], [3.0]]).numpy().tolist()
    [[1.0], [2.0]]
    """
    return inverse.triangular_solve(matrix, rhs, lower, adjoint)


def cholesky_solve(chol: TensorLike, rhs: TensorLike, name: str | None = None) -> Tensor:
    """Return x with `chol @ adjoint(chol) @ x == rhs`, given the lower triangular Cholesky factors.

    Parameters
    ----------
    chol
        The factors, of shape (..., n, n).
    rhs
        Right-hand sides, of shape (..., n, k).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.cholesky_solve([[2.0, 0.0], [0.0, 1.0]], [[4.0], [3.0]]).numpy().tolist()
    [[1.0], [3.0]]
    """
    return inverse.cholesky_solve(chol, rhs)


def lstsq(
    matrix: TensorLike,
    rhs: TensorLike,
    l2_regularizer: TensorLike = 0.0,
    fast: bool = True,
    name: str | None = None,
) -> Tensor:
    """Return the x that minimize `norm(matrix @ x - rhs)**2 + l2_regularizer * norm(x)**2`.

    Parameters
    ----------
    matrix
        Matrices, of shape (..., m, n).
    rhs
        Right-hand sides, of shape (..., m, k).
    l2_regularizer
        A number; without it, of the solutions the one of least norm is meant.
    fast
        Whether to regard `l2_regularizer`, by solving the normal equations. Without a regularizer there is only one
        way here, which is as accurate as singular values are.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.lstsq([[1.0], [1.0]], [[1.0], [3.0]]).numpy().round(6).tolist()
    [[2.0]]
    >>> tf.linalg.lstsq([[1.0], [1.0]], [[1.0], [3.0]], l2_regularizer=2.0).numpy().round(6).tolist()
    [[1.0]]
    """
    a, b = parts.as_matrices(matrix, "lstsq"), parts.as_matrices(rhs, "lstsq")
    rows, columns = a.shape[-2:]
    if not fast or (not _native.is_watched(l2_regularizer) and not np.any(array(l2_regularizer))):
        rtol = max(rows, columns) * np.finfo(a.dtype.dtype).eps
        return matmul(pseudo.pinv(a, rtol), b)
    ridge = elementwise.multiply(np.eye(min(rows, columns), dtype=a.dtype.dtype), l2_regularizer)
    across = parts.adjoint(a)
    if rows >= columns:
        return inverse.solve(elementwise.add(matmul(across, a), ridge), matmul(across, b))
    return matmul(across, inverse.solve(elementwise.add(matmul(a, across), ridge), b))


def pinv(a: TensorLike, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Return the pseudoinverses (Moore and Penrose) of matrices.

    Singular values up to `rcond` times the greatest are taken to be zero; by default it is 10 * max(m, n) times the
    rounding error.

    Parameters
    ----------
    a
        Matrices, of shape (..., m, n).
    rcond
        The bound, broadcast against the batch; `None` is the one above.
    validate_args
        Has no effect.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.pinv([[2.0], [0.0]]).numpy().tolist()
    [[0.5, 0.0]]
    """
    a = as_inexact(a)
    if rcond is None:
        rcond = 10.0 * max(a.shape[-2:]) * np.finfo(a.dtype.dtype).eps
    return pseudo.pinv(a, array(rcond))


def det(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the determinants of square matrices; the derivatives are exact at singular ones, too.

    Parameters
    ----------
    input
        Square matrices, of shape (..., n, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.constant([[1.0, 2.0], [2.0, 4.0]])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = tf.linalg.det(x)
    >>> tape.gradient(y, x).numpy().round(5).tolist()
    [[4.0, -2.0], [-2.0, 1.0]]
    """
    return determinant.det(input)


class LogMatrixDeterminant(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    log_abs_determinant: Tensor


def slogdet(input: TensorLike, name: str | None = None) -> LogMatrixDeterminant:
    """Return signs and logarithms of the absolute values of determinants, which cannot overflow.

    Parameters
    ----------
    input
        Square matrices, of shape (..., n, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> sign, logarithm = tf.linalg.slogdet([[0.0, 2.0], [2.0, 0.0]])
    >>> float(sign), round(float(logarithm), 4)
    (-1.0, 1.3863)
    """
    return LogMatrixDeterminant(*determinant.slogdet(input))


def logdet(matrix: TensorLike, name: str | None = None) -> Tensor:
    """Return the logarithms of the determinants of Hermitian positive definite matrices.

    Parameters
    ----------
    matrix
        Matrices, of shape (..., n, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.linalg.logdet([[4.0, 0.0], [0.0, 1.0]])), 4)
    1.3863
    """
    pivots = real(parts.diagonal(factor.cholesky(matrix)))
    return elementwise.multiply(_native.sum(elementwise.log(pivots), -1), 2.0)
