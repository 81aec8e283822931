"""TensorFlow's `tf.math.special`: Bessel functions and integrals. They need SciPy."""

from __future__ import annotations

from tapegrad._native import Tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._tf.special import special

__all__ = [
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "bessel_j0",
    "bessel_j1",
    "bessel_k0",
    "bessel_k0e",
    "bessel_k1",
    "bessel_k1e",
    "bessel_y0",
    "bessel_y1",
    "dawsn",
    "expint",
    "fresnel_cos",
    "fresnel_sin",
    "spence",
]


def bessel_i0(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the modified Bessel function of the first kind of order 0, elementwise.

    Parameters
    ----------
    x
        A real tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.bessel_i0(1.0)), 4)
    1.2661
    """
    result: Tensor = special("i0", x)
    return result


def bessel_i0e(x: TensorLike, name: str | None = None) -> Tensor:
    """Return `exp(-abs(x)) * bessel_i0(x)`, elementwise.

    Parameters
    ----------
    x
        A real tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.bessel_i0e(1.0)), 4)
    0.4658
    """
    result: Tensor = special("i0e", x)
    return result


def bessel_i1(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the modified Bessel function of the first kind of order 1, elementwise.

    Parameters
    ----------
    x
        A real tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.bessel_i1(1.0)), 4)
    0.5652
    """
    result: Tensor = special("i1", x)
    return result


def bessel_i1e(x: TensorLike, name: str | None = None) -> Tensor:
    """Return `exp(-abs(x)) * bessel_i1(x)`, elementwise.

    Parameters
    ----------
    x
        A real tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.bessel_i1e(1.0)), 4)
    0.2079
    """
    result: Tensor = special("i1e", x)
    return result


def bessel_j0(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the Bessel function of the first kind of order 0, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.bessel_j0(1.0)), 4)
    0.7652
    """
    result: Tensor = special("j0", x)
    return result


def bessel_j1(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the Bessel function of the first kind of order 1, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.bessel_j1(1.0)), 4)
    0.4401
    """
    result: Tensor = special("j1", x)
    return result


def bessel_k0(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the modified Bessel function of the second kind of order 0, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.bessel_k0(1.0)), 4)
    0.421
    """
    result: Tensor = special("k0", x)
    return result


def bessel_k0e(x: TensorLike, name: str | None = None) -> Tensor:
    """Return `exp(x) * bessel_k0(x)`, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.bessel_k0e(1.0)), 4)
    1.1445
    """
    result: Tensor = special("k0e", x)
    return result


def bessel_k1(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the modified Bessel function of the second kind of order 1, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.bessel_k1(1.0)), 4)
    0.6019
    """
    result: Tensor = special("k1", x)
    return result


def bessel_k1e(x: TensorLike, name: str | None = None) -> Tensor:
    """Return `exp(x) * bessel_k1(x)`, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.bessel_k1e(1.0)), 4)
    1.6362
    """
    result: Tensor = special("k1e", x)
    return result


def bessel_y0(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the Bessel function of the second kind of order 0, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.bessel_y0(1.0)), 4)
    0.0883
    """
    result: Tensor = special("y0", x)
    return result


def bessel_y1(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the Bessel function of the second kind of order 1, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.bessel_y1(1.0)), 4)
    -0.7812
    """
    result: Tensor = special("y1", x)
    return result


def dawsn(x: TensorLike, name: str | None = None) -> Tensor:
    """Return Dawson's integral `exp(-x**2) * integral(exp(t**2), 0, x)`, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.dawsn(1.0)), 4)
    0.5381
    """
    result: Tensor = special("dawsn", x)
    return result


def expint(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the exponential integral Ei, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.expint(1.0)), 4)
    1.8951
    """
    result: Tensor = special("expi", x)
    return result


def fresnel_cos(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the Fresnel integral of `cos(pi * t**2 / 2)` from 0 to `x`, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.fresnel_cos(1.0)), 4)
    0.7799
    """
    result: Tensor = special("fresnel", x)[1]
    return result


def fresnel_sin(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the Fresnel integral of `sin(pi * t**2 / 2)` from 0 to `x`, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.fresnel_sin(1.0)), 4)
    0.4383
    """
    result: Tensor = special("fresnel", x)[0]
    return result


def spence(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the dilogarithm `-integral(log(t) / (t - 1), 1, x)`, elementwise.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.special.spence(2.0)), 4)
    -0.8225
    """
    result: Tensor = special("spence", x)
    return result
