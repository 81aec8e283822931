"""The gamma function and its relatives: logarithms, derivatives, beta functions, binomial coefficients, zeta."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.special

from tapegrad import _native
from tapegrad._native import Tensor, is_watched
from tapegrad._ops.declare import Operation, TensorLike, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.registered import as_operand
from tapegrad._ops.ufunc_rules import product
from tapegrad.special import _accurate, _zeta
from tapegrad.special._table import SCOPE, constant, on_vectors

__all__ = ["LINES", "NAMES", "polygamma", "psi_difference", "zeta"]

_BERNOULLI = scipy.special.bernoulli(24)


def polygamma(n: Any, x: TensorLike) -> Tensor:
    """Return derivative number `n` of the digamma function at `x`.

    Parameters
    ----------
    n
        The order, an integer from 0, or an array of them; not differentiable.
    x
        The arguments, real or complex.

    Raises
    ------
    ValueError
        If the order is not an integer from 0.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.special.polygamma(1, 1.0))
    1.6449340668482266
    """
    order = constant(n, "polygamma", "the order", "count")
    if np.any(order < 0) or np.any(order != np.floor(order)):
        raise ValueError(f"polygamma: the order must be an integer from 0, not {n!r}.")
    result: Tensor = _polygamma(as_operand(x), n=order)
    return result


def _polygamma_values(x: npt.NDArray[Any], *, n: Any) -> Any:
    if np.iscomplexobj(x):
        return _complex_polygamma(n, x).astype(x.dtype)
    values = scipy.special.polygamma(n, x)
    return values.astype(np.float32) if x.dtype.itemsize < 8 and x.dtype.kind == "f" else values


_polygamma: Operation = structural("polygamma", _polygamma_values, x=lambda g, x, n: product(_polygamma(x, n=n + 1), g))


def _complex_polygamma(n: Any, x: npt.NDArray[Any]) -> Any:
    """Return polygamma functions at complex points, by recurrence to a real part of 16 and the asymptotic series."""
    if np.ndim(n):
        raise ValueError("polygamma: for complex arguments the order must be one integer.")
    order = int(n)
    if order == 0:
        return scipy.special.psi(x)
    z = np.where(x.real > -500.0, x, np.nan).astype(np.complex128)  # the recurrence takes a step for each unit
    total = np.zeros_like(z)
    with np.errstate(all="ignore"):
        while np.any(near := z.real < 16.0):
            total = total + np.where(near, z ** -(order + 1), 0.0) * factorial(order)
            z = np.where(near, z + 1.0, z)
        total = total + factorial(order - 1) * z**-order + 0.5 * factorial(order) * z ** -(order + 1)
        for k in range(1, 12):
            factor = _BERNOULLI[2 * k] * factorial(2 * k + order - 1) / factorial(2 * k)
            total = total + factor * z ** -(2 * k + order)
    return (-1.0) ** (order + 1) * total


_psi_difference: Operation = structural(
    "psi_difference",
    lambda x, h, *, n: on_vectors(lambda x, h: _accurate.polygamma_difference(n, x, h), x, h),
    x=lambda g, x, h, n: product(_psi_difference(x, h, n=n + 1), g),
    h=lambda g, x, h, n: product(polygamma(n + 1, elementwise.add(x, h)), g),
)


def psi_difference(x: Any, h: Any, n: int = 0) -> Any:
    """Return ``polygamma(n, x + h) - polygamma(n, x)``, accurate for small h as well."""
    return _psi_difference(as_operand(x), as_operand(h), n=n)


def rgamma_slope(x: Any, out: Any) -> Any:
    """Return the derivative of 1 / gamma(x), where out is that; by the reflected function at and near its zeros."""
    psi, gamma = SCOPE["psi"], SCOPE["gamma"]
    if x.dtype.is_complex:
        return -out * psi(x)
    mirror = 1.0 - x
    return _native.where(
        elementwise.less(x, 0.5),
        elementwise.cos(np.pi * x) * gamma(mirror) - out * psi(mirror),
        -out * psi(x),
    )


def zeta(x: TensorLike, q: TensorLike | None = None) -> Tensor:
    """Return the sum of ``(k + q)**-x`` over k >= 0: the Hurwitz zeta function, or Riemann's without `q`.

    Parameters
    ----------
    x
        The exponent: real, and above 1 if `q` is given.
    q
        The offset; 1 if it is left out.

    Raises
    ------
    TypeError
        If a tape watches a complex argument.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.constant(2.0, dtype=tf.float64)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = tf.special.zeta(x)
    >>> round(float(tape.gradient(y, x)), 12)
    -0.937548254316
    """
    x = as_operand(x)
    if x.dtype.is_complex and is_watched(x):
        raise TypeError("zeta: complex values have no rule in tapegrad; pass stop_gradient(...) of what is constant.")
    result: Tensor = _riemann(x) if q is None else _hurwitz(x, as_operand(q))
    return result


def _riemann_slope(x: Any) -> Any:
    """Return the derivative of Riemann's zeta function, below 0 by the derivative of the reflection formula."""
    mirror = 1.0 - x
    angle = (0.5 * np.pi) * x
    sine, cosine = elementwise.sin(angle), elementwise.cos(angle)
    logarithm = np.log(2.0 * np.pi) - SCOPE["psi"](mirror)
    factor = 2.0 * elementwise.exp(np.log(2.0 * np.pi) * (x - 1.0)) * SCOPE["gamma"](mirror)
    reflected = factor * (
        (logarithm * sine + (0.5 * np.pi) * cosine) * _riemann(mirror) - sine * _zeta_derivative(mirror, 1.0, n=1)
    )
    return _native.where(elementwise.less(x, 0.0), reflected, _zeta_derivative(x, 1.0, n=1))


