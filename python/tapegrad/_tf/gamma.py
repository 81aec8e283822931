"""TensorFlow's names for the gamma function's family and for inverse distribution functions. They need SciPy."""

from __future__ import annotations

from tapegrad._native import Tensor
from tapegrad._ops import reductions
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._tf.special import special

__all__ = [
    "betainc",
    "digamma",
    "erfcinv",
    "erfinv",
    "igamma",
    "igammac",
    "lbeta",
    "lgamma",
    "ndtri",
    "polygamma",
    "zeta",
]


def betainc(a: TensorLike, b: TensorLike, x: TensorLike, name: str | None = None) -> Tensor:
    """Return the regularised incomplete beta function of `x` with parameters `a` and `b`, elementwise.

    Parameters
    ----------
    a, b
        Real and positive; all three are broadcast.
    x
        Between 0 and 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.betainc(2.0, 3.0, 0.5)), 4)
    0.6875
    """
    result: Tensor = special("betainc", a, b, x)
    return result


def digamma(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the derivative of `lgamma`, elementwise.

    Parameters
    ----------
    x
        A real tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.digamma(1.0)), 4)
    -0.5772
    """
    result: Tensor = special("digamma", x)
    return result


def erfcinv(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the inverse of `erfc`, elementwise.

    Parameters
    ----------
    x
        A real tensor, between 0 and 2.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.erfcinv(0.5)), 4)
    0.4769
    """
    result: Tensor = special("erfcinv", x)
    return result


def erfinv(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the inverse of `erf`, elementwise.

    Parameters
    ----------
    x
        A real tensor, between -1 and 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.erfinv(0.5)), 4)
    0.4769
    """
    result: Tensor = special("erfinv", x)
    return result


def igamma(a: TensorLike, x: TensorLike, name: str | None = None) -> Tensor:
    """Return the regularised lower incomplete gamma function of `x` with parameter `a`, elementwise.

    Parameters
    ----------
    a, x
        Real and positive, or `x` zero; they are broadcast.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.igamma(2.0, 3.0)), 4)
    0.8009
    """
    result: Tensor = special("gammainc", a, x)
    return result


def igammac(a: TensorLike, x: TensorLike, name: str | None = None) -> Tensor:
    """Return `1 - igamma(a, x)`, accurate where that is small, elementwise.

    Parameters
    ----------
    a, x
        Real and positive, or `x` zero; they are broadcast.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.igammac(2.0, 3.0)), 4)
    0.1991
    """
    result: Tensor = special("gammaincc", a, x)
    return result


def lbeta(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the logarithm of the absolute value of the beta function of the elements along the last axis.

    Parameters
    ----------
    x
        A real tensor, of shape (..., n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.lbeta([1.0, 2.0, 3.0])), 4)
    -4.0943
    """
    x = as_tensor(x)
    return elementwise.subtract(reductions.sum(lgamma(x), -1), lgamma(reductions.sum(x, -1)))


def lgamma(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the logarithm of the absolute value of the gamma function, elementwise.

    Parameters
    ----------
    x
        A real tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.lgamma(5.0)), 4)
    3.1781
    """
    result: Tensor = special("gammaln", x)
    return result


def ndtri(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the quantile function of the standard normal distribution, elementwise.

    Parameters
    ----------
    x
        A real tensor, between 0 and 1.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.ndtri(0.975)), 4)
    1.96
    """
    result: Tensor = special("ndtri", x)
    return result


def polygamma(a: TensorLike, x: TensorLike, name: str | None = None) -> Tensor:
    """Return derivative number `a` of `digamma` at `x`, elementwise.

    Parameters
    ----------
    a
        A whole number, not negative.
    x
        A real tensor; both are broadcast.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.polygamma(1.0, 1.0)), 4)
    1.6449
    """
    result: Tensor = special("polygamma", a, x)
    return result


def zeta(x: TensorLike, q: TensorLike, name: str | None = None) -> Tensor:
    """Return the Hurwitz zeta function: the sum of `(q + k)**-x` over k = 0, 1, ..., elementwise.

    Parameters
    ----------
    x
        The exponent, greater than 1.
    q
        The first base; both are broadcast.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.zeta(2.0, 1.0)), 4)
    1.6449
    """
    result: Tensor = special("zeta", x, q)
    return result
