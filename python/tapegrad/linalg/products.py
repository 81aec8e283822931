"""Products and transposes, and functions of matrices, under TensorFlow's names."""

from __future__ import annotations

from typing import Any

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import einsum as _einsum
from tapegrad._ops import linear, shaping
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.complex_parts import conjugate as _conjugate
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.matrix import functions, products

__all__ = [
    "adjoint",
    "cross",
    "einsum",
    "expm",
    "matmul",
    "matrix_transpose",
    "matvec",
    "sqrtm",
    "tensordot",
]


def matmul(
    a: TensorLike,
    b: TensorLike,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return the matrix product of matrices, or of stacks of matrices with broadcast leading axes.

    Parameters
    ----------
    a, b
        Tensors of shapes (..., n, k) and (..., k, m) - after transposing. Vectors are taken as NumPy's `@`
        takes them.
    transpose_a, transpose_b
        Whether to exchange the last two axes first.
    adjoint_a, adjoint_b
        Whether to exchange the last two axes and conjugate first.
    name
        Has no effect.

    Returns
    -------
    Tensor
        Shape (..., n, m).

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.matmul(tf.ones((2, 3)), tf.ones((4, 3)), transpose_b=True).shape
    (2, 4)
    """
    if transpose_a or adjoint_a:
        a = _turned(a, transpose_a, adjoint_a, "a")
    if transpose_b or adjoint_b:
        b = _turned(b, transpose_b, adjoint_b, "b")
    return _native.matmul(a, b)


def _turned(x: TensorLike, transposed: bool, adjoined: bool, which: str) -> Tensor:
    if transposed and adjoined:
        raise ValueError(f"matmul: only one of transpose_{which} and adjoint_{which} can be true.")
    return adjoint(x) if adjoined else linear.matrix_transpose(x)


def matvec(
    a: TensorLike,
    b: TensorLike,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return the products of matrices (..., n, k) with vectors (..., k), of shape (..., n).

    Parameters
    ----------
    a
        Matrices, of shape (..., n, k).
    b
        Vectors, of shape (..., k).
    transpose_a, adjoint_a
        Whether to transpose the matrices first, or to take their adjoints.
    a_is_sparse, b_is_sparse, name
        Have no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.matvec([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).numpy().tolist()
    [3.0, 7.0]
    """
    return shaping.squeeze(matmul(a, shaping.expand_dims(b, -1), transpose_a, False, adjoint_a), -1)


def matrix_transpose(a: TensorLike, name: str | None = None, conjugate: bool = False) -> Tensor:
    """Return `a` with its last two axes exchanged, conjugated if `conjugate` is true.

    Parameters
    ----------
    a
        Matrices, of shape (..., m, n).
    name
        Has no effect.
    conjugate
        Whether to take the complex conjugate as well.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.matrix_transpose(tf.ones((5, 2, 3))).shape
    (5, 3, 2)
    """
    transposed = linear.matrix_transpose(a)
    return _conjugate(transposed) if conjugate else transposed


def adjoint(matrix: TensorLike, name: str | None = None) -> Tensor:
    """Return the conjugate of `matrix` with its last two axes exchanged.

    Parameters
    ----------
    matrix
        Matrices, of shape (..., m, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.adjoint([[1.0, 2j]]).numpy().tolist()
    [[(1-0j)], [-2j]]
    """
    return _conjugate(linear.matrix_transpose(as_tensor(matrix)))


def cross(a: TensorLike, b: TensorLike, name: str | None = None) -> Tensor:
    """Return the cross products of the vectors of three elements in the last axis.

    Parameters
    ----------
    a, b
        Tensors of shape (..., 3), which are broadcast.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).numpy().tolist()
    [0.0, 0.0, 1.0]
    """
    return products.cross(a, b)


def expm(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the exponentials of square matrices: the sums of `input**k / k!` with matrix powers.

    Parameters
    ----------
    input
        Square matrices, of shape (..., n, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.expm([[0.0, 1.0], [0.0, 0.0]]).numpy().tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return functions.expm(input)


def sqrtm(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the principal square roots of square matrices: those whose eigenvalues have positive real parts.

    Symmetric and Hermitian matrices may be singular. Others come from an iteration about as accurate as the problem
    allows; they must be regular and without negative real eigenvalues.

    Parameters
    ----------
    input
        Square matrices, of shape (..., n, n).
    name
        Has no effect.

    Raises
    ------
    numpy.linalg.LinAlgError
        If there is no such root, or the iteration does not find it.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.linalg.sqrtm([[4.0, 4.0], [0.0, 4.0]]).numpy().tolist()
    [[2.0, 1.0], [0.0, 2.0]]
    """
    return functions.sqrtm(input)


def tensordot(a: TensorLike, b: TensorLike, axes: Any, name: str | None = None) -> Tensor:
    """Return the sum of products over `axes`.

    Parameters
    ----------
    a, b
        The tensors.
    axes
        How many of the last axes of `a` and of the first axes of `b` to sum over; or a pair: the axes of `a`,
        and those of `b` in the same order.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.tensordot(tf.ones((2, 3)), tf.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    return linear.tensordot(a, b, axes)


def einsum(equation: str, *inputs: TensorLike, **kwargs: Any) -> Tensor:
    """Return the sum of products that `equation` describes.

    Parameters
    ----------
    equation
        One letter per axis, the operands separated by commas, as for `np.einsum`: repeated letters take the
        diagonal, `...` stands for broadcast axes, and what is missing behind `->` is summed over.
    *inputs
        As many tensors as the equation names.
    **kwargs
        TensorFlow's `name` and `optimize`, which have no effect.

    Raises
    ------
    TypeError
        If there are unknown keyword arguments.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.einsum("ii", [[1.0, 2.0], [3.0, 4.0]]))
    5.0
    """
    unknown = kwargs.keys() - {"name", "optimize"}
    if unknown:
        raise TypeError(f"einsum: unknown keyword arguments {sorted(unknown)}.")
    return _einsum.einsum(equation, *inputs)
