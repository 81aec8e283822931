"""Norms, condition numbers and ranks."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._native import Tensor
from tapegrad._ops.matrix import norms, singular
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, as_axis_argument, operand

__all__ = ["cond", "matrix_norm", "matrix_rank", "norm", "vector_norm"]


@implements(np.linalg.norm)
def norm(x: TensorLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return a norm of vectors or matrices; at a kink the slope is the smallest one, 0 at zero.

    Parameters
    ----------
    x
        The tensor; without `axis` and with an `ord` it must be a vector or a matrix.
    ord
        `None`: the root of the sum of squares. Of vectors: any number p, `inf` or `-inf`. Of matrices: `"fro"`,
        `"nuc"`, 1, -1, 2, -2, `inf` or `-inf`.
    axis
        One axis of vectors, a pair of axes of matrices, or `None` for all.
    keepdims
        Whether the axes stay, with size 1.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> float(np.linalg.norm([3.0, 4.0])), float(np.linalg.norm([[3.0, 0.0], [0.0, 4.0]], "nuc"))
    (5.0, 7.0)
    >>> x = tf.zeros(2)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = np.linalg.norm(x)
    >>> tape.gradient(y, x).numpy().tolist()
    [0.0, 0.0]
    """
    return norms.norm(operand(x), ord, as_axis_argument(axis), keepdims)


@implements(np.linalg.vector_norm)
def vector_norm(x: TensorLike, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """Return the p-norm, `ord` being p, over any number of axes (`None`: all of them).

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.linalg.vector_norm([[1.0, 2.0], [3.0, 4.0]], ord=1))
    10.0
    """
    return norms.vector_norm(operand(x), as_axis_argument(axis), keepdims, ord)


@implements(np.linalg.matrix_norm)
def matrix_norm(x: TensorLike, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Return a norm of the matrices in the last two axes; `norm` says which there are.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.linalg.matrix_norm([[1.0, 2.0], [3.0, 4.0]], ord=1))
    6.0
    """
    return norms.matrix_norm(operand(x), keepdims, ord)


@implements(np.linalg.cond)
def cond(x: TensorLike, p: Any = None) -> Tensor:
    """Return condition numbers: by default the quotient of the greatest and the least singular value.

    With `p`, one of the orders of `norm` for matrices, `norm(x, p) * norm(inv(x), p)`. Of a singular matrix it is inf
    and the derivative nan.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.linalg.cond([[2.0, 0.0], [0.0, 8.0]])), float(np.linalg.cond([[2.0, 0.0], [0.0, 8.0]], 1))
    (4.0, 4.0)
    """
    return norms.cond(operand(x), p)


@implements(np.linalg.matrix_rank, constant=True)
def matrix_rank(
    A: TensorLike,  # noqa: N803 (NumPy's name)
    tol: Any = None,
    hermitian: bool = False,
    *,
    rtol: Any = None,
) -> Tensor:
    """Return how many singular values are greater than `tol`, or than `rtol` times the greatest; not differentiable.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> int(np.linalg.matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
    1
    """
    return singular.matrix_rank(operand(A), tol, hermitian, rtol)
