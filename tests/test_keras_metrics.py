"""Metrics: running values, weights, ranks, resetting."""

from __future__ import annotations

import numpy as np
import pytest

import tapegrad as tf

metrics = tf.keras.metrics


def test_mean():
    mean = metrics.Mean(name="loss")
    assert mean.name == "loss"
    assert float(mean.result()) == 0.0
    mean.update_state([1.0, 3.0])
    mean.update_state(tf.constant(5.0))
    assert float(mean.result()) == 3.0
    assert mean.result().dtype == tf.float32
    assert mean.result().shape == ()
    assert float(mean([1.0, 3.0], sample_weight=[1.0, 0.0])) == 2.5
    mean.reset_state()
    assert float(mean(7)) == 7.0


def test_weights_of_samples():
    mean = metrics.Mean()
    assert float(mean(np.array([[1.0, 3.0], [5.0, 7.0]]), sample_weight=[1.0, 3.0])) == pytest.approx(5.0)
    mean.reset_state()
    assert float(mean([1.0, 3.0], sample_weight=[[1.0], [3.0]])) == 2.5
    mean.reset_state()
    assert float(mean([1.0, 3.0], sample_weight=2.0)) == 2.0


def test_sums_keep_their_accuracy():
    mean = metrics.Mean(dtype="float64")
    for _ in range(10_000):
        mean.update_state(np.float32(0.1))
    assert float(mean.result()) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_accuracies():
    assert float(metrics.Accuracy()([[1], [2], [3], [4]], [[0], [2], [3], [4]])) == 0.75
    assert float(metrics.Accuracy()([1, 2], [1, 3], sample_weight=[3.0, 1.0])) == 0.75
    labels, predictions = [[1], [1], [0], [0]], [[0.98], [1.0], [0.0], [0.6]]
    assert float(metrics.BinaryAccuracy()(labels, predictions)) == 0.75
    assert float(metrics.BinaryAccuracy(threshold=0.7)(labels, predictions)) == 1.0
    assert float(metrics.BinaryAccuracy()(np.array([1, 1, 0, 0]), np.array(predictions))) == 0.75
    scores = [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]
    assert float(metrics.CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], scores)) == 0.5
    assert float(
        metrics.SparseCategoricalAccuracy()([2, 1], scores, sample_weight=[0.7, 0.3])
    ) == pytest.approx(0.3)


def test_sparse_accuracy_takes_columns_and_tensors():
    accuracy = metrics.SparseCategoricalAccuracy()
    scores = tf.constant([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    accuracy.update_state(np.array([[1], [0], [0]]), scores)
    accuracy.update_state(tf.constant([1, 0, 1]), scores)
    assert float(accuracy.result()) == pytest.approx(5 / 6)
    accuracy.reset_state()
    assert float(accuracy.result()) == 0.0


def test_metrics_are_not_recorded():
    x = tf.Variable(2.0)
    mean = metrics.Mean()
    with tf.GradientTape() as tape:
        y = x * mean(x * 3.0)
    assert float(tape.gradient(y, x)) == 6.0


def test_messages():
    with pytest.raises(ValueError, match=r"do not match: \(3,\) and \(2,\)"):
        metrics.SparseCategoricalAccuracy()([0, 1, 0], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(NotImplementedError, match="Metric must define `update_state`"):
        metrics.Metric("m")(1.0)
