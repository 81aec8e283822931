"""A determinant by expansion in minors."""

from __future__ import annotations

from autograd import grad

from bench.gradbench import wrap
from bench.gradbench.common import determinant
from bench.gradbench.inputs import Array, Json, floats, listed


def _elements(given: Json) -> Array:
    return floats(given["A"])


@wrap.multiple_runs(pre=_elements, post=float)
def primal(matrix: Array) -> Array:
    ell = int(len(matrix) ** 0.5)
    elements = [matrix[i] for i in range(ell * ell)]
    return determinant(elements, ell)


gradient = wrap.multiple_runs(pre=_elements, post=listed)(grad(primal.function))
