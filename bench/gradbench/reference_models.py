"""The evals' formulas in plain NumPy, step by step as GradBench gives them, for real and complex numbers alike."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from bench.gradbench.inputs import Array, Ht


def lstm_loss(main: Array, extra: Array, state: Array, sequence: Array) -> Array:
    """Return the losses `(K,)` for K sets of parameters `(K, 2L, 4b)` and `(K, 3, b)`."""

    def sigmoid(z: Array) -> Array:
        return 1 / (1 + np.exp(-z))

    bits = sequence.shape[1]
    states = [np.broadcast_to(row, (len(main), bits)) for row in state]
    gates = [[main[:, i, j * bits : (j + 1) * bits] for j in range(4)] for i in range(main.shape[1])]
    total: Any = 0.0
    for now, following in itertools.pairwise(sequence):
        x = now * extra[:, 0]
        for i in range(0, len(states), 2):
            (wf, wi, wo, wc), (bf, bi, bo, bc) = gates[i], gates[i + 1]
            hidden, cell = states[i], states[i + 1]
            ingate, change = sigmoid(hidden * wi + bi), np.tanh(hidden * wc + bc)
            states[i + 1] = cell * sigmoid(x * wf + bf) + ingate * change
            states[i] = x = sigmoid(x * wo + bo) * np.tanh(states[i + 1])
        y = x * extra[:, 1] + extra[:, 2]
        total = total + ((y - np.log(2 + np.exp(y).sum(1, keepdims=True))) * following).sum(1)
    return np.asarray(-total / ((len(sequence) - 1) * bits))


def ba_errors(camera: Array, point: Array, weight: Any, feature: Array) -> Array:
    """Return the two errors of one observation."""
    rotation, centre, (focal, u0, v0, k1, k2) = camera[:3], camera[3:6], camera[6:]
    angle = np.sqrt(np.sum(rotation**2))
    axis, x = rotation / angle, point - centre
    seen = x * np.cos(angle) + np.cross(axis, x) * np.sin(angle) + axis * np.sum(axis * x) * (1 - np.cos(angle))
    p = seen[:2] / seen[2]
    radius = np.sum(p**2)
    return np.asarray(weight * (p * (1 + k1 * radius + k2 * radius**2) * focal + np.stack([u0, v0]) - feature))


def ht_errors(theta: Array, us: Array | None, data: Ht) -> Array:
    """Return the errors `(N, 3)`, bone by bone."""
    poses = np.zeros((len(data.parents) + 3, 3), theta.dtype)
    poses[0], poses[1], poses[2] = theta[0:3], 1.0, theta[3:6]
    place, row = 6, 5
    for _ in range(5):
        for j in range(3):
            poses[row, 0] = theta[place]
            place += 1
            if j == 0:
                poses[row, 1] = theta[place]
                place += 1
            row += 1
        row += 1
    absolutes: list[Array] = []
    positions: Any = 0.0
    for bone, parent in enumerate(data.parents):
        tx, tz, ty = poses[3 + bone]
        turn = np.eye(4, dtype=theta.dtype)
        turn[:3, :3] = _about(2, tz) @ _about(1, ty) @ _about(0, tx)
        relative = data.relatives[bone] @ turn
        absolutes.append(relative if parent == -1 else absolutes[parent] @ relative)
        transform = absolutes[bone] @ data.inverses[bone]
        positions = positions + data.weights[:, bone, None] * (data.positions @ transform.T)[:, :3]
    if data.mirrored:
        positions = positions * np.array([-1, 1, 1])
    positions = positions @ (_global_rotation(poses[0]) * poses[1]).T + poses[2]
    if us is None:
        return np.asarray(data.points - positions[data.correspondences])
    first, second, third = (positions[corner] for corner in data.triangles[data.correspondences].T)
    u0, u1 = us[:, :1], us[:, 1:]
    return np.asarray(data.points - (u0 * first + u1 * second + (1 - u0 - u1) * third))


def _about(axis: int, angle: Any) -> Array:
    """Return the right-handed rotation about a coordinate axis."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.eye(3, dtype=np.asarray(angle).dtype)
    rotation[i, i] = rotation[j, j] = np.cos(angle)
    rotation[j, i], rotation[i, j] = np.sin(angle), -np.sin(angle)
    return rotation


def _global_rotation(axis_angle: Array) -> Array:
    angle = np.sqrt(np.sum(axis_angle**2))
    if angle.real < 1e-4:
        return np.eye(3)
    (x, y, z), s, c = axis_angle / angle, np.sin(angle), np.cos(angle)
    return np.array(
        [
            [x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
            [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
            [x * z * (1 - c) - y * s, y * z * (1 - c) + x * s, z * z + (1 - z * z) * c],
        ]
    )


def particle_miss(w: Any) -> Any:
    """Return the squared place of impact; forces by hand, and branches by real parts."""
    charges = np.array([[10.0, 10.0 - w], [10.0, 0.0]])
    x, v = np.array([0.0, 8.0], charges.dtype), np.array([0.75, 0.0], charges.dtype)
    while True:
        away = x - charges
        acceleration = np.sum(away / np.sum(away**2, 1, keepdims=True) ** 1.5, 0)
        x = x + 0.1 * v
        if x[1].real <= 0:
            break
        v = v + 0.1 * acceleration
    return (x[0] - x[1] / v[1] * v[0]) ** 2
