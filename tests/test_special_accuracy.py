"""Derivatives of special functions against exact arithmetic: what the accuracy page promises, and the numerics beneath.

Errors are counted in units of what is possible: see accuracy.py.
"""

import re
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
from accuracy import DIGITS, EPS, elementwise_cases, measure, other_cases, sections, special_cases
from accuracy_exact import SPECIAL, betainc, gammainc

from tapegrad.special import _accurate, _bessel, _carlson, _error, _incomplete_beta, _incomplete_gamma, _zeta

PAGE = Path(__file__).resolve().parents[1] / "docs" / "accuracy.md"
LINE = re.compile(r"^\| `([^`]+)` \| (\d) \|[^|]+\| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", re.MULTILINE)
PROMISED = {
    (name, int(argument)): (float(value), float(possible))
    for name, argument, value, _, _, possible in LINE.findall(PAGE.read_text("utf-8"))
}

# One or two functions of each family, and those with numerics of our own.
CHECKED = {
    *("gamma", "psi", "beta", "zetac", "gammainc", "gammaincinv", "betainc", "betaincinv"),
    *("ndtr", "log_ndtr", "ndtri", "chdtr", "stdtr", "fdtr", "erf", "erfcx", "erfcinv", "dawsn"),
    *("expit", "logit", "kl_div", "boxcox", "exprel", "j0", "i0e", "k0e", "kve"),
    *("ellipk", "ellipkinc", "elliprf", "eval_jacobi", "hyp0f1", "exp1", "spence"),
}


def test_the_page_lists_every_measurement():
    """The page is of the tables as they are, even if its numbers were not computed anew."""
    expected = {(case.name, place) for _, cases in sections() for case in cases for place in case.places}
    listed = {(name, argument) for name, argument in PROMISED if (name, argument) in expected}
    assert listed == expected, "run python docs/make_accuracy.py"


def test_the_page_shows_good_numbers():
    """Derivatives are as accurate as the values that they are made of, in nearly all lines."""
    worse = {key for key, (value, possible) in PROMISED.items() if possible > 40.0 + 4.0 * value}
    assert len(worse) <= len(PROMISED) // 20, worse


def cases():
    for names in SPECIAL.values():
        yield from special_cases({name: exact for name, exact in names.items() if name in CHECKED})
    yield from other_cases()


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_special_functions_keep_the_promise(case):
    """At other points than those of the page the errors are much the same."""
    for finding in measure(case, 6, seed=99):
        _, promised = PROMISED[case.name, finding.argument]
        assert finding.possible <= 3.0 * promised + 4.0, finding


@pytest.mark.parametrize("case", list(elementwise_cases()), ids=lambda case: case.name)
def test_elementwise_operations_keep_the_promise(case):
    for finding in measure(case, 20, seed=99):
        _, promised = PROMISED[case.name, finding.argument]
        assert finding.possible <= 3.0 * promised + 4.0, finding


