"""JAX, eager or compiled by `jax.jit`, on one thread; results are waited for, compiling is off the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench import chains
from bench.adapters import LongChain, Scalar, Training
from bench.oracle import Array
from bench.programs import Function, Ops


def _value_and_pull(chain: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function giving the chain's value and the gradients of its sum."""

    def run(*arguments: Any) -> Any:
        y, pull = jax.vjp(chain, *arguments)
        return y, pull(jnp.ones_like(y))

    return run


OPS = Ops(
    exp=jnp.exp,
    sqrt=jnp.sqrt,
    log=jnp.log,
    tanh=jnp.tanh,
    sigmoid=jax.nn.sigmoid,
    softplus=jax.nn.softplus,
    sum=jnp.sum,
    split=lambda x, parts: jnp.split(x, parts, axis=-1),
    transpose=jnp.transpose,
    matvec=jnp.matmul,
    diagonal=jnp.diagonal,
    solve=jnp.linalg.solve,
    solve_lower=lambda factor, values: jax.scipy.linalg.solve_triangular(factor, values, lower=True),
    cholesky=jnp.linalg.cholesky,
    logdet=lambda matrix: jnp.linalg.slogdet(matrix)[1],
)


@dataclass(frozen=True)
class _Jax:
    jit: bool
    version: str = jax.__version__
    max_nodes: int = 500
    ops: Ops = OPS

    def constant(self, array: Array) -> Any:
        """Return a JAX array."""
        return jnp.asarray(array)

    @property
    def name(self) -> str:
        return "jax.jit" if self.jit else "jax"

    def _ready(self, function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
        run = jax.jit(function) if self.jit else function
        return lambda: jax.block_until_ready(run(*arguments))

    def scalar(self, kind: str) -> Scalar:
        """Return the chain; compiled code has no recording step to time."""
        scalars = [jnp.asarray(np.float64(value)) for value in (0.5, 0.9, 0.1)]
        if kind == "mul add":
            sources, chain = scalars, chains.fresh(chains.mul_add)
        else:
            sources = scalars[:1]
            sin_tanh = chains.fresh(chains.sin_tanh)

            def chain(x: Any) -> Any:
                return sin_tanh(x, jnp.sin, jnp.tanh)

        total = self._ready(_value_and_pull(chain), *sources)
        if self.jit:
            return Scalar(total)

        def empty() -> Any:
            return jax.vjp(lambda *operands: operands[0], *sources)

        def record() -> Any:
            return jax.block_until_ready(jax.vjp(chain, *sources)[0])

        return Scalar(total, empty, record)

    def long_chain(self, x: float, w: float, b: float, nodes: int) -> LongChain | None:
        """Return the chain as `jax.vjp` records it; None when compiled."""
        if self.jit:
            return None
        sources = [jnp.asarray(np.float64(value)) for value in (x, w, b)]
        chain = chains.fresh(chains.mul_add_loop)
        one = jnp.ones(())

        def record() -> Any:
            y, pull = jax.vjp(lambda *operands: chain(*operands, nodes), *sources)
            return jax.block_until_ready(y), pull

        return LongChain(nodes, record, lambda state: jax.block_until_ready(state[1](one)))

    def vector(self, x: Array, w: Array, b: Array) -> Callable[[], tuple[Any, Sequence[Any]]]:
        """Return value and gradients."""
        chain = chains.fresh(chains.vector)
        run = _value_and_pull(lambda *operands: chain(*operands, jnp.tanh, jnp.exp))
        return self._ready(run, *(jnp.asarray(array) for array in (x, w, b)))

    def square(self, x: float) -> Callable[[], Any]:
        """Return `jax.grad`'s answer."""
        return self._ready(jax.grad(lambda value: value * value), jnp.asarray(np.float64(x)))

    def mlp(self, parameters: Sequence[Array], images: Array, labels: Array, rate: float) -> Training:
        """Return a step that replaces the parameters."""
        state = [jnp.asarray(array) for array in parameters]
        x, y = jnp.asarray(images), jnp.asarray(labels)
        rows = jnp.arange(len(labels))

        def loss_of(values: list[Any], x: Any, y: Any) -> Any:
            w1, b1, w2, b2 = values
            logits = jax.nn.relu(x @ w1 + b1) @ w2 + b2
            return -jnp.mean(jax.nn.log_softmax(logits)[rows, y])

        def update(values: list[Any], x: Any, y: Any) -> tuple[Any, list[Any]]:
            loss, gradients = jax.value_and_grad(loss_of)(values, x, y)
            return loss, [value - rate * gradient for value, gradient in zip(values, gradients, strict=True)]

        run = jax.jit(update) if self.jit else update

        def step() -> Any:
            loss, state[:] = jax.block_until_ready(run(state, x, y))
            return loss

        return Training(step, lambda: state)

    def train(self, loss: Function, parameters: Sequence[Array], rate: float) -> Training:
        """Return a step that replaces the parameters."""
        state = [jnp.asarray(array) for array in parameters]
        value_and_gradients = jax.value_and_grad(lambda values: loss(*values))

        def update(values: list[Any]) -> tuple[Any, list[Any]]:
            value, gradients = value_and_gradients(values)
            return value, [one - rate * gradient for one, gradient in zip(values, gradients, strict=True)]

        run = jax.jit(update) if self.jit else update

        def step() -> Any:
            value, state[:] = jax.block_until_ready(run(state))
            return value

        return Training(step, lambda: state)

    def value_and_gradients(
        self, program: Function, arguments: Sequence[Array]
    ) -> Callable[[], tuple[Any, Sequence[Any]]]:
        """Return value and gradients; compiled, Python loops are unrolled."""
        values = [jnp.asarray(array) for array in arguments]
        return self._ready(jax.value_and_grad(program, argnums=tuple(range(len(values)))), *values)

    def jacobian(self, program: Function, x: Array, results: int) -> Callable[[], Any]:
        """Return `jax.jacrev` where there are fewer results than arguments, else `jax.jacfwd`, which is faster."""
        return self._ready((jax.jacrev if results < len(x) else jax.jacfwd)(program), jnp.asarray(x))

    def hessian(self, program: Function, x: Array) -> Callable[[], Any]:
        """Return `jax.hessian`: forward over reverse, mapped."""
        return self._ready(jax.hessian(program), jnp.asarray(x))

    def hessian_product(self, program: Function, x: Array, v: Array) -> Callable[[], Any]:
        """Return forward over reverse."""
        gradient = jax.grad(program)

        def product(x: Any, v: Any) -> Any:
            return jax.jvp(gradient, (x,), (v,))[1]

        return self._ready(product, jnp.asarray(x), jnp.asarray(v))

    def minimize(self, program: Function, start: Array) -> Callable[[], Any]:
        """Return BFGS with `jax.value_and_grad`, whose results become NumPy's."""
        from scipy.optimize import minimize

        value_and_gradient = jax.value_and_grad(program)
        run = jax.jit(value_and_gradient) if self.jit else value_and_gradient

        def evaluate(array: Array) -> tuple[float, Array]:
            value, gradient = run(jnp.asarray(array))
            return float(value), np.asarray(gradient)

        return lambda: minimize(evaluate, start, jac=True, method="BFGS")


def build(jit: bool) -> _Jax:
    """Return JAX's adapter, eager or compiled."""
    return _Jax(jit)
