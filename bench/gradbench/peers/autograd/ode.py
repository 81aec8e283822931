"""The classic Runge-Kutta method on a system whose right-hand side depends on the parameters."""

from __future__ import annotations

import autograd.numpy as np
from autograd import grad

from bench.gradbench import wrap
from bench.gradbench.inputs import Array, Json, floats, listed

Problem = tuple[Array, int]


def _problem(given: Json) -> Problem:
    return floats(given["x"]), given["s"]


def _solve(x: Array, steps: int) -> Array:
    one = np.ones(1)

    def slope(y: Array) -> Array:
        return x * np.concatenate([one, y[:-1]])

    h = 2.0 / steps
    y = np.zeros(len(x))
    for _ in range(steps):
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        k4 = slope(y + h * k3)
        y = y + h / 6 * (k1 + 2.0 * (k2 + k3) + k4)
    return y


primal = wrap.multiple_runs(pre=_problem, post=listed)(lambda problem: _solve(*problem))


@wrap.multiple_runs(pre=_problem, post=listed)
def gradient(problem: Problem) -> Array:
    x, steps = problem
    return grad(lambda x: _solve(x, steps)[-1])(x)
