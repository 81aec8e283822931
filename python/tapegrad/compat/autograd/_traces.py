"""Traces by hand: boxes made one by one, the nodes behind them, and what is computed with them.

A trace is a tape, and a node a place on it: what is recorded are tapegrad's operations, not calls of primitives.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from tapegrad._native import GradientTape, Tensor, Value, reshape, version
from tapegrad.compat.autograd._values import Function, conjugated, getval, holds_watched
from tapegrad.functional.arguments import fitted, source_of
from tapegrad.functional.structures import leaves_of, map_leaves, pack_as

__all__ = ["JVPNode", "Node", "Trace", "TraceStack", "VJPNode", "backward_pass", "new_box", "node_of", "trace"]
__all__ += ["pushed", "trace_of", "trace_stack"]


class Trace:
    """What is recorded between the two ends of `trace_stack.new_trace()`."""

    def __init__(self, tape: GradientTape) -> None:
        self.tape = tape
        self.roots: list[Node] = []

    def knows(self, value: Any) -> bool:
        """Return whether something was computed from the boxes of this trace."""
        return isinstance(value, Value) and self.tape._slot(value) is not None


class _Open(threading.local):
    def __init__(self) -> None:
        self.traces: list[Trace] = []


_open = _Open()


class TraceStack:
    """The traces that are open; each thread has its own."""

    @property
    def top(self) -> int:
        """The number of the innermost trace, -1 if there is none."""
        return len(_open.traces) - 1

    @contextlib.contextmanager
    def new_trace(self) -> Iterator[Trace]:
        """Record during a `with` block what is computed with the boxes made in it."""
        with GradientTape(True, False) as tape:
            opened = Trace(tape)
            _open.traces.append(opened)
            try:
                yield opened
            finally:
                _open.traces.pop()


trace_stack = TraceStack()
"""The traces that are open."""


class Node:
    """A place in a trace: a box, or a result computed from boxes."""

    value: Any = None
    trace: Trace | None = None

    @classmethod
    def new_root(cls, *args: Any, **kwargs: Any) -> Self:
        """Return the node for a box that is yet to be made."""
        node = cls.__new__(cls)
        node.initialize_root(*args, **kwargs)
        return node

    def initialize_root(self, *args: Any, **kwargs: Any) -> None:
        """Take the arguments of `new_root`."""


class VJPNode(Node):
    """A node from which `backward_pass` goes back."""


class JVPNode(Node):
    """A node that has a tangent, `g`.

    Examples
    --------
    >>> from tapegrad.compat.autograd.core import JVPNode
    >>> from tapegrad.compat.autograd.tracer import trace
    >>> value, node = trace(JVPNode.new_root(1.0), lambda x: x**2, 3.0)
    >>> node.g
    np.float64(6.0)
    """

    _direction: Any = None

    def initialize_root(self, g: Any, *args: Any, **kwargs: Any) -> None:
        """Take the box's tangent."""
        self._direction = g

    @property
    def g(self) -> Any:
        """The tangent."""
        if self._direction is None and self.trace is not None:
            pairs = [
                (source, fitted("JVPNode", g, source, "tangent"))
                for root in self.trace.roots
                if isinstance(root, JVPNode)
                for source, g in zip(_sources(root.value), leaves_of(root._direction), strict=True)
            ]
            sources, tangents = [source for source, _ in pairs], [g for _, g in pairs]
            targets = leaves_of(self.value)
            self._direction = getval(pack_as(self.value, pushed(self.trace.tape, targets, sources, tangents)))
        return self._direction


def pushed(
    tape: GradientTape, targets: Sequence[Any], sources: Sequence[Tensor], tangents: Sequence[Tensor]
) -> list[Any]:
    """Return the tangents of results, for those of the sources; zeros where there is no dependence."""
    values = [target for target in targets if isinstance(target, Value)]
    stacks = tape.pushforward(values, list(sources), [reshape(g, (1, *g.shape)) for g in tangents])
    found = iter(stacks)
    tangent_of = [next(found) if isinstance(target, Value) else None for target in targets]
    return [
        np.zeros_like(getval(target)) if stack is None else stack[0]
        for target, stack in zip(targets, tangent_of, strict=True)
    ]


