"""Determinants, with derivatives that are exact at singular matrices too.

The derivative of a determinant is the matrix of cofactors, a polynomial in the elements. At regular matrices it is
det(A) times the transposed inverse. Elsewhere A = U M V^H, where the unitary U and V are those of the singular value
decomposition at this point but held constant, so that M is a linear function of A, diagonal at the point: the
singular values that are not negligible come first. With M cut into blocks by them, the inverse of the first block and
the Schur complement of the last give the cofactors without dividing by anything small, and since all of this is
recorded, derivatives of every order are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array, matmul
from tapegrad._ops.complex_parts import conjugate, imag
from tapegrad._ops.declare import TensorLike, silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.linear import matrix_transpose
from tapegrad._ops.matrix.factorized import Factorized
from tapegrad._ops.matrix.inverse import inv, inverse_or_nan
from tapegrad._ops.matrix.parts import adjoint, as_matrices, on_matrices, trace

__all__ = ["det", "slogdet"]


def det(a: TensorLike) -> Tensor:
    """Return the determinants of square matrices."""
    result: Tensor = _det(as_matrices(a, "det"))
    return result


def _det_vjp(g: Tensor, a: Tensor, out: Tensor) -> Tensor:
    return elementwise.multiply_no_nan(conjugate(_cofactors(a, out)), on_matrices(g))


_det = structural("det", silent(lambda a: np.linalg.det(a)), a=_det_vjp)


def slogdet(a: TensorLike) -> tuple[Tensor, Tensor]:
    """Return sign and logarithm of the absolute value of determinants: their product is `sign * exp(logabsdet)`.

    Of a singular matrix they are 0 and -inf, and the derivative is nan.
    """
    sign, logarithm = _slogdet(as_matrices(a, "slogdet"))
    return sign, logarithm


def _slogdet_vjp(gs: tuple[Tensor | None, Tensor | None], a: Tensor, out: tuple[Tensor, Tensor]) -> Tensor | None:
    # With t = trace(inv(A) dA), the logarithm changes by the real part of t, and a complex sign turns by the
    # imaginary part: d sign = 1j * sign * imag(t).
    g_sign, g_log = gs
    weight = g_log
    if g_sign is not None and a.dtype.is_complex:
        turn = elementwise.multiply(imag(elementwise.multiply(conjugate(g_sign), out[0])), -1j)
        weight = turn if weight is None else elementwise.add(weight, turn)
    if weight is None:
        return None
    return elementwise.multiply_no_nan(adjoint(inverse_or_nan(a, Factorized(array(a)))), on_matrices(weight))


_slogdet = structural("slogdet", lambda a: tuple(np.linalg.slogdet(a)), a=_slogdet_vjp)


def _cofactors(a: Tensor, determinant: Tensor) -> Tensor:
    """Return the matrices of cofactors: the transposed adjugates."""
    try:
        inverse = inv(a)
    except np.linalg.LinAlgError:
        return _cofactors_by_rank(a)
    values, inverted = array(a), array(inverse)
    with np.errstate(all="ignore"):
        condition = np.linalg.norm(values, axis=(-2, -1)) * np.linalg.norm(inverted, axis=(-2, -1))
    # Comparisons with nan are false: matrices with nan in them stay here.
    if np.any(condition * _negligible(a) > 1.0):
        return _cofactors_by_rank(a)
    return elementwise.multiply(on_matrices(determinant), matrix_transpose(inverse))


def _negligible(a: Tensor) -> float:
    """Return below which part of the greatest a singular value is not divided by.

    A derivative of order k of det(A) inv(A) loses k digits for each digit of the condition number: where there will
    be another derivative, divisors must be greater.
    """
    return float(np.finfo(a.dtype.dtype).eps ** (0.25 if _native.is_watched(a) else 0.5))


def _cofactors_by_rank(a: Tensor) -> Tensor:
    """Return the matrices of cofactors, computed for matrices of each rank in the stack by themselves."""
    size = a.shape[-1]
    stack = _native.reshape(a, (-1, size, size))
    values = array(stack)
    finite = np.isfinite(values).all(axis=(1, 2), keepdims=True)
    u, s, vh = np.linalg.svd(np.where(finite, values, np.eye(size, dtype=values.dtype)))
    ranks = np.count_nonzero(s > s[:, :1] * _negligible(a), axis=1)
    places = [np.flatnonzero(ranks == rank) for rank in np.unique(ranks)]
    parts = [
        _cofactors_of_rank(int(ranks[which[0]]), _native.take(stack, which, 0), u[which], vh[which]) for which in places
    ]
    joined = parts[0] if len(parts) == 1 else _native.concatenate(parts, 0)
    return _native.reshape(_native.take(joined, np.argsort(np.concatenate(places)), 0), a.shape)


def _cofactors_of_rank(rank: int, a: Tensor, u: npt.NDArray[Any], vh: npt.NDArray[Any]) -> Tensor:
    """Return the matrices of cofactors of matrices with `rank` singular values that are not negligible."""
    if rank == a.shape[-1]:
        return elementwise.multiply(on_matrices(det(a)), matrix_transpose(inv(a)))
    uh, v = np.conjugate(u.swapaxes(-1, -2)), np.conjugate(vh.swapaxes(-1, -2))
    m = matmul(matmul(uh, a), v)
    rotation = (np.linalg.det(u) * np.linalg.det(vh))[:, None, None]
    adjugate = matmul(matmul(v, elementwise.multiply(_adjugate_by_blocks(m, rank), rotation)), uh)
    return matrix_transpose(adjugate)


def _adjugate_by_blocks(m: Tensor, rank: int) -> Tensor:
    """Return the adjugates of matrices whose first `rank` rows and columns are regular and whose last are small."""
    if rank == 0:
        return _small_adjugate(m)[1]
    first, last = slice(None, rank), slice(rank, None)
    regular, right = _native.basic_index(m, (..., first, first)), _native.basic_index(m, (..., first, last))
    below, corner = _native.basic_index(m, (..., last, first)), _native.basic_index(m, (..., last, last))
    inverse = inv(regular)
    right = matmul(inverse, right)
    complement = elementwise.subtract(corner, matmul(below, right))
    below = matmul(below, inverse)
    of_complement, adjugate = _small_adjugate(complement)
    above = elementwise.add(
        elementwise.multiply(on_matrices(of_complement), inverse), matmul(matmul(right, adjugate), below)
    )
    rows = [
        _native.concatenate([above, elementwise.negative(matmul(right, adjugate))], -1),
        _native.concatenate([elementwise.negative(matmul(adjugate, below)), adjugate], -1),
    ]
    return elementwise.multiply(on_matrices(det(regular)), _native.concatenate(rows, -2))


def _small_adjugate(m: Tensor) -> tuple[Tensor, Tensor]:
    """Return determinants and adjugates by Faddeev's and LeVerrier's recursion, which divides by 1, 2, ... alone."""
    size = m.shape[-1]
    identity = np.eye(size, dtype=m.dtype.dtype)
    adjugate = _native.broadcast_to(identity, m.shape)
    for step in range(1, size):
        product = matmul(m, adjugate)
        coefficient = on_matrices(elementwise.divide(trace(product), -step))
        adjugate = elementwise.add(product, elementwise.multiply(coefficient, identity))
    adjugate = elementwise.multiply(adjugate, (-1.0) ** (size - 1))
    return elementwise.divide(trace(matmul(m, adjugate)), size), adjugate
