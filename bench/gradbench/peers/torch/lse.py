"""The logarithm of a sum of exponentials, safe from overflow."""

from __future__ import annotations

import torch

from bench.gradbench import wrap
from bench.gradbench.inputs import listed
from bench.gradbench.peers.torch.conversion import leaf, vector


@wrap.multiple_runs(pre=vector, post=float)
def primal(x: torch.Tensor) -> torch.Tensor:
    greatest = torch.max(x)
    return greatest + torch.log(torch.sum(torch.exp(x - greatest)))


@wrap.multiple_runs(pre=vector, post=listed)
def gradient(x: torch.Tensor) -> torch.Tensor:
    x = leaf(x)
    return torch.autograd.grad(primal(x), x)[0]
