"""Half the squared distance between the sign function and a polynomial, at `n` points of [-1, 1]."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from bench.gradbench import wrap
from bench.gradbench.common import polynomial
from bench.gradbench.inputs import Json, floats, listed

Problem = tuple[Any, int]


def _problem(given: Json) -> Problem:
    return tf.constant(floats(given["x"])), given["n"]


def _product(x: Any, basis: Any) -> Any:
    return tf.linalg.matvec(basis, x, transpose_a=True)


@wrap.multiple_runs(pre=_problem, post=float)
def primal(problem: Problem) -> Any:
    x, n = problem
    t = np.linspace(-1.0, 1.0, n)
    residuals = np.sign(t) - polynomial(x, t, tf.constant, _product)
    return 0.5 * tf.reduce_sum(residuals * residuals)


@wrap.multiple_runs(pre=_problem, post=listed)
def gradient(problem: Problem) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(problem[0])
        y = primal(problem)
    return tape.gradient(y, problem[0])
