"""The classic Runge-Kutta method on a system whose right-hand side depends on the parameters."""

from __future__ import annotations

import torch

from bench.gradbench import wrap
from bench.gradbench.inputs import Json, listed
from bench.gradbench.peers.torch.conversion import leaf, vector

Problem = tuple[torch.Tensor, int]


def _problem(given: Json) -> Problem:
    return vector(given), given["s"]


@wrap.multiple_runs(pre=_problem, post=listed)
def primal(problem: Problem) -> torch.Tensor:
    x, steps = problem
    one = torch.ones(1, dtype=torch.float64)

    def slope(y: torch.Tensor) -> torch.Tensor:
        return x * torch.cat([one, y[:-1]])

    h = 2.0 / steps
    y = torch.zeros_like(x)
    for _ in range(steps):
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        k4 = slope(y + h * k3)
        y = y + h / 6 * (k1 + 2.0 * (k2 + k3) + k4)
    return y


@wrap.multiple_runs(pre=_problem, post=listed)
def gradient(problem: Problem) -> torch.Tensor:
    x = leaf(problem[0])
    return torch.autograd.grad(primal((x, problem[1]))[-1], x)[0]