def new_box(value: Any, trace: Any, node: Node) -> Any:
    """Return a tensor for a value (tensors for a structure of values) that a trace records.

    Parameters
    ----------
    value
        A floating-point number or array, or a structure of these.
    trace
        What `with trace_stack.new_trace() as trace` gave.
    node
        `VJPNode.new_root()` or `JVPNode.new_root(tangent)`.

    Examples
    --------
    >>> from tapegrad.compat.autograd.core import VJPNode, backward_pass
    >>> from tapegrad.compat.autograd.tracer import isbox, new_box, trace_stack
    >>> with trace_stack.new_trace() as trace:
    ...     box = new_box(3.0, trace, VJPNode.new_root())
    ...     result = box**2
    ...     print(isbox(result), result._value)
    ...     end = result._node
    True 9.0
    >>> backward_pass(1.0, end)
    np.float64(6.0)
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"new_box: the trace must be that of `with trace_stack.new_trace() as trace`, not {trace!r}.")
    leaves = leaves_of(value)
    sources = [source_of("new_box", leaf) for leaf in leaves]
    trace.tape.watch([source for source in sources if source is not None])
    box = pack_as(value, [leaf if source is None else source for source, leaf in zip(sources, leaves, strict=True)])
    node.value, node.trace = map_leaves(_alias, box), trace
    trace.roots.append(node)
    return box


def _alias(leaf: Any) -> Any:
    return version(leaf) if isinstance(leaf, Tensor) else leaf


def _sources(structure: Any) -> list[Any]:
    return [leaf for leaf in leaves_of(structure) if isinstance(leaf, Value)]


def trace_of(value: Any) -> Trace | None:
    """Return the innermost open trace that knows a tensor, or `None`."""
    return next((found for found in reversed(_open.traces) if found.knows(value)), None)


def node_of(value: Any) -> Node | None:
    """Return the node of a tensor in the innermost open trace that knows it, or `None`."""
    return _node_in(trace_of(value), value)


def _node_in(found: Trace | None, value: Any) -> Node | None:
    if found is None:
        return None
    for root in found.roots:
        if value is root.value:
            return root
    node = type(found.roots[0]).__new__(type(found.roots[0]))
    node.value, node.trace = map_leaves(_alias, value), found
    return node


def trace(start_node: Node, fun: Function, x: Any) -> tuple[Any, Node | None]:
    """Return a function's value at `x`, and the node that it has in a trace from `start_node` on.

    The node is `None` if the value does not depend on `x`.

    Examples
    --------
    >>> from tapegrad.compat.autograd.core import VJPNode, backward_pass
    >>> from tapegrad.compat.autograd.tracer import trace
    >>> value, node = trace(VJPNode.new_root(), lambda x: x**2, 3.0)
    >>> value, backward_pass(1.0, node)
    (np.float64(9.0), np.float64(6.0))
    """
    with trace_stack.new_trace() as opened:
        end = fun(new_box(x, opened, start_node))
        depends = any([opened.knows(leaf) for leaf in leaves_of(end)])
        node = _node_in(opened, end) if depends else None
    return end if holds_watched(end) else getval(end), node


def backward_pass(g: Any, end_node: Node) -> Any:
    """Return the cotangent of the box from which a trace started, for the cotangent `g` of one of its results.

    Examples
    --------
    See `new_box`.
    """
    if end_node.trace is None:
        raise ValueError("backward_pass: the node belongs to no trace: it must come from `trace`, or from a box.")
    root: Sequence[Node] = end_node.trace.roots
    targets, cotangents = leaves_of(end_node.value), leaves_of(conjugated(g))
    pairs = [
        (target, fitted("backward_pass", cotangent, target, "cotangent"))
        for target, cotangent in zip(targets, cotangents, strict=True)
        if isinstance(target, Value) and cotangent is not None
    ]
    structure = root[0].value
    sources = _sources(structure)
    found = iter(
        end_node.trace.tape.gradient([target for target, _ in pairs], sources, [seed for _, seed in pairs], "zero")
    )
    leaves = [next(found) if isinstance(leaf, Value) else None for leaf in leaves_of(structure)]
    cotangent = conjugated(pack_as(structure, leaves))
    return cotangent if holds_watched(cotangent) else getval(cotangent)
