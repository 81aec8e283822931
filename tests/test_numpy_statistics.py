"""NumPy's statistics on tensors: quantiles, averages, covariances, histograms."""

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

RNG = np.random.default_rng(3)
X = RNG.normal(size=(3, 4, 5))
Z = RNG.normal(size=(3, 8)) + 1j * RNG.normal(size=(3, 8))
W = RNG.uniform(1.0, 2.0, size=(3, 4, 5))
HOLES = np.where(RNG.uniform(size=X.shape) < 0.3, np.nan, X)

METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]
CONTINUOUS = ["interpolated_inverted_cdf", "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased"]
AXES = [None, 0, -1, (0, 2), (2, 0), (0, 1, 2)]
QS = {"number": 0.3, "ends": np.array([0.0, 1.0]), "matrix": np.array([[0.11, 0.5], [0.77, 0.9]])}


# Medians and quantiles.


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("keepdims", [False, True])
def test_medians(axis: Any, keepdims: bool) -> None:
    for x in (X, X.astype(np.float32), X[:2], X + 1j * X**2, np.rint(X * 3).astype(np.int32), X.T):
        assert_like_numpy(np.median, x, axis, keepdims=keepdims)
    assert_like_numpy(np.nanmedian, np.where(X > 1, np.nan, X), axis, keepdims=keepdims)
    check_grads(lambda x: np.median(x, axis, keepdims=keepdims), (X,))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("q", QS)
def test_quantiles(method: str, q: str) -> None:
    for axis in AXES:
        for x in (X, X.astype(np.float32), np.rint(X)):
            assert_like_numpy(np.quantile, x, QS[q], axis, method=method)
            assert_like_numpy(np.percentile, x, 100 * QS[q], axis, method=method, keepdims=True)
        check_grads(lambda x, axis=axis: np.quantile(x, QS[q], axis, method=method), (X,), order=1)
    check_grads(lambda x: np.percentile(x, 100 * QS[q], (2, 0), method=method, keepdims=True), (X,))


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("axis", AXES)
def test_quantiles_of_what_is_not_nan(method: str, axis: Any) -> None:
    holes = HOLES.copy()
    holes[1, 2] = np.nan  # a lane without any number

    def spread(x: Any) -> Any:
        result = np.nanquantile(tf.where(np.isnan(holes), np.nan, x), QS["matrix"], axis, method=method)
        return tf.where(np.isnan(result.numpy()), 0.0, result)

    assert_like_numpy(np.nanquantile, holes, [0.0, 0.3, 1.0], axis, method=method)
    assert_like_numpy(np.nanpercentile, holes.astype(np.float32), 30, axis, method=method)
    check_grads(spread, (X,), order=1)


@pytest.mark.parametrize("method", CONTINUOUS)
@pytest.mark.parametrize("axis", [None, 0, (0, 2)])
def test_quantiles_move_with_q(method: str, axis: Any) -> None:
    q = np.array([0.0313, 0.2217, 0.711, 0.953])
    check_grads(lambda x, q: np.quantile(x, q, axis, method=method), (X, q))
    check_grads(lambda x, q: np.nanpercentile(x, q, axis, method=method), (X, 100 * q))
    check_grads(lambda x, q: np.quantile(x, q, axis, method=method, keepdims=True), (X, q[1]))


def test_quantiles_that_jump_have_no_derivative_in_q() -> None:
    q = tf.constant(0.3)
    with tf.GradientTape() as tape:
        tape.watch(q)
        y = np.quantile(X, q, method="nearest")
    assert tape.gradient(y, q) is None


