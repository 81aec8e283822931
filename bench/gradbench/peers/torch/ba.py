"""Bundle adjustment: reprojection errors of all observations at once, and their sparse Jacobian."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from bench.gradbench import inputs, wrap
from bench.gradbench.common import ba_compressed_rows, ba_observed
from bench.gradbench.inputs import Ba, BaJacobian, Json
from bench.gradbench.peers.torch.conversion import leaf


def _tensors(given: Json) -> Ba:
    return inputs.convert(inputs.ba(given), torch.from_numpy)


def _errors(observation: Sequence[torch.Tensor], features: torch.Tensor) -> list[torch.Tensor]:
    r1, r2, r3, c1, c2, c3, focal, u0, v0, k1, k2, p1, p2, p3, weight = observation
    x1, x2, x3 = p1 - c1, p2 - c2, p3 - c3
    squared = r1 * r1 + r2 * r2 + r3 * r3
    theta = torch.sqrt(squared)
    cosine = torch.cos(theta)
    turns = squared > 0.0
    across = torch.where(turns, torch.sin(theta) / theta, 1.0)
    along = torch.where(turns, (1.0 - cosine) / squared, 0.5) * (r1 * x1 + r2 * x2 + r3 * x3)
    y1 = x1 * cosine + (r2 * x3 - r3 * x2) * across + r1 * along
    y2 = x2 * cosine + (r3 * x1 - r1 * x3) * across + r2 * along
    y3 = x3 * cosine + (r1 * x2 - r2 * x1) * across + r3 * along
    q1, q2 = y1 / y3, y2 / y3
    radius = q1 * q1 + q2 * q2
    scale = (1.0 + radius * (k1 + k2 * radius)) * focal
    feature1, feature2 = features.T.contiguous()
    return [weight * (q1 * scale + u0 - feature1), weight * (q2 * scale + v0 - feature2)]


def _observations(data: Ba) -> list[torch.Tensor]:
    camera, point = map(torch.from_numpy, ba_observed(len(data.cameras), len(data.points), len(data.weights)))
    cameras, points = data.cameras[camera].T.contiguous(), data.points[point].T.contiguous()
    return [*cameras, *points, data.weights]


@wrap.multiple_runs(pre=_tensors, post=inputs.ba_residuals_json)
def objective(data: Ba) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.stack(_errors(_observations(data), data.features), 1), 1.0 - data.weights * data.weights


@wrap.multiple_runs(pre=_tensors, post=inputs.ba_jacobian_json)
def jacobian(data: Ba) -> BaJacobian:
    """Two sweeps: PyTorch's batched one is slower than that."""
    sources = [leaf(x) for x in _observations(data)]
    ones = torch.ones(len(data.weights), dtype=torch.float64)
    rows = [
        torch.stack(torch.autograd.grad(error, sources, ones, retain_graph=True, materialize_grads=True))
        for error in _errors(sources, data.features)
    ]
    weights = leaf(data.weights)
    (by_own_weight,) = torch.autograd.grad((1.0 - weights * weights).sum(), weights)
    return ba_compressed_rows(len(data.cameras), len(data.points), torch.stack(rows).numpy(), by_own_weight.numpy())