_zeta_derivative: Operation = structural(
    "zeta_derivative",
    lambda s, q, *, n: on_vectors(lambda s, q: _zeta.derivative(s, q, n), s, q),
    s=lambda g, s, q, n: product(_zeta_derivative(s, q, n=n + 1), g),
    q=lambda g, s, q, n: product(
        -(s * _zeta_derivative(s + 1.0, q, n=n) + float(n) * _zeta_or_derivative(s + 1.0, q, n - 1)), g
    ),
)


def _zeta_or_derivative(s: Any, q: Any, n: int) -> Any:
    return _zeta_derivative(s, q, n=n) if n else _hurwitz(s, q)


_hurwitz: Operation = structural(
    "zeta",
    lambda s, q: scipy.special.zeta(s, q),
    s=lambda g, s, q: product(_zeta_derivative(s, q, n=1), g),
    q=lambda g, s, q: product(-s * _hurwitz(s + 1.0, q), g),
)
_riemann: Operation = structural("zeta", lambda s: scipy.special.zeta(s), s=lambda g, s: product(_riemann_slope(s), g))

LINES = """
gamma    | out * psi(x)                 | 0.1 8  | holomorphic
gammaln  | psi(x)                       | 0.1 20 | -
loggamma | psi(x)                       | 0.1 20 | holomorphic
rgamma   | rgamma_slope(x, out)         | -4 8   | holomorphic
psi      | polygamma(1, x)              | 0.1 20 | holomorphic
digamma  | polygamma(1, x)              | 0.1 20 | holomorphic
gammasgn | -                            | 0.1 20 | -
beta     | -out * psi_difference(x, y); -out * psi_difference(y, x) | 0.1 6; 0.1 6 | -
betaln   | -psi_difference(x, y); -psi_difference(y, x)             | 0.1 6; 0.1 6 | -
binom    | out * psi_difference(x - y + 1.0, y); out * psi_difference(y + 1.0, x - 2.0 * y) | 4 9; 0.5 3 | -
poch     | out * psi_difference(x, y); out * psi(x + y)             | 0.2 6; 0.2 4 | -
zetac    | zeta_slope(x)                | 1.5 9  | -
"""

NAMES: dict[str, Any] = {
    "polygamma": polygamma,
    "psi_difference": psi_difference,
    "rgamma_slope": rgamma_slope,
    "zeta_slope": _riemann_slope,
}
