"""The saddle point of a function: a descent through the whole of another one."""

from __future__ import annotations

import torch

from bench.gradbench import wrap
from bench.gradbench.peers.torch.conversion import number
from bench.gradbench.peers.torch.solver import Point, argmax, argmin


def _function(p: Point, q: Point) -> torch.Tensor:
    return (p[0] * p[0] + p[1] * p[1]) - (q[0] * q[0] + q[1] * q[1])


@wrap.multiple_runs(
    pre=lambda given: [number(value) for value in given["start"]],
    post=lambda output: [float(value) for value in output],
)
def rr(start: Point) -> Point:
    def greatest(p: Point) -> torch.Tensor:
        return _function(p, argmax(lambda q: _function(p, q), start))

    least = argmin(greatest, start)
    return least + argmax(lambda q: _function(least, q), start)