@pytest.mark.parametrize("name", ["quantile", "percentile", "nanquantile", "nanpercentile"])
def test_weighted_quantiles(name: str) -> None:
    function, scale = getattr(np, name), 100 if "percent" in name else 1
    cases = [(None, W), (0, W), ((0, 2), W)]
    if not name.startswith("nan"):  # with which NumPy does not take weights of some axes
        cases += [(1, W[0, :, 0]), ((2, 0), W[:, 0].T)]
    for axis, weights in cases:
        assert_like_numpy(function, X, scale * 0.4, axis, method="inverted_cdf", weights=weights)

        def weighted(x: Any, axis: Any = axis, weights: Any = weights) -> Any:
            return function(x, scale * np.array([0.1, 0.6]), axis, method="inverted_cdf", weights=weights)

        check_grads(weighted, (X,), order=1)
    if name.startswith("nan"):
        assert_like_numpy(function, HOLES, scale * 0.4, 1, method="inverted_cdf", weights=W)


def test_a_matrix_of_quantiles_of_what_is_not_nan() -> None:
    for axis in (0, -1, (0, 2)):
        result = np.nanquantile(tf.constant(X), QS["matrix"], axis)
        np.testing.assert_allclose(result, np.quantile(X, QS["matrix"], axis), rtol=1e-15)


def test_shares_of_the_elements() -> None:
    np.testing.assert_array_equal(gradient(np.median, [5.0, 1.0, 9.0, 4.0]), [0.5, 0.0, 0.0, 0.5])
    np.testing.assert_array_equal(gradient(np.median, [5.0, 1.0, 9.0]), [1.0, 0.0, 0.0])
    np.testing.assert_allclose(gradient(lambda x: np.quantile(x, 0.25), [5.0, 1.0, 9.0, 4.0]), [0, 0.25, 0, 0.75])
    # The first of the equal elements in the middle.
    np.testing.assert_array_equal(gradient(np.median, [2.0, 3.0, 1.0, 2.0, 2.0]), [0, 0, 0, 1, 0])


def test_a_nan_is_the_quantile_and_has_its_derivative() -> None:
    np.testing.assert_array_equal(gradient(lambda x: np.quantile(x, 0.5), [1.0, np.nan, 2.0]), [0, 1, 0])
    np.testing.assert_array_equal(gradient(np.nanmedian, [1.0, np.nan, 2.0]), [0.5, 0, 0.5])


