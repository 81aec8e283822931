"""A determinant by expansion in minors: recursion over scalars, by the definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tapegrad as tf
from bench.gradbench import wrap
from bench.gradbench.inputs import Json, floats, listed


class _Matrix(NamedTuple):
    elements: tf.Tensor
    ell: int


def _matrix(given: Json) -> _Matrix:
    return _Matrix(tf.constant(floats(given["A"])), given["ell"])


def _minor(rows: Sequence[Sequence[tf.Tensor]], first: int, columns: tuple[int, ...]) -> tf.Tensor:
    """Return the determinant of the rows from `first` on, in these columns; 3 x 3 is written out."""
    row = rows[first]
    if len(columns) == 1:
        return row[columns[0]]
    if len(columns) == 3:
        i, j, k = columns
        second, third = rows[first + 1], rows[first + 2]
        return (
            row[i] * (second[j] * third[k] - second[k] * third[j])
            - row[j] * (second[i] * third[k] - second[k] * third[i])
            + row[k] * (second[i] * third[j] - second[j] * third[i])
        )
    first += 1
    total = row[columns[0]] * _minor(rows, first, columns[1:])
    for j in range(1, len(columns)):
        term = row[columns[j]] * _minor(rows, first, columns[:j] + columns[j + 1 :])
        total = total - term if j % 2 else total + term
    return total


@wrap.multiple_runs(pre=_matrix, post=float)
def primal(matrix: _Matrix) -> tf.Tensor:
    """Return the determinant."""
    elements, ell = tf.unstack(matrix.elements), matrix.ell
    rows = [elements[ell * i : ell * (i + 1)] for i in range(ell)]
    return _minor(rows, 0, tuple(range(ell)))


@wrap.multiple_runs(pre=_matrix, post=listed)
def gradient(matrix: _Matrix) -> Any:
    """Return the cofactors."""
    with tf.GradientTape() as tape:
        tape.watch(matrix.elements)
        y = primal(matrix)
    return tape.gradient(y, matrix.elements)
