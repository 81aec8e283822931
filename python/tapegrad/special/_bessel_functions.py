"""Bessel functions that SciPy writes in Python: the spherical ones, and the derivatives of any order of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_int
from tapegrad._ops.declare import Operation, TensorLike, structural
from tapegrad._ops.ufunc_rules import product
from tapegrad.special._logsumexp import as_floating
from tapegrad.special._table import constant

__all__ = [
    "h1vp",
    "h2vp",
    "ivp",
    "jvp",
    "kvp",
    "spherical_in",
    "spherical_jn",
    "spherical_kn",
    "spherical_yn",
    "yvp",
]

_KINDS: dict[str, tuple[float, float]] = {"jn": (1.0, -1.0), "yn": (1.0, -1.0), "in": (1.0, 1.0), "kn": (-1.0, -1.0)}
"""For each kind the signs in (2n + 1) f'(n) = below * n f(n-1) + above * (n + 1) f(n+1)."""


def _spherical_values(z: Any, *, kind: str, n: Any, derivative: bool) -> Any:
    return getattr(scipy.special, f"spherical_{kind}")(n, z, derivative)


def _spherical_slope(z: Any, kind: str, n: Any, derivative: bool) -> Any:
    """Return the derivative of a function or of its first derivative, by those of neighbouring orders."""
    below, above = _KINDS[kind]
    dtype = z.dtype.as_numpy_dtype
    lower = _spherical(z, kind=kind, n=np.maximum(n - 1, 0), derivative=derivative)
    higher = _spherical(z, kind=kind, n=n + 1, derivative=derivative)
    left = _native.where(np.equal(n, 0), 0.0, np.asarray(below * n / (2 * n + 1), dtype) * lower)
    return left + np.asarray(above * (n + 1) / (2 * n + 1), dtype) * higher


_spherical: Operation = structural(
    "spherical Bessel function",
    _spherical_values,
    z=lambda g, z, kind, n, derivative: product(_spherical_slope(z, kind, n, derivative), g),
)


def _apply_spherical(kind: str, n: Any, z: TensorLike, derivative: bool) -> Tensor:
    orders = constant(n, f"spherical_{kind}", "the order", "order")
    if orders.dtype.kind not in "iu":
        raise TypeError(f"spherical_{kind}: the orders must be integers, not {orders.dtype}.")
    result: Tensor = _spherical(as_floating(z), kind=kind, n=orders, derivative=bool(derivative))
    return result


def spherical_jn(n: Any, z: TensorLike, derivative: bool = False) -> Tensor:
    """Return the spherical Bessel function of the first kind of integer order `n` at `z`, or its derivative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.special.spherical_jn(0, 1.0)), 12)
    0.841470984808
    """
    return _apply_spherical("jn", n, z, derivative)


def spherical_yn(n: Any, z: TensorLike, derivative: bool = False) -> Tensor:
    """Return the spherical Bessel function of the second kind of integer order `n` at `z`, or its derivative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.special.spherical_yn(0, 1.0)), 12)
    -0.540302305868
    """
    return _apply_spherical("yn", n, z, derivative)


def spherical_in(n: Any, z: TensorLike, derivative: bool = False) -> Tensor:
    """Return the modified spherical Bessel function of the first kind of integer order `n`, or its derivative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.special.spherical_in(0, 1.0)), 12)
    1.175201193644
    """
    return _apply_spherical("in", n, z, derivative)


def spherical_kn(n: Any, z: TensorLike, derivative: bool = False) -> Tensor:
    """Return the modified spherical Bessel function of the second kind of integer order `n`, or its derivative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.special.spherical_kn(0, 1.0)), 12)
    0.577863674895
    """
    return _apply_spherical("kn", n, z, derivative)


def _derivative_function(name: str, of: str) -> Callable[..., Tensor]:
    function = getattr(scipy.special, name)
    operation: Operation = structural(
        name,
        lambda z, *, v, n: function(v, z, n),
        z=lambda g, z, v, n: product(operation(z, v=v, n=n + 1), g),
    )

    def derivative(v: Any, z: TensorLike, n: int = 1) -> Tensor:
        order = as_int(n)
        if order < 0:
            raise ValueError(f"{name}: the number of the derivative must be 0 or greater, not {n}.")
        result: Tensor = operation(as_floating(z), v=constant(v, name, "the order", "order"), n=order)
        return result

    derivative.__name__ = derivative.__qualname__ = name
    derivative.__doc__ = f"""Return derivative number `n` of {of} of order `v` at `z`, differentiable in `z`.

    Raises
    ------
    ValueError
        If `n` is negative.
    TypeError
        If a tape watches the order.

    Examples
    --------
    >>> import scipy.special
    >>> import tapegrad as tf
    >>> complex(tf.special.{name}(1.5, 2.0)) == complex(scipy.special.{name}(1.5, 2.0))
    True
    """
    return derivative


jvp = _derivative_function("jvp", "the Bessel function of the first kind")
yvp = _derivative_function("yvp", "the Bessel function of the second kind")
ivp = _derivative_function("ivp", "the modified Bessel function of the first kind")
kvp = _derivative_function("kvp", "the modified Bessel function of the second kind")
h1vp = _derivative_function("h1vp", "the Hankel function of the first kind")
h2vp = _derivative_function("h2vp", "the Hankel function of the second kind")
