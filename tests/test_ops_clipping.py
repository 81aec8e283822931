"""Tests of clipping by value and by norm."""

from __future__ import annotations

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

X = np.array([[3.0, -4.0, 0.5], [0.1, 0.2, -0.1]])


def test_clip_by_value() -> None:
    np.testing.assert_array_equal(tf.clip_by_value(X, -1.0, 1.0), np.clip(X, -1, 1))
    np.testing.assert_array_equal(tf.clip_by_value([1, 5], 2, 3), [2, 3])
    x = tf.constant([-1.0, 0.0, 1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.clip_by_value(x, -1.0, 1.0)
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 1.0, 1.0, 0.0])


def test_clip_by_norm() -> None:
    np.testing.assert_allclose(tf.clip_by_norm(X, 2.5), X * 2.5 / np.linalg.norm(X))
    np.testing.assert_allclose(tf.clip_by_norm(X, 100.0), X)
    np.testing.assert_allclose(
        tf.clip_by_norm(X, 2.5, axes=[1]), X * 2.5 / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 2.5)
    )
    np.testing.assert_array_equal(tf.clip_by_norm([0.0, 0.0], 1.0), [0.0, 0.0])
    check_grads(lambda x: tf.clip_by_norm(x, 2.5), (X,), order=2)
    check_grads(lambda x, c: tf.clip_by_norm(x, c, axes=1), (X, np.float64(2.5)), order=2)
    check_grads(lambda x: tf.clip_by_norm(x, 2.5), (np.zeros(3),), order=2)


def test_clip_by_global_norm() -> None:
    parts = [tf.constant([3.0, 0.0]), None, tf.constant([[4.0]], tf.float64)]
    clipped, norm = tf.clip_by_global_norm(parts, 2.5)
    assert norm is not None
    assert float(norm) == 5.0
    np.testing.assert_allclose(clipped[0], np.array([1.5, 0.0], np.float32), rtol=1e-6, strict=True)
    assert clipped[1] is None
    np.testing.assert_allclose(clipped[2], np.array([[2.0]]), strict=True)
    untouched, _ = tf.clip_by_global_norm(parts, 10.0)
    np.testing.assert_array_equal(untouched[0], [3.0, 0.0])
    given, norm = tf.clip_by_global_norm(parts, 2.5, use_norm=10.0)
    np.testing.assert_array_equal(given[0], [0.75, 0.0])
    assert tf.clip_by_global_norm([None], 1.0) == ([None], None)
    nothing, norm = tf.clip_by_global_norm([tf.zeros(2)], 1.0)
    np.testing.assert_array_equal(nothing[0], [0.0, 0.0])


def test_clip_by_global_norm_of_what_is_not_finite() -> None:
    clipped, norm = tf.clip_by_global_norm([tf.constant([np.inf, 1.0]), tf.constant(2.0)], 1.0)
    assert float(norm) == np.inf
    assert all(np.isnan(part.numpy()).all() for part in clipped)


def test_gradients_of_clip_by_global_norm() -> None:
    check_grads(lambda x, y: tf.clip_by_global_norm([x, y], 2.5)[0], (X[0], X[1]), order=2)
    check_grads(lambda x, y: tf.clip_by_global_norm([x, y], 25.0)[0], (X[0], X[1]), order=2)
    check_grads(lambda x, y: tf.clip_by_global_norm([x, y], 2.5)[1], (X[0], X[1]), order=2)
    x = tf.zeros(2)
    with tf.GradientTape() as tape:
        tape.watch(x)
        (y,), _ = tf.clip_by_global_norm([x], 1.0)
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 1.0])


def test_a_single_tensor_is_not_a_list() -> None:
    with pytest.raises(TypeError, match="clip_by_global_norm: a list of tensors is needed, not Tensor"):
        tf.clip_by_global_norm(tf.zeros(2), 1.0)
