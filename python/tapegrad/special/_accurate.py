"""Elementary functions without cancellation, and the quadrature that the derivatives of special functions are made of.

All here work on float64 arrays of NumPy and are not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from itertools import product
from math import comb, factorial
from operator import add
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.special

__all__ = [
    "Array",
    "bell",
    "expm1_minus",
    "gamma_ratio_to_stirling",
    "integrate",
    "log1p_minus",
    "log_minus_digamma",
    "log_ratio_minus",
    "polygamma",
    "polygamma_difference",
]

Array: TypeAlias = npt.NDArray[np.float64]

# The Gauss-Legendre rule with forty nodes on [0, 1], which is exact for exp(-45 t) and exp(-45 t**2) to the last digit:
# the nodes below 1/2 (the others mirror them) and their weights. What an integrand has near 0 counts most, and no
# library function gives the nodes and weights there to better than 1e-13.
_RULE = (
    (0.0008811451447203998, 0.0022606385492665955),
    (0.004636880650271497, 0.005249142265576406),
    (0.011370025008112869, 0.008210529190953945),
    (0.021041590393104173, 0.01112292459708348),
    (0.03359359586066173, 0.0139685034900117),
    (0.04895059651556285, 0.016730097641273922),
    (0.06702024839387025, 0.019391083987236008),
    (0.08769388458334416, 0.021935454092836634),
    (0.1108471742867403, 0.024347903817536116),
    (0.13634087240503645, 0.02661392349196841),
    (0.16402165769291022, 0.028719884549695776),
    (0.19372305516600988, 0.03065312124646447),
    (0.2252664374524359, 0.03240200672830052),
    (0.25846209915691065, 0.03395602290761695),
    (0.2931103978141975, 0.03530582369564339),
    (0.32900295458712076, 0.03644329119790203),
    (0.36592390749637316, 0.03736158452898413),
    (0.40365120964931445, 0.03805518095031312),
    (0.4419579646623724, 0.038519909082123986),
    (0.48061379124697456, 0.0387529739892124),
)
_BELOW, _WEIGHTS = np.array(_RULE).T
NODES = np.concatenate([_BELOW, 1.0 - _BELOW[::-1]])
WEIGHTS = np.concatenate([_WEIGHTS, _WEIGHTS[::-1]])

SUPPORT = 45.0
"""Where an integrand exp(-phi) has phi = SUPPORT it is below 1e-19, and the rest of its tail is left out."""


def bell(density: Any, slopes: Mapping[tuple[int, int], Any], n: int, m: int) -> Any:
    """Return the derivative of f = exp(h), number n in one variable and m in another, for arrays or recorded values.

    `density` is f, and `slopes` has the derivatives of h by their orders. (Over f it is a complete Bell polynomial.)
    """
    values = {(0, 0): density}
    for i, j in product(range(n + 1), range(m + 1)):
        # Leibniz's rule for the derivative of f h', where h' is taken in the first variable if there is one.
        if i:
            terms = [
                (comb(i - 1, p) * comb(j, q), (i - 1 - p, j - q), (p + 1, q)) for p in range(i) for q in range(j + 1)
            ]
        elif j:
            terms = [(comb(j - 1, q), (0, j - 1 - q), (0, q + 1)) for q in range(j)]
        else:
            continue
        values[i, j] = reduce(add, [float(count) * (values[of] * slopes[by]) for count, of, by in terms])
    return values[n, m]


def integrate(integrand: Callable[[Array], Array], start: Array, end: Array) -> Array:
    """Return the integrals from `start` to `end`, vectors; the integrand gets one row of points for each node."""
    width = end - start
    return width * (WEIGHTS @ integrand(start + width * NODES[:, np.newaxis]))


def expm1_minus(x: Array) -> Array:
    """Return ``exp(x) - 1 - x``."""
    x = np.asarray(x)
    small = np.where(np.abs(x) < 0.5, x, 0.0)
    series = np.zeros_like(small)
    for k in range(16, 1, -1):
        series = (1.0 + series) * small / k
    # Now series = x/2 + x**2/6 + ...
    return np.where(np.abs(x) < 0.5, small * series, np.expm1(x) - x)


def log1p_minus(x: Array) -> Array:
    """Return ``log(1 + x) - x``."""
    x = np.asarray(x)
    near = (x > -0.5) & (x < 1.0)
    small = np.where(near, x, 0.0)
    # With r = x / (2 + x), log(1 + x) = 2 artanh(r) and x - 2 r = r x.
    r = small / (2.0 + small)
    square = r * r
    series = np.zeros_like(r)
    for k in range(41, 1, -2):
        series = series * square + 1.0 / k
    return np.where(near, r * (2.0 * square * series - small), np.log1p(np.where(near, 0.0, x)) - x)


def log_ratio_minus(excess: Array, ratio: Array) -> Array:
    """Return ``log(ratio) - excess`` where the ratio is 1 + excess; each is accurate where it is used."""
    near = np.abs(excess) < 0.5
    return np.where(near, log1p_minus(np.where(near, excess, 0.0)), np.log(ratio) - excess)


_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)


def gamma_ratio_to_stirling(a: Array) -> Array:
    """Return gamma(a) over Stirling's formula, ``sqrt(2 pi / a) * (a / e)**a``, for a > 0."""
    large = a >= 10.0
    inverse = 1.0 / np.where(large, a, 10.0)
    series = np.zeros_like(inverse)
    for coefficient in reversed(_STIRLING):
        series = series * inverse * inverse + coefficient
    small = np.where(large, 1.0, a)
    direct = scipy.special.gamma(small) * np.exp(small - (small - 0.5) * np.log(small)) / np.sqrt(2.0 * np.pi)
    return np.where(large, np.exp(series * inverse), direct)


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def log_minus_digamma(a: Array) -> Array:
    """Return ``log(a) - digamma(a)`` for a > 0."""
    large = a >= 10.0
    inverse = 1.0 / np.where(large, a, 10.0)
    series = np.zeros_like(inverse)
    for k in range(len(_BERNOULLI), 0, -1):
        series = series * inverse * inverse + _BERNOULLI[k - 1] / (2 * k)
    small = np.where(large, 1.0, a)
    direct = np.log(small) - scipy.special.digamma(small)
    return np.where(large, inverse * (0.5 + series * inverse), direct)


