"""HIPS autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import autograd
import autograd.numpy as anp
import autograd.scipy.linalg
import numpy as np

from bench import chains
from bench.adapters import LongChain, Scalar, Training
from bench.oracle import Array
from bench.programs import Function, Ops


def _value_and_pull(chain: Callable[..., Any], arguments: Sequence[Any]) -> Callable[[], tuple[Any, Sequence[Any]]]:
    make = autograd.make_vjp(chain, argnum=tuple(range(len(arguments))))
    ones = np.ones(np.shape(arguments[0]), np.asarray(arguments[0]).dtype)

    def call() -> tuple[Any, Sequence[Any]]:
        pull, y = make(*arguments)
        return y, pull(ones)

    return call


class _Autograd:
    name = "autograd"
    version = version("autograd")
    max_nodes = 20_000
    ops = Ops(
        exp=anp.exp,
        sqrt=anp.sqrt,
        log=anp.log,
        tanh=anp.tanh,
        sigmoid=lambda x: 1.0 / (1.0 + anp.exp(-x)),
        softplus=lambda x: anp.logaddexp(0.0, x),
        sum=anp.sum,
        split=lambda x, parts: anp.split(x, parts, axis=-1),
        transpose=anp.transpose,
        matvec=anp.dot,
        diagonal=lambda matrix: anp.diagonal(matrix, axis1=-1, axis2=-2),
        solve=anp.linalg.solve,
        solve_lower=lambda factor, values: autograd.scipy.linalg.solve_triangular(factor, values, lower=True),
        cholesky=anp.linalg.cholesky,
        logdet=lambda matrix: anp.linalg.slogdet(matrix)[1],
    )

    def constant(self, array: Array) -> Array:
        """Return the array itself."""
        return array

    def scalar(self, kind: str) -> Scalar:
        """Return the chain on Python floats, which autograd boxes with the least work."""
        if kind == "mul add":
            arguments, chain = [0.5, 0.9, 0.1], chains.fresh(chains.mul_add)
        else:
            arguments, sin_tanh = [0.5], chains.fresh(chains.sin_tanh)

            def chain(x: Any) -> Any:
                return sin_tanh(x, anp.sin, anp.tanh)

        argnum = tuple(range(len(arguments)))
        make = autograd.make_vjp(chain, argnum=argnum)
        make_empty = autograd.make_vjp(lambda *operands: operands[0], argnum=argnum)
        return Scalar(_value_and_pull(chain, arguments), lambda: make_empty(*arguments), lambda: make(*arguments))

    def long_chain(self, x: float, w: float, b: float, nodes: int) -> LongChain:
        """Return the chain as `make_vjp` records it."""
        chain = chains.fresh(chains.mul_add_loop)
        make = autograd.make_vjp(chain, argnum=(0, 1, 2))
        return LongChain(nodes, lambda: make(x, w, b, nodes), lambda state: state[0](1.0))

    def vector(self, x: Array, w: Array, b: Array) -> Callable[[], tuple[Any, Sequence[Any]]]:
        """Return value and gradients."""
        chain = chains.fresh(chains.vector)
        return _value_and_pull(lambda *operands: chain(*operands, anp.tanh, anp.exp), (x, w, b))

    def square(self, x: float) -> Callable[[], Any]:
        """Return `autograd.grad`'s answer."""
        gradient = autograd.grad(lambda value: value * value)
        return lambda: gradient(x)

    def mlp(self, parameters: Sequence[Array], images: Array, labels: Array, rate: float) -> Training:
        """Return a step that updates the parameters in place."""
        state = [array.copy() for array in parameters]
        rows = np.arange(len(labels))

        def loss_of(values: list[Any]) -> Any:
            w1, b1, w2, b2 = values
            logits = anp.dot(anp.maximum(anp.dot(images, w1) + b1, 0.0), w2) + b2
            shifted = logits - anp.max(logits, axis=1, keepdims=True)
            return anp.mean(anp.log(anp.sum(anp.exp(shifted), axis=1)) - shifted[rows, labels])

        value_and_gradient = autograd.value_and_grad(loss_of)

        def step() -> Any:
            loss, gradients = value_and_gradient(state)
            for value, gradient in zip(state, gradients, strict=True):
                value -= rate * gradient
            return loss

        return Training(step, lambda: state)

    def train(self, loss: Function, parameters: Sequence[Array], rate: float) -> Training:
        """Return a step that updates the parameters in place."""
        state = [array.copy() for array in parameters]
        value_and_gradients = autograd.value_and_grad(lambda values: loss(*values))

        def step() -> Any:
            value, gradients = value_and_gradients(state)
            for one, gradient in zip(state, gradients, strict=True):
                one -= rate * gradient
            return value

        return Training(step, lambda: state)

    def value_and_gradients(
        self, program: Function, arguments: Sequence[Array]
    ) -> Callable[[], tuple[Any, Sequence[Any]]]:
        """Return value and gradients."""
        run = autograd.value_and_grad(program, argnum=tuple(range(len(arguments))))
        return lambda: run(*arguments)

    def jacobian(self, program: Function, x: Array, results: int) -> Callable[[], Any]:
        """Return `autograd.jacobian`: a sweep for each row."""
        jacobian = autograd.jacobian(program)
        return lambda: jacobian(x)

    def hessian(self, program: Function, x: Array) -> Callable[[], Any]:
        """Return `autograd.hessian`: a sweep for each row of it."""
        hessian = autograd.hessian(program)
        return lambda: hessian(x)

    def hessian_product(self, program: Function, x: Array, v: Array) -> Callable[[], Any]:
        """Return reverse over reverse."""
        product = autograd.hessian_vector_product(program)
        return lambda: product(x, v)

    def minimize(self, program: Function, start: Array) -> Callable[[], Any]:
        """Return BFGS with `autograd.value_and_grad`."""
        from scipy.optimize import minimize

        evaluate = autograd.value_and_grad(program)
        return lambda: minimize(evaluate, start, jac=True, method="BFGS")


def build() -> _Autograd:
    """Return autograd's adapter."""
    return _Autograd()
