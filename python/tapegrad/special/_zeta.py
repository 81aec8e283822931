"""The derivatives of the Hurwitz zeta function in its exponent, to any order, by NumPy.

By the formula of Euler and Maclaurin, each term of which is a product of elementary functions of the exponent.
"""

from __future__ import annotations

from math import comb, factorial

import numpy as np
import scipy.special

from tapegrad.special._accurate import Array

__all__ = ["derivative"]

_TERMS = 12  # that are summed; from there on the sum is an integral with corrections
_BERNOULLI = scipy.special.bernoulli(26)


def derivative(s: Array, q: Array, n: int) -> Array:
    """Return derivative number n in s of the sum over k >= 0 of ``(k + q)**-s``, continued to s > -6; q > 0."""
    result = sum((k + q) ** -s * (-np.log(k + q)) ** n for k in range(_TERMS))
    w = q + _TERMS
    log = np.log(w)
    result = result + 0.5 * w**-s * (-log) ** n
    # w**(1-s) / (s-1): the derivatives of the two factors, combined by Leibniz's rule.
    result = result + w ** (1.0 - s) * sum(
        comb(n, j) * (-log) ** (n - j) * (-1.0) ** j * factorial(j) / (s - 1.0) ** (j + 1) for j in range(n + 1)
    )
    # s (s+1) ... (s+2i-2) w**(-s-2i+1) times a Bernoulli number; the derivatives of the product by recurrence.
    rising = [s, np.ones_like(s), *[np.zeros_like(s)] * n][: n + 1]
    for i in range(1, 14):
        power = _BERNOULLI[2 * i] / factorial(2 * i) * w ** (-s - 2 * i + 1)
        result = result + power * sum(comb(n, j) * (-log) ** (n - j) * rising[j] for j in range(n + 1))
        for shift in (2 * i - 1, 2 * i):
            rising = [(s + shift) * r + (j * rising[j - 1] if j else 0.0) for j, r in enumerate(rising)]
    return np.where(q > 0.0, result, np.nan)
