"""Bundle adjustment: reprojection errors of all observations at once, and their sparse Jacobian."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import tapegrad as tf
from bench.gradbench import inputs, wrap
from bench.gradbench.common import ba_compressed_rows, ba_observed, ba_seeds
from bench.gradbench.inputs import Ba, BaJacobian, Json


def tensors(given: Json) -> Ba:
    return inputs.convert(inputs.ba(given), tf.constant)


def errors(observation: Sequence[tf.Tensor], features: tf.Tensor) -> list[tf.Tensor]:
    """Return the two weighted reprojection errors of every observation, given as 15 rows of numbers."""
    r1, r2, r3, c1, c2, c3, focal, u0, v0, k1, k2, p1, p2, p3, weight = observation
    x1, x2, x3 = p1 - c1, p2 - c2, p3 - c3
    # Rodrigues' formula with the angle in two even functions, which are smooth where it is zero.
    squared = r1 * r1 + r2 * r2 + r3 * r3
    theta = tf.sqrt(squared)
    cosine = tf.cos(theta)
    turns = squared > 0.0
    across = tf.where(turns, tf.sin(theta) / theta, 1.0)
    along = tf.where(turns, (1.0 - cosine) / squared, 0.5) * (r1 * x1 + r2 * x2 + r3 * x3)
    y1 = x1 * cosine + (r2 * x3 - r3 * x2) * across + r1 * along
    y2 = x2 * cosine + (r3 * x1 - r1 * x3) * across + r2 * along
    y3 = x3 * cosine + (r1 * x2 - r2 * x1) * across + r3 * along
    q1, q2 = y1 / y3, y2 / y3
    radius = q1 * q1 + q2 * q2
    scale = (1.0 + radius * (k1 + k2 * radius)) * focal
    feature1, feature2 = tf.unstack(tf.transpose(features))
    return [weight * (q1 * scale + u0 - feature1), weight * (q2 * scale + v0 - feature2)]


def weight_errors(weights: tf.Tensor) -> tf.Tensor:
    """Return the weights' own errors."""
    return 1.0 - weights * weights


def observations(data: Ba) -> list[tf.Tensor]:
    """Return the 15 numbers that an observation depends on, each as a row over all of them."""
    camera, point = ba_observed(len(data.cameras), len(data.points), len(data.weights))
    cameras = tf.gather(tf.transpose(data.cameras), camera, axis=1)
    points = tf.gather(tf.transpose(data.points), point, axis=1)
    return [*tf.unstack(cameras), *tf.unstack(points), data.weights]


@wrap.multiple_runs(pre=tensors, post=inputs.ba_residuals_json)
def objective(data: Ba) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the errors, observation by observation, and the weights' own."""
    return tf.stack(errors(observations(data), data.features), 1), weight_errors(data.weights)


@wrap.multiple_runs(pre=tensors, post=inputs.ba_jacobian_json)
def jacobian(data: Ba) -> BaJacobian:
    """Return the Jacobian: an observation's two errors depend on one camera, one point and one weight.

    So two sweeps, in one batch, give all blocks: one from every first error, one from every second.
    """
    sources = observations(data)
    with tf.GradientTape() as tape:
        tape.watch(sources)
        targets = errors(sources, data.features)
    blocks = tape.pullback(targets, sources, ba_seeds(len(data.weights)))
    with tf.GradientTape() as tape:
        tape.watch(data.weights)
        y = weight_errors(data.weights)
    by_own_weight = np.asarray(tape.gradient(y, data.weights))
    return ba_compressed_rows(len(data.cameras), len(data.points), np.asarray(tf.stack(blocks, 1)), by_own_weight)
