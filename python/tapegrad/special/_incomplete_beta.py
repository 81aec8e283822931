"""The derivatives of the regularized incomplete beta function I_x(a, b) in a and b, to any order, by NumPy.

I is the integral of the density t**(a-1) (1-t)**(b-1) / beta(a, b) from 0 to x; the derivatives are integrals of the
density times polynomials in log(t), log(1 - t) and polygamma functions, and vanish over all t. As for the incomplete
gamma function, the side is integrated on which nothing cancels. The variable is v = log(t / (1 - t)), in which the
density is exp(-phi) with a convex phi, so that the part that matters is one interval. Small a or b give it a long flat
piece beside features of size one, at about t = 1 / (1 + b); a long interval is therefore divided at fixed distances
from there.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise, product
from typing import TypeAlias

import numpy as np
import scipy.special

from tapegrad.special._accurate import (
    SUPPORT,
    Array,
    bell,
    expm1_minus,
    gamma_ratio_to_stirling,
    integrate,
    log1p_minus,
    log_ratio_minus,
    polygamma,
    polygamma_difference,
)

__all__ = ["density", "derivative"]

_Moments: TypeAlias = dict[tuple[int, int], Array]

_DIVISIONS = (-40.0, -12.0, 0.0, 12.0, 40.0)
_SHORT = 8.0  # an interval of this length needs no division: the nearest singularities are at v = i pi and -i pi
_LARGE = 16.0  # from this a + b on the terms of phi are so large that their cancellation matters


def _weight(a: Array, b: Array, x: Array) -> Array:
    """Return ``x**a * (1 - x)**b / beta(a, b)`` without overflow or loss on the way, for 0 < x < 1 and a, b > 0."""
    total = a + b
    difference = x * b - (1.0 - x) * a  # over a and over -b: the relative distances from the mode
    first = log_ratio_minus(difference / a, x * total / a)
    second = log_ratio_minus(-difference / b, (1.0 - x) * total / b)
    scale = np.sqrt(a / total * b / (2.0 * np.pi))
    ratio = gamma_ratio_to_stirling(total) / (gamma_ratio_to_stirling(a) * gamma_ratio_to_stirling(b))
    return scale * ratio * np.exp(a * first + b * second)


def density(a: Array, b: Array, x: Array) -> Array:
    """Return ``x**(a - 1) * (1 - x)**(b - 1) / beta(a, b)``, the derivative of I in x."""
    inside = (a > 0.0) & (b > 0.0) & (x > 0.0) & (x < 1.0) & np.isfinite(a) & np.isfinite(b)
    safe = [np.where(inside, value, 0.5) for value in (a, b, x)]
    power, other = np.where(x == 0.0, a, b), np.where(x == 0.0, b, a)
    edge = np.where(power < 1.0, np.inf, np.where(power == 1.0, other, 0.0))
    edge = np.where((a > 0.0) & (b > 0.0) & ((x == 0.0) | (x == 1.0)), edge, np.nan)
    return np.where(inside, _weight(*safe) / (safe[2] * (1.0 - safe[2])), edge)


def derivative(a: Array, b: Array, x: Array, n: int, m: int) -> Array:
    """Return the derivative of I_x(a, b), number n in a and m in b, at least one of them; vectors of one length."""
    result = np.zeros_like(x)
    valid = (a > 0.0) & (b > 0.0) & (x >= 0.0) & (x <= 1.0) & np.isfinite(a) & np.isfinite(b)
    result[~valid] = np.nan
    inside = valid & (x > 0.0) & (x < 1.0)
    for swapped, large in product((False, True), repeat=2):
        # I_x(a, b) is 1 - I_(1-x)(b, a), and 1 - x is exact for x above 1/2.
        part = inside & ((x > 0.5) == swapped) & ((a + b > _LARGE) == large)
        if not part.any():
            continue
        if swapped:
            result[part] = -_of_lower_half(b[part], a[part], 1.0 - x[part], m, n)
        else:
            result[part] = _of_lower_half(a[part], b[part], x[part], n, m)
    return result


def _of_lower_half(a: Array, b: Array, x: Array, n: int, m: int) -> Array:
    """Return the derivative for x of at most 1/2."""
    if m == 0:
        lower = np.log(x) <= -polygamma_difference(0, a, b)
    elif n == 0:
        lower = np.log1p(-x) >= -polygamma_difference(0, b, a)
    else:
        lower = x * (a + b) <= a
    result = np.empty_like(x)
    for those, direction in ((lower, -1.0), (~lower, 1.0)):
        if those.any():
            result[those] = -direction * _one_sided(a[those], b[those], x[those], n, m, direction)
    return result


def _one_sided(a: Array, b: Array, x: Array, n: int, m: int, direction: float) -> Array:
    """Return the integral over all v below (direction -1) or above (1) that of x."""
    start = np.log(x) - np.log1p(-x)
    end = _end_of_support(a, b, x, start, direction)
    places = [direction * (division - np.log1p(b) - start) for division in _DIVISIONS]
    divisions = [np.where(end > _SHORT, np.clip(place, 0.0, end), end) for place in places[:: int(direction)]]
    edges = [np.zeros_like(end), *divisions, end]
    moments = _moments(a, b, n, m)
    total = np.zeros_like(end)
    for left, right in pairwise(edges):
        wide = right > left
        if wide.any():
            those = [values[wide] for values in (a, b, x, start)]
            constants = {order: values[wide] for order, values in moments.items()}
            integrand = partial(_integrand, *those, direction=direction, constants=constants, n=n, m=m)
            total[wide] += integrate(integrand, left[wide], right[wide])
    return _weight(a, b, x) * total


def _integrand(
    a: Array, b: Array, x: Array, start: Array, s: Array, *, direction: float, constants: _Moments, n: int, m: int
) -> Array:
    """Return the density at v = start + direction * s over that at the start, times the polynomial."""
    v = start + direction * s
    both = np.log1p(np.exp(-np.abs(v)))
    slopes = {**constants}
    if n:
        slopes[1, 0] = constants[1, 0] + np.minimum(v, 0.0) - both  # log(t)
    if m:
        slopes[0, 1] = constants[0, 1] - np.maximum(v, 0.0) - both  # log(1 - t)
    result: Array = bell(np.exp(-_phi(a, b, x, direction * s)), slopes, n, m)
    return result


def _phi(a: Array, b: Array, x: Array, step: Array) -> Array:
    """Return minus the logarithm of the density, from v to v + step: (a + b) log(1 + x (exp(step) - 1)) - a step."""
    total = a + b
    growth = x * np.expm1(np.minimum(step, 700.0))
    logarithm = np.log1p(growth)
    if np.max(step) > 700.0:
        logarithm = np.where(step < 700.0, logarithm, step + np.log(x))
    direct: Array = total * logarithm - a * step
    if np.max(total) <= _LARGE:
        return direct
    # The terms of first order cancel near the mode: b x - a (1 - x) is what remains.
    small = np.abs(step) < 0.5
    step, growth = np.where(small, step, 0.0), np.where(small, growth, 0.0)
    expansion = (b * x - a * (1.0 - x)) * step + total * (log1p_minus(growth) + x * expm1_minus(step))
    return np.where(small, expansion, direct)


def _end_of_support(a: Array, b: Array, x: Array, start: Array, direction: float) -> Array:
    """Return the distance from the start at which phi exceeds its minimum by SUPPORT."""
    total = a + b
    mode = np.maximum(direction * (np.log(a / b) - start), 0.0)
    wanted = _phi(a, b, x, direction * mode) + SUPPORT
    # phi is at least this straight line, and convex: Newton's method comes down from its end without overshooting.
    if direction < 0.0:
        end = (wanted - total * np.log1p(-x)) / a
    else:
        end = (wanted - total * np.log(x)) / b
    for _ in range(30):
        excess = _phi(a, b, x, direction * end) - wanted
        if np.all(excess < 1.0):
            break
        slope = direction * (total * scipy.special.expit(start + direction * end) - a)
        end = end - np.where(excess > 1.0, excess / slope, 0.0)
    return end


def _moments(a: Array, b: Array, n: int, m: int) -> _Moments:
    """Return the derivatives of -log(beta(a, b)), by their orders in a and b."""
    found = {(i, 0): polygamma_difference(i - 1, a, b) for i in range(1, n + 1)}
    found |= {(0, j): polygamma_difference(j - 1, b, a) for j in range(1, m + 1)}
    return found | {(i, j): polygamma(i + j - 1, a + b) for i in range(1, n + 1) for j in range(1, m + 1)}
