"""Tests of reductions, norms and statistics, and of running sums and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._ops import reductions, statistics
from tapegrad.testing import check_grads

X = np.random.default_rng(3).uniform(0.5, 2.0, (2, 3, 4)) * np.array([1.0, -1.0, 1.0, -1.0])
AXES = (None, 0, -1, (0, 2), [1, 0], ())


def _reference(name: str) -> Callable[..., Any]:
    if name == "logsumexp":
        return lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis, keepdims=keepdims))
    if name == "euclidean_norm":
        return lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis, keepdims=keepdims))
    return getattr(np, {"variance": "var"}.get(name, name))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize(
    "name", ["sum", "mean", "max", "min", "prod", "variance", "std", "logsumexp", "euclidean_norm"]
)
def test_values_and_gradients(name: str, axis: Any, keepdims: bool) -> None:
    f = getattr(tf.math, f"reduce_{name}")
    expected = _reference(name)(X, tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)
    result = f(X, axis, keepdims)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-14)
    if axis == () and name in ("std", "euclidean_norm"):
        return  # the std of single numbers is constant, and |x| is tested elsewhere
    check_grads(lambda x: f(x, axis, keepdims), (X,), order=2)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "std"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_values_are_numpys(name: str, dtype: Any) -> None:
    x = X.astype(dtype)
    function = getattr(reductions, name, None) or getattr(statistics, name)
    np.testing.assert_array_equal(function(x, 1), getattr(np, name)(x, 1), strict=True)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int64])
def test_integers_stay_integers(dtype: Any) -> None:
    x = np.array([[1, 2, 3], [4, 5, 7]], dtype)
    for name, expected in {
        "sum": [6, 16],
        "prod": [6, 140],
        "max": [3, 7],
        "min": [1, 4],
        "mean": [2, 5],
    }.items():
        np.testing.assert_array_equal(getattr(tf, f"reduce_{name}")(x, 1), np.array(expected, dtype), strict=True)
    np.testing.assert_array_equal(tf.cumsum(x, 1), np.cumsum(x, 1, dtype=dtype), strict=True)
    np.testing.assert_array_equal(tf.math.cumprod(x, 1), np.cumprod(x, 1, dtype=dtype), strict=True)


def test_all_any_count_and_positions() -> None:
    x = np.array([[True, False, True], [True, True, True]])
    np.testing.assert_array_equal(tf.reduce_all(x, 1), [False, True])
    np.testing.assert_array_equal(tf.reduce_any(x, 0, keepdims=True), [[True, True, True]])
    np.testing.assert_array_equal(tf.math.count_nonzero(x, 1), np.array([2, 3]), strict=True)
    y = tf.constant([[3.0, 1.0, 3.0], [0.0, 5.0, 5.0]])
    np.testing.assert_array_equal(tf.argmax(y), [0, 1, 1])
    np.testing.assert_array_equal(tf.argmax(y, axis=1), np.array([0, 1]), strict=True)
    np.testing.assert_array_equal(tf.argmin(y, axis=-1, output_type=tf.int32), np.array([1, 0], np.int32), strict=True)
    assert int(reductions.argmax(y)) == 4


def test_positions_have_no_gradient() -> None:
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.cast(tf.argmax(x), tf.float32) * 2.0
        z = tf.cast(tf.reduce_any(x > 1.0), tf.float32) * 2.0
    assert tape.gradient(y, x) is None
    assert tape.gradient(z, x) is None


def _gradient(f: Callable[[Any], Any], x: Any) -> Any:
    x = tf.constant(x, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize(
    "name", ["sum", "mean", "max", "prod", "variance", "std", "logsumexp", "euclidean_norm", "cumprod"]
)
def test_gradients_in_short_types(name: str, dtype: Any) -> None:
    f = tf.math.cumprod if name == "cumprod" else getattr(tf.math, f"reduce_{name}")
    weights = np.random.default_rng(4).uniform(0.5, 1.5, f(X, 1).shape)
    exact = _gradient(lambda x: f(x, 1) * weights, X)
    x = tf.constant(X.astype(dtype))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x, 1) * weights.astype(dtype)
    gradient = tape.gradient(y, x)
    assert gradient.dtype == dtype
    np.testing.assert_allclose(gradient, exact, rtol=40 * np.finfo(dtype).eps, atol=20 * np.finfo(dtype).eps)


def test_gradients_of_extrema_over_any_axes() -> None:
    x = tf.constant(np.random.default_rng(2).permutation(60).reshape(3, 4, 5), tf.float64)
    for axis in (0, 1, 2, (0, 1), (0, 2), (2, 0), (1, 2), None):
        weights = np.random.default_rng(3).normal(size=np.min(x.numpy(), axis=axis).shape)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.reduce_min(x, axis) * weights)
        spread = np.expand_dims(weights, tuple(range(3)) if axis is None else axis)
        expected = np.where(x.numpy() == np.min(x.numpy(), axis=axis, keepdims=True), spread, 0.0)
        np.testing.assert_array_equal(tape.gradient(y, x), expected)


EDGES: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    "max of ties": (tf.reduce_max, [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
    "min of ties": (lambda x: tf.reduce_min(x, 1), [[1.0, 1.0, 1.0, 1.0]], [[0.25] * 4]),
    "prod with a zero": (tf.reduce_prod, [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
    "prod with two zeros": (tf.reduce_prod, [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
    "std of constants": (tf.math.reduce_std, [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]),
    "norm at zero": (tf.norm, [0.0, 0.0], [0.0, 0.0]),
    "1-norm at zero": (lambda x: tf.norm(x, 1), [0.0, -2.0], [0.0, -1.0]),
    "3-norm at zero": (lambda x: tf.norm(x, 3), [0.0, 0.0], [0.0, 0.0]),
    "maximum norm, ties": (lambda x: tf.norm(x, np.inf), [2.0, -2.0, 1.0], [0.5, -0.5, 0.0]),
    "logsumexp of -inf": (tf.reduce_logsumexp, [-np.inf, -np.inf], [0.0, 0.0]),
    "logsumexp with -inf": (tf.reduce_logsumexp, [-np.inf, 0.0], [0.0, 1.0]),
    "logsumexp with inf": (tf.reduce_logsumexp, [np.inf, 0.0], [1.0, 0.0]),
    "logsumexp of great numbers": (tf.reduce_logsumexp, [1e4, 1e4, -1e4], [0.5, 0.5, 0.0]),
    "cumprod with a zero": (tf.math.cumprod, [0.0, 2.0, 3.0], [9.0, 0.0, 0.0]),
    "cumprod with a zero within": (tf.math.cumprod, [2.0, 0.0, 3.0], [1.0, 8.0, 0.0]),
    "no cotangent, no contribution": (
        lambda x: tf.math.cumprod(x)[0],
        [1e200, 1e200, 1e200],
        [1.0, 0.0, 0.0],
    ),
    "zero cotangent at infinity": (lambda x: 0.0 * tf.norm(x), [np.inf, 1.0], [0.0, 0.0]),
}


@pytest.mark.parametrize("name", EDGES)
def test_edge_points(name: str) -> None:
    f, x, expected = EDGES[name]
    np.testing.assert_array_equal(_gradient(f, x), expected)


def test_second_derivatives_at_edge_points() -> None:
    def twice(f: Callable[[Any], Any], x: list[float]) -> Any:
        return _gradient(lambda x: _inner(f, x), x)

    def _inner(f: Callable[[Any], Any], x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tf.reduce_sum(tape.gradient(y, x) * tf.constant([1.0, 2.0, 4.0], tf.float64))

    # prod: the mixed derivatives are the remaining factor; x1 x2 x3 at (0, 0, 5).
    np.testing.assert_array_equal(twice(tf.reduce_prod, [0.0, 0.0, 5.0]), [10.0, 5.0, 0.0])
    # cumprod: y = x1 + x1 x2 + x1 x2 x3 at (0, 2, 3).
    np.testing.assert_array_equal(twice(tf.math.cumprod, [0.0, 2.0, 3.0]), [16.0, 4.0, 2.0])
    assert np.isfinite(twice(tf.math.reduce_std, [2.0, 2.0, 2.0])).all()
    assert np.isfinite(twice(tf.norm, [0.0, 0.0, 0.0])).all()
    assert np.isfinite(twice(tf.reduce_logsumexp, [-np.inf] * 3)).all()


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_running_sums_and_products(axis: int, exclusive: bool, reverse: bool) -> None:
    def reference(function: Any, neutral: float) -> Any:
        x = np.flip(X, axis) if reverse else X
        if exclusive:
            first = np.full_like(np.take(x, [0], axis), neutral)
            x = np.concatenate([first, np.take(x, range(x.shape[axis] - 1), axis)], axis)
        return np.flip(function(x, axis), axis) if reverse else function(x, axis)

    np.testing.assert_array_equal(tf.cumsum(X, axis, exclusive, reverse), reference(np.cumsum, 0))
    np.testing.assert_array_equal(tf.math.cumprod(X, axis, exclusive, reverse), reference(np.cumprod, 1))
    check_grads(lambda x: tf.cumsum(x * x, axis, exclusive, reverse), (X,), order=2)
    check_grads(lambda x: tf.math.cumprod(x, axis, exclusive, reverse), (X,), order=2)


def test_cumprod_of_any_length_is_exact() -> None:
    for n in (1, 2, 3, 7, 8, 9, 33):
        check_grads(tf.math.cumprod, (np.random.default_rng(n).uniform(0.8, 1.2, n),), order=2)
    check_grads(tf.math.cumprod, (np.array([0.5, 0.0, 2.0, 0.0, 1.5]),), order=2)


def test_cumsum_of_nothing() -> None:
    assert tf.cumsum(tf.zeros((0, 2))).shape == (0, 2)
    assert tf.math.cumprod(tf.zeros((0, 2))).shape == (0, 2)
    assert float(tf.reduce_prod(tf.zeros(0))) == 1.0
    assert float(tf.reduce_logsumexp(tf.zeros(0))) == -np.inf


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    ("ord", "axis"),
    [
        ("euclidean", None),
        ("euclidean", (0, 1)),
        ("euclidean", (0, 1, 2)),
        (2, 1),
        (1, 0),
        (1, None),
        (np.inf, -1),
        (3, 1),
        (1.5, None),
        ("fro", (0, 2)),
        (1, (0, 1)),
        (np.inf, (2, 1)),
    ],
)
def test_norms(ord: Any, axis: Any, keepdims: bool) -> None:
    if axis is None or axis == (0, 1, 2):
        expected = np.linalg.norm(X.ravel(), None if isinstance(ord, str) else ord)
        expected = expected.reshape(1, 1, 1) if keepdims else expected
    else:
        pair = isinstance(axis, tuple)
        expected = np.linalg.norm(
            X,
            None if isinstance(ord, str) and not pair else "fro" if ord == "euclidean" else ord,
            axis,
            keepdims,
        )
    np.testing.assert_allclose(tf.norm(X, ord, axis, keepdims), expected, rtol=1e-14)
    check_grads(lambda x: tf.norm(x, ord, axis, keepdims), (X,), order=2)


def test_norm_of_complex_numbers_and_integers() -> None:
    z = np.array([3 + 4j, 0, 1j])
    np.testing.assert_allclose(tf.norm(z), np.linalg.norm(z))
    assert tf.norm([3, 4]).dtype is tf.float64
    z = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = tf.norm(z)
    np.testing.assert_allclose(tape.gradient(y, z), z.numpy() / float(y))


def test_complex_products() -> None:
    z = np.array([1 + 2j, -1j, 0.5 - 1j])
    check_grads(tf.reduce_prod, (z,), order=1)
    check_grads(tf.math.cumprod, (z,), order=1)
    check_grads(lambda z: tf.math.reduce_variance(z), (z,), order=1)
    check_grads(lambda z: tf.reduce_mean(z * z), (z,), order=1)


def test_add_n() -> None:
    np.testing.assert_array_equal(tf.add_n([[1.0, 2.0], tf.constant([3.0, 4.0]), np.float32([1, 1])]), [5.0, 7.0])
    check_grads(lambda a, b: tf.add_n([a, b, a * b]), (X[0], X[1]), order=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: tf.reduce_sum(tf.zeros((2, 3)), (0, 2)),
            "sum: axis 2 is out of bounds for a tensor with 2 dim",
        ),
        (
            lambda: tf.reduce_max(tf.zeros((2, 3)), -3),
            "max: axis -3 is out of bounds for a tensor with 2 dim",
        ),
        (lambda: tf.reduce_mean(tf.zeros((2, 3)), [0, 0]), "mean: axis .* names a dimension twice"),
        (lambda: tf.reduce_max(tf.zeros((0, 3)), 0), r"max: .*operand shapes: \(0, 3\)"),
        (lambda: tf.argmax(tf.zeros((2, 3)), 2), "argmax: axis 2 is out of bounds"),
        (lambda: tf.cumsum(tf.zeros((2, 3)), 2), "cumsum: axis 2 is out of bounds"),
        (lambda: tf.norm(tf.zeros((2, 3)), 2, (0, 1)), "norm: unknown order 2 for a pair of axes"),
        (lambda: tf.norm(tf.zeros((2, 3)), "nuclear"), "norm: unknown order 'nuclear'"),
        (lambda: tf.norm(tf.zeros((1, 2, 3)), 1, (0, 1, 2)), "norm: the order 1 is over one axis or a pair"),
        (lambda: tf.add_n([tf.zeros(2), tf.zeros(3)]), r"add_n: .* not \(2,\) and \(3,\)"),
        (lambda: tf.add_n([]), "add_n: at least one tensor"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
