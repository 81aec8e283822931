"""One adapter per library, all answering the same calls; loading an adapter imports its library."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bench.oracle import Array
from bench.programs import Function, Ops


@dataclass(frozen=True)
class Scalar:
    """A chain of 100 scalar operations: with its gradients, as an empty tape, and only recorded."""

    total: Callable[[], tuple[Any, Sequence[Any]]]
    empty: Callable[[], Any] | None = None
    record: Callable[[], Any] | None = None


@dataclass(frozen=True)
class LongChain:
    """A chain of `nodes` scalar operations: `record()` gives what `sweep()` needs to return the gradients."""

    nodes: int
    record: Callable[[], Any]
    sweep: Callable[[Any], Sequence[Any]]


@dataclass(frozen=True)
class Training:
    """A training step that returns the loss, and the parameters as they are now."""

    step: Callable[[], Any]
    parameters: Callable[[], Sequence[Any]]


class Adapter(Protocol):
    """What a library must do. A method returns None where the question makes no sense for the library."""

    name: str
    version: str
    max_nodes: int
    """The longest scalar chain that this library records and sweeps in a second or two."""
    ops: Ops

    def constant(self, array: Array) -> Any:
        """Return the array as a value that programs compute with."""

    def scalar(self, kind: str) -> Scalar | None:
        """Return the chain called "mul add" or "sin tanh", on 0-d float64."""

    def long_chain(self, x: float, w: float, b: float, nodes: int) -> LongChain | None:
        """Return a `*`, `+` chain on 0-d float64 of `nodes` operations."""

    def vector(self, x: Array, w: Array, b: Array) -> Callable[[], tuple[Any, Sequence[Any]]] | None:
        """Return a call giving the vector chain's value and its gradients for x, w and b."""

    def square(self, x: float) -> Callable[[], Any] | None:
        """Return a call giving the gradient of `x * x`, everything included."""

    def mlp(self, parameters: Sequence[Array], images: Array, labels: Array, rate: float) -> Training | None:
        """Return a training step of a network on copies of its parameters (kernel, bias, kernel, bias)."""

    def train(self, loss: Function, parameters: Sequence[Array], rate: float) -> Training | None:
        """Return a step of plain gradient descent for a program's parameters, on copies of them."""

    def value_and_gradients(
        self, program: Function, arguments: Sequence[Array]
    ) -> Callable[[], tuple[Any, Sequence[Any]]] | None:
        """Return a call giving a scalar program's value and its gradients for all arguments."""

    def jacobian(self, program: Function, x: Array, results: int) -> Callable[[], Any] | None:
        """Return a call giving the Jacobian of a program with so many results, in the mode that suits it."""

    def hessian(self, program: Function, x: Array) -> Callable[[], Any] | None:
        """Return a call giving all second derivatives of a scalar program."""

    def hessian_product(self, program: Function, x: Array, v: Array) -> Callable[[], Any] | None:
        """Return a call giving the product of a scalar program's Hessian with a vector."""

    def minimize(self, program: Function, start: Array) -> Callable[[], Any] | None:
        """Return a call that runs SciPy's BFGS with this library's gradient and gives SciPy's result."""


# Peer -> (the module to look for, the adapter's file, the arguments of its `build`).
PEERS: dict[str, tuple[str, str, tuple[Any, ...]]] = {
    "numpy": ("numpy", "numpy_", ()),
    "tapegrad": ("tapegrad", "tapegrad_", ()),
    "torch": ("torch", "torch_", ()),
    "tensorflow": ("tensorflow", "tensorflow_", ()),
    "jax": ("jax", "jax_", (False,)),
    "jax.jit": ("jax", "jax_", (True,)),
    "autograd": ("autograd", "autograd_", ()),
}


def installed(peer: str) -> bool:
    """Say whether a peer's library can be imported (a directory that merely has its name does not count)."""
    spec = importlib.util.find_spec(PEERS[peer][0])
    return spec is not None and spec.origin is not None


def load(peer: str) -> Adapter:
    """Import a peer's library and return its adapter."""
    _, file, arguments = PEERS[peer]
    adapter: Adapter = importlib.import_module(f"bench.adapters.{file}").build(*arguments)
    return adapter
