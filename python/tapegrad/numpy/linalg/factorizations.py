"""Factorizations: Cholesky, QR, eigenvalues, singular values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array, is_watched
from tapegrad._ops.matrix import factor, singular, spectral
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, operand

__all__ = ["cholesky", "eig", "eigh", "eigvals", "eigvalsh", "qr", "svd", "svdvals"]


@implements(np.linalg.cholesky)
def cholesky(a: TensorLike, /, *, upper: bool = False) -> Tensor:
    """Return the lower triangular L with `L @ L.mT.conj() == a`, or with `upper` the adjoint of such an L.

    Only the lower (with `upper`: upper) triangle of `a` is read; the gradient is symmetric or Hermitian.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is not positive definite.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.cholesky([[4.0, 2.0], [2.0, 5.0]]).numpy()
    array([[2., 0.],
           [1., 2.]])
    """
    return factor.cholesky(operand(a), upper)


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Tensor
    R: Tensor


@implements(np.linalg.qr)
def qr(a: TensorLike, mode: str = "reduced") -> Any:
    """Return (Q, R) with `a == Q @ R`, the columns of Q orthonormal and R upper triangular.

    Parameters
    ----------
    a
        Matrices, of shape (..., m, n). For derivatives the first min(m, n) columns must be independent.
    mode
        `"reduced"`: Q has min(m, n) columns. `"complete"`: it is square; of the columns beyond those of `a` only the
        span is determined, and derivatives are right for functions of it. `"r"`: R alone. `"raw"`: LAPACK's
        Householder vectors and factors, which have no derivative here.

    Raises
    ------
    ValueError
        If the mode is unknown.
    TypeError
        If a tape watches the matrix and the mode is "raw".

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> abs(np.linalg.qr([[3.0], [4.0]]).R).numpy().round(12)
    array([[5.]])
    """
    a = operand(a)
    if mode in ("reduced", "complete"):
        return QRResult(*factor.qr(a, mode))
    if mode == "r":
        return factor.triangular_factor(a)
    if mode != "raw":
        raise ValueError(f"qr: the mode is 'reduced', 'complete', 'r' or 'raw', not {mode!r}.")
    if is_watched(a):
        raise TypeError("numpy.linalg.qr with mode='raw' has no derivative rule in tapegrad: use mode='reduced'")
    vectors, factors = np.linalg.qr(array(a), "raw")
    return _native.own(vectors), _native.own(factors)


class EigResult(NamedTuple):
    """What `eig` returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@implements(np.linalg.eig)
def eig(a: TensorLike) -> EigResult:
    """Return eigenvalues and eigenvectors (in columns, of length 1) of square matrices.

    They are complex where any eigenvalue is. Derivatives of vectors whose eigenvalues coincide, and all those of
    defective matrices, are nan.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.eig([[0.0, -1.0], [1.0, 0.0]]).eigenvalues.numpy()
    array([0.+1.j, 0.-1.j])
    """
    return EigResult(*spectral.eig(operand(a)))


@implements(np.linalg.eigvals)
def eigvals(a: TensorLike) -> Tensor:
    """Return the eigenvalues of square matrices, complex where any of them is.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.eigvals([[1.0, 5.0], [0.0, 2.0]]).numpy().real
    array([1., 2.])
    """
    return spectral.eigvals(operand(a))


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@implements(np.linalg.eigh)
def eigh(a: TensorLike, UPLO: str = "L") -> EighResult:  # noqa: N803 (NumPy's name)
    """Return eigenvalues, ascending, and eigenvectors (in columns) of symmetric or Hermitian matrices.

    Only the lower (`UPLO="L"`) or upper (`"U"`) triangle is read; the gradient is symmetric or Hermitian. Where
    eigenvalues coincide the derivatives of the vectors are nan, and those of the values exact.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.eigh([[2.0, 1.0], [1.0, 2.0]]).eigenvalues.numpy().round(12)
    array([1., 3.])
    """
    return EighResult(*spectral.eigh(operand(a), UPLO))


@implements(np.linalg.eigvalsh)
def eigvalsh(a: TensorLike, UPLO: str = "L") -> Tensor:  # noqa: N803 (NumPy's name)
    """Return eigenvalues, ascending, of symmetric or Hermitian matrices, of which one triangle is read.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> x = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     greatest = np.linalg.eigvalsh(x)[-1]
    >>> tape.gradient(greatest, x).numpy().round(12)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    return spectral.eigvalsh(operand(a), UPLO)


class SVDResult(NamedTuple):
    """What `svd` returns."""

    U: Tensor
    S: Tensor
    Vh: Tensor


@implements(np.linalg.svd)
def svd(a: TensorLike, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Return (U, S, Vh) with `a == U @ diag(S) @ Vh`, or with `compute_uv=False` S alone, descending.

    Where singular values coincide the derivatives of the vectors are nan, and those of the values exact.

    Parameters
    ----------
    a
        Matrices, of shape (..., m, n).
    full_matrices
        Whether U and Vh are square. Of the vectors beyond min(m, n) only the span is determined, and derivatives are
        right for functions of it.
    compute_uv
        Whether the vectors are wanted.
    hermitian
        Whether to take the matrices to be Hermitian and read their lower triangle only.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.svd([[3.0, 0.0], [0.0, 4.0]]).S.numpy()
    array([4., 3.])
    """
    a = operand(a)
    return SVDResult(*singular.svd(a, full_matrices, hermitian)) if compute_uv else singular.svdvals(a, hermitian)


@implements(np.linalg.svdvals)
def svdvals(x: TensorLike, /) -> Tensor:
    """Return the singular values of matrices, descending.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.svdvals([[3.0, 0.0], [0.0, 4.0]]).numpy()
    array([4., 3.])
    """
    return singular.svdvals(operand(x))
