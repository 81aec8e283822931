"""NumPy's polynomials on tensors: arithmetic, values, roots, fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from against_numpy import LAYOUTS, assert_like_numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tapegrad as tf
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads

RNG = np.random.default_rng(11)
P = RNG.normal(size=4)
COMPLEX_P = P + 1j * RNG.normal(size=4)
Q = RNG.normal(size=3)

POLYNOMIALS: dict[str, np.ndarray] = {
    "real": P,
    "complex": COMPLEX_P,
    "float32": P.astype(np.float32),
    "integers": np.array([2, -3, 1]),
    "leading zeros": np.array([0.0, 0.0, 1.5, 2.0]),
    "all zeros": np.zeros(3),
    "constant": np.array([3.0]),
}


@pytest.mark.parametrize("name", POLYNOMIALS)
@pytest.mark.parametrize("other", POLYNOMIALS)
@pytest.mark.parametrize("function", [np.polyadd, np.polysub, np.polymul])
def test_arithmetic(function: Callable[..., Any], name: str, other: str) -> None:
    assert_like_numpy(function, POLYNOMIALS[name], POLYNOMIALS[other])


@pytest.mark.parametrize("function", [np.polyadd, np.polysub, np.polymul])
def test_gradients_of_arithmetic(function: Callable[..., Any]) -> None:
    check_grads(function, (P, Q))
    check_grads(function, (Q, COMPLEX_P))
    check_grads(function, (np.float64(2.0), P))


@pytest.mark.parametrize("name", ["real", "float32", "integers", "leading zeros", "constant"])
def test_division(name: str) -> None:
    for divisor in (Q, np.array([2, 1]), np.array([4.0])):
        assert_like_numpy(np.polydiv, POLYNOMIALS[name], divisor)
        assert_like_numpy(np.polydiv, np.convolve(divisor, POLYNOMIALS[name]), divisor)
    # NumPy divides complex scalars by another formula than arrays.
    assert_like_numpy(np.polydiv, POLYNOMIALS[name], np.array([2 + 1j, 0.3]), ulp=8)


def test_gradients_of_division() -> None:
    check_grads(np.polydiv, (P, Q))
    check_grads(np.polydiv, (COMPLEX_P, Q[:2]))
    check_grads(np.polydiv, (Q, P))


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_derivatives_and_integrals(name: str) -> None:
    p = POLYNOMIALS[name]
    for m in (0, 1, 2, 5, -1):
        assert_like_numpy(np.polyder, p, m)
        assert_like_numpy(np.polyint, p, m)
        assert_like_numpy(np.polyint, p, m, np.array(2.5))
        assert_like_numpy(np.polyint, p, m, np.array([1.5, 2.5]))


def test_gradients_of_derivatives_and_integrals() -> None:
    for m in (1, 2, 3):
        check_grads(lambda p, m=m: np.polyder(p, m), (COMPLEX_P,))
        check_grads(lambda p, k, m=m: np.polyint(p, m, k), (COMPLEX_P, P[:m]))
    check_grads(lambda p, k: np.polyint(p, 3, k), (P, np.float64(0.5)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", POLYNOMIALS)
def test_values(name: str, layout: str) -> None:
    assert_like_numpy(np.polyval, POLYNOMIALS[name], LAYOUTS[layout])


def test_gradients_of_values() -> None:
    check_grads(np.polyval, (P, LAYOUTS["float64"]))
    check_grads(np.polyval, (COMPLEX_P, LAYOUTS["complex128"]))
    check_grads(lambda x: np.polyval(P, x), (0.3,))
    assert_like_numpy(np.polyval, np.zeros(0), LAYOUTS["float64"])
    # As many polynomials as x has columns.
    assert_like_numpy(np.polyval, LAYOUTS["float64"], P[0])


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_roots(name: str) -> None:
    assert_like_numpy(np.roots, POLYNOMIALS[name])
    assert_like_numpy(np.roots, np.append(POLYNOMIALS[name], [0, 0]))
    assert_like_numpy(np.roots, LAYOUTS["float64"])


@pytest.mark.parametrize(
    "p",
    [P, COMPLEX_P, np.array([1.0, -6.0, 11.0, -6.0]), np.array([1.0, 0.0, 1.0]), np.array([2.0, 1.0])],
    ids=["one pair", "complex", "three real", "imaginary", "linear"],
)
def test_gradients_of_roots(p: np.ndarray) -> None:
    check_grads(np.roots, (p,))


def test_gradients_of_a_root_that_is_zero() -> None:
    p = tf.constant([0.0, 1.0, 2.0, 0.0])
    with tf.GradientTape() as tape:
        tape.watch(p)
        y = np.roots(p)
    # The roots are -2 and 0; the leading zero has none.
    np.testing.assert_allclose(tape.jacobian(y, p), [[0, 2, -1, 0.5], [0, 0, 0, -0.5]], rtol=1e-6)


def test_roots_of_nothing() -> None:
    for p in ([], [0.0], [3.0]):
        assert tnp.roots(p).shape == (0,)


def test_gradients_of_a_double_root_are_not_finite() -> None:
    p = tf.constant([1.0, 0.0, 0.0])
    with tf.GradientTape() as tape:
        tape.watch(p)
        y = np.roots(p)
    assert not np.isfinite(tape.gradient(y, p).numpy()).all()


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials_with_given_zeros(name: str) -> None:
    assert_like_numpy(np.poly, POLYNOMIALS[name])


def test_characteristic_polynomials() -> None:
    matrix = LAYOUTS["float64"][:, :5]
    assert_like_numpy(np.poly, matrix)
    assert_like_numpy(np.poly, np.array([1 + 2j, 1 - 2j, 3]))  # conjugates give real coefficients
    assert_like_numpy(np.poly, LAYOUTS["float64"])
    assert float(tnp.poly([])) == 1.0
    check_grads(np.poly, (COMPLEX_P,))
    check_grads(np.poly, (P,))
    check_grads(np.poly, (matrix,))


@given(
    x=arrays.arrays(np.float64, st.integers(0, 5), elements=st.floats(-3, 3)),
    n=st.one_of(st.none(), st.integers(0, 6)),
    increasing=st.booleans(),
)
def test_vander(x: np.ndarray, n: int | None, increasing: bool) -> None:
    for values in (x, x.astype(np.float32), x + 2j, np.rint(x).astype(np.int32)):
        assert_like_numpy(np.vander, values, n, increasing)
    if x.size and n != 0:
        check_grads(lambda x: np.vander(x, n, increasing), (x + 0.5j,), order=1)


def test_second_derivatives_of_vander() -> None:
    check_grads(np.vander, (P,))
    check_grads(lambda x: np.vander(x, 5, increasing=True), (np.append(COMPLEX_P, 0.0),))
    assert_like_numpy(np.vander, LAYOUTS["float64"])


# Fits.

X = np.linspace(-1.0, 1.5, 9)
Y = RNG.normal(size=(9, 2))
W = RNG.uniform(0.5, 2.0, size=9)


@pytest.mark.parametrize("degree", [0, 1, 3])
@pytest.mark.parametrize("w", [None, W], ids=["unweighted", "weighted"])
def test_polyfit(degree: int, w: Any) -> None:
    for y in (Y, Y[:, 0], Y[:, 1].astype(np.float32), np.rint(Y * 4).astype(np.int64), Y[:, 0] + 1j * Y[:, 1]):
        assert_like_numpy(np.polyfit, X, y, degree, w=w)
        assert_like_numpy(np.polyfit, X, y, degree, w=w, cov=True)
        assert_like_numpy(np.polyfit, X, y, degree, w=w, cov="unscaled")
    assert_like_numpy(np.polyfit, np.arange(9), Y, degree, w=w)
    weights = np.ones(9) if w is None else w
    check_grads(lambda x, y, w: np.polyfit(x, y, degree, w=w), (X, Y, weights))
    check_grads(lambda x, y: np.polyfit(x, y, degree, w=w, cov=True), (X, Y[:, 0]))
    check_grads(lambda x, y: np.polyfit(x, y, degree, w=w, cov="unscaled")[1], (X, Y))


def test_all_about_a_fit() -> None:
    x, y = tf.constant(X), tf.constant(Y)
    coefficients, residuals, rank, values, rcond = np.polyfit(x, y, 2, full=True)
    expected = np.polyfit(X, Y, 2, full=True)
    for result, wanted in zip((coefficients, residuals, rank, values), expected, strict=False):
        np.testing.assert_array_equal(result, wanted)
    assert rcond == expected[4]
    check_grads(lambda x, y: np.polyfit(x, y, 2, full=True)[1], (X, Y))


def test_fits_that_do_not_work() -> None:
    for x, y, degree, options in [
        (X, Y, -1, {}),
        (Y, Y, 1, {}),
        (X[:0], Y[:0], 1, {}),
        (X, Y[:, :, None], 1, {}),
        (X, Y[:4], 1, {}),
        (X, Y, 1, {"w": Y}),
        (X, Y, 1, {"w": W[:3]}),
        (X, Y, 1, {"w": W + 1j}),
        (X[:3], Y[:3], 2, {"cov": True}),
    ]:
        assert_like_numpy(np.polyfit, x, y, degree, **options)
    with pytest.warns(np.exceptions.RankWarning) as caught:
        np.polyfit(tf.constant(X[:2]), Y[:2], 3)
    assert caught[0].filename == __file__