def derivative(function, arguments, places, digits=150):
    """A partial derivative of an exact function, in the given places one after the other."""
    if not places:
        return function(*arguments)
    with mp.workdps(digits):
        step = abs(arguments[places[0]]) * mp.mpf(10) ** (-digits // 5)
        ends = []
        for sign in (1, -1):
            moved = [x + sign * step if k == places[0] else x for k, x in enumerate(arguments)]
            ends.append(derivative(function, moved, places[1:], digits))
        return (ends[0] - ends[1]) / (2 * step)


def assert_accurate(found, exact, points, places, units):
    """Each number is right to so many units of what rounding each argument costs."""
    for f, point in zip(found, zip(*points, strict=True), strict=True):
        with mp.workdps(DIGITS * 4):
            arguments = [mp.mpf(float(x)) for x in point]
            expected = derivative(exact, arguments, places)
            condition = abs(expected)
            for k, x in enumerate(arguments):
                condition += abs(x * derivative(exact, arguments, [k, *places]))
            error = float(abs(mp.mpf(float(f)) - expected) / condition) / EPS
        assert error <= units, f"{error:.1f} units at {[float(x) for x in point]}: {f!r}, not {float(expected)!r}"


@pytest.fixture
def shapes(rng):
    """Shape parameters over many orders of magnitude."""
    return 10.0 ** rng.uniform(-4.0, 4.0, 12)


class TestOurOwnNumerics:
    def test_incomplete_gamma_in_a(self, shapes, rng):
        x = shapes * np.exp(rng.normal(size=12) * np.where(rng.random(12) < 0.5, 1.5, 1.0 / np.sqrt(1.0 + shapes)))
        likely = _incomplete_gamma.density(shapes, x) > 1e-60
        points = [shapes[likely], x[likely]]
        assert likely.sum() >= 8
        assert_accurate(_incomplete_gamma.derivative(*points, 1), gammainc, points, [0], 4.0)

    def test_incomplete_gamma_twice_in_a(self):
        points = [np.array([0.01, 0.7, 3.0, 40.0, 40.0]), np.array([0.3, 0.9, 1.0, 35.0, 60.0])]
        assert_accurate(_incomplete_gamma.derivative(*points, 2), gammainc, points, [0, 0], 4.0)

    def test_incomplete_gamma_of_huge_arguments(self):
        """Near x = a = 1e9 it is -1 / sqrt(2 pi a): without care, nine digits would be lost."""
        a = np.array([1e9])
        expected = -1.0 / np.sqrt(2.0 * np.pi * a)
        np.testing.assert_allclose(_incomplete_gamma.derivative(a, a, 1), expected, rtol=1e-9)

    def test_incomplete_beta(self, rng):
        a, b = 10.0 ** rng.uniform(-3.0, 2.5, (2, 8))
        x = 1.0 / (1.0 + b / a * np.exp(rng.normal(size=8) * 2.0 / np.sqrt(1.0 + a * b / (a + b))))
        points = [a, b, x]
        for n, m in ((1, 0), (0, 1)):
            found = _incomplete_beta.derivative(a, b, x, n, m)
            assert_accurate(found, betainc, points, [0] * n + [1] * m, 6.0)

    def test_incomplete_beta_mixed(self):
        points = [np.array([0.3, 4.0]), np.array([2.0, 5.0]), np.array([0.2, 0.7])]
        for n, m in ((1, 1), (2, 0), (0, 2)):
            found = _incomplete_beta.derivative(*points, n, m)
            assert_accurate(found, betainc, points, [0] * n + [1] * m, 40.0)

    def test_outside_of_the_domain(self):
        for a, x in ((-1.0, 1.0), (1.0, -1.0), (np.nan, 1.0)):
            assert np.isnan(_incomplete_gamma.derivative(np.array([a]), np.array([x]), 1))
            assert np.isnan(_incomplete_gamma.density(np.array([a]), np.array([x])))
        for a, b, x in ((-1.0, 1.0, 0.5), (1.0, 0.0, 0.5), (1.0, 1.0, 1.5), (1.0, 1.0, np.nan)):
            assert np.isnan(_incomplete_beta.derivative(np.array([a]), np.array([b]), np.array([x]), 1, 0))
            assert np.isnan(_incomplete_beta.density(np.array([a]), np.array([b]), np.array([x])))

    @pytest.mark.parametrize("ratio", [1e-9, 0.1, -0.3, 0.6, 3.0])
    @pytest.mark.parametrize("n", [0, 2])
    def test_differences_of_polygamma(self, n, ratio):
        x = np.geomspace(1e-6, 1e6, 13)
        found = _accurate.polygamma_difference(n, x, ratio * x)
        with mp.workdps(DIGITS):
            exact = [mp.psi(n, mp.mpf(t) + mp.mpf(h)) - mp.psi(n, mp.mpf(t)) for t, h in zip(x, ratio * x, strict=True)]
        np.testing.assert_allclose(found, np.array(exact, np.float64), rtol=1e-14)

    def test_small_differences(self):
        x = np.concatenate([np.linspace(-0.9, 3.0, 40), np.geomspace(1e-12, 100.0, 30)])
        with mp.workdps(DIGITS):
            logs = [mp.log1p(mp.mpf(t)) - mp.mpf(t) for t in x]
            exponentials = [mp.expm1(mp.mpf(t)) - mp.mpf(t) for t in x]
        np.testing.assert_allclose(_accurate.log1p_minus(x), np.array(logs, np.float64), rtol=2e-15)
        np.testing.assert_allclose(_accurate.expm1_minus(x), np.array(exponentials, np.float64), rtol=2e-15)

    @pytest.mark.parametrize("order", [1, 2])
    def test_zeta_in_its_exponent(self, order):
        points = [np.array([1.1, 2.5, 12.0, 40.0]), np.array([0.2, 1.0, 3.0, 25.0])]
        assert_accurate(_zeta.derivative(*points, order), mp.zeta, points, [0] * order, 2.0)

    def test_carlson(self, rng):
        points = list(10.0 ** rng.uniform(-5.0, 5.0, (3, 8)))
        found = -0.25 * _carlson.integral(1.0, (1.5, 0.5, 0.5), tuple(points))
        assert_accurate(found, mp.elliprf, points, [0], 3.0)

    def test_carlson_at_zero_and_outside(self):
        zero, one, two = np.zeros(1), np.ones(1), 2.0 * np.ones(1)
        assert np.isinf(_carlson.integral(1.0, (1.5, 0.5, 0.5), (zero, one, two)))
        assert np.isnan(_carlson.integral(1.0, (0.5, 0.5, 0.5), (-one, one, two)))

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_integrals_of_erfc(self, n):
        """The first is (exp(-x**2) / sqrt(pi) - x erfc(x)); here times exp(x**2)."""
        x = np.array([-3.0, -0.1, 0.0, 0.3, 2.0, 30.0, 1e4])

        def exact(s):
            integral = mp.quad(lambda t: t**n * mp.exp(-t * t - 2 * s * t), [0, 10 / (1 + abs(s)), mp.inf])
            return 2 / mp.sqrt(mp.pi) / mp.factorial(n) * integral

        with mp.workdps(DIGITS):
            expected = np.array([exact(mp.mpf(s)) for s in x], np.float64)
        np.testing.assert_allclose(_error._repeated_values(x, n), expected, rtol=3e-14)

    @pytest.mark.parametrize(
        ("ours", "exact", "sign"),
        [(_bessel._ive_derivative, mp.besseli, 1), (_bessel._kve_derivative, mp.besselk, -1)],
        ids=["ive", "kve"],
    )
    @pytest.mark.parametrize("order", [1, 2])
    def test_scaled_bessel_functions_of_large_arguments(self, ours, exact, sign, order):
        """By 2 Z'(v) = sign (Z(v-1) + Z(v+1)) for the derivatives of exp(-sign z) Z(v), with enough digits."""

        def slope(v, z, n):
            if not n:
                return mp.exp(-sign * z) * exact(v, z)
            neighbours = slope(v - 1, z, n - 1) + slope(v + 1, z, n - 1)
            return sign * (neighbours / 2 - slope(v, z, n - 1))

        points = [np.array([0.0, 1.0, 2.5, 0.0]), np.array([50.0, 200.0, 1e3, 1e5])]
        with mp.workdps(DIGITS):
            for found, v, z in zip(ours(*points, order), *points, strict=True):
                assert float(abs(found / slope(mp.mpf(v), mp.mpf(z), order) - 1)) < 1e-13
