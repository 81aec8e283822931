"""Functions made of exponentials, logarithms, powers and angles, and the losses and entropies built on them."""

from __future__ import annotations

from typing import Any

from tapegrad import _native
from tapegrad._ops.elementwise import elementwise
from tapegrad.special._table import SCOPE

__all__ = ["LINES", "NAMES"]

_where = _native.where


def exprel_slope(x: Any) -> Any:
    """Return the derivative of (exp(x) - 1) / x."""
    far = elementwise.greater(x, 1.0)
    direct = ((x - 1.0) * elementwise.exp(x) + 1.0) / (x * x)
    return _where(far, direct, 0.5 * SCOPE["hyp1f1"](2.0, 3.0, x))


def boxcox_slope(logarithm: Any, power: Any) -> Any:
    """Return the derivative of (exp(power * logarithm) - 1) / power in the power."""
    return logarithm * logarithm * exprel_slope(power * logarithm)


def inv_boxcox_slope(x: Any, power: Any) -> Any:
    """Return the derivative of log(1 + power * x) / power in the power."""
    u = power * x
    near = elementwise.less(elementwise.absolute(u), 0.5)
    direct = (elementwise.log1p(u) - u / (1.0 + u)) / (u * u)
    return -x * x * _where(near, 0.5 * SCOPE["hyp2f1"](2.0, 2.0, 3.0, -_where(near, u, 0.0)), direct)


def log_ratio(x: Any, y: Any) -> Any:
    """Return log(x / y), accurate also where the ratio is near 1."""
    near = elementwise.less(elementwise.absolute(x - y), 0.5 * y)
    return _where(near, elementwise.log1p((x - y) / y), elementwise.log(x / y))


LINES = """
expit      | out * expit(-x)                 | -9 9   | -
log_expit  | expit(-x)                       | -9 9   | -
logit      | 1.0 / (x * (1.0 - x))           | 0.02 0.98 | -
exp2       | 0.6931471805599453 * out        | -3 3   | -
exp10      | 2.302585092994046 * out         | -3 3   | -
expm1      | exp(x)                          | -3 3   | holomorphic
log1p      | 1.0 / (1.0 + x)                 | -0.9 3 | holomorphic
exprel     | exprel_slope(x)                 | -9 9   | -
cbrt       | 1.0 / (3.0 * out * out)         | 0.1 3  | -
cosm1      | -sin(x)                         | -3 3   | -
powm1      | where(y == 0.0, 0.0, y * power(x, y - 1.0)); where(x == 0.0, 0.0, power(x, y) * log(x)) | 0.2 3; -2 2 | -
round      | -                               | -3 3   | -
sindg      | 0.017453292519943295 * cosdg(x) | -180 180 | -
cosdg      | -0.017453292519943295 * sindg(x) | -180 180 | -
tandg      | 0.017453292519943295 * (1.0 + out * out)  | -60 60 | -
cotdg      | -0.017453292519943295 * (1.0 + out * out) | 20 160 | -
radian     | 0.017453292519943295; 0.0002908882086657216; 4.84813681109536e-06 | 0 90; 0 60; 0 60 | -
xlogy      | where((x == 0.0) * (y == 0.0), 0.0, log(y)); xdivy(x, y)           | -3 3; 0.2 3 | holomorphic
xlog1py    | where((x == 0.0) * (y == -1.0), 0.0, log1p(y)); xdivy(x, 1.0 + y)  | -3 3; -0.8 3 | holomorphic
entr       | -1.0 - log(x)                   | 0.1 3  | -
rel_entr   | where((x == 0.0) * (y == 0.0), 0.0, log_ratio(x, y) + 1.0); where(x == 0.0, 0.0, -x / y)
           | 0.1 3; 0.1 3 | -
kl_div     | where((x == 0.0) * (y == 0.0), 0.0, log_ratio(x, y)); where((x == 0.0) * (y == 0.0), 0.0, (y - x) / y)
           | 0.1 3; 0.1 3 | -
huber      | where(absolute(y) <= x, 0.0, absolute(y) - x); where(absolute(y) <= x, y, x * sign(y)) | 0.5 1.5; 1.6 3 | -
pseudo_huber | divide_no_nan(square(divide_no_nan(y * y, x + hypot(x, y))), hypot(x, y));
             divide_no_nan(x * y, hypot(x, y))
           | 0.5 2; -3 3 | -
boxcox     | power(x, y - 1.0); boxcox_slope(log(x), y)               | 0.2 4; -2 2 | -
boxcox1p   | exp((y - 1.0) * log1p(x)); boxcox_slope(log1p(x), y)     | -0.8 3; -2 2 | -
inv_boxcox | power(out, 1.0 - y); out * inv_boxcox_slope(x, y)        | -0.4 0.9; 0.2 2 | -
inv_boxcox1p | power(1.0 + out, 1.0 - y); (1.0 + out) * inv_boxcox_slope(x, y) | -0.4 0.9; 0.2 2 | -
wrightomega | out / (1.0 + out)              | -4 4   | holomorphic
"""

NAMES: dict[str, Any] = {
    "boxcox_slope": boxcox_slope,
    "exprel_slope": exprel_slope,
    "inv_boxcox_slope": inv_boxcox_slope,
    "log_ratio": log_ratio,
}
