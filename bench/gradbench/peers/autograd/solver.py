"""What `particle` and `saddle` share: GradBench's descent. A point is an array."""

from __future__ import annotations

from collections.abc import Callable

import autograd.numpy as np
from autograd import grad
from autograd.extend import Box

from bench.gradbench.inputs import Array

Function = Callable[[Array], Array]

PRECISION = 1e-5


def _length(x: Array) -> float:
    while isinstance(x, Box):
        x = x._value
    return float(np.sqrt(x @ x))


def argmin(f: Function, x: Array) -> Array:
    """Return where `f` has a minimum, by descent."""
    gradient = grad(f)
    fx, slope = f(x), gradient(x)
    successes, eta = 0, 1e-5
    while _length(slope) > PRECISION:
        if successes == 10:
            eta *= 2.0
            successes = 0
            continue
        following = x - eta * slope
        if _length(x - following) <= PRECISION:
            break
        value = f(following)
        if value < fx:
            x, fx = following, value
            slope = gradient(x)
            successes += 1
        else:
            eta /= 2.0
            successes = 0
    return x


def argmax(f: Function, x: Array) -> Array:
    """Return where `f` has a maximum."""
    return argmin(lambda x: -f(x), x)
