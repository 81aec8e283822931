"""Half the squared distance between the sign function and a polynomial, at `n` points of [-1, 1]."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import tapegrad as tf
from bench.gradbench import wrap
from bench.gradbench.common import polynomial
from bench.gradbench.inputs import Json, floats, listed


class _Problem(NamedTuple):
    x: tf.Tensor
    n: int


def _problem(given: Json) -> _Problem:
    return _Problem(tf.constant(floats(given["x"])), given["n"])


@wrap.multiple_runs(pre=_problem, post=float)
def primal(problem: _Problem) -> tf.Tensor:
    """Return the polynomial's error; `x` are its coefficients."""
    t = np.linspace(-1.0, 1.0, problem.n)
    residuals = tf.from_numpy(np.sign(t)) - polynomial(problem.x, t, tf.from_numpy, tf.matmul)
    return 0.5 * tf.reduce_sum(tf.square(residuals))


@wrap.multiple_runs(pre=_problem, post=listed)
def gradient(problem: _Problem) -> Any:
    """Return the gradient with respect to the coefficients."""
    with tf.GradientTape() as tape:
        tape.watch(problem.x)
        y = primal(problem)
    return tape.gradient(y, problem.x)