def polygamma(n: int, x: Array) -> Array:
    """Return derivative number n of the digamma function."""
    if n == 0:
        return np.asarray(scipy.special.digamma(x))
    factor = factorial(n) * (-1.0) ** (n + 1)
    return np.asarray(factor * scipy.special.zeta(n + 1, x))


_SHIFT = 10  # from here on the asymptotic series are accurate


def polygamma_difference(n: int, x: Array, h: Array) -> Array:
    """Return ``polygamma(n, x + h) - polygamma(n, x)``, accurate for small h as well.

    Where both arguments are positive, by recurrence and the asymptotic series: a difference of two powers is written as
    ``(x + h)**-m - x**-m = -h p q (p**(m-1) + p**(m-2) q + ... + q**(m-1))`` with p = 1 / (x + h) and q = 1 / x.
    """
    positive = (x > 0.0) & (x + h > 0.0)
    base, step = np.where(positive, x, 1.0), np.where(positive, h, 0.0)
    sign = (-1.0) ** (n + 1)
    total = np.zeros_like(base)
    for k in range(_SHIFT):
        total += sign * factorial(n) * _differences(base + k, step, n + 1)[-1]
    powers = _differences(base + _SHIFT, step, 2 * len(_BERNOULLI) + n)
    total += sign * (factorial(n) / 2.0) * powers[n]
    total += sign * factorial(n - 1) * powers[n - 1] if n else np.log1p(step / (base + _SHIFT))
    for k, number in enumerate(_BERNOULLI, 1):
        total += sign * number * (factorial(2 * k + n - 1) / factorial(2 * k)) * powers[2 * k + n - 1]
    return total if positive.all() else np.where(positive, total, polygamma(n, x + h) - polygamma(n, x))


def _differences(x: Array, h: Array, count: int) -> list[Array]:
    """Return ``(x + h)**-m - x**-m`` for m from 1 to `count`."""
    p, q = 1.0 / (x + h), 1.0 / x
    scale = -h * p * q
    sums, power = [np.ones_like(x)], q
    for _ in range(count - 1):
        sums.append(p * sums[-1] + power)
        power = power * q
    return [scale * part for part in sums]
