"""NumPy's functions of polynomials given by their coefficients, the highest power first.

The classes of `numpy.polynomial` and `numpy.poly1d` hold arrays and have no place for tensors; a `poly1d` among the
arguments counts as its coefficients.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import fitting, polynomials
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.matrix.spectral import eigvals
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, operand

__all__ = [
    "poly",
    "polyadd",
    "polyder",
    "polydiv",
    "polyfit",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
    "roots",
    "vander",
]


def _coefficients(p: TensorLike) -> Tensor:
    values = operand(p)
    return values if values.ndim else _native.reshape(values, (1,))


@implements(np.polyval)
def polyval(p: TensorLike, x: TensorLike) -> Tensor:
    """Return the polynomial with the coefficients `p` at `x`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> x = tf.constant(2.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = np.polyval([1.0, 0.0, 3.0], x)
    >>> print(y.numpy(), tape.gradient(y, x).numpy())
    7.0 4.0
    """
    return polynomials.evaluate(operand(p), operand(x))


@implements(np.polyadd)
def polyadd(a1: TensorLike, a2: TensorLike) -> Tensor:
    """Return the sum of two polynomials.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.polyadd([1.0, 2.0], [9.0, 5.0, 4.0]).numpy())
    [9. 6. 6.]
    """
    return polynomials.add(_coefficients(a1), _coefficients(a2))


@implements(np.polysub)
def polysub(a1: TensorLike, a2: TensorLike) -> Tensor:
    """Return the difference of two polynomials.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.polysub([2.0, 10.0, -2.0], [3.0, 10.0, -4.0]).numpy())
    [-1.  0.  2.]
    """
    return polynomials.subtract(_coefficients(a1), _coefficients(a2))


@implements(np.polymul)
def polymul(a1: TensorLike, a2: TensorLike) -> Tensor:
    """Return the product of two polynomials, whose leading zeros are dropped.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.polymul([1.0, 2.0], [1.0, -2.0]).numpy())
    [ 1.  0. -4.]
    """
    return polynomials.multiply(_coefficients(a1), _coefficients(a2))


@implements(np.polydiv)
def polydiv(u: TensorLike, v: TensorLike) -> tuple[Tensor, Tensor]:
    """Return quotient and remainder of two polynomials.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> quotient, remainder = np.polydiv([3.0, 5.0, 2.0], [2.0, 1.0])
    >>> print(quotient.numpy(), remainder.numpy())
    [1.5  1.75] [0.25]
    """
    return polynomials.divide(_coefficients(u), _coefficients(v))


@implements(np.polyder)
def polyder(p: TensorLike, m: int = 1) -> Tensor:
    """Return the `m`-th derivative of a polynomial.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.polyder([1.0, 1.0, 1.0]).numpy())
    [2. 1.]
    """
    return polynomials.derivative(operand(p), int(m))


@implements(np.polyint)
def polyint(p: TensorLike, m: int = 1, k: TensorLike | None = None) -> Tensor:
    """Return the `m`-th integral of a polynomial, with constants of integration `k`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.polyint([3.0, 2.0], k=5.0).numpy())
    [1.5 2.  5. ]
    """
    return polynomials.integral(operand(p), int(m), None if k is None else _coefficients(k))


@implements(np.polyfit)
def polyfit(
    x: TensorLike,
    y: TensorLike,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: TensorLike | None = None,
    cov: Any = False,
) -> Any:
    """Return the polynomial of degree `deg` that fits the points (`x`, `y`) best, with the weights `w`.

    The coefficients, and what `full` and `cov` add, are differentiable with respect to the points and the weights.

    Raises
    ------
    ValueError
        If the degree is negative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> y = tf.constant([1.0, 2.0, 6.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(y)
    ...     slope = np.polyfit([0.0, 1.0, 2.0], y, 1)[0]
    >>> print(slope.numpy().round(6), tape.gradient(slope, y).numpy().round(6) + 0.0)
    2.5 [-0.5  0.   0.5]
    """
    degree = int(deg)
    if degree < 0:
        raise ValueError("expected deg >= 0")
    positions, values = elementwise.add(operand(x), 0.0), elementwise.add(operand(y), 0.0)
    weights = None if w is None else elementwise.add(operand(w), 0.0)
    _check_points(positions, values, weights)
    if rcond is None:
        rcond = len(positions) * float(np.finfo(positions.dtype.dtype).eps)
    fitted = fitting.fit(positions, values, degree, rcond, weights)
    if full:
        return *fitted[:4], rcond
    if int(array(fitted.rank)) != degree + 1:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=2)
    if not cov:
        return fitted.coefficients
    return fitted.coefficients, fitting.covariance_of(fitted, len(positions), scaled=cov != "unscaled")


def _check_points(x: Tensor, y: Tensor, w: Tensor | None) -> None:
    if x.ndim != 1:
        raise TypeError("expected 1D vector for x")
    if x.size == 0:
        raise TypeError("expected non-empty vector for x")
    if y.ndim not in (1, 2):
        raise TypeError("expected 1D or 2D array for y")
    if x.shape[0] != y.shape[0]:
        raise TypeError("expected x and y to have same length")
    if w is not None and w.ndim != 1:
        raise TypeError("expected a 1-d array for weights")
    if w is not None and w.shape[0] != y.shape[0]:
        raise TypeError("expected w and y to have the same length")


@implements(np.poly)
def poly(seq_of_zeros: TensorLike) -> Tensor:
    """Return the coefficients of the polynomial with these zeros, or of a matrix's characteristic polynomial.

    Raises
    ------
    ValueError
        If the argument is neither a vector nor a square matrix.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.poly([1.0, 2.0]).numpy())
    [ 1. -3.  2.]
    """
    zeros = _coefficients(seq_of_zeros)
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] != 0:
        zeros = eigvals(zeros)
    elif zeros.ndim != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    elif zeros.dtype.dtype.char not in "fdFD":
        zeros = _native.cast(zeros, np.float64)
    return polynomials.from_roots(zeros) if len(zeros) else _native.own(1.0)


@implements(np.roots)
def roots(p: TensorLike) -> Tensor:
    """Return the zeros of a polynomial, differentiable where they are simple.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> p = tf.constant([1.0, -3.0, 2.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(p)
    ...     root = np.roots(p)[0]
    >>> print(root.numpy().round(4), tape.gradient(root, p).numpy().round(4))
    2.0 [-4. -2. -1.]
    """
    return polynomials.roots(_coefficients(p))


@implements(np.vander)
def vander(x: TensorLike, N: Any = None, increasing: bool = False) -> Tensor:  # noqa: N803 (NumPy's name)
    """Return the Vandermonde matrix of `x`: the powers of its elements, in rows.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.vander([1.0, 2.0, 3.0], 3).numpy())
    [[1. 1. 1.]
     [4. 2. 1.]
     [9. 3. 1.]]
    """
    return polynomials.vander(operand(x), None if N is None else int(N), bool(increasing))
