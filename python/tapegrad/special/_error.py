"""The error function and its relatives: Dawson's and Faddeeva's functions, Fresnel's integrals, the Voigt profile."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from tapegrad import _native
from tapegrad._ops.complex_parts import complex as complex_of
from tapegrad._ops.complex_parts import imag, real
from tapegrad._ops.declare import Operation, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.ufunc_rules import product
from tapegrad.special._accurate import SUPPORT, Array, integrate
from tapegrad.special._table import SCOPE, on_vectors

__all__ = ["LINES", "NAMES"]

_TWO_OVER_ROOT_PI = 1.1283791670955126


def _repeated_values(x: Array, n: int) -> Array:
    """Return exp(x**2) times the integral number n of erfc: nothing cancels in either form."""
    positive = np.maximum(x, 0.0)
    end = SUPPORT / (positive + np.sqrt(positive * positive + SUPPORT))  # where t**2 + 2 x t is SUPPORT
    factor = _TWO_OVER_ROOT_PI / scipy.special.gamma(n + 1.0)
    right: Array = factor * integrate(lambda t: t**n * np.exp(-t * (t + 2.0 * positive)), np.zeros_like(end), end)
    before, left = np.full_like(x, _TWO_OVER_ROOT_PI), scipy.special.erfcx(x)
    for k in range(1, n + 1):
        before, left = left, (before - 2.0 * x * left) / (2.0 * k)
    result: Array = np.where(x > 0.0, right, left)
    return result


_repeated: Operation = structural(
    "erfcx_integral",
    lambda x, *, n: on_vectors(lambda x: _repeated_values(x, n), x),
    x=lambda g, x, n: product(-2.0 * (n + 1) * _repeated(x, n=n + 1), g),
)


def erfcx_slope(x: Any, out: Any) -> Any:
    """Return the derivative of out = exp(x**2) * erfc(x)."""
    if x.dtype.is_complex:
        return 2.0 * x * out - _TWO_OVER_ROOT_PI
    return -2.0 * _repeated(x, n=1)


def dawsn_slope(x: Any, out: Any) -> Any:
    """Return the derivative 1 - 2 x out of Dawson's function, which cancels for large x."""
    if x.dtype.is_complex:
        return 1.0 - 2.0 * x * out
    near = elementwise.less(elementwise.absolute(x), 1.5)
    return _native.where(near, 1.0 - 2.0 * x * out, SCOPE["hyp1f1"](1.0, 0.5, -x * x))


def wofz_slope(z: Any, out: Any) -> Any:
    """Return the derivative -2 z out + 2i / sqrt(pi) of the Faddeeva function; for large z by its asymptotic series."""
    direct = -2.0 * z * out + 1j * _TWO_OVER_ROOT_PI
    far = elementwise.multiply(
        elementwise.greater(elementwise.absolute(z), 6.5), elementwise.greater_equal(imag(z), 0.0)
    )
    inverse = 1.0 / _native.where(far, z * z, 1.0)
    series = 0.0 * inverse
    for k in range(24, 0, -1):
        series = (k - 0.5) * inverse * (1.0 + series)
    return _native.where(far, -1j * _TWO_OVER_ROOT_PI * series, direct)


def _voigt_argument(x: Any, sigma: Any, gamma: Any) -> Any:
    return complex_of(x, gamma) / (1.4142135623730951 * sigma)


def voigt_dx(x: Any, sigma: Any, gamma: Any) -> Any:
    """Return the derivative in x of the Voigt profile real(wofz(z)) / (sigma sqrt(2 pi)), z the argument above."""
    z = _voigt_argument(x, sigma, gamma)
    return 0.28209479177387814 * real(wofz_slope(z, SCOPE["wofz"](z))) / (sigma * sigma)


def voigt_dgamma(x: Any, sigma: Any, gamma: Any) -> Any:
    """Return the derivative of the Voigt profile in gamma."""
    z = _voigt_argument(x, sigma, gamma)
    return -0.28209479177387814 * imag(wofz_slope(z, SCOPE["wofz"](z))) / (sigma * sigma)


def voigt_dsigma(x: Any, sigma: Any, gamma: Any, out: Any) -> Any:
    """Return the derivative of the Voigt profile in sigma."""
    z = _voigt_argument(x, sigma, gamma)
    return -(out + 0.3989422804014327 * real(z * wofz_slope(z, SCOPE["wofz"](z))) / sigma) / sigma


LINES = """
erf      | 1.1283791670955126 * exp(-x * x)   | -3 3  | holomorphic
erfc     | -1.1283791670955126 * exp(-x * x)  | -3 3  | holomorphic
erfcx    | erfcx_slope(x, out)                | -3 9  | holomorphic
erfi     | 1.1283791670955126 * exp(x * x)    | -2 2  | holomorphic
erfinv   | 0.8862269254527580 * exp(out * out) | -0.95 0.95 | -
erfcinv  | -0.8862269254527580 * where(x < 1.0, erfcx(out) / x, exp(out * out)) | 0.02 1.98 | -
dawsn    | dawsn_slope(x, out)                | -9 9  | holomorphic
wofz     | wofz_slope(x, out)                 | -4 4  | holomorphic
fresnel  | sin(0.5 * pi * x * x) ;; cos(0.5 * pi * x * x) | -3 3 | holomorphic
modfresnelp | -exp(1j * x * x) ;; -2j * x * out1 - root_plus  | 0.2 3 | -
modfresnelm | -exp(-1j * x * x) ;; 2j * x * out1 - root_minus | 0.2 3 | -
voigt_profile | voigt_dx(x, y, z); voigt_dsigma(x, y, z, out); voigt_dgamma(x, y, z) | -3 3; 0.5 2; 0.3 2 | -
"""

NAMES: dict[str, Any] = {
    "dawsn_slope": dawsn_slope,
    "erfcx_slope": erfcx_slope,
    "root_minus": 0.3989422804014327 * (1.0 + 1.0j),  # exp(i pi/4) / sqrt(pi)
    "root_plus": 0.3989422804014327 * (1.0 - 1.0j),
    "voigt_dgamma": voigt_dgamma,
    "voigt_dsigma": voigt_dsigma,
    "voigt_dx": voigt_dx,
    "wofz_slope": wofz_slope,
}
