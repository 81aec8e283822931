"""Factorizations under TensorFlow's names."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.matrix import factor, parts, singular, spectral

__all__ = ["cholesky", "eig", "eigh", "eigvals", "eigvalsh", "matrix_rank", "qr", "svd"]


def cholesky(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the lower triangular L with `L @ adjoint(L) == input`.

    Only the lower triangle is read; the gradient is symmetric or Hermitian.

    Parameters
    ----------
    input
        Hermitian matrices, of shape (..., n, n).
    name
        Has no effect.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is not positive definite.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.cholesky([[4.0, 2.0], [2.0, 5.0]]).numpy().tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    return factor.cholesky(input)


def qr(input: TensorLike, full_matrices: bool = False, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return (q, r) with `input == q @ r`, the columns of q orthonormal and r upper triangular.

    With `full_matrices` q is square; of its columns beyond those of `input` only the span is determined, and
    derivatives are right for functions of it.

    Parameters
    ----------
    input
        Matrices, of shape (..., m, n).
    full_matrices
        Whether q has shape (..., m, m) instead of (..., m, min(m, n)).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> q, r = tf.linalg.qr([[3.0], [4.0]])
    >>> (q @ r).numpy().round(5).tolist()
    [[3.0], [4.0]]
    """
    return factor.qr(input, "complete" if full_matrices else "reduced")


@overload
def svd(
    tensor: TensorLike, full_matrices: bool = False, compute_uv: Literal[True] = True, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def svd(
    tensor: TensorLike, full_matrices: bool = False, *, compute_uv: Literal[False], name: str | None = None
) -> Tensor: ...
@overload
def svd(
    tensor: TensorLike, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Any: ...
def svd(tensor: TensorLike, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Return (s, u, v) with `tensor == u @ diag(s) @ adjoint(v)`, or with `compute_uv=False` s alone, descending.

    Where singular values coincide the derivatives of the vectors are nan, and those of the values exact. With
    `full_matrices` u and v are square; of the vectors beyond min(m, n) only the span is determined, and derivatives
    are right for functions of it.

    Parameters
    ----------
    tensor
        Matrices, of shape (..., m, n).
    full_matrices
        Whether u and v are square.
    compute_uv
        Whether to return u and v, too.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> s, u, v = tf.linalg.svd([[3.0, 0.0], [0.0, 4.0]])
    >>> s.numpy().tolist()
    [4.0, 3.0]
    """
    if not compute_uv:
        return singular.svdvals(tensor)
    u, s, vh = singular.svd(tensor, full_matrices)
    return s, u, parts.adjoint(vh)


def matrix_rank(a: TensorLike, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Return how many singular values are greater than `tol`, as int32; not differentiable.

    By default `tol` is max(m, n) times the rounding error times the greatest singular value.

    Parameters
    ----------
    a
        Matrices, of shape (..., m, n).
    tol
        The bound, broadcast against the batch; `None` is the one above.
    validate_args
        Has no effect.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.linalg.matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
    1
    """
    return _native.cast(singular.matrix_rank(a, None if tol is None else array(tol)), np.int32)


def eigh(tensor: TensorLike, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return eigenvalues, ascending, and eigenvectors (in columns) of symmetric or Hermitian matrices.

    Only the lower triangle is read, and the gradient, like TensorFlow's, is that with respect to its elements: zero
    above the diagonal. Where eigenvalues coincide the derivatives of the vectors are nan, and those of the values
    exact.

    Parameters
    ----------
    tensor
        Symmetric or Hermitian matrices, of shape (..., n, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> e, v = tf.linalg.eigh([[2.0, 1.0], [1.0, 2.0]])
    >>> e.numpy().round(5).tolist()
    [1.0, 3.0]
    """
    return spectral.eigh(_mirrored(tensor))


def eigvalsh(tensor: TensorLike, name: str | None = None) -> Tensor:
    """Return eigenvalues, ascending, of symmetric or Hermitian matrices; the gradient is as that of `eigh`.

    Parameters
    ----------
    tensor
        Symmetric or Hermitian matrices, of shape (..., n, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.eigvalsh([[2.0, 1.0], [1.0, 2.0]]).numpy().round(5).tolist()
    [1.0, 3.0]
    """
    return spectral.eigvalsh(_mirrored(tensor))


def _mirrored(tensor: TensorLike) -> Tensor:
    """Return matrices with the lower triangles given, and their adjoints above."""
    a = parts.as_matrices(tensor, "eigh")
    return elementwise.add(parts.band(a, upper=0), parts.adjoint(parts.band(a, upper=-1)))


def eig(tensor: TensorLike, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return eigenvalues and eigenvectors (in columns, of length 1) of square matrices, both complex.

    Derivatives of vectors whose eigenvalues coincide, and all those of defective matrices, are nan.

    Parameters
    ----------
    tensor
        Square matrices, of shape (..., n, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> e, v = tf.linalg.eig([[0.0, -1.0], [1.0, 0.0]])
    >>> e.numpy().tolist()
    [1j, -1j]
    """
    w, v = spectral.eig(tensor)
    return _complex(w), _complex(v)


def eigvals(tensor: TensorLike, name: str | None = None) -> Tensor:
    """Return the complex eigenvalues of square matrices.

    Parameters
    ----------
    tensor
        Square matrices, of shape (..., n, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.eigvals([[1.0, 5.0], [0.0, 2.0]]).numpy().tolist()
    [(1+0j), (2+0j)]
    """
    return _complex(spectral.eigvals(tensor))


def _complex(x: Tensor) -> Tensor:
    return x if x.dtype.is_complex else _native.cast(x, np.result_type(x.dtype.dtype, np.complex64))
