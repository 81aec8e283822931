"""What `particle` and `saddle` share: gradients and GradBench's descent. A point is a list of scalars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

from bench.gradbench.peers.torch.conversion import leaf

Point = list[torch.Tensor]
Function = Callable[[Point], torch.Tensor]

PRECISION = 1e-5


def reverse(f: Function, x: Point, nested: bool) -> Sequence[torch.Tensor]:
    """Return the gradient; it can be differentiated again if it is part of a recorded computation."""
    if not nested:
        x = [leaf(value) for value in x]
    else:
        x = [value if value.requires_grad else leaf(value) for value in x]
    return torch.autograd.grad(f(x), x, create_graph=nested)


def _length(x: Sequence[torch.Tensor]) -> float:
    return math.hypot(*map(float, x))


def argmin(f: Function, x: Point) -> Point:
    """Descend; `f` decides by its closure whether the descent is part of another one's recording."""
    fx = f(x)
    nested = fx.requires_grad
    slope = reverse(f, x, nested)
    successes, eta = 0, 1e-5
    while _length(slope) > PRECISION:
        if successes == 10:
            eta *= 2.0
            successes = 0
            continue
        following = [a - eta * g for a, g in zip(x, slope, strict=True)]
        if math.dist(list(map(float, x)), list(map(float, following))) <= PRECISION:
            break
        value = f(following)
        if value < fx:
            x, fx = following, value
            slope = reverse(f, x, nested)
            successes += 1
        else:
            eta /= 2.0
            successes = 0
    return x


def argmax(f: Function, x: Point) -> Point:
    """Return where `f` has a maximum."""
    return argmin(lambda x: -f(x), x)
