"""The classic Runge-Kutta method on a system whose right-hand side depends on the parameters."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import tapegrad as tf
from bench.gradbench import wrap
from bench.gradbench.inputs import Json, floats, listed

END = 2.0


class _Problem(NamedTuple):
    x: tf.Tensor
    steps: int


def _problem(given: Json) -> _Problem:
    return _Problem(tf.constant(floats(given["x"])), given["s"])


@wrap.multiple_runs(pre=_problem, post=listed)
def primal(problem: _Problem) -> tf.Tensor:
    """Return y(2) where y(0) = 0, y[0]' = x[0] and y[i]' = x[i] y[i-1]."""
    x, steps = problem
    one = tf.constant(np.ones(1))

    def slope(y: tf.Tensor) -> tf.Tensor:
        return x * tf.concat([one, y[:-1]], 0)

    h = END / steps
    y = tf.zeros(x.shape, tf.float64)
    for _ in range(steps):
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        k4 = slope(y + h * k3)
        y += h / 6 * (k1 + 2.0 * (k2 + k3) + k4)
    return y


@wrap.multiple_runs(pre=_problem, post=listed)
def gradient(problem: _Problem) -> Any:
    """Return the gradient of the last component with respect to the parameters."""
    with tf.GradientTape() as tape:
        tape.watch(problem.x)
        last = primal(problem)[-1]
    return tape.gradient(last, problem.x)
