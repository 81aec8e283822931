"""Moments, normalisation, biases, and losses of logits that TensorFlow has beside the common ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

RNG = np.random.default_rng(2)
X = RNG.normal(size=(4, 3, 2))
WEIGHTS = RNG.uniform(0.5, 2.0, size=(4, 1, 1))


@pytest.mark.parametrize("axes", [0, [0], (0, 1), [0, 1, 2], -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_moments(axes: Any, keepdims: bool) -> None:
    over = tuple(axes) if isinstance(axes, list) else axes
    mean, variance = tf.nn.moments(X, axes, keepdims=keepdims)
    np.testing.assert_allclose(mean, X.mean(over, keepdims=keepdims), rtol=1e-13, strict=True)
    np.testing.assert_allclose(variance, X.var(over, keepdims=keepdims), rtol=1e-13, strict=True)
    check_grads(lambda x: tf.nn.moments(x, axes, keepdims=keepdims), (X,))


@pytest.mark.parametrize("keepdims", [False, True])
def test_weighted_moments(keepdims: bool) -> None:
    mean, variance = tf.nn.weighted_moments(X, [0, 2], WEIGHTS, keepdims=keepdims)
    average = np.average(X, (0, 2), np.broadcast_to(WEIGHTS, X.shape), keepdims=keepdims)
    centred = (X - np.average(X, (0, 2), np.broadcast_to(WEIGHTS, X.shape), keepdims=True)) ** 2
    spread = np.average(centred, (0, 2), np.broadcast_to(WEIGHTS, X.shape), keepdims=keepdims)
    np.testing.assert_allclose(mean, average, rtol=1e-13, strict=True)
    np.testing.assert_allclose(variance, spread, rtol=1e-13, strict=True)
    check_grads(lambda x, w: tf.nn.weighted_moments(x, [0, 2], w, keepdims=keepdims), (X, WEIGHTS))


@pytest.mark.parametrize("shift", [None, 0.3])
def test_statistics_give_the_moments(shift: float | None) -> None:
    count, total, squares, moved = tf.nn.sufficient_statistics(X, [0, 1], shift=shift)
    assert float(count) == 12.0
    assert (moved is None) == (shift is None)
    mean, variance = tf.nn.normalize_moments(count, total, squares, moved)
    np.testing.assert_allclose(mean, X.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(variance, X.var((0, 1)), rtol=1e-12)


def test_batch_normalization() -> None:
    mean, variance, offset, scale = RNG.uniform(0.5, 2.0, size=(4, 2))
    result = tf.nn.batch_normalization(X, mean, variance, offset, scale, 1e-3)
    np.testing.assert_allclose(result, scale * (X - mean) / np.sqrt(variance + 1e-3) + offset, rtol=1e-12)
    plain = tf.nn.batch_normalization(X, mean, variance, None, None, 1e-3)
    np.testing.assert_allclose(plain, (X - mean) / np.sqrt(variance + 1e-3), rtol=1e-12)
    check_grads(lambda *args: tf.nn.batch_normalization(*args, 1e-3), (X, mean, variance, offset, scale))


def test_bias_add() -> None:
    np.testing.assert_array_equal(tf.nn.bias_add(X, [1.0, 2.0]), X + np.array([1.0, 2.0]))
    np.testing.assert_array_equal(tf.nn.bias_add(X, [1.0, 2.0], data_format="NWC"), X + np.array([1.0, 2.0]))
    np.testing.assert_array_equal(tf.nn.bias_add(X, [1.0, 2.0, 3.0], "NCW"), X + np.array([[1.0], [2.0], [3.0]]))
    check_grads(lambda x, bias: tf.nn.bias_add(x, bias, "NC...") ** 2, (X, np.array([1.0, 2.0, 3.0])))


def test_crelu() -> None:
    x = np.array([[-1.0, 2.0], [0.5, -3.0]])
    np.testing.assert_array_equal(tf.nn.crelu(x), [[0.0, 2.0, 1.0, 0.0], [0.5, 0.0, 0.0, 3.0]])
    assert tf.nn.crelu(x, axis=0).shape == (4, 2)
    check_grads(lambda x: tf.nn.crelu(x) ** 2, (x,))


def test_weighted_cross_entropy() -> None:
    labels, logits = np.array([1.0, 0.0, 0.2]), np.array([2.0, 3.0, -4.0])
    probability = 1.0 / (1.0 + np.exp(-logits))
    expected = -labels * np.log(probability) * 2.5 - (1.0 - labels) * np.log1p(-probability)
    np.testing.assert_allclose(tf.nn.weighted_cross_entropy_with_logits(labels, logits, 2.5), expected, rtol=1e-12)
    np.testing.assert_array_equal(
        tf.nn.weighted_cross_entropy_with_logits([1.0, 0.0], [-1000.0, 1000.0], 2.0), [2000.0, 1000.0]
    )
    check_grads(tf.nn.weighted_cross_entropy_with_logits, (labels, logits, np.float64(2.5)))


def test_log_poisson_loss() -> None:
    counts, rates = np.array([0.0, 1.0, 5.0]), np.array([0.3, 2.0, 3.0])
    np.testing.assert_allclose(tf.nn.log_poisson_loss(counts, rates), np.exp(rates) - rates * counts, rtol=1e-15)
    # Values by TensorFlow.
    full = tf.nn.log_poisson_loss([1.0, 5.0], [2.0, 3.0], compute_full_loss=True)
    np.testing.assert_allclose(full, [5.389056, 9.856384], rtol=1e-6)
    check_grads(lambda rates: tf.nn.log_poisson_loss(counts, rates, compute_full_loss=True), (rates,))
    check_grads(lambda x: tf.nn.log_poisson_loss(x, rates[:2], compute_full_loss=True), (np.array([0.5, 4.0]),))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.nn.bias_add(X, [1.0]), r"a bias of shape \(1,\) does not fit .* \(4, 3, 2\), .* along axis 2"),
        (lambda: tf.nn.bias_add([1.0], [1.0]), "does not fit a tensor"),
        (lambda: tf.nn.bias_add(X, [1.0, 2.0], "XYZ"), "Received: data_format=XYZ"),
        (lambda: tf.nn.weighted_cross_entropy_with_logits([1.0], [1.0, 2.0], 1.0), "must have the same shape"),
        (lambda: tf.nn.log_poisson_loss([1.0], [1.0, 2.0]), "must have the same shape"),
        (lambda: tf.nn.moments(X, [0, 0]), "names a dimension twice"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
