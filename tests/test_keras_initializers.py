"""Initializers: the ranges and variances of their formulas, and repeatability."""

from __future__ import annotations

import numpy as np
import pytest

import tapegrad as tf

initializers = tf.keras.initializers
SHAPE = (300, 200)


@pytest.mark.parametrize(
    ("name", "variance", "limit"),
    [
        ("glorot_uniform", 2 / 500, np.sqrt(6 / 500)),
        ("glorot_normal", 2 / 500, 2 * np.sqrt(2 / 500) / 0.8796),
        ("he_uniform", 2 / 300, np.sqrt(6 / 300)),
        ("he_normal", 2 / 300, 2 * np.sqrt(2 / 300) / 0.8796),
        ("lecun_uniform", 1 / 300, np.sqrt(3 / 300)),
        ("lecun_normal", 1 / 300, 2 * np.sqrt(1 / 300) / 0.8796),
        ("random_normal", 0.05**2, np.inf),
        ("normal", 0.05**2, np.inf),
        ("random_uniform", 0.1**2 / 12, 0.05),
        ("uniform", 0.1**2 / 12, 0.05),
        ("truncated_normal", (0.05 * 0.8796) ** 2, 0.1),
    ],
)
def test_distributions(name, variance, limit):
    tf.random.set_seed(9)
    values = initializers.get(name)(SHAPE).numpy()
    assert values.dtype == np.float32
    assert values.shape == SHAPE
    assert values.mean() == pytest.approx(0, abs=4 * np.sqrt(variance / values.size))
    assert values.var() == pytest.approx(variance, rel=0.02)
    assert np.abs(values).max() <= limit * (1 + 1e-3)


def test_constants():
    assert initializers.Zeros()((2,)).numpy().tolist() == [0, 0]
    assert initializers.Ones()((2,), dtype="float64").dtype == tf.float64
    assert initializers.Constant([1.0, 2.0])((2, 2)).numpy().tolist() == [[1, 2], [1, 2]]


def test_fans_of_convolution_kernels():
    uniform = initializers.VarianceScaling(3.0, "fan_in", "uniform")
    assert np.abs(uniform((3, 3, 10, 7)).numpy()).max() == pytest.approx(np.sqrt(9 / 90), rel=0.01)
    outwards = initializers.VarianceScaling(3.0, "fan_out", "uniform")
    assert np.abs(outwards((3, 3, 10, 7)).numpy()).max() == pytest.approx(np.sqrt(9 / 63), rel=0.01)
    plain = initializers.VarianceScaling(1.0, "fan_avg", "untruncated_normal")(SHAPE).numpy()
    assert plain.std() == pytest.approx(np.sqrt(1 / 250), rel=0.02)


def test_seeds():
    one, two = initializers.GlorotUniform(seed=1), initializers.GlorotUniform(seed=1)
    np.testing.assert_array_equal(one(SHAPE).numpy(), two(SHAPE).numpy())
    assert np.any(initializers.GlorotUniform(seed=2)(SHAPE).numpy() != two(SHAPE).numpy())


def test_get():
    assert initializers.get(None) is None
    assert isinstance(initializers.get("HeNormal"), initializers.HeNormal)
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)

    def own(shape, dtype=None):
        return np.full(shape, 7.0)

    assert initializers.get(own) is own
    layer = tf.keras.layers.Dense(2, kernel_initializer=own)
    assert layer([[1.0]]).numpy().tolist() == [[7.0, 7.0]]
    with pytest.raises(ValueError, match="Could not interpret initializer 3"):
        initializers.get(3)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`scale` must be positive"):
        initializers.VarianceScaling(0.0)
    with pytest.raises(ValueError, match="`mode` must be"):
        initializers.VarianceScaling(mode="fan")
    with pytest.raises(ValueError, match="`distribution` must be"):
        initializers.VarianceScaling(distribution="cauchy")
