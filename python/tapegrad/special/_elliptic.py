"""Elliptic integrals and functions, the arithmetic-geometric mean, and Carlson's symmetric forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._native import Value, own
from tapegrad._ops.declare import Operation, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.ufunc_rules import product
from tapegrad.special import _carlson
from tapegrad.special._table import on_vectors

__all__ = ["LINES", "NAMES"]


def _values(*z: Any, c: float, b: tuple[float, ...]) -> Any:
    return on_vectors(lambda *z: _carlson.integral(c, b, z), *z)


def _vjps(g: Any, z: tuple[Any, ...], c: float, b: tuple[float, ...]) -> list[Any]:
    return [product(_slope(z, k, c, b), g) for k in range(len(z))]


def _slope(z: tuple[Any, ...], k: int, c: float, b: tuple[float, ...]) -> Any:
    """Return the derivative in z[k]: its exponent rises by one."""
    return -b[k] * _integral(*z, c=c, b=tuple([power + (j == k) for j, power in enumerate(b)]))


# The integral of t**(c - 1) * prod((t + z[i])**-b[i]) over t > 0.
_integral: Operation = structural("carlson_integral", _values, z=_vjps)


def carlson(c: float, b: tuple[float, ...], *z: Any) -> Any:
    """Return the integral of ``t**(c - 1) * prod((t + z[i])**-b[i])`` over t > 0."""
    dtype = next(part.dtype for part in z if isinstance(part, Value)).as_numpy_dtype
    return _integral(*[part if isinstance(part, Value) else own(np.array(part, dtype)) for part in z], c=c, b=b)


_HALF = (0.5, 0.5, 0.5)


def rd(x: Any, y: Any, z: Any) -> Any:
    """Return Carlson's integral R_D, with derivatives also where arguments coincide."""
    return 1.5 * carlson(1.0, (0.5, 0.5, 1.5), x, y, z)


def ellipk_slope(p: Any) -> Any:
    """Return the derivative in m of the complete integral of the first kind, as a function of p = 1 - m."""
    return 0.25 * carlson(1.0, (0.5, 1.5, 0.5), 0.0, p, 1.0)


def ellipe_slope(p: Any) -> Any:
    """Return the derivative in m of the complete integral of the second kind."""
    return -0.25 * carlson(1.0, (0.5, 0.5, 1.5), 0.0, p, 1.0)


def _reduced(phi: Any) -> tuple[Any, Any, Any]:
    """Return the number of half periods in an angle, and sine and squared cosine of the rest."""
    turns = elementwise.rint(phi / np.pi)
    rest = phi - np.pi * turns
    return turns, elementwise.sin(rest), elementwise.square(elementwise.cos(rest))


def ellipkinc_dm(phi: Any, m: Any) -> Any:
    """Return the derivative in m of the incomplete integral of the first kind."""
    turns, sine, cosine2 = _reduced(phi)
    part = sine * sine * sine * rd(cosine2, 1.0, 1.0 - m * sine * sine) / 6.0
    return part + 2.0 * turns * ellipk_slope(1.0 - m)


def ellipeinc_dm(phi: Any, m: Any) -> Any:
    """Return the derivative in m of the incomplete integral of the second kind."""
    turns, sine, cosine2 = _reduced(phi)
    part = -sine * sine * sine * rd(cosine2, 1.0 - m * sine * sine, 1.0) / 6.0
    return part + 2.0 * turns * ellipe_slope(1.0 - m)


def agm_slope(a: Any, b: Any, out: Any) -> Any:
    """Return the derivative in a of the arithmetic-geometric mean out = pi / (2 R_F(0, a**2, b**2))."""
    return (2.0 / (3.0 * np.pi)) * a * out * out * rd(0.0, b * b, a * a)


def _carlson_slope(scale: float, c: float, b: tuple[float, ...], k: int) -> Any:
    """Return the derivative in operand k of scale times the integral of these exponents."""
    return lambda *z: scale * _slope(z, k, c, b)


def rg_slope(x: Any, y: Any, z: Any) -> Any:
    """Return the derivative in x of Carlson's integral R_G."""
    return 0.125 * carlson(2.0, (1.5, 0.5, 0.5), x, y, z)


LINES = """
ellipk     | ellipk_slope(1.0 - x)   | -3 0.95 | -
ellipkm1   | -ellipk_slope(x)        | 0.02 3  | -
ellipe     | ellipe_slope(1.0 - x)   | -3 0.95 | -
ellipkinc  | 1.0 / sqrt(1.0 - y * square(sin(x))); ellipkinc_dm(x, y) | -3 3; -2 0.9 | -
ellipeinc  | sqrt(1.0 - y * square(sin(x))); ellipeinc_dm(x, y)       | -3 3; -2 0.9 | -
ellipj     | out1 * out2; out1 * ellipj_dm(out3, y, out2)
             ;; -out0 * out2; -out0 * ellipj_dm(out3, y, out2)
             ;; -y * out0 * out1; -(out0 * out0 + 2.0 * y * out0 * out1 * ellipj_dm(out3, y, out2)) / (2.0 * out2)
             ;; out2; ellipj_dm(out3, y, out2)                        | -3 3; 0.05 0.9 | -
agm        | agm_slope(x, y, out); agm_slope(y, x, out)               | 0.2 3; 0.2 3   | -
elliprc    | rc_dx(x, y); rc_dy(x, y)                                 | 0.1 3; 0.1 3   | -
elliprf    | rf_dx(x, y, z); rf_dx(y, z, x); rf_dx(z, x, y)           | 0.1 3; 0.1 3; 0.1 3 | -
elliprd    | rd_dx(x, y, z); rd_dx(y, x, z); rd_dz(x, y, z)           | 0.1 3; 0.1 3; 0.1 3 | -
elliprg    | rg_slope(x, y, z); rg_slope(y, z, x); rg_slope(z, x, y)  | 0.1 3; 0.1 3; 0.1 3 | -
elliprj    | rj_dx(x, y, z, w); rj_dx(y, z, x, w); rj_dx(z, x, y, w); rj_dp(x, y, z, w)
           | 0.1 3; 0.1 3; 0.1 3; 0.1 3 | -
"""

NAMES: dict[str, Any] = {
    "agm_slope": agm_slope,
    "ellipe_slope": ellipe_slope,
    "ellipeinc_dm": ellipeinc_dm,
    "ellipj_dm": lambda phi, m, dn: -dn * ellipkinc_dm(phi, m),
    "ellipk_slope": ellipk_slope,
    "ellipkinc_dm": ellipkinc_dm,
    "rc_dx": _carlson_slope(0.5, 1.0, (0.5, 1.0), 0),
    "rc_dy": _carlson_slope(0.5, 1.0, (0.5, 1.0), 1),
    "rd_dx": _carlson_slope(1.5, 1.0, (0.5, 0.5, 1.5), 0),
    "rd_dz": _carlson_slope(1.5, 1.0, (0.5, 0.5, 1.5), 2),
    "rf_dx": _carlson_slope(0.5, 1.0, _HALF, 0),
    "rg_slope": rg_slope,
    "rj_dp": _carlson_slope(1.5, 1.0, (*_HALF, 1.0), 3),
    "rj_dx": _carlson_slope(1.5, 1.0, (*_HALF, 1.0), 0),
}
