"""PyTorch, eager, on one thread. Leaves and cotangents are made once, outside the clock, to its advantage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from bench import chains
from bench.adapters import LongChain, Scalar, Training
from bench.oracle import Array
from bench.programs import Function, Ops


def _leaf(value: Any) -> Any:
    return torch.tensor(np.array(value)).requires_grad_()


class _Torch:
    name = "torch"
    version = torch.__version__
    max_nodes = 100_000
    ops = Ops(
        exp=torch.exp,
        sqrt=torch.sqrt,
        log=torch.log,
        tanh=torch.tanh,
        sigmoid=torch.sigmoid,
        softplus=torch.nn.functional.softplus,
        sum=torch.sum,
        split=lambda x, parts: torch.chunk(x, parts, dim=-1),
        transpose=torch.t,
        matvec=torch.mv,
        diagonal=torch.diagonal,
        solve=torch.linalg.solve,
        solve_lower=lambda factor, values: torch.linalg.solve_triangular(factor, values, upper=False),
        cholesky=torch.linalg.cholesky,
        logdet=torch.logdet,
    )

    def constant(self, array: Array) -> Any:
        """Return a tensor that needs no gradient."""
        return torch.tensor(array)

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

    def mlp(self, parameters: Sequence[Array], images: Array, labels: Array, rate: float) -> Training:
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

        return Training(step, lambda: [leaf.detach() for leaf in leaves])

    def train(self, loss: Function, parameters: Sequence[Array], rate: float) -> Training:
        """Return a step on leaves, updated in place without an optimizer object."""
        leaves = [_leaf(array) for array in parameters]

        def step() -> Any:
            value = loss(*leaves)
            gradients = torch.autograd.grad(value, leaves)
            with torch.no_grad():
                for leaf, gradient in zip(leaves, gradients, strict=True):
                    leaf.sub_(gradient, alpha=rate)
            return value.detach()

        return Training(step, lambda: [leaf.detach() for leaf in leaves])

    def value_and_gradients(
        self, program: Function, arguments: Sequence[Array]
    ) -> Callable[[], tuple[Any, Sequence[Any]]]:
        """Return value and gradients."""
        leaves = [_leaf(array) for array in arguments]

        def call() -> tuple[Any, Sequence[Any]]:
            y = program(*leaves)
            return y, torch.autograd.grad(y, leaves)

        return call

    def jacobian(self, program: Function, x: Array, results: int) -> Callable[[], Any]:
        """Return `torch.func`'s Jacobian: one mapped sweep, or one mapped push where there are more results."""
        value = torch.tensor(x)
        jacobian = torch.func.jacrev(program) if results <= len(x) else torch.func.jacfwd(program)
        return lambda: jacobian(value)

    def hessian(self, program: Function, x: Array) -> Callable[[], Any]:
        """Return the vectorised Hessian of `torch.autograd.functional`, the fastest of PyTorch's three."""
        value = torch.tensor(x)
        return lambda: torch.autograd.functional.hessian(program, value, vectorize=True)

    def hessian_product(self, program: Function, x: Array, v: Array) -> Callable[[], Any]:
        """Return reverse over reverse, which is faster in PyTorch than forward over reverse."""
        leaf, vector = _leaf(x), torch.tensor(v)

        def call() -> Any:
            (gradient,) = torch.autograd.grad(program(leaf), leaf, create_graph=True)
            return torch.autograd.grad(gradient, leaf, vector)[0]

        return call

    def minimize(self, program: Function, start: Array) -> Callable[[], Any]:
        """Return BFGS with a leaf for each evaluation, which shares SciPy's array."""
        from scipy.optimize import minimize

        def evaluate(array: Array) -> tuple[float, Array]:
            leaf = torch.from_numpy(array).requires_grad_()
            y = program(leaf)
            return y.item(), torch.autograd.grad(y, leaf)[0].numpy()

        return lambda: minimize(evaluate, start, jac=True, method="BFGS")


def build() -> _Torch:
    """Return PyTorch's adapter."""
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    return _Torch()
