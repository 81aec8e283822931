"""Cholesky and QR factorizations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, matmul
from tapegrad._ops.declare import Operation, TensorLike, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import getitem
from tapegrad._ops.matrix.inverse import triangular_solve
from tapegrad._ops.matrix.parts import adjoint, as_matrices, band, hermitian_part, within_rank

__all__ = ["cholesky", "qr", "triangular_factor"]


def cholesky(a: TensorLike, upper: bool = False) -> Tensor:
    """Return the lower triangular L with `L @ adjoint(L) == a`, or with `upper` its adjoint.

    `a` is taken to be symmetric or Hermitian: only its lower (with `upper`: upper) triangle is read. The gradient is
    symmetric or Hermitian. A matrix that is not positive definite raises `numpy.linalg.LinAlgError`.
    """
    result: Tensor = _cholesky(as_matrices(a, "cholesky"), upper=bool(upper))
    return result


def _cholesky_vjp(g: Tensor, out: Tensor, upper: bool) -> Tensor:
    # I. Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527: with dA = L (P + P^H) L^H, where
    # P is lower triangular with half of the diagonal, dL = L P.
    if upper:
        out, g = adjoint(out), adjoint(g)
    middle = hermitian_part(_halved(band(matmul(adjoint(out), g), upper=0)))
    left = triangular_solve(out, middle, adjoint=True)
    return adjoint(triangular_solve(out, adjoint(left), adjoint=True))


def _halved(a: Tensor) -> Tensor:
    """Return the matrices with half of their diagonals."""
    factors = np.ones(a.shape[-2:], np.finfo(a.dtype.dtype).dtype)
    np.fill_diagonal(factors, 0.5)
    return elementwise.multiply(a, factors)


_cholesky = structural("cholesky", lambda a, *, upper: np.linalg.cholesky(a, upper=upper), a=_cholesky_vjp)


def qr(a: TensorLike, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Return (q, r) with `a == q @ r`, q with orthonormal columns and r upper triangular.

    With `mode="complete"` q is square: only the span of its columns beyond those of `a` is determined by `a`, and
    derivatives are right for functions of this span. The first min(m, n) columns of `a` must be independent for
    derivatives to exist.
    """
    q, r = _qr(as_matrices(a, "qr"), mode=mode)
    return q, r


def triangular_factor(a: TensorLike) -> Tensor:
    """Return the second factor of `qr` alone."""
    result: Tensor = _triangular_factor(as_matrices(a, "qr"))
    return result


def _qr_vjp(gs: tuple[Tensor | None, Tensor | None], out: tuple[Tensor, Tensor]) -> Tensor:
    (g_q, g_r), (q, r) = gs, out
    count = min(q.shape[-2], r.shape[-1])
    q, g_q = within_rank(q, g_q, count)
    first_rows = (..., slice(None, count), slice(None))
    return _of_factors(g_q, None if g_r is None else getitem(g_r, first_rows), q, getitem(r, first_rows))


def _of_factors(g_q: Tensor | None, g_r: Tensor | None, q: Tensor, r: Tensor) -> Tensor:
    """Return the matrices' cotangent for those of the reduced factors."""
    # C = Q^H dA R^-1 = S + T, where S = Q^H dQ is skew and T = dR R^-1 upper triangular with
    # a real diagonal: below the diagonal C is S, and the rest follows. For a wide matrix [A1 A2] this holds for the
    # square A1, and R2 = Q^H A2.
    count, columns = r.shape[-2:]
    zero = np.zeros((), q.dtype.dtype)
    g_r = None if g_r is None else band(g_r, lower=0)
    of_r = zero if g_r is None else matmul(g_r, adjoint(r))
    of_q = zero if g_q is None else matmul(adjoint(q), g_q)
    w = elementwise.subtract(of_q, of_r)
    middle = _halved(band(elementwise.subtract(w, adjoint(w)), upper=0))
    if columns > count:
        first, rest = (..., slice(None, count)), (..., slice(count, None))
        left = matmul(q, _over_adjoint(middle, getitem(r, first)))
        if g_r is None:
            right = _native.own(np.zeros((*left.shape[:-1], columns - count), left.dtype.dtype))
        else:
            left = elementwise.add(left, matmul(q, getitem(g_r, first)))
            right = matmul(q, getitem(g_r, rest))
        return _native.concatenate([left, right], left.ndim - 1)
    numerator = matmul(q, elementwise.subtract(middle, w))
    return _over_adjoint(numerator if g_q is None else elementwise.add(numerator, g_q), r)


def _over_adjoint(a: Tensor, r: Tensor) -> Tensor:
    """Return `a @ inv(adjoint(r))` for upper triangular r."""
    return adjoint(triangular_solve(r, adjoint(a), lower=False))


_qr: Operation = structural("qr", lambda a, *, mode: tuple(np.linalg.qr(a, mode)), a=_qr_vjp)


def _triangular_factor_vjp(g: Tensor, a: Tensor) -> Any:
    q, r = qr(a)
    return _of_factors(None, g, q, r)


_triangular_factor = structural("qr", lambda a: np.linalg.qr(a, "r"), a=_triangular_factor_vjp)