def test_infinities_beside_a_quantile_do_no_harm() -> None:
    np.testing.assert_array_equal(gradient(lambda x: np.quantile(x, 0.5), [1.0, np.inf, -np.inf]), [1, 0, 0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_empty_and_scalar_operands() -> None:
    assert_like_numpy(np.median, np.zeros(0))
    assert_like_numpy(np.median, np.zeros((0, 3)), 1)
    assert_like_numpy(np.median, np.array(3.0))
    assert_like_numpy(np.quantile, np.array(3.0), np.array([0.2, 0.3]))
    assert_like_numpy(np.quantile, np.zeros((0, 3)), 0.5, 1)
    assert_like_numpy(np.quantile, Z, 0.5)
    assert_like_numpy(np.quantile, X, 1.5)
    assert_like_numpy(np.quantile, X, 0.5, 7)
    assert gradient(lambda x: np.median(x, 1), np.zeros((0, 3))).shape == (0, 3)


@given(
    x=arrays.arrays(np.float64, arrays.array_shapes(max_dims=3, max_side=5), elements=st.floats(-9, 9)),
    q=st.floats(0, 1),
    method=st.sampled_from(METHODS),
    data=st.data(),
)
def test_quantiles_of_any_shape(x: np.ndarray, q: float, method: str, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from([None, *range(x.ndim)]))
    assert_like_numpy(np.quantile, x, q, axis, method=method)
    g = gradient(lambda x: np.quantile(x, q, axis, method=method), x).numpy()
    # The shares of the elements add up to 1 in each lane, and give the value again.
    np.testing.assert_allclose(g.sum(axis), 1.0)
    np.testing.assert_allclose((g * x).sum(axis), np.quantile(x, q, axis, method=method), atol=1e-12)


# Averages and covariances.


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_average(layout: str, axis: Any) -> None:
    x = LAYOUTS[layout]
    weights = np.abs(np.arange(x.size).reshape(x.shape)) + 0.5
    assert_like_numpy(np.average, x, axis)
    assert_like_numpy(np.average, x, axis, returned=True)
    assert_like_numpy(np.average, x, axis, weights)
    assert_like_numpy(np.average, x, axis, weights.astype(np.float32), True, keepdims=True)


def test_average_with_weights_of_some_axes() -> None:
    for axis, weights in [(0, W[:, 0, 0]), ((2, 0), W[:, 0].T), (-1, W[0, 0])]:
        assert_like_numpy(np.average, X, axis, weights, returned=True, ulp=2)  # the order of summation may differ
        check_grads(lambda x, w, axis=axis: np.average(x, axis, w, returned=True), (X, weights))
    check_grads(lambda x, w: np.average(x, weights=w, keepdims=True), (X, W))
    check_grads(lambda z: np.average(z, 0), (Z,))


def test_bad_weights() -> None:
    for axis, weights in [(None, W[0]), (1, W[0]), (0, np.zeros(3)), (None, np.zeros_like(X))]:
        assert_like_numpy(np.average, X, axis, weights)
    assert_like_numpy(np.average, np.zeros((0, 3)), 1)


@pytest.mark.parametrize("function", [np.cov, np.corrcoef])
def test_covariances(function: Callable[..., Any]) -> None:
    for m in (X[0], X[0, 0], X[0, :2], Z, Z.astype(np.complex64), np.rint(X[0] * 9).astype(np.int64), X[0].T):
        assert_like_numpy(function, m)
        assert_like_numpy(function, m, m**2)
        assert_like_numpy(function, m[..., :3], rowvar=m.ndim == 1)
    assert_like_numpy(function, X[0].astype(np.float32), dtype=np.float32)
    assert_like_numpy(function, Z.astype(np.complex64), dtype=np.complex64)
    check_grads(function, (X[0],))
    check_grads(function, (Z, X[0, 0, :1].repeat(8) ** np.arange(8)))
    check_grads(lambda m: function(m, rowvar=False), (X[0],))


def test_weighted_covariances() -> None:
    frequencies, importances = np.array([1, 3, 2, 5, 1]), W[0, 0]
    for options in (
        {"bias": True},
        {"ddof": 2},
        {"fweights": frequencies},
        {"aweights": importances},
        {"fweights": frequencies, "aweights": importances, "ddof": 3},
        {"fweights": frequencies, "bias": True},
    ):
        assert_like_numpy(np.cov, X[0], **options)
        check_grads(lambda m, options=options: np.cov(m, **options), (X[0],))
    check_grads(lambda m, w: np.cov(m, aweights=w, fweights=frequencies), (Z[:, :5], importances))


def test_bad_covariances() -> None:
    assert_like_numpy(np.cov, X)
    assert_like_numpy(np.cov, np.zeros((0, 3)))
    assert_like_numpy(np.cov, X[0], ddof=1.5)
    assert_like_numpy(np.cov, X[0], aweights=-W[0, 0])
    assert_like_numpy(np.cov, X[0], fweights=W[0, 0])
    with pytest.warns(RuntimeWarning, match="Degrees of freedom") as caught:
        np.cov(tf.constant(X[0, :, :1]))
    assert caught[0].filename == __file__
    with pytest.raises(RuntimeError, match="incompatible numbers of samples and aweights"):
        np.cov(tf.constant(X[0]), aweights=W[0, 0, :3])


# Histograms.

EDGES = np.array([-2.0, -0.3, 0.1, 1.5])


@pytest.mark.parametrize("bins", [10, 1, EDGES, EDGES.astype(np.float32)], ids=["10", "1", "edges", "float32"])
@pytest.mark.parametrize("bounds", [None, (-1.0, 0.5)])
@pytest.mark.parametrize("density", [None, True])
def test_histogram(bins: Any, bounds: Any, density: bool | None) -> None:
    for a in (X, X.astype(np.float32), np.rint(X * 5).astype(np.int64)):
        for weights in (None, W, W.astype(np.float32), W + 1j * W, np.rint(W * 9).astype(np.int64)):
            assert_like_numpy(np.histogram, a, bins, bounds, density, weights)
    for weights in (W, W + 1j * W[::-1]):
        check_grads(lambda w: np.histogram(X, bins, bounds, density, w)[0], (weights,))
    assert_like_numpy(np.histogram_bin_edges, X, bins, bounds)


def test_histograms_of_estimated_bins() -> None:
    for bins in ("auto", "fd", "sturges"):
        assert_like_numpy(np.histogram, X, bins)
        assert_like_numpy(np.histogram_bin_edges, X, bins)


def test_histograms_with_several_axes() -> None:
    x, y, w = X[0].reshape(-1), X[1].reshape(-1), W[0].reshape(-1)
    for bins in (4, np.array(4), [3, 4], EDGES, [EDGES, 3], [EDGES, EDGES]):
        for density in (None, True):
            assert_like_numpy(np.histogram2d, x, y, bins, None, density, w)
            assert_like_numpy(np.histogram2d, x, y, bins, [(-1.0, 1.0), (-2.0, 2.0)], density)
            check_grads(lambda w, b=bins, d=density: np.histogram2d(x, y, b, weights=w, density=d)[0], (w,))
    points = X.reshape(-1, 3)
    assert_like_numpy(np.histogramdd, points, (2, 3, EDGES))
    assert_like_numpy(np.histogramdd, [x, y], 3)
    assert_like_numpy(np.histogramdd, x, 3)
    check_grads(lambda w: np.histogramdd(points, 3, weights=w, density=True)[0], (W.reshape(-1)[:20],))


def test_edges_follow_what_they_are_made_from() -> None:
    check_grads(lambda a: np.histogram(a, 5)[1], (X,))
    check_grads(lambda a, w: np.histogram(a, 5, weights=w, density=True)[0], (X, W))
    check_grads(lambda e, w: np.histogram(X, e, weights=w, density=True), (EDGES, W))
    check_grads(lambda e: np.histogram2d(X[0, 0], X[1, 0], [e, e], density=True)[0], (EDGES,))
    check_grads(lambda low, high: tnp.histogram(X, 6, (low, high), density=True), (-1.01, 0.72))


def test_counts_are_piecewise_constant() -> None:
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        counts, _ = np.histogram(x)
    assert tape.gradient(counts, x) is None


def test_bincount() -> None:
    x = np.array([3, 0, 2, 3, 6])
    assert_like_numpy(np.bincount, x)
    assert_like_numpy(np.bincount, x, W[0, 0])
    assert_like_numpy(np.bincount, x, W[0, 0].astype(np.float32), 10)
    assert_like_numpy(np.bincount, x, W[0])
    assert_like_numpy(np.bincount, np.array([-1]))
    assert_like_numpy(np.bincount, np.array([0.5]))
    check_grads(lambda w: np.bincount(x, w, 9), (W[0, 0],))
    assert_like_numpy(np.digitize, X, EDGES)
    assert_like_numpy(np.digitize, X, EDGES, right=True)


def test_results_go_where_they_are_wanted() -> None:
    x, out = tf.constant(X), tf.zeros((4, 5), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        assert np.median(x, 0, out) is out
        y = tf.reduce_sum(out)
    np.testing.assert_array_equal(out, np.median(X, 0))
    assert float(tf.reduce_sum(tape.gradient(y, x))) == 20.0
    with tf.GradientTape() as tape, pytest.raises(TypeError, match="would leave the tape"):
        tape.watch(x)
        np.quantile(x, 0.5, 0, np.zeros((4, 5)))


def test_functions_of_lists() -> None:
    assert tnp.median([1.0, 2.0]).dtype is tf.float64
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tnp.average([x, 3.0], weights=[1.0, x])
    assert float(tape.gradient(y, x)) == pytest.approx(4 / 3 - 8 / 9)
