"""Products with sparse matrices: of constant ones, and of ones whose elements are differentiated, too.

Two operations are each other's derivatives: the product, y[r] += v[e] x[c] for each element e in row r and column c,
and samples of an outer product, v[e] = y[r] x[c], summed over the columns of y and x. What a constant matrix
multiplies goes back by the product with its adjoint. So all orders follow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from tapegrad._native import Tensor, array, is_watched
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import Operation, linear, structural
from tapegrad.sparse.operands import Constant, Structure, as_matrix, as_values, on_axis

__all__ = ["matmul", "sampled"]

_Array = npt.NDArray[Any]

_MOST_ELEMENTS = 1 << 14
"""Of the rows that are gathered at the same time, so that they stay in the cache."""


def matmul(a: Any, b: Any, values: Any = None) -> Tensor:
    """Return the product of a sparse matrix and a dense operand, in either order.

    SciPy's own `A @ x` turns `x` into an array, and raises while a tape follows it.

    Parameters
    ----------
    a, b
        One is a sparse matrix or array of SciPy's, of any format. The other is a tensor, a variable, an array or a
        list: one vector, a matrix, or a stack of matrices (..., n, k), with the meaning that they have for `@`.
    values
        The stored elements, if they are to be differentiated: a tensor of the shape of the sparse matrix's `data`, with
        the same order, and used instead of it. The matrix is then in the format CSR, CSC or COO. What it does not store
        stays zero; of elements that COO stores twice in one place, it has the sum.

    Returns
    -------
    tapegrad.Tensor
        The dense product, of NumPy's type for it. Gradients go to the dense operand and to `values`.

    Raises
    ------
    TypeError
        If none or both of the operands are sparse, or if the format has no `values`.
    ValueError
        If shapes do not fit.

    Notes
    -----
    CSR and CSC are the fastest; LIL and DOK are converted in each call. A tape that records products with a matrix
    keeps one copy of it, and compares the two each time. By `a.data.flags.writeable = False`, and the same for
    `a.indices` and `a.indptr`, a program promises not to change them: they are then neither copied nor compared.

    See Also
    --------
    tapegrad.sparse.solve : the inverse.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.sparse
    >>> import tapegrad
    >>> from tapegrad.sparse import matmul
    >>> a = scipy.sparse.csr_array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]])
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> tapegrad.grad(lambda x: np.sum(matmul(a, x) ** 2))(x)
    array([20., 36., 10.])

    The elements of `a` are 2, 1 and 3, row by row:

    >>> tapegrad.grad(lambda v: np.sum(matmul(a, x, values=v) ** 2))(a.data)
    array([10., 30., 24.])
    """
    if issparse(a) and issparse(b):
        raise TypeError(
            "sparse.matmul: both operands are sparse: the product of constants is a @ b; convert one of them by "
            ".toarray() if its elements are differentiated."
        )
    given, dense = (b, a) if issparse(b) else (a, b)
    matrix, x = as_matrix(given, "sparse.matmul"), as_tensor(dense)
    forwards = dense is b
    axis = max(x.ndim - 2, 0) if forwards else x.ndim - 1
    size = matrix.shape[1 if forwards else 0]
    if x.ndim == 0 or x.shape[axis] != size:
        shapes = (matrix.shape, x.shape) if forwards else (x.shape, matrix.shape)
        raise ValueError(
            f"sparse.matmul: shapes {shapes[0]} and {shapes[1]} cannot be multiplied: "
            + (f"{x.shape[axis]} is not {size}." if x.ndim else "the dense operand needs a dimension.")
        )
    if values is None:
        constant = Constant.kept(matrix) if is_watched(x) else Constant(matrix)
        result: Tensor = _times(x, constant=constant if forwards else constant.transposed(), axis=axis)
        return result
    values = as_values(values, given, "sparse.matmul")
    structure = Structure.kept(matrix) if is_watched(values) or is_watched(x) else Structure.of(matrix)
    return product(values, x, structure if forwards else structure.transposed(), axis)


# --- constant matrices ------------------------------------------------------------------------------------------------


def _times_forward(x: _Array, *, constant: Constant, axis: int) -> _Array:
    matrix = constant.matrix
    dtype = np.result_type(matrix.dtype, x.dtype)
    return on_axis(lambda columns: matrix @ columns, x, axis).astype(dtype, copy=False)


_times: Operation = linear(
    "sparse.matmul",
    _times_forward,
    lambda g, constant, axis: _times(g, constant=constant.adjoint, axis=axis),
    axes="axis",
)


# --- elements that are followed ---------------------------------------------------------------------------------------


def product(values: Tensor, x: Tensor, structure: Structure, axis: int) -> Tensor:
    """Return the product of the matrix of these elements with `x` along one of its axes."""
    result: Tensor
    if is_watched(values):
        result = _product(values, x, structure=structure, axis=axis)
    else:
        result = _times(x, constant=Constant(structure.filled(array(values)), structure), axis=axis)
    return result


def _product_forward(values: _Array, x: _Array, *, structure: Structure, axis: int) -> _Array:
    return _times_forward(x, constant=Constant(structure.filled(values)), axis=axis)


_product: Operation = structural(
    "sparse.matmul",
    _product_forward,
    values=lambda g, x, structure, axis: sampled(g, conjugate(x), structure=structure, axis=axis),
    x=lambda g, values, structure, axis: product(conjugate(values), g, structure.transposed(), axis),
)


def _sampled_forward(left: _Array, right: _Array, *, structure: Structure, axis: int) -> _Array:
    rows, columns = structure.rows, structure.columns
    left, right = [np.moveaxis(part, axis, 0) for part in (left, right)]
    width = math.prod(left.shape[1:])
    left, right = left.reshape(len(left), width), right.reshape(len(right), width)
    result = np.empty(len(rows), np.result_type(left.dtype, right.dtype))
    step = max(1, _MOST_ELEMENTS // max(1, width))
    for first in range(0, len(rows), step):
        chosen = slice(first, first + step)
        of_left, of_right = left.take(rows[chosen], 0), right.take(columns[chosen], 0)
        if width == 1:
            np.multiply(of_left[:, 0], of_right[:, 0], out=result[chosen])
        else:
            np.einsum("ek,ek->e", of_left, of_right, out=result[chosen])
    return result


sampled: Operation = structural(
    "sparse.sampled",
    _sampled_forward,
    left=lambda g, right, structure, axis: product(g, conjugate(right), structure, axis),
    right=lambda g, left, structure, axis: product(g, conjugate(left), structure.transposed(), axis),
)
