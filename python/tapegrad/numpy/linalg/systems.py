"""Inverses, linear systems, least squares and determinants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tapegrad._native import Tensor, array
from tapegrad._ops.matrix import determinant, inverse, pseudo
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import UNSET, TensorLike, operand

__all__ = ["det", "inv", "lstsq", "pinv", "slogdet", "solve", "tensorinv", "tensorsolve"]


@implements(np.linalg.inv)
def inv(a: TensorLike) -> Tensor:
    """Return the inverses of square matrices.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is singular or not square.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.inv([[2.0, 0.0], [0.0, 4.0]]).numpy()
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    return inverse.inv(operand(a))


@implements(np.linalg.solve)
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """Return x with `a @ x == b`: a vector if `b` has one axis, else matrices.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0]).numpy()
    array([0.5 , 0.25])
    """
    return inverse.solve(operand(a), operand(b))


@implements(np.linalg.tensorsolve)
def tensorsolve(a: TensorLike, b: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Return x with `tensordot(a, x, x.ndim) == b`, after moving `axes` of `a` to its end.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.tensorsolve(np.reshape(np.eye(4), (2, 2, 2, 2)), [[1.0, 2.0], [3.0, 4.0]]).numpy()
    array([[1., 2.],
           [3., 4.]])
    """
    return inverse.tensorsolve(operand(a), operand(b), axes)


@implements(np.linalg.tensorinv)
def tensorinv(a: TensorLike, ind: int = 2) -> Tensor:
    """Return the inverse of `a` as a linear map from the axes behind its first `ind` to these.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.tensorinv(np.reshape(np.eye(6), (6, 2, 3)), ind=1).shape
    (2, 3, 6)
    """
    return inverse.tensorinv(operand(a), ind)


@implements(np.linalg.pinv)
def pinv(a: TensorLike, rcond: Any = None, hermitian: bool = False, *, rtol: Any = UNSET) -> Tensor:
    """Return the pseudoinverses (Moore and Penrose).

    The derivative is that at constant rank: of the singular values that are kept, and of what separates them from
    those that are dropped.

    Parameters
    ----------
    a
        Matrices, of shape (..., m, n).
    rcond
        Singular values up to this part of the greatest are dropped: a number, 1e-15 by default, or one per matrix.
    hermitian
        Whether to take the matrices to be Hermitian and read their lower triangle only.
    rtol
        The same as `rcond`; `None` is max(m, n) times the rounding error.

    Raises
    ------
    ValueError
        If both `rcond` and `rtol` are given.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linalg.pinv([[2.0], [0.0]]).numpy()
    array([[0.5, 0. ]])
    """
    a = operand(a)
    if rtol is not UNSET:
        if rcond is not None:
            raise ValueError("`rtol` and `rcond` can't be both set.")
        rcond = max(a.shape[-2:]) * np.finfo(a.dtype.dtype).eps if rtol is None else rtol
    elif rcond is None:
        rcond = 1e-15
    return pseudo.pinv(a, array(rcond), hermitian)


@implements(np.linalg.lstsq)
def lstsq(a: TensorLike, b: TensorLike, rcond: Any = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the solution of least squares and least norm of `a @ x == b`, and what it is worth.

    Parameters
    ----------
    a
        A matrix of shape (m, n).
    b
        A vector of shape (m,), or a matrix of shape (m, k) of right-hand sides.
    rcond
        Singular values up to this part of the greatest are taken to be zero; by default max(m, n) times the rounding
        error of float64, and just that if -1.

    Returns
    -------
    tuple of Tensor
        x, of shape (n,) or (n, k); the sums of squared residuals, of shape (k,), or empty if the rank is below n or
        m <= n; the rank of `a`; its singular values.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> x, residuals, rank, s = np.linalg.lstsq([[1.0], [1.0]], [1.0, 3.0])
    >>> x.numpy().round(12), residuals.numpy().round(12), int(rank)
    (array([2.]), array([2.]), 1)
    """
    a = operand(a)
    rtol = np.finfo(np.float64).eps * max(a.shape[-2:]) if rcond is None else float(rcond)
    return pseudo.lstsq(a, operand(b), rtol)


@implements(np.linalg.det)
def det(a: TensorLike) -> Tensor:
    """Return the determinants of square matrices; the derivatives are exact at singular ones, too.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> x = np.array([[1.0, 2.0], [2.0, 4.0]])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = np.linalg.det(x)
    >>> tape.gradient(y, x).numpy().round(12)
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    return determinant.det(operand(a))


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


@implements(np.linalg.slogdet)
def slogdet(a: TensorLike) -> SlogdetResult:
    """Return signs and logarithms of the absolute values of determinants, which cannot overflow.

    Of a singular matrix they are 0 and -inf, and the derivative is nan.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> sign, logabsdet = np.linalg.slogdet([[0.0, 2.0], [2.0, 0.0]])
    >>> float(sign), round(float(logabsdet), 4)
    (-1.0, 1.3863)
    """
    return SlogdetResult(*determinant.slogdet(operand(a)))
