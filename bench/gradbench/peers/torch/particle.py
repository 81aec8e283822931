"""Steering a charged particle: a descent through a simulation whose forces are themselves gradients."""

from __future__ import annotations

import torch

from bench.gradbench import wrap
from bench.gradbench.peers.torch.conversion import number
from bench.gradbench.peers.torch.solver import Point, argmin, reverse

STEP = 0.1


def _miss(w: torch.Tensor) -> torch.Tensor:
    charges = [(10.0, 10.0 - w), (10.0, 0.0)]

    def potential(position: Point) -> torch.Tensor:
        terms = []
        for charge_x, charge_y in charges:
            dx, dy = position[0] - charge_x, position[1] - charge_y
            terms.append(1.0 / torch.sqrt(dx * dx + dy * dy))
        return terms[0] + terms[1]

    x, y, speed_x, speed_y = (number(value) for value in (0.0, 8.0, 0.75, 0.0))
    while True:
        force_x, force_y = reverse(potential, [x, y], w.requires_grad)
        x = x + STEP * speed_x
        y = y + STEP * speed_y
        if y <= 0.0:
            break
        speed_x = speed_x - STEP * force_x
        speed_y = speed_y - STEP * force_y
    x = x - y / speed_y * speed_x
    return x * x


@wrap.multiple_runs(pre=lambda given: number(given["w"]), post=float)
def rr(w: torch.Tensor) -> torch.Tensor:
    return argmin(lambda x: _miss(x[0]), [w])[0]
