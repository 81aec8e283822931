"""A determinant by expansion in minors."""

from __future__ import annotations

from collections.abc import Sequence

from autograd import grad

from bench.gradbench import wrap
from bench.gradbench.inputs import Array, Json, floats, listed


def _elements(given: Json) -> Array:
    return floats(given["A"])


def _minor(rows: Sequence[Sequence[Array]], first: int, columns: tuple[int, ...]) -> Array:
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


@wrap.multiple_runs(pre=_elements, post=float)
def primal(matrix: Array) -> Array:
    ell = int(len(matrix) ** 0.5)
    elements = [matrix[i] for i in range(ell * ell)]
    rows = [elements[ell * i : ell * (i + 1)] for i in range(ell)]
    return _minor(rows, 0, tuple(range(ell)))


gradient = wrap.multiple_runs(pre=_elements, post=listed)(grad(primal.function))
