"""Pseudoinverses and least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array, matmul
from tapegrad._ops.arguments import as_inexact
from tapegrad._ops.declare import Operation, TensorLike, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import getitem
from tapegrad._ops.matrix.parts import adjoint, as_matrices, read_as_hermitian
from tapegrad._ops.matrix.singular import pair_sums, singular_sum, svd, turned_vjp
from tapegrad._ops.matrix.spectral import pair_differences
from tapegrad._ops.shaping import expand_dims, squeeze

__all__ = ["lstsq", "pinv"]


def pinv(a: TensorLike, rtol: Any, hermitian: bool = False) -> Tensor:
    """Return the pseudoinverses (Moore and Penrose).

    Parameters
    ----------
    a
        Matrices, of shape (..., m, n).
    rtol
        Singular values up to this part of the greatest are taken to be zero; a number, or one for each matrix.
    hermitian
        Whether to take the matrices to be Hermitian and read their lower triangle only.
    """
    a = as_matrices(a, "pinv")
    result: Tensor = _pinv(read_as_hermitian(a) if hermitian else a, rtol=rtol, hermitian=bool(hermitian))
    return result


def _pinv_forward(a: npt.NDArray[Any], *, rtol: Any, hermitian: bool) -> npt.NDArray[Any]:
    return np.linalg.pinv(a, rtol, hermitian)


def _pinv_vjp(g: Tensor, a: Tensor, out: Tensor) -> Tensor:
    rank = _rank(array(a), array(out))
    if _drops_more_than_zeros(array(a), array(out), rank):
        return _truncated_vjp(g, a, rank)
    # G. H. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
    # variables separate", SIAM J. Numer. Anal. 10 (1973): with P the pseudoinverse, dP = -P dA P
    # + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P, as long as the rank stays.
    gh, outh = adjoint(g), adjoint(out)
    along = matmul(matmul(outh, g), outh)
    left, right = matmul(matmul(gh, out), outh), matmul(matmul(outh, out), gh)
    outside_left = elementwise.subtract(left, matmul(a, matmul(out, left)))
    outside_right = elementwise.subtract(right, matmul(matmul(right, out), a))
    return elementwise.subtract(elementwise.add(outside_left, outside_right), along)


_pinv: Operation = structural("pinv", _pinv_forward, a=_pinv_vjp)


def _rank(a: npt.NDArray[Any], out: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return how many singular values the pseudoinverses were made of: the trace of the projection `a @ out`."""
    return np.asarray(np.rint(np.einsum("...ij,...ji->...", a, out).real))


def _drops_more_than_zeros(a: npt.NDArray[Any], out: npt.NDArray[Any], rank: npt.NDArray[Any]) -> bool:
    """Return whether singular values were left out that are large enough for a derivative to notice."""
    if not np.any(rank < min(a.shape[-2:])):
        return False
    rest = np.linalg.norm(a - a @ out @ a, axis=(-2, -1)) * np.linalg.norm(out, axis=(-2, -1))
    return bool(np.any(rest > np.sqrt(np.finfo(a.dtype).eps)))


def _truncated_vjp(g: Tensor, a: Tensor, rank: npt.NDArray[Any]) -> Tensor:
    """Return the cotangent where the singular values behind the first `rank` were left out, but are not zero."""
    u, s, vh = svd(a, full_matrices=False)
    kept = np.arange(s.shape[-1]) < rank[..., None]
    reciprocals = _native.where(kept, elementwise.reciprocal(_native.where(kept, s, 1)), 0)
    column, row = (..., slice(None), None), (..., None, slice(None))
    both, neither = kept[column] & kept[row], ~(kept[column] | kept[row])
    products = elementwise.multiply(getitem(reciprocals, column), getitem(reciprocals, row))
    ratios = elementwise.divide(pair_differences(reciprocals), _native.where(both | neither, 1, pair_differences(s)))
    alike = _native.where(both, elementwise.negative(products), ratios)
    against = elementwise.divide(pair_sums(reciprocals), _native.where(neither, 1, pair_sums(s)))
    outside = elementwise.divide(reciprocals, _native.where(kept, s, 1))
    return turned_vjp(adjoint(g), u, adjoint(vh), alike, against, outside)


def lstsq(a: TensorLike, b: TensorLike, rtol: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the x of least norm that minimize `norm(b - a @ x)`, and what NumPy says about them.

    Parameters
    ----------
    a
        A matrix of shape (m, n).
    b
        A vector of shape (m,), or a matrix of shape (m, k) of right-hand sides.
    rtol
        Singular values of `a` up to this part of the greatest are taken to be zero; a negative number stands for
        the rounding error of float64.

    Returns
    -------
    tuple of Tensor
        x, of shape (n,) or (n, k); the sums of squared residuals, of shape (k,), or empty if the rank is below n or
        m <= n; the rank of `a`; its singular values.
    """
    a, b = as_matrices(a, "lstsq"), as_inexact(b)
    is_vector = b.ndim == 1
    x, residuals, rank, s = _lstsq(a, expand_dims(b, 1) if is_vector else b, rtol=rtol)
    return squeeze(x, -1) if is_vector else x, residuals, rank, s


def _lstsq_forward(a: npt.NDArray[Any], b: npt.NDArray[Any], *, rtol: float) -> tuple[Any, ...]:
    x, residuals, rank, s = np.linalg.lstsq(a, b, rtol)
    return x, residuals, np.asarray(rank), s


def _pinv_of_system(a: Tensor, rtol: float) -> Tensor:
    return pinv(a, rtol if rtol >= 0 else np.finfo(np.float64).eps)


def _rows(gs: tuple[Tensor | None, ...], out: tuple[Tensor, ...], a: Tensor, b: Tensor) -> Tensor | None:
    """Return the cotangent of `b - a @ x` for that of the sums of squares, where they were computed."""
    if gs[1] is None or not out[1].size:
        return None
    residual = elementwise.subtract(b, matmul(a, out[0]))
    return elementwise.multiply_no_nan(elementwise.multiply(residual, 2.0), gs[1])


def _total(*parts: Tensor | None) -> Tensor | None:
    total: Tensor | None = None
    for part in parts:
        if part is not None:
            total = part if total is None else elementwise.add(total, part)
    return total


def _lstsq_a_vjp(
    gs: tuple[Tensor | None, ...], a: Tensor, b: Tensor, out: tuple[Tensor, ...], rtol: float
) -> Tensor | None:
    # The residuals are orthogonal to what a can reach, so that x need not be asked how it changes them.
    of_x = of_residuals = of_values = None
    if gs[0] is not None:
        of_x = _pinv_vjp(matmul(gs[0], adjoint(b)), a, _pinv_of_system(a, rtol))
    rows = _rows(gs, out, a, b)
    if rows is not None:
        of_residuals = elementwise.negative(matmul(rows, adjoint(out[0])))
    if gs[3] is not None:
        u, s, vh = svd(a, full_matrices=False)
        of_values = singular_sum(a, gs[3], u, s, adjoint(vh))
    return _total(of_x, of_residuals, of_values)


def _lstsq_b_vjp(
    gs: tuple[Tensor | None, ...], a: Tensor, b: Tensor, out: tuple[Tensor, ...], rtol: float
) -> Tensor | None:
    of_x = None if gs[0] is None else matmul(adjoint(_pinv_of_system(a, rtol)), gs[0])
    return _total(of_x, _rows(gs, out, a, b))


_lstsq = structural("lstsq", _lstsq_forward, a=_lstsq_a_vjp, b=_lstsq_b_vjp)
