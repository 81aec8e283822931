"""Bundle adjustment: reprojection errors of all observations at once, and their sparse Jacobian."""

from __future__ import annotations

from collections.abc import Sequence

import autograd.numpy as np
import numpy
from autograd import grad, make_vjp

from bench.gradbench import inputs, wrap
from bench.gradbench.common import ba_compressed_rows, ba_observed, ba_seeds
from bench.gradbench.inputs import Array, Ba, BaJacobian


def _errors(observation: Sequence[Array], features: Array) -> tuple[Array, Array]:
    r1, r2, r3, c1, c2, c3, focal, u0, v0, k1, k2, p1, p2, p3, weight = observation
    x1, x2, x3 = p1 - c1, p2 - c2, p3 - c3
    squared = r1 * r1 + r2 * r2 + r3 * r3
    theta = np.sqrt(squared)
    cosine = np.cos(theta)
    turns = squared > 0.0
    across = np.where(turns, np.sin(theta) / theta, 1.0)
    along = np.where(turns, (1.0 - cosine) / squared, 0.5) * (r1 * x1 + r2 * x2 + r3 * x3)
    y1 = x1 * cosine + (r2 * x3 - r3 * x2) * across + r1 * along
    y2 = x2 * cosine + (r3 * x1 - r1 * x3) * across + r2 * along
    y3 = x3 * cosine + (r1 * x2 - r2 * x1) * across + r3 * along
    q1, q2 = y1 / y3, y2 / y3
    radius = q1 * q1 + q2 * q2
    scale = (1.0 + radius * (k1 + k2 * radius)) * focal
    return weight * (q1 * scale + u0 - features[:, 0]), weight * (q2 * scale + v0 - features[:, 1])


def _weight_errors(weights: Array) -> Array:
    return 1.0 - weights * weights


def _observations(data: Ba) -> list[Array]:
    camera, point = ba_observed(len(data.cameras), len(data.points), len(data.weights))
    cameras, points = np.ascontiguousarray(data.cameras[camera].T), np.ascontiguousarray(data.points[point].T)
    return [*cameras, *points, data.weights]


@wrap.multiple_runs(pre=inputs.ba, post=inputs.ba_residuals_json)
def objective(data: Ba) -> tuple[Array, Array]:
    return np.stack(_errors(_observations(data), data.features), 1), _weight_errors(data.weights)


@wrap.multiple_runs(pre=inputs.ba, post=inputs.ba_jacobian_json)
def jacobian(data: Ba) -> BaJacobian:
    vjp, _ = make_vjp(lambda sources: np.array(_errors(sources, data.features)))(_observations(data))
    blocks = numpy.stack([vjp(numpy.stack(seeds)) for seeds in zip(*ba_seeds(len(data.weights)), strict=True)])
    by_own_weight = grad(lambda weights: np.sum(_weight_errors(weights)))(data.weights)
    return ba_compressed_rows(len(data.cameras), len(data.points), blocks, by_own_weight)
