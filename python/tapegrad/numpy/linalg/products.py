"""Products, powers, diagonals and transposes in the last two axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import linear
from tapegrad._ops.matrix import products
from tapegrad._protocols import implements
from tapegrad.numpy import products as general
from tapegrad.numpy import rearranging, ufuncs
from tapegrad.numpy._arguments import Out, TensorLike, delivered, operand

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]


@implements(np.linalg.matmul)
def matmul(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the matrix product: of vectors, matrices, and broadcast stacks of matrices.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.matmul([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).numpy()
    array([3., 7.])
    """
    return _native.matmul(operand(x1), operand(x2))


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[TensorLike], *, out: Out = None) -> Any:
    """Return the product of several matrices, in the order that takes the fewest multiplications.

    The first and the last one may be vectors.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.multi_dot([np.ones((2, 3)), np.ones((3, 4)), np.ones(4)]).numpy()
    array([12., 12.])
    """
    return delivered(products.multi_dot([operand(x) for x in arrays]), out)


@implements(np.linalg.matrix_power)
def matrix_power(a: TensorLike, n: int) -> Tensor:
    """Return square matrices to the power of an integer; a negative one takes the inverse.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.matrix_power([[1.0, 1.0], [0.0, 1.0]], 5).numpy()
    array([[1., 5.],
           [0., 1.]])
    """
    return products.matrix_power(operand(a), n)


@implements(np.linalg.vecdot)
def vecdot(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Any:
    """Return the sums of products of vectors along `axis`, the first ones conjugated.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.vecdot([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).numpy()
    array([3., 7.])
    """
    return ufuncs.vecdot(x1, x2, axis=axis)


@implements(np.linalg.tensordot)
def tensordot(x1: TensorLike, x2: TensorLike, /, *, axes: Any = 2) -> Tensor:
    """Return the sum of products over a number of last and first axes, or over pairs of axes.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.tensordot(np.ones((2, 3)), np.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    return general.tensordot(x1, x2, axes)


@implements(np.linalg.outer)
def outer(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the products of each element of a vector with each of another.

    Raises
    ------
    ValueError
        If an operand is not a vector.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.outer([1.0, 2.0], [3.0, 4.0]).numpy()
    array([[3., 4.],
           [6., 8.]])
    """
    x1, x2 = operand(x1), operand(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"outer: the operands must be vectors, but their shapes are {x1.shape} and {x2.shape}.")
    result: Tensor = general.outer(x1, x2)
    return result


@implements(np.linalg.cross)
def cross(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return the cross products of vectors of three elements along `axis`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).numpy()
    array([0., 0., 1.])
    """
    return products.cross(operand(x1), operand(x2), axis)


@implements(np.linalg.diagonal)
def diagonal(x: TensorLike, /, *, offset: int = 0) -> Tensor:
    """Return the diagonals of the matrices in the last two axes; a positive offset is above the main one.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.diagonal([[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([1., 4.])
    """
    return rearranging.diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def trace(x: TensorLike, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """Return the sums over the diagonals of the matrices in the last two axes.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.linalg.trace([[1.0, 2.0], [3.0, 4.0]]))
    5.0
    """
    result: Tensor = rearranging.trace(x, offset, -2, -1, dtype)
    return result


@implements(np.linalg.matrix_transpose)
def matrix_transpose(x: TensorLike, /) -> Tensor:
    """Return `x` with its last two axes exchanged.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.matrix_transpose(np.ones((5, 2, 3))).shape
    (5, 3, 2)
    """
    return linear.matrix_transpose(operand(x))
