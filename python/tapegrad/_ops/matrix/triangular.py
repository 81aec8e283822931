"""Triangular systems on arrays, at the cost of one product with the matrix for each right-hand side.

Where SciPy is installed, BLAS solves them (trsm). NumPy offers no such thing: without SciPy the matrix is cut in
halves, which leaves products of matrices and small systems, whose LU factorization is the matrix itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["solve_triangular"]

_Array = npt.NDArray[Any]

_SMALL = 64
"""Systems up to this size are solved by NumPy's general solver when there is no SciPy; more halves cost more calls."""
_STACKED = 32
"""From this size on, a stack of matrices is quicker solved by BLAS, one after the other, than by NumPy all at once."""


def solve_triangular(a: _Array, b: _Array, lower: bool, adjoined: bool) -> _Array:
    """Return x with `a @ x == b`, or with `adjoined` that for the adjoints, reading one triangle of `a` only.

    Matrices (..., n, n) and right-hand sides (..., n, k); their leading axes broadcast. A zero on the diagonal raises
    `numpy.linalg.LinAlgError`.
    """
    if a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    pivots = np.abs(np.diagonal(a, axis1=-2, axis2=-1))
    if not pivots.all():
        raise np.linalg.LinAlgError("Singular matrix")
    if b.shape[-2] != a.shape[-1]:
        raise ValueError(f"a matrix with {a.shape[-1]} rows does not fit right-hand sides with {b.shape[-2]}")
    by_blas = _blas_solver(np.result_type(a, b))
    if (
        by_blas is not None
        and (a.ndim == 2 or a.shape[-1] >= _STACKED)
        and a.size
        and b.size
        and pivots.min() >= np.finfo(pivots.dtype).tiny  # BLAS multiplies by reciprocals
    ):
        return _each(functools.partial(by_blas, lower=lower, adjoined=adjoined), a, b)
    a = np.tril(a) if lower else np.triu(a)
    if adjoined:
        a, lower = np.conjugate(a.swapaxes(-1, -2)), not lower
    if lower:  # a lower triangular matrix becomes upper by reversing both axes
        return _by_halves(a[..., ::-1, ::-1], b[..., ::-1, :])[..., ::-1, :]
    return _by_halves(a, b)


def _each(solve: Callable[[_Array, _Array], _Array], a: _Array, b: _Array) -> _Array:
    """Return the solutions for each matrix in a stack."""
    if a.ndim == b.ndim == 2:
        return solve(a, b)
    if a.ndim == 2:  # one matrix: the stack's columns stand side by side
        x = solve(a, np.moveaxis(b, -2, 0).reshape(b.shape[-2], -1))
        return np.moveaxis(x.reshape(b.shape[-2], *b.shape[:-2], b.shape[-1]), 0, -2)
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, stack + a.shape[-2:]), np.broadcast_to(b, stack + b.shape[-2:])
    return np.stack([solve(a[at], b[at]) for at in np.ndindex(stack)]).reshape(b.shape)


@functools.cache
def _blas_solver(dtype: np.dtype[Any]) -> Callable[..., _Array] | None:
    """Return the solver of one system in this type by BLAS, or `None` without SciPy or for types that BLAS lacks."""
    if dtype.char not in "fdFD":
        return None
    try:
        from scipy.linalg import get_blas_funcs
    except ImportError:
        return None
    trsm = get_blas_funcs("trsm", dtype=dtype)

    def solve(a: _Array, b: _Array, lower: bool, adjoined: bool) -> _Array:
        # BLAS reads columns, and so sees the transposes of arrays in C order: it solves x' a' = b' without a copy.
        x: _Array = trsm(1.0, a.T, b.T, side=1, lower=not lower, trans_a=2 * adjoined)
        return x.T

    return solve


def _by_halves(a: _Array, b: _Array) -> _Array:
    """Return x with `a @ x == b` for upper triangular matrices."""
    n = a.shape[-1]
    if n <= _SMALL:
        return np.linalg.solve(a, b)  # LU with pivoting leaves them as they are, and substitutes
    k = n // 2
    below = _by_halves(a[..., k:, k:], b[..., k:, :])
    above = _by_halves(a[..., :k, :k], b[..., :k, :] - np.matmul(a[..., :k, k:], below))
    return np.concatenate([above, below], axis=-2)
