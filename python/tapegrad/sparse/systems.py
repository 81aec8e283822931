"""Systems of equations with sparse matrices: factorized once, for the solution and all of its derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import Tensor, array, is_watched
from tapegrad._ops.arguments import as_inexact
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import Operation, linear, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad.sparse.operands import Structure, as_matrix, as_values, on_axis
from tapegrad.sparse.products import sampled

if TYPE_CHECKING:
    from scipy.sparse.linalg import SuperLU

__all__ = ["solve"]

_Array = npt.NDArray[Any]


def solve(a: Any, b: Any, values: Any = None) -> Tensor:
    """Return x with `a @ x == b` for a sparse matrix.

    The matrix is factorized by `scipy.sparse.linalg.splu` once in each call: the factors serve the derivatives, too.

    Parameters
    ----------
    a
        A square sparse matrix or array of SciPy's, of any format; CSC needs no conversion. Or its factors, as
        `scipy.sparse.linalg.splu` returns them, for many calls with one matrix.
    b
        A tensor, a variable, an array or a list: one vector of shape (n,), or matrices of shape (..., n, k).
    values
        The stored elements, if they are to be differentiated: a tensor of the shape of `a.data`, with the same order,
        and used instead of it. The matrix is then in the format CSR, CSC or COO.

    Returns
    -------
    tapegrad.Tensor
        The solution, of the shape of `b`: in float64, or in what `a` and `b` have together if both are floating or
        complex. Gradients go to `b` and to `values`.

    Raises
    ------
    TypeError
        If `a` is not sparse, or if there are no `values` for it.
    ValueError
        If `a` is not square, or the shapes do not fit.
    numpy.linalg.LinAlgError
        If the matrix is singular.

    See Also
    --------
    tapegrad.sparse.matmul : the product.
    tapegrad.implicit_solve : solutions of other equations, and by iterative methods.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.sparse
    >>> import tapegrad
    >>> from tapegrad.sparse import solve
    >>> a = scipy.sparse.csc_array([[2.0, 0.0], [1.0, 4.0]])
    >>> b = np.array([2.0, 9.0])
    >>> solve(a, b).numpy()
    array([1., 2.])
    >>> tapegrad.grad(lambda b: np.sum(solve(a, b)))(b)
    array([0.375, 0.25 ])

    The elements of `a` are 2, 1 and 4, column by column:

    >>> tapegrad.grad(lambda v: np.sum(solve(a, b, values=v)))(a.data)
    array([-0.375, -0.25 , -0.5  ])
    """
    from scipy.sparse.linalg import SuperLU  # here, since the import starts threads of SciPy's BLAS

    factorized = isinstance(a, SuperLU)
    matrix, b = a if factorized else as_matrix(a, "sparse.solve"), as_inexact(b)
    rows, columns = matrix.shape
    if rows != columns:
        raise ValueError(f"sparse.solve: a square matrix is needed, not one of shape {matrix.shape}.")
    axis = max(b.ndim - 2, 0)
    if b.ndim == 0 or b.shape[axis] != rows:
        raise ValueError(
            f"sparse.solve: a matrix of shape {matrix.shape} needs a right-hand side of shape ({rows},) or "
            f"(..., {rows}, k), not {b.shape}."
        )
    if values is None:
        factors = _Factors(matrix if factorized else _factorized(matrix, b))
        result: Tensor = _fixed(b, factors=factors, axis=axis, adjoined=False)
        return result
    if factorized:
        raise TypeError("sparse.solve: values= needs the matrix, not its factors, which have other elements.")
    values = as_inexact(as_values(values, a, "sparse.solve"))
    structure = Structure.kept(matrix) if is_watched(values) else Structure.of(matrix)
    factors = _Factors(_factorized(structure.filled(array(values)), b))
    return _solution(values, b, structure, factors, axis, False)


def _factorized(matrix: Any, b: Tensor) -> SuperLU:
    """Return the factors of a sparse matrix, in the precision that the solution has for a right-hand side."""
    from scipy.sparse.linalg import splu

    dtype = matrix.dtype if matrix.dtype.kind in "fc" else np.dtype(np.float64)
    # Real factors serve complex right-hand sides.
    dtype = np.result_type(dtype, np.empty(0, b.dtype.dtype).real.dtype)
    matrix = matrix.tocsc().astype(dtype, copy=False)
    if not matrix.has_canonical_format:
        matrix = matrix.copy()  # SciPy sums elements of one place in the matrix itself
    try:
        return splu(matrix)
    except RuntimeError as error:
        if "singular" not in str(error):
            raise
        raise np.linalg.LinAlgError(
            f"sparse.solve: the matrix of shape {matrix.shape} is singular or not finite, and has no inverse."
        ) from error


class _Factors:
    """The LU factors of a sparse matrix, for right-hand sides of any floating or complex type."""

    def __init__(self, lu: SuperLU) -> None:
        self._lu = lu
        self._dtype = lu.solve(np.empty((lu.shape[0], 0), np.float32)).dtype  # it does not tell in another way

    def solve(self, b: _Array, adjoined: bool) -> _Array:
        """Return x with `a @ x == b`, or with the adjoint of `a`, for a vector or a matrix b."""
        dtype = np.result_type(self._dtype, b.dtype)
        if b.dtype.kind == "c" and self._dtype.kind != "c":
            return np.asarray(self.solve(b.real, adjoined) + 1j * self.solve(b.imag, adjoined), dtype)
        x = self._lu.solve(b.astype(self._dtype, copy=False), "H" if adjoined else "N")
        return np.asarray(x, dtype)


# --- constant matrices ------------------------------------------------------------------------------------------------


def _solved(b: _Array, *, factors: _Factors, axis: int, adjoined: bool) -> _Array:
    return on_axis(lambda columns: factors.solve(columns, adjoined), b, axis)


_fixed: Operation = linear(
    "sparse.solve",
    _solved,
    lambda g, factors, axis, adjoined: _fixed(g, factors=factors, axis=axis, adjoined=not adjoined),
    axes="axis",
)


# --- elements that are followed ---------------------------------------------------------------------------------------


def _solution(values: Tensor, b: Tensor, structure: Structure, factors: _Factors, axis: int, adjoined: bool) -> Tensor:
    """Return the solution with the matrix that has these elements, whose factors are given, or with its adjoint."""
    result: Tensor
    if is_watched(values):
        result = _system(values, b, structure=structure, factors=factors, axis=axis, adjoined=adjoined)
    else:
        result = _fixed(b, factors=factors, axis=axis, adjoined=adjoined)
    return result


def _values_vjp(
    g: Tensor,
    values: Tensor,
    out: Tensor,
    structure: Structure,
    factors: _Factors,
    axis: int,
    adjoined: bool,
) -> Tensor:
    slope = _solution(values, g, structure, factors, axis, not adjoined)
    left, right = (out, conjugate(slope)) if adjoined else (slope, conjugate(out))
    return elementwise.negative(sampled(left, right, structure=structure, axis=axis))


_system: Operation = structural(
    "sparse.solve",
    lambda values, b, *, structure, factors, axis, adjoined: _solved(b, factors=factors, axis=axis, adjoined=adjoined),
    values=_values_vjp,
    b=lambda g, values, structure, factors, axis, adjoined: _solution(
        values, g, structure, factors, axis, not adjoined
    ),
)
