"""Inverses and linear systems.

A system is linear in its right-hand side. Where nothing records the matrix it is solved by an operation of the
right-hand side alone, for which a stack of these (of the rows of a Jacobian, say) is a matrix with more columns, and
the matrix is factorized once.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array, is_watched, matmul
from tapegrad._ops.arguments import as_axis, as_inexact, as_int, as_tensor
from tapegrad._ops.declare import Operation, TensorLike, linear, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.matrix.factorized import Factorized
from tapegrad._ops.matrix.parts import adjoint, as_matrices, band
from tapegrad._ops.matrix.triangular import solve_triangular
from tapegrad._ops.shaping import expand_dims, moveaxis, squeeze

__all__ = ["cholesky_solve", "inv", "inverse_or_nan", "solve", "tensorinv", "tensorsolve", "triangular_solve"]

_Array = npt.NDArray[Any]


def inv(a: TensorLike) -> Tensor:
    """Return the inverses of square matrices; a singular one raises `numpy.linalg.LinAlgError`."""
    result: Tensor = _inv(as_matrices(a, "inv"))
    return result


def _inv_vjp(g: Tensor, out: Tensor) -> Tensor:
    out = adjoint(out)
    return elementwise.negative(matmul(matmul(out, g), out))


_inv = structural("inv", lambda a: np.linalg.inv(a), a=_inv_vjp)


def inverse_or_nan(a: Tensor, factorized: Factorized | None = None) -> Tensor:
    """Return the inverses of square matrices, with nan in place of those that do not exist.

    Parameters
    ----------
    a
        Matrices, of shape (..., n, n).
    factorized
        The same, where the values need not be NumPy's to the last bit.
    """
    result: Tensor = _inverse_or_nan(a, factorized=factorized)
    return result


def _inverse_or_nan_forward(a: _Array, *, factorized: Factorized | None) -> _Array:
    try:
        return np.linalg.inv(a) if factorized is None else factorized.inverse()
    except np.linalg.LinAlgError:
        if a.ndim == 2:
            return np.full_like(a, np.nan)
        return np.stack([_inverse_or_nan_forward(matrix, factorized=None) for matrix in a])


_inverse_or_nan = structural("inv", _inverse_or_nan_forward, a=_inv_vjp)


def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """Return x with `a @ x == b`.

    Parameters
    ----------
    a
        Square matrices, of shape (..., n, n).
    b
        One vector of shape (n,), or matrices of shape (..., n, k).

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is singular or not square.
    """
    a, b = as_matrices(a, "solve"), as_inexact(b)
    if b.ndim == 1:
        return squeeze(_solution(a, expand_dims(b, 1)), -1)
    return _solution(a, b)


def _solution(a: Tensor, b: Tensor) -> Tensor:
    factorized = Factorized(array(a))
    result: Tensor
    if is_watched(a):
        result = _solve(a, b, factorized=factorized)
    else:
        result = _solve_fixed(b, factorized=factorized, adjoined=False, leading=0)
    return result


def _adjoint_solution(g: Tensor, a: Tensor, factorized: Factorized) -> Tensor:
    if is_watched(a):
        return _solution(adjoint(a), g)
    result: Tensor = _solve_fixed(g, factorized=factorized, adjoined=True, leading=0)
    return result


_solve: Operation = structural(
    "solve",
    lambda a, b, *, factorized: np.linalg.solve(a, b),
    a=lambda g, a, out, factorized: elementwise.negative(matmul(_adjoint_solution(g, a, factorized), adjoint(out))),
    b=_adjoint_solution,
)


def _solve_fixed_forward(b: _Array, *, factorized: Factorized, adjoined: bool, leading: int) -> _Array:
    # What is solved forwards is a value, and what is solved with the adjoint a derivative.
    solve = factorized.solve_adjoint if adjoined else functools.partial(np.linalg.solve, factorized.matrices)
    return _with_more_columns(solve, b, leading)


_solve_fixed: Operation = linear(
    "solve",
    _solve_fixed_forward,
    lambda g, factorized, adjoined, leading: _solve_fixed(
        g, factorized=factorized, adjoined=not adjoined, leading=leading
    ),
    axes="leading",
)


def _with_more_columns(solve: Callable[[_Array], _Array], b: _Array, leading: int) -> _Array:
    """Return `solve(b)` with the first axes of `b`, `leading` of them, moved behind its columns and back."""
    if not leading:
        return solve(b)
    stack = b.shape[:leading]
    columns = np.moveaxis(b, range(leading), range(-leading, 0))
    x = solve(columns.reshape(*b.shape[leading:-1], b.shape[-1] * math.prod(stack)))
    return np.moveaxis(x.reshape(*x.shape[:-1], b.shape[-1], *stack), range(-leading, 0), range(leading))


def triangular_solve(a: TensorLike, b: TensorLike, lower: bool = True, adjoint: bool = False) -> Tensor:
    """Return x with `a @ x == b`, where of `a` only the lower (or upper) triangle is read.

    Parameters
    ----------
    a
        Triangular matrices, of shape (..., n, n).
    b
        Right-hand sides, of shape (..., n, k).
    lower
        Which triangle of `a` is meant.
    adjoint
        Whether to solve with the conjugate transpose of the triangular matrix instead.
    """
    a, b = as_matrices(a, "triangular_solve"), as_matrices(b, "triangular_solve")
    return _triangular_solution(a, b, bool(lower), bool(adjoint))


def _triangular_solution(a: Tensor, b: Tensor, lower: bool, adjoined: bool) -> Tensor:
    result: Tensor
    if is_watched(a):
        result = _triangular_solve(a, b, lower=lower, adjoined=adjoined)
    else:
        result = _triangular_solve_fixed(b, matrix=array(a), lower=lower, adjoined=adjoined, leading=0)
    return result


def _triangular_a_vjp(g: Tensor, a: Tensor, out: Tensor, lower: bool, adjoined: bool) -> Tensor:
    slope = _triangular_solution(a, g, lower, not adjoined)
    product = matmul(out, adjoint(slope)) if adjoined else matmul(slope, adjoint(out))
    return elementwise.negative(band(product, upper=0) if lower else band(product, lower=0))


_triangular_solve: Operation = structural(
    "triangular_solve",
    lambda a, b, *, lower, adjoined: solve_triangular(a, b, lower, adjoined),
    a=_triangular_a_vjp,
    b=lambda g, a, lower, adjoined: _triangular_solution(a, g, lower, not adjoined),
)


def _triangular_fixed_forward(b: _Array, *, matrix: _Array, lower: bool, adjoined: bool, leading: int) -> _Array:
    return _with_more_columns(lambda columns: solve_triangular(matrix, columns, lower, adjoined), b, leading)


_triangular_solve_fixed: Operation = linear(
    "triangular_solve",
    _triangular_fixed_forward,
    lambda g, matrix, lower, adjoined, leading: _triangular_solve_fixed(
        g, matrix=matrix, lower=lower, adjoined=not adjoined, leading=leading
    ),
    axes="leading",
)


def cholesky_solve(factor: TensorLike, b: TensorLike) -> Tensor:
    """Return x with `factor @ adjoint(factor) @ x == b`, given the lower triangular Cholesky factors."""
    return triangular_solve(factor, triangular_solve(factor, b), adjoint=True)


def tensorsolve(a: TensorLike, b: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Return x with `tensordot(a, x, x.ndim) == b`, after moving `axes` of `a` to its end."""
    a, b = as_tensor(a), as_tensor(b)
    for axis in axes or ():
        a = moveaxis(a, as_axis(axis, a.ndim, "tensorsolve"), -1)
    shape = a.shape[b.ndim - a.ndim :] if b.ndim < a.ndim else ()
    size = math.prod(shape)
    if a.size != size**2:
        raise np.linalg.LinAlgError(
            f"tensorsolve: a of shape {a.shape} is no square matrix for b of shape {b.shape}: "
            "prod(a.shape[b.ndim:]) must be prod(a.shape[:b.ndim])."
        )
    return _native.reshape(solve(_native.reshape(a, (size, size)), _native.reshape(b, (-1,))), shape)


def tensorinv(a: TensorLike, ind: int = 2) -> Tensor:
    """Return the inverse of `a` as a linear map from its axes behind `ind` to those before."""
    a, count = as_tensor(a), as_int(ind)
    if count <= 0:
        raise ValueError(f"tensorinv: ind must be positive, not {count}.")
    behind = a.shape[count:]
    inverse = inv(_native.reshape(a, (math.prod(behind), -1)))
    return _native.reshape(inverse, behind + a.shape[:count])
