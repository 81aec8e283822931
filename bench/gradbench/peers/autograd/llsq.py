"""Half the squared distance between the sign function and a polynomial."""

from __future__ import annotations

import autograd.numpy as np
from autograd import grad

from bench.gradbench import wrap
from bench.gradbench.common import polynomial
from bench.gradbench.inputs import Array, Json, floats, listed

Problem = tuple[Array, int]


def _problem(given: Json) -> Problem:
    return floats(given["x"]), given["n"]


def _distance(x: Array, n: int) -> Array:
    t = np.linspace(-1.0, 1.0, n)
    residuals = np.sign(t) - polynomial(x, t, np.asarray, np.matmul)
    return 0.5 * np.sum(residuals * residuals)


primal = wrap.multiple_runs(pre=_problem, post=float)(lambda problem: _distance(*problem))
gradient = wrap.multiple_runs(pre=_problem, post=listed)(lambda problem: grad(_distance)(*problem))
