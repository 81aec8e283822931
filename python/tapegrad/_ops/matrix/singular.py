"""Singular values and vectors.

With A = U S V^H and X = U^H dA V, singular values change by the real diagonal of X. The Hermitian part of X turns
both sets of vectors alike, at rates divided by differences of singular values, and the skew part turns them against
each other, at rates divided by their sums. As with eigenvalues, vectors of values that coincide have no derivative
(nan), and that of the values stays exact; `spectral` says which phase complex vectors have.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array, is_watched, matmul
from tapegrad._ops.declare import Operation, TensorLike, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import getitem, take_along_axis
from tapegrad._ops.matrix.parts import (
    adjoint,
    as_matrices,
    hermitian_part,
    real_diagonal_of_product,
    times_columns,
    within_rank,
)
from tapegrad._ops.matrix.spectral import (
    eigh,
    eigvalsh,
    ratios_of_differences,
    reciprocal_gaps,
    turning,
    with_phase,
)
from tapegrad._ops.shaping import flip
from tapegrad._ops.untracked import untracked

__all__ = ["matrix_rank", "pair_sums", "singular_sum", "svd", "svdvals", "turned_vjp"]


def svd(a: TensorLike, full_matrices: bool = True, hermitian: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Return (u, s, vh) with `a == u @ diag(s) @ vh`, the singular values descending.

    Parameters
    ----------
    a
        Matrices, of shape (..., m, n).
    full_matrices
        Whether u and vh are square. Only the span of the columns and rows beyond min(m, n) is determined by the
        matrix, and derivatives are right for functions of this span.
    hermitian
        Whether to take the matrices to be Hermitian and read their lower triangle only.
    """
    a = as_matrices(a, "svd")
    if not hermitian:
        u, s, vh = _svd(a, full=bool(full_matrices))
        return u, s, vh
    w, v = eigh(a)
    order = np.argsort(np.abs(array(w)))[..., ::-1]  # as NumPy does it, ties included
    w = take_along_axis(w, order, -1, repeats=False)
    v = take_along_axis(v, np.broadcast_to(order[..., None, :], v.shape), -1, repeats=False)
    signs = np.copysign(1.0, array(w))
    return v, elementwise.absolute(w), adjoint(times_columns(v, signs))


def svdvals(a: TensorLike, hermitian: bool = False) -> Tensor:
    """Return the singular values, descending."""
    a = as_matrices(a, "svd")
    if hermitian:
        magnitudes = elementwise.absolute(eigvalsh(a))
        return flip(take_along_axis(magnitudes, np.argsort(array(magnitudes)), -1, repeats=False), -1)
    result: Tensor = _svdvals(a)
    return result


def matrix_rank(a: TensorLike, tol: Any = None, hermitian: bool = False, rtol: Any = None) -> Tensor:
    """Return how many singular values are greater than `tol`, or than `rtol` times the greatest; not differentiable."""
    return untracked(np.linalg.matrix_rank, a, tol=tol, hermitian=hermitian, rtol=rtol)


def _svd_vjp(gs: tuple[Tensor | None, ...], a: Tensor, out: tuple[Tensor, ...]) -> Any:
    (g_u, g_s, g_vh), (u, s, vh) = gs, out
    v = adjoint(vh)
    g_v = None if g_vh is None else adjoint(g_vh)
    u, g_u = within_rank(u, g_u, s.shape[-1])
    v, g_v = within_rank(v, g_v, s.shape[-1])
    parts = []
    if g_s is not None:
        parts.append(singular_sum(a, _none_at_zero(g_s, s), u, s, v))
    if g_u is not None or g_v is not None:
        parts.append(_of_vectors(g_u, g_v, u, s, v))
    return elementwise.add(*parts) if len(parts) == 2 else parts[0] if parts else None


_svd: Operation = structural("svd", lambda a, *, full: tuple(np.linalg.svd(a, full)), a=_svd_vjp)


def _none_at_zero(g: Tensor, s: Tensor) -> Tensor:
    """Return the cotangent without what a value that is exactly zero, at a kink as that of abs, would get."""
    return _native.where(array(s) == 0, 0, g)


def _of_vectors(g_u: Tensor | None, g_v: Tensor | None, u: Tensor, s: Tensor, v: Tensor) -> Tensor:
    """Return the matrices' cotangent for those of the vectors."""
    if u.dtype.is_complex and u.size:
        g_u, g_v = _with_phases(g_u, g_v, u, v)
    gaps, sums = reciprocal_gaps(s), elementwise.reciprocal(pair_sums(s))
    parts = []
    for g, vectors, sign in ((g_u, u, 1.0), (g_v, v, -1.0)):
        if g is None:
            continue
        overlaps = matmul(adjoint(vectors), g)
        # Divided one by one and then added: at equal values overlaps that would cancel are no proof of no dependence.
        alike = hermitian_part(elementwise.multiply_no_nan(gaps, overlaps))
        against = elementwise.multiply(elementwise.subtract(overlaps, adjoint(overlaps)), 0.5 * sign)
        middle = elementwise.add(alike, elementwise.multiply_no_nan(sums, against))
        parts.append(matmul(matmul(u, middle), adjoint(v)))
        if vectors.shape[-2] > vectors.shape[-1]:
            beyond = elementwise.subtract(g, matmul(vectors, overlaps))
            beyond = elementwise.multiply_no_nan(_as_row(elementwise.reciprocal(s)), beyond)
            parts.append(matmul(beyond, adjoint(v)) if vectors is u else matmul(u, adjoint(beyond)))
    return functools.reduce(elementwise.add, parts)


