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

_SMALL = 64
"""Up to this size the derivative of a Cholesky factor is computed without blocks."""


def cholesky(a: TensorLike, upper: bool = False) -> Tensor:
    """Return the lower triangular L with `L @ adjoint(L) == a`, or with `upper` its adjoint.

    `a` is taken to be symmetric or Hermitian: only its lower (with `upper`: upper) triangle is read. The gradient is
    symmetric or Hermitian. A matrix that is not positive definite raises `numpy.linalg.LinAlgError`.
    """
    result: Tensor = _cholesky(as_matrices(a, "cholesky"), upper=bool(upper))
    return result


def _cholesky_vjp(g: Tensor, out: Tensor, upper: bool) -> Tensor:
    return _of_lower_factor(adjoint(g), adjoint(out)) if upper else _of_lower_factor(g, out)


def _of_lower_factor(g: Tensor, factor: Tensor) -> Tensor:
    """Return the Hermitian cotangent of the matrices for that of their lower factors."""
    n = factor.shape[-1]
    if n <= _SMALL:
        # I. Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527: with dA = L (P + P^H) L^H, where
        # P is lower triangular with half of the diagonal, dL = L P.
        middle = hermitian_part(_lower_halved(matmul(adjoint(factor), g)))
        left = triangular_solve(factor, middle, adjoint=True)
        return adjoint(triangular_solve(factor, adjoint(left), adjoint=True))
    # The same by blocks, as they are computed: A11 = L11 L11^H, A21 = L21 L11^H, A22 - L21 L21^H = L22 L22^H. That
    # takes a fifth of the arithmetic, since none is done on zeros.
    first, second = slice(None, n // 2), slice(n // 2, None)
    l11, l21, l22 = _blocks(factor, first, second)
    g11, g21, g22 = _blocks(g, first, second)
    a22 = _of_lower_factor(g22, l22)
    half_of_l21 = elementwise.subtract(elementwise.multiply(g21, 0.5), matmul(a22, l21))
    a12 = triangular_solve(l11, adjoint(half_of_l21), adjoint=True)
    a11 = _of_lower_factor(elementwise.subtract(g11, elementwise.multiply(matmul(a12, l21), 2.0)), l11)
    axis = g.ndim - 1
    rows = [_native.concatenate([a11, a12], axis), _native.concatenate([adjoint(a12), a22], axis)]
    return _native.concatenate(rows, axis - 1)


def _blocks(a: Tensor, first: slice, second: slice) -> tuple[Tensor, Tensor, Tensor]:
    """Return the blocks 11, 21 and 22 of the matrices."""
    index = _native.basic_index
    return index(a, (..., first, first)), index(a, (..., second, first)), index(a, (..., second, second))


def _lower_halved(a: Tensor) -> Tensor:
    """Return the lower triangles of the matrices with half of their diagonals."""
    factors = np.tri(a.shape[-1], dtype=np.finfo(a.dtype.dtype).dtype)
    np.fill_diagonal(factors, 0.5)
    return elementwise.multiply_no_nan(a, factors)


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
    middle = _lower_halved(elementwise.subtract(w, adjoint(w)))
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
