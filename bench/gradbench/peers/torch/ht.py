"""Hand tracking: how far the vertices of a posed hand are from measured points, and the Jacobian in forward mode."""

from __future__ import annotations

import itertools

import torch

from bench.gradbench import inputs, wrap
from bench.gradbench.common import CROSS, ht_angles, ht_generations, ht_tangents
from bench.gradbench.inputs import Array, Ht, Json


def _tensors(given: Json) -> Ht:
    return inputs.convert(inputs.ht(given), torch.from_numpy)


def _bone_rotations(theta: torch.Tensor, bones: int) -> torch.Tensor:
    bends, spreads = map(torch.from_numpy, ht_angles(bones, len(theta)))
    angles = torch.cat([theta, torch.zeros(1, dtype=torch.float64)])
    bend, spread = angles[bends], angles[spreads]
    cosx, sinx, cosz, sinz = torch.cos(bend), torch.sin(bend), torch.cos(spread), torch.sin(spread)
    zero = torch.zeros(bones, dtype=torch.float64)
    elements = [cosz, -sinz * cosx, sinz * sinx, sinz, cosz * cosx, -cosz * sinx, zero, sinx, cosx]
    return torch.stack(elements, 1).reshape(bones, 3, 3)


def _rotation(axis_angle: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    axis = axis_angle / angle
    cosine = torch.cos(angle)
    cross = torch.from_numpy(CROSS) @ axis
    outer = axis.reshape(3, 1) * axis
    return cosine * torch.eye(3, dtype=torch.float64) + torch.sin(angle) * cross + (1.0 - cosine) * outer


def _vertices(theta: torch.Tensor, data: Ht, turned: bool) -> torch.Tensor:
    bones = len(data.parents)
    rotated = data.relatives[:, :, :3] @ _bone_rotations(theta, bones)
    relatives = torch.cat([rotated, data.relatives[:, :, 3:]], 2)
    generations = ht_generations(data.parents)
    absolutes = [relatives[generations[0]]]
    for before, now in itertools.pairwise(generations):
        parents = [before.index(data.parents[bone]) for bone in now]
        absolutes.append(absolutes[-1][parents] @ relatives[now])
    order = [bone for generation in generations for bone in generation]
    transforms = (torch.cat(absolutes) @ data.inverses[order])[:, :3]
    angle = torch.sqrt(torch.sum(theta[:3] * theta[:3]))
    turn = _rotation(theta[:3], angle) if turned else torch.eye(3, dtype=torch.float64)
    if data.mirrored:
        turn = turn * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    transforms = (turn @ transforms).permute(1, 0, 2).reshape(3, 4 * bones)
    weighted = data.weights[:, order].T.reshape(bones, 1, -1) * data.positions.T
    return transforms @ weighted.reshape(4 * bones, -1)


def _errors(theta: torch.Tensor, us: torch.Tensor | None, data: Ht, turned: bool) -> torch.Tensor:
    vertices = _vertices(theta, data, turned)
    if us is None:
        matched = vertices[:, data.correspondences]
    else:
        u0, u1 = us.T.unbind()
        first, second, third = map(torch.from_numpy, data.triangles[data.correspondences].T)
        matched = u0 * vertices[:, first] + u1 * vertices[:, second] + (1.0 - u0 - u1) * vertices[:, third]
    return (data.points.T - theta[3:6].reshape(3, 1)) - matched


def _is_turned(data: Ht) -> bool:
    """Decide outside the function that is mapped over tangents, which cannot branch on a value."""
    return float(torch.linalg.norm(data.theta[:3])) >= 1e-4


@wrap.multiple_runs(pre=_tensors, post=lambda errors: inputs.flat([errors]))
def objective(data: Ht) -> torch.Tensor:
    return _errors(data.theta, data.us, data, _is_turned(data)).T


@wrap.multiple_runs(pre=_tensors, post=inputs.listed)
def jacobian(data: Ht) -> Array:
    turned = _is_turned(data)
    moves, turns = ht_tangents(data)
    if moves is None:
        primals, tangents = (data.theta,), (torch.from_numpy(turns),)

        def errors(theta: torch.Tensor) -> torch.Tensor:
            return _errors(theta, None, data, turned)

    else:
        primals, tangents = (data.theta, data.us), (torch.from_numpy(turns), torch.from_numpy(moves))

        def errors(theta: torch.Tensor, us: torch.Tensor) -> torch.Tensor:
            return _errors(theta, us, data, turned)

    columns = torch.func.vmap(lambda *directions: torch.func.jvp(errors, primals, directions)[1])(*tangents).numpy()
    return columns.transpose(2, 1, 0).reshape(-1, len(columns))
