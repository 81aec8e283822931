"""Slopes at kinks, poles and limits: one convention per operation, also under a second tape."""

import math

import numpy as np
import pytest

import tapegrad as tf

INF, NAN = math.inf, math.nan

# Function, points of its operands, slopes.
ROWS = {
    "abs(0)": (tf.abs, [0.0], [0.0]),
    "sign(0)": (tf.sign, [0.0], [0.0]),
    "sqrt(0)": (tf.sqrt, [0.0], [INF]),
    "sqrt(0), cotangent 0": (lambda x: tf.sqrt(x) * 0.0, [0.0], [0.0]),
    "log(0), cotangent 0": (lambda x: tf.math.log(x) * 0.0, [0.0], [0.0]),
    "log(0), masked": (lambda x: tf.where(x > 0.0, tf.math.log(x), 0.0), [0.0], [0.0]),
    "sqrt(0), masked": (lambda x: tf.where(x > 0.0, tf.sqrt(x), 0.0), [0.0], [0.0]),
    "1/0, masked": (lambda x: tf.where(x > 0.0, x**-1, 0.0), [0.0], [0.0]),
    "exp(1000), masked": (lambda x: tf.where(x <= 0.0, tf.exp(x), 1.0 + x), [1000.0], [1.0]),
    "norm(0)": (lambda x: tf.norm(tf.stack([x, x])), [0.0], [0.0]),
    "hypot(0, 0)": (tf.math.hypot, [0.0, 0.0], [0.0, 0.0]),
    "std of constants": (lambda x: tf.math.reduce_std(tf.stack([x, x, x])), [3.0], [0.0]),
    "maximum, tie": (tf.maximum, [1.0, 1.0], [0.5, 0.5]),
    "minimum, tie": (tf.minimum, [1.0, 1.0], [0.5, 0.5]),
    "maximum, infinite tie": (tf.maximum, [INF, INF], [0.5, 0.5]),
    "fmax, nan": (tf.math.fmax, [NAN, 2.0], [0.0, 1.0]),
    "max, ties": (lambda x, y: tf.reduce_max(tf.stack([x, y, x])), [1.0, 1.0], [2 / 3, 1 / 3]),
    "relu(0)": (tf.nn.relu, [0.0], [0.0]),
    "relu6(0)": (tf.nn.relu6, [0.0], [0.0]),
    "clip at its lower bound": (lambda x: tf.clip_by_value(x, 0.0, 1.0), [0.0], [1.0]),
    "clip at its upper bound": (lambda x: tf.clip_by_value(x, 0.0, 1.0), [1.0], [1.0]),
    "clip outside": (lambda x: tf.clip_by_value(x, 0.0, 1.0), [2.0], [0.0]),
    "x**0 at 0": (lambda x: x**0.0, [0.0], [0.0]),
    "x**y at x=0, y=0": (tf.pow, [0.0, 0.0], [0.0, 0.0]),
    "x**y at x=0, y>0": (tf.pow, [0.0, 2.0], [0.0, 0.0]),
    "x**1 at 0": (lambda x: x**1, [0.0], [1.0]),
    "x**y at x<0, y=2": (tf.pow, [-3.0, 2.0], [-6.0, 0.0]),
    "x**y at x<0, y=3": (tf.pow, [-2.0, 3.0], [12.0, 0.0]),
    "x**2 at 0": (lambda x: x**2, [0.0], [0.0]),
    "x**3 at 0": (lambda x: x**3, [0.0], [0.0]),
    "prod with a zero": (lambda *xs: tf.reduce_prod(tf.stack(xs)), [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
    "cumprod with a zero": (
        lambda x, y, z: tf.reduce_sum(tf.math.cumprod(tf.stack([x, y, z]))), [0.0, 2.0, 3.0], [9.0, 0.0, 0.0],
    ),
    "cumprod with a zero inside": (
        lambda x, y, z: tf.reduce_sum(tf.math.cumprod(tf.stack([x, y, z]))), [2.0, 0.0, 3.0], [1.0, 8.0, 0.0],
    ),
    "arctan2(0, 0)": (tf.math.arctan2, [0.0, 0.0], [0.0, 0.0]),
    "logsumexp, all -inf": (lambda x, y: tf.reduce_logsumexp(tf.stack([x, y])), [-INF, -INF], [0.0, 0.0]),
    "logsumexp, one -inf": (lambda x, y: tf.reduce_logsumexp(tf.stack([x, y])), [-INF, 0.0], [0.0, 1.0]),
    "logaddexp, far apart": (tf.math.logaddexp, [1000.0, -1000.0], [1.0, 0.0]),
    "logaddexp, -inf": (tf.math.logaddexp, [-INF, -INF], [0.0, 0.0]),
    "logaddexp, one -inf": (tf.math.logaddexp, [-INF, 0.0], [0.0, 1.0]),
    "softplus(1000)": (tf.nn.softplus, [1000.0], [1.0]),
    "softplus(-1000)": (tf.nn.softplus, [-1000.0], [0.0]),
    "sigmoid(1000)": (tf.sigmoid, [1000.0], [0.0]),
    "sigmoid(-1000)": (tf.sigmoid, [-1000.0], [0.0]),
    "tanh(1000)": (tf.tanh, [1000.0], [0.0]),
    "xlogy(0, 0)": (tf.math.xlogy, [0.0, 0.0], [0.0, 0.0]),
    "xlogy(0, y)": (tf.math.xlogy, [0.0, 2.0], [math.log(2.0), 0.0]),
    "divide_no_nan": (tf.math.divide_no_nan, [1.0, 0.0], [0.0, 0.0]),
    "mod": (tf.math.mod, [7.5, 2.0], [1.0, -3.0]),
    "sqrt(x*x) at 0": (lambda x: tf.sqrt(x * x), [0.0], [NAN]),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("row", ROWS)
class TestConventions:
    def slopes(self, row, dtype, shape=(), recorded=False):
        function, points, expected = ROWS[row]
        operands = [tf.fill(shape, tf.constant(p, dtype=dtype)) for p in points]
        with tf.GradientTape() as tape:
            tape.watch(operands)
            if shape:
                y = tf.stack([function(*parts) for parts in zip(*operands, strict=True)])
            else:
                y = function(*operands)
        if not recorded:
            return tape.gradient(y, operands), expected
        with tf.GradientTape() as outer:
            outer.watch(operands)
            found = tape.gradient(y, operands)
        return found, expected

    def test_native(self, row, dtype):
        found, expected = self.slopes(row, dtype)
        np.testing.assert_allclose([g.numpy() for g in found], expected, rtol=1e-6)

    def test_arrays(self, row, dtype):
        found, expected = self.slopes(row, dtype, (3,))
        np.testing.assert_allclose([g.numpy()[1] for g in found], expected, rtol=1e-6)

    def test_under_a_second_tape(self, row, dtype):
        found, expected = self.slopes(row, dtype, recorded=True)
        np.testing.assert_allclose([g.numpy() for g in found], expected, rtol=1e-6)


# Function, point, second derivative; None: the first one is constant.
SECOND = {
    "x**2 at 0": (lambda x: x**2, 0.0, 2.0),
    "x**2.0 by pow at 0": (lambda x: tf.pow(x, 2.0), 0.0, 2.0),
    "x**3 at 0": (lambda x: x**3, 0.0, 0.0),
    "abs at 0": (tf.abs, 0.0, 0.0),
    "x*abs(x) at 1": (lambda x: x * tf.abs(x), 1.0, 2.0),
    "softplus(1000)": (tf.nn.softplus, 1000.0, 0.0),
    "softplus(0)": (tf.nn.softplus, 0.0, 0.25),
    "sigmoid(-1000)": (tf.sigmoid, -1000.0, 0.0),
    "relu(1) squared": (lambda x: tf.nn.relu(x) ** 2, 1.0, 2.0),
    "relu(-1) squared": (lambda x: tf.nn.relu(x) ** 2, -1.0, 0.0),
    "masked log at 0": (lambda x: tf.where(x > 0.0, tf.math.log(x), x * x), 0.0, 2.0),
    "masked sqrt at 0": (lambda x: tf.where(x > 0.0, tf.sqrt(x), 3.0 * x * x), 0.0, 6.0),
    "prod with a zero": (lambda x: tf.reduce_prod(tf.stack([x, x, x + 2.0])), 0.0, 4.0),
    "cumprod with a zero": (lambda x: tf.reduce_sum(tf.math.cumprod(tf.stack([x, x, x + 2.0]))), 0.0, 6.0),
    "clip inside": (lambda x: tf.clip_by_value(x, 0.0, 1.0) ** 2, 0.5, 2.0),
    "xlogy": (lambda x: tf.math.xlogy(x, x), 2.0, 0.5),
}


@pytest.mark.parametrize("row", SECOND)
def test_second_derivatives(row):
    function, point, expected = SECOND[row]
    x = tf.constant(point, dtype=tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = function(x)
        slope = inner.gradient(y, x)
    second = outer.gradient(slope, x, unconnected_gradients="zero")
    assert second.numpy() == pytest.approx(expected, abs=1e-12)
