"""Bessel functions and what solves similar equations: Airy, Kelvin, Struve, Mathieu, parabolic cylinder, spheroidal."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import scipy.special

from tapegrad import _native
from tapegrad._ops.declare import Operation, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.registered import as_operand
from tapegrad._ops.ufunc_rules import product
from tapegrad.special._accurate import SUPPORT, Array
from tapegrad.special._table import SCOPE, on_vectors

__all__ = ["LINES", "NAMES"]


def _combination(function: Any, v: Array, z: Array, n: int, sign: float) -> Array:
    """Return derivative number n in z of exp(-sign z) Z_v(z), by the functions of neighbouring orders.

    `function` is ive (sign 1) or kve (sign -1); both satisfy 2 Z_v' = sign (Z_(v-1) + Z_(v+1)).
    """
    total = np.zeros_like(z)
    for j in range(n + 1):
        neighbours = sum(comb(j, k) * function(v - j + 2 * k, z) for k in range(j + 1))
        total = total + comb(n, j) * (-sign) ** (n - j) * (0.5 * sign) ** j * neighbours
    return total


def _ive_derivative(v: Array, z: Array, n: int) -> Array:
    """Return derivative number n of exp(-z) I_v(z), z > 0, where its terms cancel for large z by Hankel's expansion."""
    far = z > 30.0 * (1.0 + 0.25 * v * v)
    result = _combination(scipy.special.ive, v, np.where(far, 1.0, z), n, 1.0)
    term = np.where(far, z, 1.0) ** (-0.5 - n) / np.sqrt(2.0 * np.pi)
    for j in range(n):
        term = term * -(0.5 + j)
    total = np.zeros_like(term)
    for k in range(1, 40):
        total = total + term
        # a_k = a_(k-1) (4 v**2 - (2k-1)**2) / (8k), and the power -k - 1/2 differentiated n times.
        term = term * -(4.0 * v * v - (2 * k - 1) ** 2) / (8 * k) / np.where(far, z, 1e3) * (k - 0.5 + n) / (k - 0.5)
    return np.where(far, total, result)


def _kve_derivative(v: Array, z: Array, n: int) -> Array:
    """Return derivative number n of exp(z) K_v(z), by neighbours or, for z > 1, by an integral of positive terms."""
    far = z > 1.0
    result = _combination(scipy.special.kve, v, np.where(far, 1.0, z), n, -1.0)
    z, v = np.where(far, z, 2.0), np.abs(v)
    # exp(z) K_v(z) is the integral over u > 0 of exp(-z (cosh(u) - 1)) cosh(v u); the end is where that has vanished.
    end = np.arccosh(1.0 + SUPPORT / z)
    for _ in range(3):
        end = np.arccosh(1.0 + (SUPPORT + v * end) / z)
    step = end / 60.0
    total = np.zeros_like(z)
    for k in range(61):
        u = k * step
        fall = 2.0 * np.sinh(0.5 * u) ** 2
        weight = 0.25 if k == 0 else 0.5
        total = total + weight * (-fall) ** n * (np.exp(v * u - z * fall) + np.exp(-v * u - z * fall))
    return np.where(far, step * total, result)


def _even_or_odd(function: Any, v: Array, z: Array, n: int) -> Array:
    """Return the derivative also for negative z, where it is that for -z but for a sign (if v is an integer)."""
    sign = np.where(z < 0.0, np.where(v == np.floor(v), np.cos(np.pi * (v + n)), np.nan), 1.0)
    return np.asarray(sign * function(v, np.abs(z), n))


_ive_slope: Operation = structural(
    "ive_derivative",
    lambda v, z, *, n: on_vectors(lambda v, z: _even_or_odd(_ive_derivative, v, z, n), v, z),
    z=lambda g, v, z, n: product(_ive_slope(v, z, n=n + 1), g),
)
_kve_slope: Operation = structural(
    "kve_derivative",
    lambda v, z, *, n: on_vectors(lambda v, z: np.where(z > 0.0, _kve_derivative(v, np.abs(z), n), np.nan), v, z),
    z=lambda g, v, z, n: product(_kve_slope(v, z, n=n + 1), g),
)


def ive_slope(v: Any, z: Any, out: Any = None) -> Any:
    """Return the derivative of exp(-abs(z)) I_v(z) for real z."""
    return _ive_slope(_like(v, z), z, n=1)


def kve_slope(v: Any, z: Any, out: Any) -> Any:
    """Return the derivative of out = exp(z) K_v(z)."""
    if z.dtype.is_complex:
        return out - 0.5 * (SCOPE["kve"](v - 1.0, z) + SCOPE["kve"](v + 1.0, z))
    return _kve_slope(_like(v, z), z, n=1)


def _like(v: Any, z: Any) -> Any:
    return v if isinstance(v, _native.Value) else as_operand(np.asarray(v, z.dtype.as_numpy_dtype))


