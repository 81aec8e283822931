"""Hand tracking: how far the vertices of a posed hand are from measured points, and the Jacobian in forward mode."""

from __future__ import annotations

import itertools

import autograd.numpy as np
import numpy
from autograd import make_jvp

from bench.gradbench import inputs, wrap
from bench.gradbench.common import CROSS, ht_angles, ht_generations, ht_tangents
from bench.gradbench.inputs import Array, Ht


def _bone_rotations(theta: Array, bones: int) -> Array:
    bends, spreads = ht_angles(bones, len(theta))
    angles = np.concatenate([theta, np.zeros(1)])
    bend, spread = angles[bends], angles[spreads]
    cosx, sinx, cosz, sinz = np.cos(bend), np.sin(bend), np.cos(spread), np.sin(spread)
    zero = np.zeros(bones)
    elements = [cosz, -sinz * cosx, sinz * sinx, sinz, cosz * cosx, -cosz * sinx, zero, sinx, cosx]
    return np.reshape(np.stack(elements, 1), (bones, 3, 3))


def _rotation(axis_angle: Array) -> Array:
    angle = np.sqrt(np.sum(axis_angle * axis_angle))
    if angle < 1e-4:
        return np.eye(3)
    axis = axis_angle / angle
    cosine = np.cos(angle)
    cross = np.dot(CROSS, axis)
    outer = np.reshape(axis, (3, 1)) * axis
    return cosine * np.eye(3) + np.sin(angle) * cross + (1.0 - cosine) * outer


def _vertices(theta: Array, data: Ht) -> Array:
    bones = len(data.parents)
    rotated = data.relatives[:, :, :3] @ _bone_rotations(theta, bones)
    relatives = np.concatenate([rotated, data.relatives[:, :, 3:]], 2)
    generations = ht_generations(data.parents)
    absolutes = [relatives[generations[0]]]
    for before, now in itertools.pairwise(generations):
        parents = [before.index(data.parents[bone]) for bone in now]
        absolutes.append(absolutes[-1][parents] @ relatives[now])
    order = [bone for generation in generations for bone in generation]
    transforms = (np.concatenate(absolutes) @ data.inverses[order])[:, :3]
    turn = _rotation(theta[:3])
    if data.mirrored:
        turn = turn * np.array([-1.0, 1.0, 1.0])
    transforms = np.reshape(np.transpose(turn @ transforms, (1, 0, 2)), (3, 4 * bones))
    weighted = np.reshape(data.weights[:, order].T, (bones, 1, -1)) * data.positions.T
    return transforms @ np.reshape(weighted, (4 * bones, -1))


def _errors(theta: Array, us: Array | None, data: Ht) -> Array:
    vertices = _vertices(theta, data)
    if us is None:
        matched = vertices[:, data.correspondences]
    else:
        u0, u1 = us[:, 0], us[:, 1]
        first, second, third = data.triangles[data.correspondences].T
        matched = u0 * vertices[:, first] + u1 * vertices[:, second] + (1.0 - u0 - u1) * vertices[:, third]
    return (data.points.T - np.reshape(theta[3:6], (3, 1))) - matched


@wrap.multiple_runs(pre=inputs.ht, post=lambda errors: inputs.flat([errors]))
def objective(data: Ht) -> Array:
    return _errors(data.theta, data.us, data).T


@wrap.multiple_runs(pre=inputs.ht, post=inputs.listed)
def jacobian(data: Ht) -> Array:
    """One pass for each direction: there are no batches of them."""
    moves, turns = ht_tangents(data)
    if moves is None:
        jvp = make_jvp(lambda theta: _errors(theta, None, data))(data.theta)
        columns = numpy.stack([jvp(turn)[1] for turn in turns])
    else:
        jvp = make_jvp(lambda point: _errors(*point, data))((data.theta, data.us))
        columns = numpy.stack([jvp(direction)[1] for direction in zip(turns, moves, strict=True)])
    return columns.transpose(2, 1, 0).reshape(-1, len(columns))
