"""Parts of matrices in the last two axes: adjoints, diagonals, triangles; and the types that LAPACK takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, matmul
from tapegrad._ops.arguments import as_inexact
from tapegrad._ops.complex_parts import conjugate, real
from tapegrad._ops.declare import Operation, TensorLike, linear, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import getitem
from tapegrad._ops.linear import matrix_transpose

__all__ = [
    "adjoint",
    "as_matrices",
    "band",
    "columns_times",
    "diagonal",
    "diagonal_matrix",
    "hermitian_part",
    "on_matrices",
    "read_as_hermitian",
    "real_diagonal_of_product",
    "times_columns",
    "trace",
    "within_rank",
]


_Array = npt.NDArray[Any]


def as_matrices(a: TensorLike, what: str) -> Tensor:
    """Return `a` as a floating or complex tensor with at least two axes; `what` names the operation in the error."""
    value = as_inexact(a)
    if value.ndim < 2:
        raise np.linalg.LinAlgError(f"{what}: matrices have at least two axes, but the shape is {value.shape}.")
    return value


def adjoint(a: Tensor) -> Tensor:
    """Return the conjugate transposes."""
    return conjugate(matrix_transpose(a))


def hermitian_part(a: Tensor) -> Tensor:
    """Return the means of the matrices and their adjoints."""
    return elementwise.multiply(elementwise.add(a, adjoint(a)), 0.5)


def band(a: Tensor, lower: int | None = None, upper: int | None = None) -> Tensor:
    """Return the matrices with zeros below subdiagonal `lower` and above superdiagonal `upper` (`None`: keep all).

    The lower triangle is `band(a, upper=0)`, that without the diagonal `band(a, upper=-1)`.
    """
    rows, columns = a.shape[-2:]
    place = np.arange(columns) - np.arange(rows)[:, None]
    kept = np.ones(place.shape, np.bool_)
    if lower is not None:
        kept &= place >= -lower
    if upper is not None:
        kept &= place <= upper
    return _native.where(kept, a, 0)


def diagonal(a: Tensor, offset: int = 0) -> Tensor:
    """Return the diagonals of the matrices; a positive offset names one above the main diagonal."""
    result: Tensor = _diagonal(a, offset=offset)
    return result


def diagonal_matrix(values: Tensor) -> Tensor:
    """Return the square matrices with these vectors (last axis) on their diagonals and zeros beside them."""
    size = values.shape[-1]
    result: Tensor = _on_diagonal(values, shape=(size, size), offset=0)
    return result


def _on_diagonal_forward(values: _Array, *, shape: tuple[int, int], offset: int) -> _Array:
    """Return matrices of zeros but for a diagonal: in C order its elements have equal distances."""
    out = np.zeros((*values.shape[:-1], shape[0] * shape[1]), values.dtype)
    start = offset if offset >= 0 else -offset * shape[1]
    out[..., start : start + values.shape[-1] * (shape[1] + 1) : shape[1] + 1] = values
    return out.reshape(*values.shape[:-1], *shape)


# Each is the transpose of the other.
_diagonal: Operation = linear(
    "diagonal",
    forward=lambda a, *, offset: a.diagonal(offset, -2, -1).copy(),
    transpose=lambda g, a_shape, offset: _on_diagonal(g, shape=a_shape[-2:], offset=offset),
    axes=(),
)
_on_diagonal: Operation = linear(
    "matrix of a diagonal",
    forward=_on_diagonal_forward,
    transpose=lambda g, offset: _diagonal(g, offset=offset),
    axes=(),
)


def trace(a: Tensor, offset: int = 0) -> Tensor:
    """Return the sums of the diagonals."""
    return _native.sum(diagonal(a, offset), -1)


def times_columns(a: Tensor, factors: TensorLike) -> Tensor:
    """Return the matrices with column j multiplied by `factors[..., j]`: `a @ diag(factors)`."""
    return elementwise.multiply(a, getitem(factors, (..., None, slice(None))))


def columns_times(factors: TensorLike, a: Tensor) -> Tensor:
    """Return the matrices with row i multiplied by `factors[..., i]`: `diag(factors) @ a`."""
    return elementwise.multiply(getitem(factors, (..., slice(None), None)), a)


def real_diagonal_of_product(a: Tensor, b: Tensor) -> Tensor:
    """Return the real part of the diagonals of `adjoint(a) @ b`."""
    return real(_native.sum(elementwise.multiply(conjugate(a), b), -2))


def on_matrices(g: Tensor) -> Tensor:
    """Return one number per matrix with two axes of size 1 behind, to be broadcast against the matrices."""
    return _native.reshape(g, (*g.shape, 1, 1))


def within_rank(vectors: Tensor, g: Tensor | None, count: int) -> tuple[Tensor, Tensor | None]:
    """Return the first `count` columns of unitary matrices and their cotangent, in which that of the others is.

    The others complete the first ones: when these lean towards them, they lean back. How they are chosen in their
    span is not followed.
    """
    if vectors.shape[-1] == count:
        return vectors, g
    first, others = (..., slice(None, count)), (..., slice(count, None))
    kept = getitem(vectors, first)
    if g is None:
        return kept, None
    back = matmul(getitem(vectors, others), matmul(adjoint(getitem(g, others)), kept))
    return kept, elementwise.subtract(getitem(g, first), back)


def read_as_hermitian(a: Tensor) -> Tensor:
    """Return the Hermitian matrices whose lower triangles are those of `a`; the gradient is Hermitian."""
    result: Tensor = _read_as_hermitian(a)
    return result


def _hermitian_of_lower(a: _Array) -> _Array:
    lower = np.tril(a, -1)
    out: _Array = lower + np.conjugate(lower.swapaxes(-1, -2))
    along = np.arange(a.shape[-1])
    out[..., along, along] = a[..., along, along].real
    return out


_read_as_hermitian: Operation = structural("hermitian", _hermitian_of_lower, a=lambda g: hermitian_part(g))
