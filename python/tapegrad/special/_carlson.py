"""Carlson's elliptic integrals and all their derivatives, as one integral that is computed by the trapezoidal rule.

What their derivatives have in common is the form of t**(c-1) times the product of (t + z[i])**(-b[i]), integrated over
t > 0 with half-integer exponents: differentiating in z[i] raises b[i] by one. With t = exp(v) the integrand is analytic
for |Im v| < pi and decays exponentially on both sides, where the trapezoidal rule converges like exp(-2 pi**2 / step);
and it is positive, so that nothing cancels.
"""

from __future__ import annotations

import numpy as np

from tapegrad.special._accurate import Array

__all__ = ["integral"]

_STEP = 0.35
_TAIL = 42.0  # the rest of the integral beyond a factor exp(-_TAIL) is left out


def integral(c: float, b: tuple[float, ...], z: tuple[Array, ...]) -> Array:
    """Return the integral of ``t**(c - 1) * prod((t + z[i])**-b[i])`` over t > 0; vectors z[i] of one length.

    It is nan for negative z, and infinite where it diverges at t = 0 because of zeros among them.
    """
    zeros = np.sum([np.where(part == 0.0, power, 0.0) for part, power in zip(z, b, strict=True)], axis=0)
    left = c - zeros  # the integrand goes like t**left at 0 and like t**-right at infinity, in v
    right = sum(b) - c
    valid = np.all([(part >= 0.0) & np.isfinite(part) for part in z], axis=0)
    result = np.where(valid, np.inf, np.nan)
    proper = valid & (left > 0.0)
    if not proper.any():
        return result
    parts = [part[proper] for part in z]
    logs = np.log(np.where(np.array(parts) > 0.0, parts, np.nan))
    first = np.nanmin(logs, axis=0) - _TAIL / left[proper]
    last = np.nanmax(logs, axis=0) + _TAIL / right
    total = np.zeros_like(first)
    for k in range(int(np.max((last - first) / _STEP)) + 1):
        v = first + k * _STEP
        t = np.exp(v)
        value = np.exp(c * v)
        for part, power in zip(parts, b, strict=True):
            value = value * (t + part) ** -power
        total += value
    result[proper] = _STEP * total
    return result
