"""A determinant by expansion in minors."""

from __future__ import annotations

import torch

from bench.gradbench import wrap
from bench.gradbench.common import determinant
from bench.gradbench.inputs import Json, floats, listed
from bench.gradbench.peers.torch.conversion import leaf

Matrix = tuple[torch.Tensor, int]


def _matrix(given: Json) -> Matrix:
    return torch.from_numpy(floats(given["A"])), given["ell"]


@wrap.multiple_runs(pre=_matrix, post=float)
def primal(matrix: Matrix) -> torch.Tensor:
    elements, ell = matrix[0].unbind(), matrix[1]
    return determinant(elements, ell)


@wrap.multiple_runs(pre=_matrix, post=listed)
def gradient(matrix: Matrix) -> torch.Tensor:
    elements = leaf(matrix[0])
    return torch.autograd.grad(primal((elements, matrix[1])), elements)[0]
