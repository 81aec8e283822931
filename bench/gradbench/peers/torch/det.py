"""A determinant by expansion in minors."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from bench.gradbench import wrap
from bench.gradbench.inputs import Json, floats, listed
from bench.gradbench.peers.torch.conversion import leaf

Matrix = tuple[torch.Tensor, int]


def _matrix(given: Json) -> Matrix:
    return torch.from_numpy(floats(given["A"])), given["ell"]


def _minor(rows: Sequence[Sequence[torch.Tensor]], first: int, columns: tuple[int, ...]) -> torch.Tensor:
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
def primal(matrix: Matrix) -> torch.Tensor:
    elements, ell = matrix[0].unbind(), matrix[1]
    rows = [elements[ell * i : ell * (i + 1)] for i in range(ell)]
    return _minor(rows, 0, tuple(range(ell)))


@wrap.multiple_runs(pre=_matrix, post=listed)
def gradient(matrix: Matrix) -> torch.Tensor:
    elements = leaf(matrix[0])
    return torch.autograd.grad(primal((elements, matrix[1])), elements)[0]