def _as_row(s: Tensor) -> Tensor:
    return getitem(s, (..., None, slice(None)))


def pair_sums(s: Tensor) -> Tensor:
    """Return `s[i] + s[j]`."""
    return elementwise.add(getitem(s, (..., slice(None), None)), _as_row(s))


def _with_phases(g_u: Tensor | None, g_v: Tensor | None, u: Tensor, v: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """Return the cotangents of pairs of complex vectors, which turn together.

    Their phase is such that the first element of v is real, or that of u if u is the shorter one.
    """
    turns = [turning(g, vectors) for g, vectors in ((g_u, u), (g_v, v)) if g is not None]
    turn = elementwise.add(*turns) if len(turns) == 2 else turns[0]
    if u.shape[-2] >= v.shape[-2]:
        return g_u, with_phase(g_v, v, 0, turn)
    return with_phase(g_u, u, 0, turn), g_v


def singular_sum(a: Tensor, weights: Tensor, u: Tensor, s: Tensor, v: Tensor) -> Tensor:
    """Return `u @ diag(weights) @ adjoint(v)`, where u, s, v are singular vectors and values of `a`."""
    if not is_watched(a):
        return matmul(times_columns(u, weights), adjoint(v))
    result: Tensor = _singular_sum(a, weights, u, s, v, fixed=not is_watched(weights))
    return result


def _singular_sum_vjp(g: Tensor, weights: Tensor, u: Tensor, s: Tensor, v: Tensor, fixed: bool) -> Tensor:
    alike = ratios_of_differences(weights, s, fixed)
    return turned_vjp(g, u, v, alike, _ratio(pair_sums(weights), pair_sums(s)), _ratio(weights, s))


def turned_vjp(g: Tensor, u: Tensor, v: Tensor, alike: Tensor, against: Tensor, outside: Tensor) -> Tensor:
    """Return the cotangent of matrices A for that of `u @ diag(f(s)) @ adjoint(v)`, a function of A.

    Parameters
    ----------
    g
        The cotangent.
    u, v
        The singular vectors of A.
    alike
        `(f(s[j]) - f(s[i])) / (s[j] - s[i])`, on the diagonal what the derivative of f contributes.
    against
        `(f(s[j]) + f(s[i])) / (s[j] + s[i])`.
    outside
        `f(s) / s`.
    """
    g_v, g_u = matmul(g, v), matmul(adjoint(g), u)
    turned = matmul(adjoint(u), g_v)
    both = hermitian_part(turned)
    middle = elementwise.add(
        elementwise.multiply_no_nan(alike, both),
        elementwise.multiply_no_nan(against, elementwise.subtract(turned, both)),
    )
    result = matmul(matmul(u, middle), adjoint(v))
    if u.shape[-2] > u.shape[-1]:
        beyond = elementwise.subtract(g_v, matmul(u, turned))
        beyond = elementwise.multiply_no_nan(_as_row(outside), beyond)
        result = elementwise.add(result, matmul(beyond, adjoint(v)))
    if v.shape[-2] > v.shape[-1]:
        beyond = elementwise.subtract(g_u, matmul(v, adjoint(turned)))
        beyond = elementwise.multiply_no_nan(_as_row(outside), beyond)
        result = elementwise.add(result, matmul(u, adjoint(beyond)))
    return result


def _ratio(x: Tensor, y: Tensor) -> Tensor:
    """Return `x / y`, and 0 where both are 0."""
    neither = (array(x) == 0) & (array(y) == 0)
    return _native.where(neither, 0, elementwise.divide(x, _native.where(neither, 1, y)))


# A function of `a` and the weights, as `_weighted_projections` in `spectral` is: u, s and v are those of `a`.
_singular_sum: Operation = structural(
    "svd",
    lambda a, weights, u, s, v, *, fixed: (u * weights[..., None, :]) @ np.conjugate(v.swapaxes(-1, -2)),
    a=_singular_sum_vjp,
    weights=lambda g, u, v: real_diagonal_of_product(u, matmul(g, v)),
)


def _svdvals_vjp(g: Tensor, a: Tensor) -> Tensor:
    u, s, vh = svd(a, full_matrices=False)
    return singular_sum(a, _none_at_zero(g, s), u, s, adjoint(vh))


_svdvals = structural("svd", lambda a: np.linalg.svd(a, compute_uv=False), a=_svdvals_vjp)
