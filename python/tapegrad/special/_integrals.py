"""Functions that are integrals of simpler ones: exponential, sine and cosine integrals, dilogarithm, of Bessel's."""

from __future__ import annotations

from typing import Any

from tapegrad import _native
from tapegrad._ops.elementwise import elementwise
from tapegrad.special._table import SCOPE

__all__ = ["LINES", "NAMES"]


def spence_slope(x: Any) -> Any:
    """Return log(x) / (1 - x), near 1 by a series."""
    near = elementwise.less(elementwise.absolute(x - 1.0), 0.5)
    series = SCOPE["hyp2f1"](1.0, 1.0, 2.0, 1.0 - _native.where(near, x, 1.0))
    return _native.where(near, -series, elementwise.log(x) / (1.0 - x))


def bessel_less_1_over(x: Any, sign: float) -> Any:
    """Return (j0(x) - 1) / x for sign -1 and (i0(x) - 1) / x for sign 1, near 0 by the power series."""
    near = elementwise.less(elementwise.absolute(x), 2.0)
    quarter = (0.25 * sign) * x * x
    series = 0.0 * x
    for k in range(16, 1, -1):  # the sum of quarter**k / (k!)**2 is quarter (1 + quarter / 4 (1 + quarter / 9 (...)))
        series = (1.0 + series) * quarter / float(k * k)
    full = SCOPE["i0" if sign > 0 else "j0"](x)
    return _native.where(near, (0.25 * sign) * x * (1.0 + series), (full - 1.0) / x)


def expn_slope(n: Any, x: Any, out: Any) -> Any:
    """Return the derivative of the exponential integral of order n, which is that of order n - 1 except for n = 0."""
    zero = elementwise.equal(n, 0)
    return _native.where(zero, -out * (1.0 + 1.0 / x), -SCOPE["expn"](elementwise.maximum(n - 1, 0), x))


LINES = """
exp1    | -exp(-x) / x            | 0.1 5  | holomorphic
expi    | exp(x) / x              | 0.1 5  | holomorphic
expn    | !order; expn_slope(x, y, out) | int 0 5; 0.2 5 | -
sici    | where(x == 0.0, 1.0, sin(x) / x) ;; cos(x) / x   | 0.1 9 | holomorphic
shichi  | where(x == 0.0, 1.0, sinh(x) / x) ;; cosh(x) / x | 0.1 5 | holomorphic
spence  | spence_slope(x)         | 0.05 5 | holomorphic
itairy  | airy_0(x) ;; airy_2(x) ;; airy_0(-x) ;; airy_2(-x) | 0.1 4 | -
iti0k0  | i0(x) ;; k0(x)          | 0.2 5  | -
itj0y0  | j0(x) ;; y0(x)          | 0.2 9  | -
it2i0k0 | i0_less_1_over(x) ;; -k0(x) / x  | 0.2 5 | -
it2j0y0 | -j0_less_1_over(x) ;; -y0(x) / x | 0.2 9 | -
itstruve0    | struve(0.0, x)      | 0.2 9 | -
it2struve0   | -struve(0.0, x) / x | 0.2 9 | -
itmodstruve0 | modstruve(0.0, x)   | 0.2 5 | -
"""

NAMES: dict[str, Any] = {
    "airy_0": lambda x: SCOPE["airy"](x)[0],
    "airy_2": lambda x: SCOPE["airy"](x)[2],
    "expn_slope": expn_slope,
    "i0_less_1_over": lambda x: bessel_less_1_over(x, 1.0),
    "j0_less_1_over": lambda x: bessel_less_1_over(x, -1.0),
    "spence_slope": spence_slope,
}
