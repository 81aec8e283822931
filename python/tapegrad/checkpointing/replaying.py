"""Calling a function a second time as it was called the first: the same variables, the same random numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from tapegrad import random
from tapegrad._native import GradientTape, Tensor, Value, array, pause, snapshot, version
from tapegrad.autodiff import ForwardAccumulator
from tapegrad.checkpointing.closures import followed_values
from tapegrad.variable import Variable

__all__ = [
    "Surroundings",
    "constant",
    "detached",
    "differentiable",
    "fresh",
    "pulled_back",
    "pushing",
    "run_unrecorded",
]


class Surroundings:
    """What a function read when it was called, apart from the tensors among its arguments.

    Attributes
    ----------
    sources
        The variables, whether they are arguments or not, and the tensors in its closure that tapes follow; each once.
    """

    __slots__ = ("_random", "_values", "_variables", "sources")

    def __init__(self, sources: Sequence[Value], state: random.State | None) -> None:
        self.sources = list({id(source): source for source in sources}.values())
        self._variables = [source for source in self.sources if isinstance(source, Variable)]
        with pause():
            self._values = [variable.read_value() for variable in self._variables]
        self._random = state

    @property
    def drawn(self) -> bool:
        """Whether random numbers were drawn."""
        return self._random is not None

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        """Let variables have their values of then, and random numbers be those of then."""
        with contextlib.ExitStack() as stack:
            if self._random is not None:
                stack.enter_context(random.replay(self._random))
            for variable, value in zip(self._variables, self._values, strict=True):
                with pause():
                    now = variable.read_value()
                if not _is_same(now, value):
                    stack.callback(variable._assign, now)
                    variable._assign(value)
            yield


def run_unrecorded(
    call: Callable[[GradientTape], tuple[Any, Sequence[Variable]]], function: Any, arguments: Sequence[Any]
) -> tuple[Any, Surroundings]:
    """Return what `call` computes without being recorded, and what `function`, which it calls, found around it.

    `call` gets the tape that notices which variables are read, for as long as it does not reset it; it returns its
    result and the variables noticed before that.
    """
    state = random.capture()
    with pause(), GradientTape() as reads:
        result, noticed = call(reads)
    drawn = random.capture() != state
    given = [argument for argument in arguments if isinstance(argument, Variable) and differentiable(argument)]
    tensors = {id(argument) for argument in arguments if isinstance(argument, Tensor)}
    captured = [value for value in followed_values(function) if id(value) not in tensors]
    sources = [*given, *noticed, *reads.watched_variables(), *captured]
    return result, Surroundings(sources, state if drawn else None)


def fresh(operands: Sequence[Any], count: int) -> list[Any]:
    """Return the operands of a second call, with an object of its own in place of each of the first `count`.

    These are the tensors among the arguments: one that is passed twice thereby has a derivative in each place.
    """
    return [*map(version, operands[:count]), *operands[count:]]


def pushing(operands: Sequence[Any], tangents: Sequence[Tensor | None]) -> ForwardAccumulator:
    """Return the accumulator, to be entered, for those operands that have a tangent."""
    moved = [k for k, tangent in enumerate(tangents) if tangent is not None]
    return ForwardAccumulator([operands[k] for k in moved], [tangents[k] for k in moved])


def pulled_back(
    tape: GradientTape,
    results: Sequence[Tensor],
    sources: list[Any],
    cotangents: Sequence[Tensor | None],
    unconnected: Literal["none", "zero"] = "none",
) -> list[Tensor | None]:
    """Return the gradients of those results that have a cotangent."""
    reached = [k for k, g in enumerate(cotangents) if g is not None]
    return list(tape.gradient([results[k] for k in reached], sources, [cotangents[k] for k in reached], unconnected))


def differentiable(leaf: Any) -> bool:
    """Whether a value is a floating or complex tensor or variable."""
    return isinstance(leaf, Value) and (leaf.dtype.is_floating or leaf.dtype.is_complex)


def constant(leaf: Any) -> Any:
    """Return the value of a tensor or variable without its place on any tape; other things as they are."""
    return detached(snapshot(leaf)) if isinstance(leaf, Value) else leaf


def detached(leaf: Any) -> Any:
    """Return a tensor's value without its place on any tape, and a copy of an array; other things as they are."""
    if isinstance(leaf, Tensor):
        return leaf.__deepcopy__({})
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _is_same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of one shape and dtype share their memory, or are the same number."""
    if a.ndim == 0:
        return array(a).tobytes() == array(b).tobytes()
    return a.size == 0 or bool(np.may_share_memory(array(a), array(b)))
