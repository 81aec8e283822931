"""The square of a number, and its derivative."""

from __future__ import annotations

import torch

from bench.gradbench import wrap
from bench.gradbench.peers.torch.conversion import leaf, number


@wrap.function(pre=number, post=float)
def square(x: torch.Tensor) -> torch.Tensor:
    return x * x


@wrap.function(pre=number, post=float)
def double(x: torch.Tensor) -> torch.Tensor:
    x = leaf(x)
    return torch.autograd.grad(x * x, x)[0]
