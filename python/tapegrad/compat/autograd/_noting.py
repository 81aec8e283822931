"""Calls in traces that see them: out of the boxes, the call itself, a node for it, and into a box again."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tapegrad._native import GradientTape, Value
from tapegrad.compat.autograd._boxes import Boxed, Trace, holds_box, open_traces
from tapegrad.compat.autograd.util import subvals
from tapegrad.functional.structures import leaves_of, pack_as

__all__ = ["boxed", "container_take", "ended", "is_inexact", "named_step", "noted", "notrace_primitives", "one_step"]
__all__ += ["opened"]

_NUMBERS = frozenset("biufc")
"""NumPy's letters for the kinds of numbers."""

notrace_primitives: dict[type, set[Any]] = defaultdict(set)
"""By classes of nodes: the primitives whose results are constants in traces of such nodes."""


@contextmanager
def opened() -> Iterator[Trace]:
    """Open a trace for the length of a `with` block."""
    with GradientTape(True, False) as tape:
        trace = Trace(tape)
        open_traces.traces.append(trace)
        try:
            yield trace
        finally:
            open_traces.close()


def one_step(function: Any) -> Any:
    """Decorate a function that traces see as one call, whatever it does."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if open_traces.seeing_calls and holds_box((args, kwargs)):
            return noted(call, args, kwargs)
        return function(*args, **kwargs)

    return call


def named_step(name: str, function: Any) -> Any:
    """Return a function made here, under the name by which nodes and messages call it, as `one_step` does."""
    step = one_step(function)
    step.__name__ = step.__qualname__ = name
    return step


def noted(fun: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the result of a call with boxes among its arguments, in a box of the innermost trace of these.

    The trace's node is made of the value, the function, its arguments out of their boxes, and the places and nodes of
    those that were in one. Arguments in structures become arguments of their own, so that every box has a place.
    """
    value, trace, node = _seen(fun, args, kwargs)
    return value if trace is None else boxed(value, trace, node)


def _seen(fun: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Trace | None, Any]:
    """Return what a call gives, and the trace and the node that it is in; no trace if it is a constant there."""
    name = getattr(fun, "__name__", repr(fun))
    if holds_box(kwargs) or any([not isinstance(arg, Boxed) and holds_box(arg) for arg in args]):
        return _seen(*_spread(fun, args, kwargs))
    found = [(k, arg) for k, arg in enumerate(args) if isinstance(arg, Boxed)]
    for _, box in found:
        box._check_open()
    trace = max([box._trace for _, box in found], key=lambda trace: trace.number)
    trace.refuse_inner_tapes(name, (args, kwargs))
    chosen = [(k, box) for k, box in found if box._trace is trace]
    values = subvals(args, [(k, box._value) for k, box in chosen])
    nodes = tuple([box._node for _, box in chosen])
    kind = type(nodes[0])
    value = fun(*values, **kwargs)
    primitive = fun.fun if isinstance(fun, _Spread) else fun
    if value is None or primitive in notrace_primitives[kind] or (kind.differentiates and not is_inexact(value)):
        return value, None, None
    if any([isinstance(leaf, Boxed) and leaf._trace.number >= trace.number for leaf in leaves_of(value)]):
        raise TypeError(
            f"{name}: a function among the arguments of this primitive uses values of a trace that it was not given. "
            "Hand them over as arguments."
        )
    return value, trace, kind(value, fun, values, kwargs, tuple([k for k, _ in chosen]), nodes)


def _spread(fun: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Return a call with boxes in structures or keywords as one of a function that takes each box by position."""
    inside, apart = (kwargs, {}) if holds_box(kwargs) else ({}, kwargs)
    leaves = leaves_of((args, inside))
    places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Boxed)]
    return _Spread(fun, (args, inside), places), tuple([leaves[k] for k in places]), apart


class _Spread:
    """A function of what was in the boxes of another one's arguments."""

    def __init__(self, fun: Any, structure: Any, places: Sequence[int]) -> None:
        self.fun = fun
        self.__name__ = getattr(fun, "__name__", repr(fun))
        self._places = places
        # What was in the boxes now is no business of later calls.
        self._leaves = [None if k in places else leaf for k, leaf in enumerate(leaves_of(structure))]
        self._structure = pack_as(structure, self._leaves)

    def __call__(self, *values: Any, **kwargs: Any) -> Any:
        if open_traces.seeing_calls and holds_box((values, kwargs)):
            return noted(self, values, kwargs)
        leaves = subvals(self._leaves, zip(self._places, values, strict=True))
        args, keywords = pack_as(self._structure, leaves)
        return self.fun(*args, **keywords, **kwargs)


def is_inexact(value: Any) -> bool:
    """Return whether there are floating-point numbers in a structure."""
    return any([_kind_of(leaf) in ("f", "c") for leaf in leaves_of(value)])


def _kind_of(leaf: Any) -> str:
    """Return the letter for the kind of numbers that a value holds, "" if it holds none."""
    if isinstance(leaf, Value):
        return leaf.dtype.dtype.kind
    if isinstance(leaf, (Boxed, np.ndarray, np.generic)):
        return leaf.dtype.kind
    return np.dtype(type(leaf)).kind if isinstance(leaf, (bool, int, float, complex)) else ""


def boxed(value: Any, trace: Trace, node: Any) -> Any:
    """Return a number or array in a box; of a structure one of boxes, each with the node of being taken out of it.

    Raises
    ------
    TypeError
        For other values.
    """
    if _kind_of(value) in _NUMBERS:
        return Boxed(value, trace, node)
    if isinstance(value, Mapping):
        parts: Any = {key: _taken(value, key, trace, node) for key in value}
        return parts if type(value) is dict else pack_as(value, leaves_of(parts))
    if isinstance(value, (list, tuple)):
        taken = [_taken(value, k, trace, node) for k in range(len(value))]
        return type(value)(*taken) if hasattr(value, "_fields") else type(value)(taken)
    raise TypeError(
        f"a trace cannot follow {value!r}, of type {type(value).__name__}: it takes numbers, arrays, and lists, tuples "
        "and dictionaries of these."
    )


def _taken(structure: Any, key: Any, trace: Trace, node: Any) -> Any:
    part = structure[key]
    followed = is_inexact(part) if type(node).differentiates else any([_kind_of(leaf) for leaf in leaves_of(part)])
    if not followed:
        return part
    return boxed(part, trace, type(node)(part, container_take, (structure, key), {}, (0,), (node,)))


@one_step
def container_take(structure: Any, key: Any) -> Any:
    """Return a part of a list, tuple or dictionary."""
    return structure[key]


@one_step
def make_container(structure: Any) -> Any:
    """Return a structure as it is."""
    return structure


def ended(value: Any, trace: Trace) -> tuple[Any, Any]:
    """Return the result of a function that a trace saw, out of its boxes, and its node; `None` for a constant."""
    if isinstance(value, Boxed):
        return (value._value, value._node) if value._trace is trace else (value, None)
    if not holds_box(value) or not any([trace.knows(leaf) for leaf in leaves_of(value)]):
        return value, None
    value, _, node = _seen(make_container, (value,), {})
    return value, node
