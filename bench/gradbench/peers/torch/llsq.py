"""Half the squared distance between the sign function and a polynomial."""

from __future__ import annotations

import numpy as np
import torch

from bench.gradbench import wrap
from bench.gradbench.common import polynomial
from bench.gradbench.inputs import Json, listed
from bench.gradbench.peers.torch.conversion import leaf, vector

Problem = tuple[torch.Tensor, int]


def _problem(given: Json) -> Problem:
    return vector(given), given["n"]


@wrap.multiple_runs(pre=_problem, post=float)
def primal(problem: Problem) -> torch.Tensor:
    x, n = problem
    t = np.linspace(-1.0, 1.0, n)
    residuals = torch.from_numpy(np.sign(t)) - polynomial(x, t, torch.from_numpy, torch.matmul)
    return 0.5 * torch.sum(residuals * residuals)


@wrap.multiple_runs(pre=_problem, post=listed)
def gradient(problem: Problem) -> torch.Tensor:
    x = leaf(problem[0])
    return torch.autograd.grad(primal((x, problem[1])), x)[0]