def struve_term(v: Any, z: Any) -> Any:
    """Return (z / 2)**v / (sqrt(pi) gamma(v + 3/2)), by which Struve's recurrence differs from Bessel's."""
    return 0.5641895835477563 * elementwise.power(0.5 * z, v) * SCOPE["rgamma"](v + 1.5)


def over(y: Any, x: Any) -> Any:
    """Return y / x, and the limit at x = 0 of a y that has slope 1/2 there."""
    return _native.where(elementwise.equal(x, 0.0), 0.5, y / x)


LINES = """
jv   | !order; 0.5 * (jv(x - 1.0, y) - jv(x + 1.0, y))     | -3 4; 0.2 9 | holomorphic
jn   | !order; 0.5 * (jv(x - 1.0, y) - jv(x + 1.0, y))     | -3 4; 0.2 9 | holomorphic
yv   | !order; 0.5 * (yv(x - 1.0, y) - yv(x + 1.0, y))     | -3 4; 0.5 9 | holomorphic
yn   | !order; 0.5 * (yn(x - 1, y) - yn(x + 1, y))         | int 0 4; 0.5 9 | -
iv   | !order; 0.5 * (iv(x - 1.0, y) + iv(x + 1.0, y))     | -3 4; 0.2 5 | holomorphic
kv   | !order; -0.5 * (kv(x - 1.0, y) + kv(x + 1.0, y))    | -3 4; 0.3 5 | holomorphic
kn   | !order; -0.5 * (kv(x - 1.0, y) + kv(x + 1.0, y))    | int 0 4; 0.3 5 | -
jve  | !order; 0.5 * (jve(x - 1.0, y) - jve(x + 1.0, y))   | -3 4; 0.2 9 | -
yve  | !order; 0.5 * (yve(x - 1.0, y) - yve(x + 1.0, y))   | -3 4; 0.5 9 | -
ive  | !order; ive_slope(x, y, out)                        | -3 4; 0.2 9 | -
kve  | !order; kve_slope(x, y, out)                        | -3 4; 0.3 9 | holomorphic
hankel1  | !order; 0.5 * (hankel1(x - 1.0, y) - hankel1(x + 1.0, y)) | -3 4; 0.5 9 | holomorphic
hankel2  | !order; 0.5 * (hankel2(x - 1.0, y) - hankel2(x + 1.0, y)) | -3 4; 0.5 9 | holomorphic
hankel1e | !order; 0.5 * (hankel1e(x - 1.0, y) - hankel1e(x + 1.0, y)) - 1j * out | -3 4; 0.5 9 | holomorphic
hankel2e | !order; 0.5 * (hankel2e(x - 1.0, y) - hankel2e(x + 1.0, y)) + 1j * out | -3 4; 0.5 9 | holomorphic
j0   | -j1(x)                        | -9 9  | -
j1   | 0.5 * (j0(x) - jv(2.0, x))    | -9 9  | -
y0   | -y1(x)                        | 0.3 9 | -
y1   | y0(x) - out / x               | 0.3 9 | -
i0   | i1(x)                         | -5 5  | -
i1   | 0.5 * (i0(x) + iv(2.0, x))    | -5 5  | -
k0   | -k1(x)                        | 0.2 5 | -
k1   | -k0(x) - out / x              | 0.2 5 | -
i0e  | ive_slope(0.0, x)             | 0.1 9 | -
i1e  | ive_slope(1.0, x)             | 0.1 9 | -
k0e  | kve_slope(0.0, x, out)        | 0.2 9 | -
k1e  | kve_slope(1.0, x, out)        | 0.2 9 | -
besselpoly | (jv(z, 2.0 * x) - (y + 1.0) * out) / x; !parameter; !order | 0.3 3; 0.5 3; 0.2 3 | -
airy  | out1 ;; x * out0 ;; out3 ;; x * out2                                | -4 3  | holomorphic
airye | out1 + sqrt(x) * out0 ;; x * out0 + sqrt(x) * out1
        ;; out3 - sqrt(maximum(x, 0.0)) * out2 ;; x * out2 - sqrt(maximum(x, 0.0)) * out3 | 0.2 5 | -
ber   | berp(x)                      | -5 5  | -
bei   | beip(x)                      | -5 5  | -
ker   | kerp(x)                      | 0.2 5 | -
kei   | keip(x)                      | 0.2 5 | -
berp  | -bei(x) - where(x == 0.0, 0.0, out / x) | -5 5  | -
beip  | ber(x) - over(out, x)        | -5 5  | -
kerp  | -kei(x) - out / x            | 0.2 5 | -
keip  | ker(x) - out / x             | 0.2 5 | -
kelvin | out2 ;; out3 ;; 1j * out0 - out2 / x ;; 1j * out1 - out3 / x | 0.2 5 | -
struve    | !order; 0.5 * (struve(x - 1.0, y) - struve(x + 1.0, y) + struve_term(x, y))       | 0.5 3; 0.3 9 | -
modstruve | !order; 0.5 * (modstruve(x - 1.0, y) + modstruve(x + 1.0, y) + struve_term(x, y)) | 0.5 3; 0.3 5 | -
mathieu_a      | !order; !parameter | int 0 4; 0.5 5 | -
mathieu_b      | !order; !parameter | int 1 4; 0.5 5 | -
mathieu_cem    | !order; !parameter; 0.017453292519943295 * out1
                 ;; !order; !parameter;
                 -0.017453292519943295 * (mathieu_a(x, y) - 2.0 * y * cosdg(2.0 * z)) * out0 | int 0 4; 0.5 5; 5 170 | -
mathieu_sem    | !order; !parameter; 0.017453292519943295 * out1
                 ;; !order; !parameter;
                 -0.017453292519943295 * (mathieu_b(x, y) - 2.0 * y * cosdg(2.0 * z)) * out0 | int 1 4; 0.5 5; 5 170 | -
mathieu_modcem1 | !order; !parameter; out1
                 ;; !order; !parameter; (mathieu_a(x, y) - 2.0 * y * cosh(2.0 * z)) * out0 | int 0 4; 0.5 5; 0.2 1.5 | -
mathieu_modcem2 | !order; !parameter; out1
                 ;; !order; !parameter; (mathieu_a(x, y) - 2.0 * y * cosh(2.0 * z)) * out0 | int 0 4; 0.5 5; 0.2 1.5 | -
mathieu_modsem1 | !order; !parameter; out1
                 ;; !order; !parameter; (mathieu_b(x, y) - 2.0 * y * cosh(2.0 * z)) * out0 | int 1 4; 0.5 5; 0.2 1.5 | -
mathieu_modsem2 | !order; !parameter; out1
                 ;; !order; !parameter; (mathieu_b(x, y) - 2.0 * y * cosh(2.0 * z)) * out0 | int 1 4; 0.5 5; 0.2 1.5 | -
pbdv | !order; out1 ;; !order; (0.25 * y * y - x - 0.5) * out0 | 0.2 3; -3 3 | -
pbvv | !order; out1 ;; !order; (0.25 * y * y - x - 0.5) * out0 | 0.2 3; 0.2 3 | -
pbwa | !parameter; out1 ;; !parameter; (x - 0.25 * y * y) * out0 | 0.2 3; -3 3 | -
"""

