"""Steering a charged particle: a descent through a simulation whose forces are themselves gradients."""

from __future__ import annotations

import autograd.numpy as np
from autograd import grad

from bench.gradbench import wrap
from bench.gradbench.inputs import Array
from bench.gradbench.peers.autograd.solver import argmin

STEP = 0.1


def _miss(w: Array) -> Array:
    first, second = np.array([10.0, 10.0]) - np.array([0.0, 1.0]) * w, np.array([10.0, 0.0])

    def potential(x: Array) -> Array:
        from_first, from_second = x - first, x - second
        return 1.0 / np.sqrt(np.sum(from_first * from_first)) + 1.0 / np.sqrt(np.sum(from_second * from_second))

    force = grad(potential)
    x, speed = np.array([0.0, 8.0]), np.array([0.75, 0.0])
    while True:
        slope = force(x)
        x = x + STEP * speed
        if x[1] <= 0.0:
            break
        speed = speed - STEP * slope
    hit = x[0] - x[1] / speed[1] * speed[0]
    return hit * hit


@wrap.multiple_runs(pre=lambda given: np.array([given["w"]]), post=lambda w: float(w[0]))
def rr(w: Array) -> Array:
    return argmin(lambda x: _miss(x[0]), w)
