"""Losses: TensorFlow 2.21's values, reductions and weights, gradients, ranks."""

from __future__ import annotations

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

losses = tf.keras.losses
TRUE = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], np.float32)
PREDICTED = np.array([[0.2, 0.7], [0.9, 0.3], [0.4, 0.6]], np.float32)
LOGITS = np.array([[0.2, -1.7], [3.9, 0.3], [-0.4, 0.6]], np.float32)
CLASSES = np.array([1, 0, 1])
WEIGHTS = np.array([1.0, 2.0, 0.5], np.float32)


@pytest.mark.parametrize(
    ("loss", "labels", "outputs", "expected"),
    [
        (losses.MeanSquaredError(), TRUE, PREDICTED, 0.0916667),
        (losses.MeanAbsoluteError(), TRUE, PREDICTED, 0.2833333),
        (losses.Huber(delta=0.3), TRUE, PREDICTED, 0.0441667),
        (losses.BinaryCrossentropy(), TRUE, PREDICTED, 0.3439175),
        (losses.BinaryCrossentropy(from_logits=True), TRUE, LOGITS, 0.7484705),
        (losses.BinaryCrossentropy(label_smoothing=0.2), TRUE, PREDICTED, 0.4454016),
        (losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2), TRUE, LOGITS, 0.7934706),
        (losses.BinaryCrossentropy(), [[1.0, 0.0]], [[0.0, 1.0]], 16.0302391),
        (losses.CategoricalCrossentropy(), TRUE, PREDICTED, 0.3499407),
        (losses.CategoricalCrossentropy(from_logits=True), TRUE, LOGITS, 0.7932019),
        (losses.CategoricalCrossentropy(label_smoothing=0.2), TRUE, PREDICTED, 0.4418354),
        (losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2), TRUE, LOGITS, 0.8832018),
        (losses.SparseCategoricalCrossentropy(), CLASSES, PREDICTED, 0.3499407),
        (losses.SparseCategoricalCrossentropy(from_logits=True), CLASSES, LOGITS, 0.7932019),
    ],
)
def test_values(loss, labels, outputs, expected):
    result = loss(labels, outputs)
    assert result.dtype == tf.float32
    assert result.shape == ()
    assert float(result) == pytest.approx(expected, rel=2e-6)


def test_reductions_and_weights():
    loss = losses.MeanSquaredError
    np.testing.assert_allclose(
        loss(reduction="none")(TRUE, PREDICTED).numpy(), [0.065, 0.05, 0.16], rtol=1e-5
    )
    assert float(loss(reduction="sum")(TRUE, PREDICTED)) == pytest.approx(0.275)
    for weights in (WEIGHTS, WEIGHTS[:, None], WEIGHTS.tolist()):
        assert float(loss()(TRUE, PREDICTED, sample_weight=weights)) == pytest.approx(0.0816667, rel=1e-5)
    assert float(loss()(TRUE, PREDICTED, sample_weight=2.0)) == pytest.approx(0.1833333, rel=1e-5)
    weighted = losses.BinaryCrossentropy()(TRUE, PREDICTED, sample_weight=WEIGHTS)
    assert float(weighted) == pytest.approx(0.3357859, rel=1e-6)
    sequences = loss(reduction="none")(np.zeros((2, 3, 4)), np.ones((2, 3, 4)), sample_weight=[1.0, 2.0])
    assert sequences.numpy().tolist() == [[1.0] * 3, [2.0] * 3]
    with pytest.raises(ValueError, match=r"`reduction` must be .* got 'average'"):
        loss(reduction="average")


def test_labels_and_predictions_of_different_rank():
    column = np.array([[1.0], [2.0], [4.0]], np.float32)
    row = np.array([1.0, 1.0, 1.0])
    for labels, predictions in ((row, column), (column, row)):
        assert float(losses.MeanSquaredError()(labels, predictions)) == pytest.approx(10 / 3)
        assert float(losses.MeanAbsoluteError()(labels, predictions)) == pytest.approx(4 / 3)
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    assert float(sparse(CLASSES[:, None], LOGITS)) == pytest.approx(float(sparse(CLASSES, LOGITS)))
    assert float(sparse(CLASSES.astype(np.float32), LOGITS)) == pytest.approx(0.7932019)


def test_labels_take_the_type_of_the_predictions():
    assert losses.MeanSquaredError()(np.zeros((2, 2)), np.ones((2, 2), np.float32)).dtype == tf.float32
    assert losses.MeanSquaredError()(np.zeros((2, 2), int), np.ones((2, 2))).dtype == tf.float64
    assert float(losses.MeanSquaredError()([[0, 0]], [[1, 2]])) == 2.5


def test_gradients():
    labels = TRUE.astype(np.float64)
    predicted, logits = PREDICTED.astype(np.float64), LOGITS.astype(np.float64)
    for loss in (losses.MeanSquaredError(), losses.MeanAbsoluteError(), losses.Huber(delta=0.25)):
        check_grads(lambda p, loss=loss: loss(labels, p), (predicted,), order=2)
    for kind in (losses.BinaryCrossentropy, losses.CategoricalCrossentropy):
        check_grads(lambda p, kind=kind: kind()(labels, p), (predicted,), order=2)
        check_grads(lambda z, kind=kind: kind(from_logits=True)(labels, z), (logits,), order=2)
    sparse = losses.SparseCategoricalCrossentropy
    check_grads(lambda p: sparse()(CLASSES, p), (predicted,), order=2)
    check_grads(lambda z: sparse(from_logits=True)(CLASSES, z, sample_weight=WEIGHTS), (logits,), order=2)


def test_huber_is_the_square_inside_and_linear_outside():
    error = tf.Variable([0.5, -0.5, 3.0, -3.0, 1.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(losses.huber(tf.zeros((5, 1)), error[:, None]))
    assert float(loss) == 0.125 + 0.125 + 2.5 + 2.5 + 0.5
    assert tape.gradient(loss, error).numpy().tolist() == [0.5, -0.5, 1.0, -1.0, 1.0]


def test_messages():
    with pytest.raises(ValueError, match=r"\(3,\).*\(2, 2\)"):
        losses.SparseCategoricalCrossentropy()([0, 1, 0], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match="outside the valid range"):
        losses.SparseCategoricalCrossentropy()([0, 2], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        losses.MeanSquaredError()(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(NotImplementedError, match="Loss must define"):
        losses.Loss()(1.0, 1.0)
