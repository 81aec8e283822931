"""JAX, eager or compiled by `jax.jit`, on one thread; results are waited for, compiling is off the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench import chains
from bench.adapters import LongChain, Mlp, Scalar
from bench.oracle import Array


def _value_and_pull(chain: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function giving the chain's value and the gradients of its sum."""

    def run(*arguments: Any) -> Any:
        y, pull = jax.vjp(chain, *arguments)
        return y, pull(jnp.ones_like(y))

    return run


@dataclass(frozen=True)
class _Jax:
    jit: bool
    version: str = jax.__version__
    max_nodes: int = 500

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

    def mlp(self, parameters: Sequence[Array], images: Array, labels: Array, rate: float) -> Mlp:
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

        return Mlp(step, lambda: state)


def build(jit: bool) -> _Jax:
    """Return JAX's adapter, eager or compiled."""
    return _Jax(jit)
