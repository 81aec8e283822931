"""Hand tracking: how far the vertices of a posed hand are from measured points, and the Jacobian in forward mode."""

from __future__ import annotations

import itertools

import numpy as np

import tapegrad as tf
from bench.gradbench import inputs, wrap
from bench.gradbench.common import CROSS, ht_angles, ht_generations, ht_tangents
from bench.gradbench.inputs import Array, Ht, Json


def tensors(given: Json) -> Ht:
    return inputs.convert(inputs.ht(given), tf.constant)


def _bone_rotations(theta: tf.Tensor, bones: int) -> tf.Tensor:
    """Return the rotations `(bones, 3, 3)`: about x by the bend of each joint, then about z by the fingers' spread."""
    bends, spreads = ht_angles(bones, len(theta))
    angles = tf.concat([theta, tf.zeros(1, tf.float64)], 0)
    bend, spread = tf.gather(angles, bends), tf.gather(angles, spreads)
    cosx, sinx, cosz, sinz = tf.cos(bend), tf.sin(bend), tf.cos(spread), tf.sin(spread)
    zero = tf.zeros(bones, tf.float64)
    elements = [cosz, -sinz * cosx, sinz * sinx, sinz, cosz * cosx, -cosz * sinx, zero, sinx, cosx]
    return tf.reshape(tf.stack(elements, 1), (bones, 3, 3))


def _rotation(axis_angle: tf.Tensor) -> tf.Tensor:
    """Return the rotation `(3, 3)` about an axis by the axis's length."""
    angle = tf.sqrt(tf.reduce_sum(axis_angle * axis_angle))
    if angle < 1e-4:
        return tf.eye(3, dtype=tf.float64)
    axis = axis_angle / angle
    cosine = tf.cos(angle)
    cross = tf.linalg.matvec(tf.constant(CROSS), axis)
    outer = tf.reshape(axis, (3, 1)) * axis
    return cosine * tf.eye(3, dtype=tf.float64) + tf.sin(angle) * cross + (1.0 - cosine) * outer


def _vertices(theta: tf.Tensor, data: Ht) -> tf.Tensor:
    """Return the posed vertices `(3, V)`, before the hand is moved to its place."""
    bones = len(data.parents)
    turned = tf.matmul(data.relatives[:, :, :3], _bone_rotations(theta, bones))
    relatives = tf.concat([turned, data.relatives[:, :, 3:]], 2)
    # All bones of a generation at once: each is relative to its parent.
    generations = ht_generations(data.parents)
    absolutes = [tf.gather(relatives, generations[0])]
    for before, now in itertools.pairwise(generations):
        parents = [before.index(data.parents[bone]) for bone in now]
        absolutes.append(tf.matmul(tf.gather(absolutes[-1], parents), tf.gather(relatives, now)))
    order = [bone for generation in generations for bone in generation]
    transforms = tf.matmul(tf.concat(absolutes, 0), tf.gather(data.inverses, order))[:, :3]
    # The hand as a whole turns with the bones' transforms, which are smaller than the vertices.
    turn = _rotation(theta[:3])
    if data.mirrored:
        turn = turn * tf.constant([-1.0, 1.0, 1.0], tf.float64)
    transforms = tf.reshape(tf.transpose(tf.matmul(turn, transforms), (1, 0, 2)), (3, 4 * bones))
    weights = tf.transpose(tf.gather(data.weights, order, axis=1))
    weighted = tf.reshape(weights, (bones, 1, -1)) * tf.transpose(data.positions)
    return tf.matmul(transforms, tf.reshape(weighted, (4 * bones, -1)))


def errors(theta: tf.Tensor, us: tf.Tensor | None, data: Ht) -> tf.Tensor:
    """Return the distances `(3, N)` of the points from their vertices, or from points on their triangles."""
    vertices = _vertices(theta, data)
    if us is None:
        matched = tf.gather(vertices, data.correspondences, axis=1)
    else:
        u0, u1 = tf.unstack(tf.transpose(us))
        first, second, third = data.triangles[data.correspondences].T
        matched = (
            u0 * tf.gather(vertices, first, axis=1)
            + u1 * tf.gather(vertices, second, axis=1)
            + (1.0 - u0 - u1) * tf.gather(vertices, third, axis=1)
        )
    place = tf.reshape(theta[3:6], (3, 1))
    return (tf.transpose(data.points) - place) - matched


@wrap.multiple_runs(pre=tensors, post=lambda output: inputs.flat([output]))
def objective(data: Ht) -> tf.Tensor:
    """Return the errors, point by point."""
    return tf.transpose(errors(data.theta, data.us, data))


@wrap.multiple_runs(pre=tensors, post=inputs.listed)
def jacobian(data: Ht) -> Array:
    """Return the errors' Jacobian: first, if there are any, each point's own two coordinates, then the pose."""
    moves, turns = ht_tangents(data)
    primals, tangents = ([data.theta], [turns]) if moves is None else ([data.us, data.theta], [moves, turns])
    with tf.autodiff.ForwardAccumulator(primals, tangents, batched=True) as forward:
        y = errors(data.theta, data.us, data)
    columns = np.asarray(forward.jvp(y))
    return columns.transpose(2, 1, 0).reshape(-1, len(columns))
