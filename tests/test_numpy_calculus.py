"""NumPy's calculus of samples on tensors: running sums, differences, integrals, interpolation, convolution, windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from against_numpy import LAYOUTS, assert_like_numpy, gradient
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tapegrad as tf
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads

RNG = np.random.default_rng(5)
X = LAYOUTS["float64"]
Z = LAYOUTS["complex128"]
HOLES = np.where(X > 1, np.nan, X)
NUMBERS = sorted(LAYOUTS.keys() - {"bool"})

any_matrix = arrays.arrays(
    np.float64, arrays.array_shapes(max_dims=3, max_side=5, min_side=0), elements=st.floats(-3, 3)
)


# Running sums and products.


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_running(name: str, layout: str) -> None:
    function, x = getattr(np, name), LAYOUTS[layout]
    for axis in (None, 0, -1, 2):
        assert_like_numpy(function, x, axis)
    assert_like_numpy(function, x, 0, np.complex128)
    assert_like_numpy(function, np.array(x[0, 0]))
    if name.startswith("nan"):
        assert_like_numpy(function, HOLES, 1)


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_cumulative(name: str, layout: str) -> None:
    function, x = getattr(np, name), LAYOUTS[layout]
    for options in ({"axis": 0}, {"axis": -1, "include_initial": True}, {"axis": 1, "dtype": np.complex64}, {}):
        assert_like_numpy(function, x, **options)
    assert_like_numpy(function, x[0], include_initial=True)


def test_gradients_of_running() -> None:
    zeros = np.where(np.abs(X) < 0.5, 0.0, X)
    for axis in (None, 0, 1):
        check_grads(lambda x, axis=axis: np.cumsum(x, axis), (Z,))
        check_grads(lambda x, axis=axis: np.cumprod(x, axis), (zeros,))
    check_grads(lambda x: np.cumprod(x, 0), (Z,))
    check_grads(lambda x: np.nancumsum(tf.where(X > 1, np.nan, x), 0), (X,))
    check_grads(lambda x: np.nancumprod(tf.where(X > 1, np.nan, x), 1), (Z,))
    check_grads(lambda x: np.cumulative_sum(x, axis=0, include_initial=True), (X,))
    check_grads(lambda x: np.cumulative_prod(x, axis=1, include_initial=True), (zeros,))
    np.testing.assert_array_equal(gradient(np.nancumsum, [1.0, np.nan, 2.0]), [3, 0, 1])


@given(x=any_matrix, data=st.data())
def test_running_over_any_shape(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from([None, *range(x.ndim)]))
    assert_like_numpy(np.cumsum, x, axis)
    assert_like_numpy(np.cumprod, x, axis)
    if x.size:  # products of factors up to 1: those that grow are too curved for differences
        check_grads(lambda x: np.cumprod(x / 3.0, axis), (x,), order=1)


# Differences, slopes, integrals.


@pytest.mark.parametrize("layout", LAYOUTS)
def test_diff(layout: str) -> None:
    x = LAYOUTS[layout]
    for axis in (-1, 0, 1, 2):
        assert_like_numpy(np.diff, x, axis=axis)
        if layout != "bool":
            for n in (2, 3, 9, -1):
                assert_like_numpy(np.diff, x, n, axis)
            assert_like_numpy(np.diff, x, 2, axis, prepend=np.array(1.5, np.float32), append=x)
    if layout != "bool":
        assert_like_numpy(np.ediff1d, x)
        assert_like_numpy(np.ediff1d, x, to_end=x[0], to_begin=x[:1, :1])
        assert_like_numpy(np.ediff1d, x, to_end=np.array(1j))


@given(x=any_matrix, n=st.integers(1, 4), data=st.data())
def test_differences_of_any_shape(x: np.ndarray, n: int, data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, x.ndim - 1))
    assert_like_numpy(np.diff, x, n, axis)
    g = gradient(lambda x: np.diff(x, n, axis) ** 2, x)
    assert g.shape == x.shape
    if x.size:
        check_grads(lambda x: np.diff(x, n, axis) ** 2, (x,), order=1)


def test_gradients_of_diff() -> None:
    for n in (1, 2, 3, 9):
        check_grads(lambda x, n=n: np.diff(x, n, 0), (Z,))
    check_grads(lambda x, first, last: np.diff(x, 2, 0, first, last), (Z, X[:2], 0.3))
    check_grads(np.ediff1d, (Z, X[:2], 0.3))
    assert_like_numpy(np.diff, np.array(1.0))


@pytest.mark.parametrize("layout", NUMBERS)
@pytest.mark.parametrize("edge_order", [1, 2, 3])
def test_gradient(layout: str, edge_order: int) -> None:
    x = LAYOUTS[layout]
    for axis in (None, 0, -1, (1, 0)):
        for distance in ((), (2,), (0.3,), (np.array(0.3),), (np.float32(0.3),)):
            assert_like_numpy(np.gradient, x, *distance, axis=axis, edge_order=edge_order)
    for positions in (np.arange(x.shape[1]), np.cumsum(np.arange(1.0, x.shape[1] + 1))):
        assert_like_numpy(np.gradient, x, positions, axis=1, edge_order=edge_order)
        assert_like_numpy(np.gradient, x, positions.astype(np.float32), axis=1, edge_order=edge_order)
        assert_like_numpy(np.gradient, x, 0.5, positions, edge_order=edge_order)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradients_of_gradient(edge_order: int) -> None:
    first, second = np.sort(RNG.uniform(0, 5, size=5)), np.arange(6.0)
    check_grads(lambda f, x, y: np.gradient(f, x, y, edge_order=edge_order), (X, first, second))
    check_grads(lambda f, x, y: np.gradient(f, x, y, edge_order=edge_order), (Z, 0.7, first.repeat(2)[:6] + second))
    check_grads(lambda f, x: np.gradient(f, x, edge_order=edge_order), (X, 0.7))
    check_grads(lambda f: np.gradient(f, edge_order=edge_order, axis=0), (Z,))


def test_bad_distances() -> None:
    assert_like_numpy(np.gradient, X, 1.0, 2.0, 3.0)
    assert_like_numpy(np.gradient, X, np.arange(4.0), axis=0)
    assert_like_numpy(np.gradient, X, X, axis=0)


def test_watched_even_positions_change_at_most_the_last_bits() -> None:
    positions = tf.constant(0.1 * np.arange(5))
    with tf.GradientTape() as tape:
        tape.watch(positions)
        slopes = np.gradient(X, positions, axis=0) if isinstance(X, tf.Tensor) else tnp.gradient(X, positions, axis=0)
    np.testing.assert_allclose(slopes, np.gradient(X, 0.1 * np.arange(5), axis=0), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_trapezoid(layout: str) -> None:
    y = LAYOUTS[layout]
    for axis in (-1, 0, 2):
        assert_like_numpy(np.trapezoid, y, axis=axis)
        assert_like_numpy(np.trapezoid, y, dx=0.3, axis=axis)
        assert_like_numpy(np.trapezoid, y, dx=np.array(0.3), axis=axis)
    assert_like_numpy(np.trapezoid, y, np.cumsum(np.arange(y.shape[0])), axis=0)
    assert_like_numpy(np.trapezoid, y, np.cumsum(np.ones(y.shape, np.float32), 1))


def test_gradients_of_trapezoid() -> None:
    check_grads(lambda y, x: np.trapezoid(y, x, axis=0), (Z, X[:, 0]))
    check_grads(lambda y, x: np.trapezoid(y, x), (X, np.cumsum(X**2, 1)))
    check_grads(lambda y, dx: np.trapezoid(y, dx=dx), (Z, 0.4))


@pytest.mark.parametrize("layout", sorted(LAYOUTS.keys() - {"bool", "complex64", "complex128"}))
def test_unwrap(layout: str) -> None:
    p = 4 * LAYOUTS[layout]
    for axis in (-1, 0, 2):
        assert_like_numpy(np.unwrap, p, axis=axis)
        for period in (3, 4, 2.1, np.array(2.1)):
            assert_like_numpy(np.unwrap, p, axis=axis, period=period)
            assert_like_numpy(np.unwrap, p, 1.7, axis, period=period)


def test_gradients_of_unwrap() -> None:
    check_grads(lambda p, period: np.unwrap(p, axis=0, period=period), (4 * X, 2.1))
    check_grads(lambda p: np.unwrap(p, 2.0), (4 * X,))


# Interpolation.

XP = np.sort(RNG.uniform(-1.5, 1.5, size=6))
FP = RNG.normal(size=6)


@pytest.mark.parametrize("fp", [FP, FP - 2j * FP[::-1], FP.astype(np.float32)], ids=["real", "complex", "float32"])
@pytest.mark.parametrize(
    "options",
    [{}, {"left": 0.5}, {"right": 2.0}, {"left": 1.0, "right": 3.0}, {"period": 1.7}, {"period": -1.7}],
    ids=["plain", "left", "right", "both", "period", "negative period"],
)
def test_interp(fp: np.ndarray, options: dict[str, float]) -> None:
    for x in (X, X.astype(np.float32), np.array(0.3), np.zeros(0), HOLES):
        assert_like_numpy(np.interp, x, XP, fp, **options)
    assert_like_numpy(np.interp, X, XP[:1], fp[:1], **options)
    check_grads(lambda x, xp, fp: np.interp(x, xp, fp, **options), (X, XP, fp.astype(np.result_type(fp, float))))
    check_grads(lambda x, xp, fp: np.interp(x, xp, fp, **options), (0.3, XP, FP))


def test_gradients_of_what_is_outside() -> None:
    check_grads(lambda x, left, right: tnp.interp(x, XP, FP, left, right), (X, 0.3, 0.7))
    check_grads(lambda x, fp, period: np.interp(x, XP, fp, period=period), (X, FP, 1.71))
    check_grads(lambda x, xp, fp: np.interp(x, xp, fp), (X, XP[:1], FP[:1]))


def test_slopes_at_the_points() -> None:
    g = gradient(lambda x: tnp.interp(x, [0.0, 1.0, 2.0], [0.0, 10.0, 30.0]), [0.0, 1.0, 2.0, -1.0, 3.0, np.nan])
    np.testing.assert_array_equal(g, [10, 20, 20, 0, 0, np.nan])


def test_bad_interpolations() -> None:
    assert_like_numpy(np.interp, X, XP, FP, period=0)
    assert_like_numpy(np.interp, X, XP, FP[:3], period=1)
    assert_like_numpy(np.interp, X, X, X, period=1)
    assert_like_numpy(np.interp, X, XP, FP[:3])
    assert_like_numpy(np.interp, Z, XP, FP)


# Convolution.


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolutions(name: str, mode: str) -> None:
    function = getattr(np, name)
    for layout in LAYOUTS.values():
        for other in LAYOUTS.values():
            assert_like_numpy(function, layout[0], other[0, :2], mode)
            assert_like_numpy(function, other[0, :3], layout[0], mode)
    assert_like_numpy(function, np.array(2.0), X[0], mode)
    assert_like_numpy(function, X[0], np.zeros(0), mode)
    assert_like_numpy(function, X, X[0], mode)
    assert_like_numpy(function, X[0], X[1], "half")


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@given(first=st.integers(1, 5), second=st.integers(1, 5), data=st.data())
def test_gradients_of_convolutions(name: str, mode: str, first: int, second: int, data: st.DataObject) -> None:
    operands = []
    for size in (first, second):
        values = data.draw(st.sampled_from([np.float64, np.complex128]).map(lambda dtype, n=size: dtype(X[0, :n])))
        operands.append(values + 0.5j * X[1, :size] if values.dtype.kind == "c" else values)
    check_grads(lambda a, v: getattr(np, name)(a, v, mode), tuple(operands))


# Windows.


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hanning", "kaiser"])
def test_windows(name: str) -> None:
    shape = (3.5,) if name == "kaiser" else ()
    for size in (0, 1, 2, 5, 6):
        window = getattr(tnp, name)(size, *shape)
        assert isinstance(window, tf.Tensor)
        np.testing.assert_array_equal(window, getattr(np, name)(size, *shape), strict=True)


def test_gradients_of_the_kaiser_window() -> None:
    check_grads(lambda beta: tnp.kaiser(7, beta), (3.3,))
    check_grads(lambda beta: tnp.kaiser(4, beta), (0.0,))
    beta = tf.constant(3.3, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(beta)
        window = tnp.kaiser(7, beta)
    np.testing.assert_array_equal(window, np.kaiser(7, 3.3), strict=True)


# What holds for all of them.


@pytest.mark.parametrize(
    "f",
    [
        np.median,
        lambda x: np.quantile(x, np.float64(0.3)),
        np.sort,
        np.cumprod,
        np.gradient,
        np.unwrap,
        lambda x: np.convolve(x, XP),
        lambda x: np.interp(x, XP, FP),
        lambda x: np.average(x, weights=np.arange(1.0, 7.0)),
        lambda x: np.cov(x, XP),
        lambda x: np.polyval(FP, x),
        lambda x: np.polyfit(XP, x, 2),
        np.roots,
    ],
)
def test_gradients_have_the_type_of_the_source(f: Callable[[Any], Any]) -> None:
    g = gradient(lambda x: np.abs(f(x)), X[0].astype(np.float32))
    assert g.dtype is tf.float32
    np.testing.assert_allclose(g, gradient(lambda x: np.abs(f(x)), X[0]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.quantile(x, 0.4),
        np.sort,
        np.vander,
        lambda x: np.interp(x, XP, FP),
        lambda x: np.interp(0.2, XP, x),
        np.roots,
    ],
)
def test_a_cotangent_of_zero_gives_zero(f: Callable[[Any], Any]) -> None:
    x = tf.constant([1.0, np.inf, 0.0, -np.inf, 0.0, 0.0], tf.float64)
    if f is np.roots:
        x = tf.constant([1.0, 0.0, 0.0], tf.float64)  # a double root, which has no derivative
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
        z = tf.reduce_sum(tf.where(np.zeros(y.shape, bool), y, 0.0))
    np.testing.assert_array_equal(tape.gradient(z, x), np.zeros(x.shape))
