"""PyTorch, eager, on one thread. Leaves and cotangents are made once, outside the clock, to its advantage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from bench import chains
from bench.adapters import LongChain, Mlp, Scalar
from bench.oracle import Array


def _leaf(value: Any) -> Any:
    return torch.tensor(np.array(value)).requires_grad_()


class _Torch:
    name = "torch"
    version = torch.__version__
    max_nodes = 100_000

    def scalar(self, kind: str) -> Scalar:
        """Return the chain; PyTorch has no tape object, so the empty tape costs nothing."""
        leaves = [_leaf(value) for value in (0.5, 0.9, 0.1)]
        arguments: list[Any]
        if kind == "mul add":
            arguments, chain = leaves, chains.fresh(chains.mul_add)
        else:
            leaves = leaves[:1]
            arguments, chain = [leaves[0], torch.sin, torch.tanh], chains.fresh(chains.sin_tanh)

        def record() -> None:
            chain(*arguments)

        def total() -> tuple[Any, Sequence[Any]]:
            y = chain(*arguments)
            return y, torch.autograd.grad(y, leaves)

        return Scalar(total, lambda: None, record)

    def long_chain(self, x: float, w: float, b: float, nodes: int) -> LongChain:
        """Return the chain; its graph hangs on the result."""
        leaves = [_leaf(value) for value in (x, w, b)]
        chain = chains.fresh(chains.mul_add_loop)
        return LongChain(nodes, lambda: chain(*leaves, nodes), lambda y: torch.autograd.grad(y, leaves))

    def vector(self, x: Array, w: Array, b: Array) -> Callable[[], tuple[Any, Sequence[Any]]]:
        """Return value and gradients."""
        leaves = [_leaf(array) for array in (x, w, b)]
        chain = chains.fresh(chains.vector)
        ones = torch.ones_like(leaves[0])
        tanh, exp = torch.tanh, torch.exp

        def call() -> tuple[Any, Sequence[Any]]:
            h = chain(*leaves, tanh, exp)
            return h, torch.autograd.grad(h, leaves, ones)

        return call

    def square(self, x: float) -> Callable[[], Any]:
        """Return the gradient for a new leaf, as a watched value is new in every tape."""
        value = torch.tensor(x, dtype=torch.float64)

        def call() -> Any:
            leaf = value.detach().requires_grad_()
            return torch.autograd.grad(leaf * leaf, leaf)[0]

        return call

    def mlp(self, parameters: Sequence[Array], images: Array, labels: Array, rate: float) -> Mlp:
        """Return a step with the fused layer and loss, updated in place without an optimizer object."""
        leaves = [_leaf(array) for array in parameters]
        w1, b1, w2, b2 = leaves
        x, y = torch.tensor(images), torch.tensor(labels)
        cross_entropy = torch.nn.functional.cross_entropy

        def step() -> Any:
            hidden = torch.relu(torch.addmm(b1, x, w1))
            loss = cross_entropy(torch.addmm(b2, hidden, w2), y)
            gradients = torch.autograd.grad(loss, leaves)
            with torch.no_grad():
                for leaf, gradient in zip(leaves, gradients, strict=True):
                    leaf.sub_(gradient, alpha=rate)
            return loss.detach()

        return Mlp(step, lambda: [leaf.detach() for leaf in leaves])


def build() -> _Torch:
    """Return PyTorch's adapter."""
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    return _Torch()
