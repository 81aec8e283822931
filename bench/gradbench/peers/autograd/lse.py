"""The logarithm of a sum of exponentials, safe from overflow."""

from __future__ import annotations

import autograd.numpy as np
from autograd import grad

from bench.gradbench import wrap
from bench.gradbench.inputs import Array, Json, floats, listed


def _vector(given: Json) -> Array:
    return floats(given["x"])


@wrap.multiple_runs(pre=_vector, post=float)
def primal(x: Array) -> Array:
    greatest = np.max(x)
    return greatest + np.log(np.sum(np.exp(x - greatest)))


gradient = wrap.multiple_runs(pre=_vector, post=listed)(grad(primal.function))
