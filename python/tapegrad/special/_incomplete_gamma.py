"""The derivatives of the regularized incomplete gamma function P(a, x) in a, to any order, by NumPy.

P is the integral of the density p(t) = t**(a-1) exp(-t) / gamma(a) from 0 to x, so its derivatives are integrals of p
times Bell polynomials in u = log(t) - digamma(a) and the polygamma functions of a: u, u**2 - polygamma(1, a), ... Over
all t they vanish. So the integral from 0 to x is, with the other sign, the one from x to infinity, and one of the two
does not cancel: that which ends before, or begins after, log(t) = digamma(a). Gauss-Legendre quadrature over the part
of log(t) that matters gives it to nearly the last digit. For x and a of at most about 1, where the upper integral would
see two very different scales, the power series of P is differentiated instead.
"""

from __future__ import annotations

from math import comb

import numpy as np
import scipy.special

from tapegrad.special._accurate import (
    SUPPORT,
    Array,
    bell,
    expm1_minus,
    gamma_ratio_to_stirling,
    integrate,
    log_minus_digamma,
    log_ratio_minus,
    polygamma,
)

__all__ = ["density", "derivative"]


def _weight(a: Array, x: Array) -> Array:
    """Return ``x**a * exp(-x) / gamma(a)`` without overflow or loss on the way, for positive finite arguments."""
    exponent = log_ratio_minus((x - a) / a, x / a)
    return np.sqrt(a / (2.0 * np.pi)) * np.exp(a * exponent) / gamma_ratio_to_stirling(a)


def density(a: Array, x: Array) -> Array:
    """Return ``x**(a - 1) * exp(-x) / gamma(a)``, the derivative of P(a, x) in x."""
    inside = (a > 0.0) & (x > 0.0) & np.isfinite(a) & np.isfinite(x)
    safe_a, safe_x = np.where(inside, a, 1.0), np.where(inside, x, 1.0)
    edge = np.where(x == 0.0, np.where(a < 1.0, np.inf, np.where(a == 1.0, 1.0, 0.0)), 0.0)
    outside = (a < 0.0) | (x < 0.0) | np.isnan(a) | np.isnan(x)
    return np.where(inside, _weight(safe_a, safe_x) / safe_x, np.where(outside, np.nan, edge))


def derivative(a: Array, x: Array, n: int) -> Array:
    """Return derivative number n >= 1 of P(a, x) in a; float64 vectors of one length."""
    result = np.zeros_like(x)
    result[(a < 0.0) | (x < 0.0) | np.isnan(a) | np.isnan(x)] = np.nan
    inside = (x > 0.0) & np.isfinite(x) & np.isfinite(a) & (a >= 0.0)
    few = inside & (x <= 1.0) & (a <= 1.5)
    # log(x) - digamma(a), where the sign of the first Bell polynomial changes.
    many = inside & ~few
    offset = np.zeros_like(x)
    offset[many] = _log_ratio(a[many], x[many])
    for part, rule in (
        (few, _by_series),
        (many & (offset <= 0.0), _by_lower_integral),
        (many & (offset > 0.0), _by_upper_integral),
    ):
        if part.any():
            result[part] = rule(a[part], x[part], n)
    return result


def _log_ratio(a: Array, x: Array) -> Array:
    """Return ``log(x) - digamma(a)``."""
    near = np.abs(x - a) < 0.5 * a
    ratio = np.where(near, np.log1p(np.where(near, (x - a) / a, 0.0)), np.log(x / a))
    return ratio + log_minus_digamma(a)


def _slopes(a: Array, n: int) -> dict[tuple[int, int], Array]:
    """Return the derivatives of -log(gamma(a)) from the second on, by their orders."""
    return {(k, 0): -polygamma(k - 1, a) for k in range(2, n + 1)}


def _by_lower_integral(a: Array, x: Array, n: int) -> Array:
    # With t = x exp(-s) the density falls by phi = a s - x (1 - exp(-s)), which is at least each of these bounds.
    offset, slopes = _log_ratio(a, x), _slopes(a, n)
    end = (SUPPORT + x) / a
    narrow = np.sqrt(2.0 * np.e * SUPPORT / x)
    end = np.where(narrow < 1.0, np.minimum(end, narrow), end)

    def integrand(s: Array) -> Array:
        phi = (a - x) * s + x * expm1_minus(-s)
        result: Array = bell(np.exp(-phi), {**slopes, (1, 0): offset - s}, n, 0)
        return result

    return _weight(a, x) * integrate(integrand, np.zeros_like(end), end)


def _by_upper_integral(a: Array, x: Array, n: int) -> Array:
    # With t = x exp(s) the density falls by phi = x (exp(s) - 1) - a s, which is at least (x - a) s + x s**2 / 2.
    offset, slopes = _log_ratio(a, x), _slopes(a, n)
    gap = x - a
    end = (np.sqrt(gap * gap + 2.0 * SUPPORT * x) - gap) / x
    end = np.minimum(end, np.log1p((SUPPORT + a * end) / x))

    def integrand(s: Array) -> Array:
        phi = gap * s + x * expm1_minus(s)
        result: Array = bell(np.exp(-phi), {**slopes, (1, 0): offset + s}, n, 0)
        return result

    return -_weight(a, x) * integrate(integrand, np.zeros_like(end), end)


def _by_series(a: Array, x: Array, n: int) -> Array:
    # P = x**a / gamma(a + 1) * (1 + sum over k >= 1 of (-x)**k / k! * a / (a + k)); both factors by Taylor's series.
    slopes = {**_slopes(a + 1.0, n), (1, 0): np.log(x) - polygamma(0, a + 1.0)}
    power = x**a / scipy.special.gamma(a + 1.0)
    factors = [bell(power, slopes, j, 0) for j in range(n + 1)]
    sums = [np.ones_like(x)] + [np.zeros_like(x)] * n
    term = np.ones_like(x)
    for k in range(1, 24):
        term = term * (-x) / k
        sums[0] = sums[0] + term * a / (a + k)
        quotient = -k * term / (a + k)  # a / (a + k) less 1
        for j in range(1, n + 1):
            quotient = quotient * -j / (a + k)
            sums[j] = sums[j] + quotient
    products: list[Array] = [comb(n, j) * factors[n - j] * sums[j] for j in range(n + 1)]
    total: Array = np.sum(products, axis=0)
    return total
