"""The incomplete gamma and beta functions and their inverses.

An inverse is differentiated by the derivatives of what it inverts: where F(out; a) = p, the slope in p is 1 / F' and
the slope in a is -F_a / F'.
"""

from __future__ import annotations

from itertools import product as pairs
from typing import Any

from tapegrad._ops.declare import Operation, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.registered import as_operand
from tapegrad._ops.ufunc_rules import product
from tapegrad.special import _incomplete_beta, _incomplete_gamma
from tapegrad.special._accurate import bell
from tapegrad.special._gamma import polygamma, psi_difference
from tapegrad.special._table import SCOPE, on_vectors

__all__ = ["LINES", "NAMES", "beta_density", "betainc_da", "betainc_db", "gamma_density", "gammainc_da"]

_log, _log1p = elementwise.log, elementwise.log1p

_gamma_density: Operation = structural(
    "gamma_density",
    lambda a, x: on_vectors(_incomplete_gamma.density, a, x),
    a=lambda g, a, x, out: product(out * _log_over_mean(a, x), g),
    x=lambda g, a, x, out: product(out * ((a - 1.0) / x - 1.0), g),
)


def _log_over_mean(a: Any, x: Any) -> Any:
    return _log(x) - SCOPE["psi"](a)


_gammainc_derivative: Operation = structural(
    "gammainc_derivative",
    lambda a, x, *, n: on_vectors(lambda a, x: _incomplete_gamma.derivative(a, x, n), a, x),
    a=lambda g, a, x, n: product(_gammainc_derivative(a, x, n=n + 1), g),
    x=lambda g, a, x, n: product(_gamma_density_derivative(a, x, n), g),
)


def _gamma_density_derivative(a: Any, x: Any, n: int) -> Any:
    """Return derivative number n of the density in a."""
    slopes = {(k + 1, 0): -polygamma(k, a) for k in range(n)}
    slopes[1, 0] = slopes[1, 0] + _log(x)
    return bell(_gamma_density(a, x), slopes, n, 0)


_beta_density: Operation = structural(
    "beta_density",
    lambda a, b, x: on_vectors(_incomplete_beta.density, a, b, x),
    a=lambda g, a, b, x, out: product(out * (_log(x) + psi_difference(a, b)), g),
    b=lambda g, a, b, x, out: product(out * (_log1p(-x) + psi_difference(b, a)), g),
    x=lambda g, a, b, x, out: product(out * ((a - 1.0) / x - (b - 1.0) / (1.0 - x)), g),
)

_betainc_derivative: Operation = structural(
    "betainc_derivative",
    lambda a, b, x, *, n, m: on_vectors(lambda a, b, x: _incomplete_beta.derivative(a, b, x, n, m), a, b, x),
    a=lambda g, a, b, x, n, m: product(_betainc_derivative(a, b, x, n=n + 1, m=m), g),
    b=lambda g, a, b, x, n, m: product(_betainc_derivative(a, b, x, n=n, m=m + 1), g),
    x=lambda g, a, b, x, n, m: product(_beta_density_derivative(a, b, x, n, m), g),
)


def _beta_density_derivative(a: Any, b: Any, x: Any, n: int, m: int) -> Any:
    """Return the derivative of the density, number n in a and m in b."""
    slopes: dict[tuple[int, int], Any] = {}
    for i, j in pairs(range(n + 1), range(m + 1)):
        if i and j:
            slopes[i, j] = polygamma(i + j - 1, a + b)
        elif i:
            slopes[i, j] = psi_difference(a, b, i - 1)
        elif j:
            slopes[i, j] = psi_difference(b, a, j - 1)
    if n:
        slopes[1, 0] = slopes[1, 0] + _log(x)
    if m:
        slopes[0, 1] = slopes[0, 1] + _log1p(-x)
    return bell(_beta_density(a, b, x), slopes, n, m)


def gammainc_da(a: Any, x: Any) -> Any:
    """Return the derivative of the regularized incomplete gamma function P(a, x) in a."""
    return _gammainc_derivative(as_operand(a), as_operand(x), n=1)


def betainc_da(a: Any, b: Any, x: Any) -> Any:
    """Return the derivative of the regularized incomplete beta function in a."""
    return _betainc_derivative(as_operand(a), as_operand(b), as_operand(x), n=1, m=0)


def betainc_db(a: Any, b: Any, x: Any) -> Any:
    """Return the derivative of the regularized incomplete beta function in b."""
    return _betainc_derivative(as_operand(a), as_operand(b), as_operand(x), n=0, m=1)


def gamma_density(a: Any, x: Any) -> Any:
    """Return ``x**(a - 1) * exp(-x) / gamma(a)``."""
    return _gamma_density(as_operand(a), as_operand(x))


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """Return ``x**(a - 1) * (1 - x)**(b - 1) / beta(a, b)``."""
    return _beta_density(as_operand(a), as_operand(b), as_operand(x))


LINES = """
gammainc     | gammainc_da(x, y); gamma_density(x, y)   | 0.2 9; 0.1 9 | -
gammaincc    | -gammainc_da(x, y); -gamma_density(x, y) | 0.2 9; 0.1 9 | -
gammaincinv  | -gammainc_da(x, out) / gamma_density(x, out); 1.0 / gamma_density(x, out)  | 0.3 9; 0.05 0.95 | -
gammainccinv | -gammainc_da(x, out) / gamma_density(x, out); -1.0 / gamma_density(x, out) | 0.3 9; 0.05 0.95 | -
betainc      | betainc_da(x, y, z); betainc_db(x, y, z); beta_density(x, y, z)    | 0.2 6; 0.2 6; 0.02 0.98 | -
betaincc     | -betainc_da(x, y, z); -betainc_db(x, y, z); -beta_density(x, y, z) | 0.2 6; 0.2 6; 0.02 0.98 | -
betaincinv   | -betainc_da(x, y, out) / beta_density(x, y, out); -betainc_db(x, y, out) / beta_density(x, y, out);
               1.0 / beta_density(x, y, out)                                      | 0.5 6; 0.5 6; 0.05 0.95 | -
betainccinv  | -betainc_da(x, y, out) / beta_density(x, y, out); -betainc_db(x, y, out) / beta_density(x, y, out);
               -1.0 / beta_density(x, y, out)                                     | 0.5 6; 0.5 6; 0.05 0.95 | -
btdtria      | 1.0 / betainc_da(out, y, z); -betainc_db(out, y, z) / betainc_da(out, y, z);
               -beta_density(out, y, z) / betainc_da(out, y, z)                   | 0.1 0.9; 0.5 4; 0.1 0.9 | -
btdtrib      | -betainc_da(x, out, z) / betainc_db(x, out, z); 1.0 / betainc_db(x, out, z);
               -beta_density(x, out, z) / betainc_db(x, out, z)                   | 0.5 4; 0.1 0.9; 0.1 0.9 | -
"""

NAMES: dict[str, Any] = {
    "beta_density": beta_density,
    "betainc_da": betainc_da,
    "betainc_db": betainc_db,
    "gamma_density": gamma_density,
    "gammainc_da": gammainc_da,
}
