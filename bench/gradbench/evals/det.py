"""A determinant by expansion in minors: recursion over scalars, by the definition."""

from __future__ import annotations

from typing import Any, NamedTuple

import tapegrad as tf
from bench.gradbench import wrap
from bench.gradbench.common import determinant
from bench.gradbench.inputs import Json, floats, listed


class _Matrix(NamedTuple):
    elements: tf.Tensor
    ell: int


def _matrix(given: Json) -> _Matrix:
    return _Matrix(tf.constant(floats(given["A"])), given["ell"])


@wrap.multiple_runs(pre=_matrix, post=float)
def primal(matrix: _Matrix) -> tf.Tensor:
    """Return the determinant."""
    elements, ell = tf.unstack(matrix.elements), matrix.ell
    return determinant(elements, ell)


@wrap.multiple_runs(pre=_matrix, post=listed)
def gradient(matrix: _Matrix) -> Any:
    """Return the cofactors."""
    with tf.GradientTape() as tape:
        tape.watch(matrix.elements)
        y = primal(matrix)
    return tape.gradient(y, matrix.elements)