NAMES: dict[str, Any] = {"ive_slope": ive_slope, "kve_slope": kve_slope, "over": over, "struve_term": struve_term}

# Spheroidal functions give themselves and their derivative; that follows from the differential equation
# ((1 - x**2) S')' + (cv - c**2 x**2 - m**2 / (1 - x**2)) S = 0 of the prolate ones, for oblate ones with -c**2, and for
# the oblate radial ones moreover with x turned into i x.
_PROLATE = "(2.0 * {x} * out1 - ({cv} - z * z * {x} * {x} - x * x / (1.0 - {x} * {x})) * out0) / (1.0 - {x} * {x})"
_OBLATE = _PROLATE.replace("- z * z", "+ z * z")
_OBLATE_RADIAL = (
    "(({cv} - z * z * {x} * {x} - x * x / (1.0 + {x} * {x})) * out0 - 2.0 * {x} * out1) / (1.0 + {x} * {x})"
)


def _spheroidal(name: str, second: str | None, domain: str) -> str:
    """Return the lines of a spheroidal function without and with its characteristic value among the operands.

    `second` is the formula for the second derivative, None where SciPy's values are no good.
    """
    refused = "!order; !order; !parameter"
    lines = ""
    for suffix, more, more_domain, x, cv in (
        ("", "", "", "w", f"{name[:3]}_cv(x, y, z)"),
        ("_cv", "; !parameter", "; 5 6", "x4", "w"),
    ):
        slopes = ("out1", second.format(x=x, cv=cv)) if second else ("!values", "!values")
        partials = " ;; ".join(f"{refused}{more}; {slope}" for slope in slopes)
        lines += f"{name}{suffix} | {partials} | int 0 1; int 2 4; 0.5 2{more_domain}; {domain} | -\n"
    return lines


LINES += (
    "pro_cv | !order; !order; !parameter | int 0 1; int 2 4; 0.5 2 | -\n"
    "obl_cv | !order; !order; !parameter | int 0 1; int 2 4; 0.5 2 | -\n"
    + _spheroidal("pro_ang1", _PROLATE, "-0.9 0.9")
    + _spheroidal("pro_rad1", _PROLATE, "1.2 3")
    + _spheroidal("pro_rad2", None, "1.2 3")
    + _spheroidal("obl_ang1", _OBLATE, "-0.9 0.9")
    + _spheroidal("obl_rad1", _OBLATE_RADIAL, "0.2 2")
    + _spheroidal("obl_rad2", None, "0.2 2")
)
