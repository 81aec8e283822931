"""Eigenvalues and eigenvectors.

With X = V^-1 dA V, eigenvalues change by the diagonal of X, and vectors by V times F * X, where F[i, j] is
1 / (w[j] - w[i]) and 0 on the diagonal (Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008). Where eigenvalues coincide, single vectors have no derivative: a cotangent on
them becomes nan. That of the values stays exact, and so does its own derivative if it is the same for the values that
coincide and depends on nothing, as that of their sum does.

LAPACK makes one element of every complex eigenvector real. Which one is seen in the result, and the derivative is
that of the vectors with this phase; where that element is too small to hold it, the phase is taken to stay.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array, is_watched, matmul
from tapegrad._ops.complex_parts import conjugate, imag, real
from tapegrad._ops.declare import Operation, TensorLike, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import getitem, take_along_axis
from tapegrad._ops.matrix.factorized import Factorized
from tapegrad._ops.matrix.inverse import inverse_or_nan
from tapegrad._ops.matrix.parts import (
    adjoint,
    as_matrices,
    columns_times,
    diagonal_matrix,
    hermitian_part,
    real_diagonal_of_product,
    times_columns,
)

__all__ = [
    "coincide",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "pair_differences",
    "ratios_of_differences",
    "reciprocal_gaps",
    "turning",
    "with_phase",
]


def eigh(a: TensorLike, uplo: str = "L") -> tuple[Tensor, Tensor]:
    """Return eigenvalues, ascending, and eigenvectors (in columns) of symmetric or Hermitian matrices.

    Only the lower (`uplo="L"`) or upper (`"U"`) triangle of `a` is read; the gradient is symmetric or Hermitian.
    """
    w, v = _eigh(as_matrices(a, "eigh"), uplo=uplo)
    return w, v


def eigvalsh(a: TensorLike, uplo: str = "L") -> Tensor:
    """Return eigenvalues, ascending, of symmetric or Hermitian matrices, of which one triangle is read."""
    result: Tensor = _eigvalsh(as_matrices(a, "eigvalsh"), uplo=uplo)
    return result


def _eigh_vjp(gs: tuple[Tensor | None, Tensor | None], a: Tensor, out: tuple[Tensor, Tensor], uplo: str) -> Any:
    (g_values, g_vectors), (w, v) = gs, out
    result = None if g_values is None else _projections(a, g_values, w, v)
    if g_vectors is not None:
        if v.dtype.is_complex and v.size:
            first_or_last = 0 if uplo.upper() == "L" else v.shape[-2] - 1
            g_vectors = with_phase(g_vectors, v, first_or_last, turning(g_vectors, v))
        # Divided one by one and then added: at equal values overlaps that would cancel are no proof of no dependence.
        middle = hermitian_part(elementwise.multiply_no_nan(reciprocal_gaps(w), matmul(adjoint(v), g_vectors)))
        of_vectors = matmul(matmul(v, middle), adjoint(v))
        result = of_vectors if result is None else elementwise.add(result, of_vectors)
    return result


_eigh: Operation = structural("eigh", lambda a, *, uplo: tuple(np.linalg.eigh(a, uplo)), a=_eigh_vjp)


def _eigvalsh_vjp(g: Tensor, a: Tensor, uplo: str) -> Any:
    w, v = eigh(a, uplo)
    return _projections(a, g, w, v)


_eigvalsh = structural("eigvalsh", lambda a, *, uplo: np.linalg.eigvalsh(a, uplo), a=_eigvalsh_vjp)


def _projections(a: Tensor, weights: Tensor, w: Tensor, v: Tensor) -> Tensor:
    """Return `v @ diag(weights) @ adjoint(v)`, where w and v are the eigenvalues and eigenvectors of `a`."""
    if not is_watched(a):
        return matmul(times_columns(v, weights), adjoint(v))
    result: Tensor = _weighted_projections(a, weights, w, v, fixed=not is_watched(weights))
    return result


def _projections_vjp(g: Tensor, weights: Tensor, w: Tensor, v: Tensor, fixed: bool) -> Tensor:
    turned = hermitian_part(matmul(matmul(adjoint(v), g), v))
    middle = elementwise.multiply_no_nan(ratios_of_differences(weights, w, fixed), turned)
    return matmul(matmul(v, middle), adjoint(v))


# A function of `a` and the weights: the rule in `a` divides differences of weights by those of eigenvalues, which are
# both exact, where the rules of w and v would leave quotients of rounding errors. `fixed`: the weights depend on
# nothing recorded.
_weighted_projections: Operation = structural(
    "eigh",
    lambda a, weights, w, v, *, fixed: (v * weights[..., None, :]) @ np.conjugate(v.swapaxes(-1, -2)),
    a=_projections_vjp,
    weights=lambda g, v: real_diagonal_of_product(v, matmul(g, v)),
)


def coincide(w: Tensor) -> npt.NDArray[np.bool_]:
    """Return which pairs of the numbers in the last axis differ by no more than their rounding errors."""
    values = array(w)
    with np.errstate(all="ignore"):
        gaps = np.abs(values[..., :, None] - values[..., None, :])
        scale = np.max(np.abs(values), axis=-1, initial=0)[..., None, None]
        return np.asarray(gaps <= scale * (values.shape[-1] * np.finfo(values.dtype).eps))


def pair_differences(w: Tensor) -> Tensor:
    """Return `w[j] - w[i]`."""
    return elementwise.subtract(getitem(w, (..., None, slice(None))), getitem(w, (..., slice(None), None)))


def _gaps(w: Tensor) -> Tensor:
    """Return `w[j] - w[i]`, and nan where they coincide."""
    return _native.where(coincide(w), np.nan, pair_differences(w))


def reciprocal_gaps(w: Tensor) -> Tensor:
    """Return `1 / (w[j] - w[i])`, with 0 on the diagonal and nan where other values coincide."""
    return _native.where(np.eye(w.shape[-1], dtype=np.bool_), 0, elementwise.reciprocal(_gaps(w)))


def ratios_of_differences(weights: Tensor, w: Tensor, fixed: bool) -> Tensor:
    """Return `(weights[j] - weights[i]) / (w[j] - w[i])`, with 0 on the diagonal.

    Where values coincide it is nan, or 0 if the weights are equal and fixed: they are no function of the values then.
    """
    spread = pair_differences(weights)
    constant = np.eye(w.shape[-1], dtype=np.bool_)
    if fixed:
        constant = constant | ((array(spread) == 0) & coincide(w))
    return _native.where(constant, 0, elementwise.divide(spread, _gaps(w)))


def turning(g: Tensor, v: Tensor) -> Tensor:
    """Return how much the cotangent `g` of complex vectors (columns) says that they matter when each is turned.

    Turning a vector by an angle t changes it by 1j * v * t.
    """
    return imag(_native.sum(elementwise.multiply(conjugate(v), g), -2, True))


def with_phase(g: Tensor | None, v: Tensor, row: int | npt.NDArray[Any], turn: Tensor) -> Tensor:
    """Return the cotangent of complex vectors (columns) that are turned so that their elements in `row` are real.

    `row` may be one for each vector. What turning a vector means to the result is asked of the element in `row`,
    which thereby stays real.
    """
    rows = np.broadcast_to(row, (*v.shape[:-2], v.shape[-1]))[..., None, :]
    values = np.take_along_axis(array(v), rows, -2)
    eps = float(np.finfo(values.dtype).eps)
    holds = (np.abs(values.imag) <= 16 * eps) & (np.abs(values.real) >= _LEAST_HOLD)
    there = np.where(np.arange(v.shape[-2])[:, None] == rows, values.dtype.type(1j), values.dtype.type(0))
    pivot = _native.where(holds, real(take_along_axis(v, rows, -2, repeats=False)), np.inf)
    lever = elementwise.multiply(elementwise.divide(turn, pivot), there)
    return elementwise.negative(lever) if g is None else elementwise.subtract(g, lever)


# The cotangent's rounding errors grow by the reciprocal of the element that holds the phase.
_LEAST_HOLD = 1e-4


def eig(a: TensorLike) -> tuple[Tensor, Tensor]:
    """Return eigenvalues and eigenvectors (in columns, of length 1) of square matrices.

    They are complex where any eigenvalue is. Of a defective matrix the derivatives are nan.
    """
    w, v = _eig(as_matrices(a, "eig"))
    return w, v


def eigvals(a: TensorLike) -> Tensor:
    """Return the eigenvalues of square matrices, complex where any of them is."""
    result: Tensor = _eigvals(as_matrices(a, "eigvals"))
    return result


def _eig_vjp(gs: tuple[Tensor | None, Tensor | None], out: tuple[Tensor, Tensor]) -> Any:
    (g_values, g_vectors), (w, v) = gs, out
    middle = None if g_values is None else diagonal_matrix(g_values)
    if g_vectors is not None:
        if v.dtype.is_complex and v.size:
            values = array(v)
            largest = np.argmax(np.where(values.imag == 0, np.abs(values), 0), axis=-2)
            g_vectors = with_phase(g_vectors, v, largest, turning(g_vectors, v))
        lengths = real_diagonal_of_product(v, g_vectors)
        g_vectors = elementwise.subtract(g_vectors, times_columns(v, lengths))
        overlaps = matmul(adjoint(v), g_vectors)
        of_vectors = elementwise.multiply_no_nan(conjugate(reciprocal_gaps(w)), overlaps)
        middle = of_vectors if middle is None else elementwise.add(middle, of_vectors)
    # The sweep takes the real part where the matrix is real.
    if middle is None:
        return None
    inverse = inverse_or_nan(v, Factorized(array(v)))
    return matmul(matmul(adjoint(inverse), middle), adjoint(v))


_eig = structural("eig", lambda a: tuple(np.linalg.eig(a)), a=_eig_vjp)


def _eigvals_vjp(g: Tensor, a: Tensor, out: Tensor) -> Tensor:
    w, v = eig(a)
    g = take_along_axis(g, _positions(array(w), array(out)), -1, repeats=False)
    return matmul(adjoint(inverse_or_nan(v, Factorized(array(v)))), columns_times(g, adjoint(v)))


_eigvals = structural("eigvals", lambda a: np.linalg.eigvals(a), a=_eigvals_vjp)


def _positions(w: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Return where each of the eigenvalues `w` stands among `others`, the same numbers in another order.

    LAPACK finds them in different orders with and without vectors, and with other rounding errors.
    """
    distances = np.abs(w[..., :, None] - others[..., None, :])
    nearest = np.argmin(distances, axis=-1) if w.shape[-1] else np.zeros(w.shape, np.intp)
    once = np.all(np.sort(nearest, -1) == np.arange(w.shape[-1]), axis=-1)
    for index in zip(*np.nonzero(~once), strict=True) if w.ndim > 1 else [()] * (not once):
        nearest[index] = _greedy(distances[index])
    return nearest


def _greedy(distances: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Return a column for each row, the closest pairs first."""
    columns = np.empty(len(distances), np.intp)
    distances = distances.copy()
    for _ in columns:
        row, column = np.unravel_index(np.argmin(distances), distances.shape)
        columns[row] = column
        distances[row], distances[:, column] = np.inf, np.inf
    return columns
