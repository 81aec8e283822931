"""Traces by hand: boxes made one by one, the nodes behind them, and what is computed with them.

For derivatives a trace is a tape, and a node a place on it: what is recorded are tapegrad's operations, not calls of
primitives. A class of nodes of the program's own sees those, and within its traces so do all others.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Self

import numpy as np

from tapegrad._native import GradientTape, Tensor, Value, reshape, version
from tapegrad.compat.autograd._boxes import Trace, open_traces
from tapegrad.compat.autograd._call_derivatives import backward, pulled_back, pushed_forward
from tapegrad.compat.autograd._noting import boxed, ended, opened
from tapegrad.compat.autograd._values import Function, conjugated, getval, holds_watched
from tapegrad.functional.arguments import fitted, source_of
from tapegrad.functional.structures import leaves_of, map_leaves, pack_as

__all__ = ["JVPNode", "Node", "Trace", "TraceStack", "VJPNode", "backward_pass", "new_box", "node_of", "trace"]
__all__ += ["pushed", "trace_of", "trace_stack", "traced"]


class TraceStack:
    """The traces that are open; each thread has its own."""

    @property
    def top(self) -> int:
        """The number of the innermost trace, -1 if there is none."""
        return len(open_traces.traces) - 1

    def new_trace(self) -> AbstractContextManager[Trace]:
        """Record during a `with` block what is computed with the boxes made in it."""
        return opened()


trace_stack = TraceStack()
"""The traces that are open."""


class Node:
    """A place in a trace: a box, or a result computed from boxes.

    Programs derive classes from it to see the calls of primitives. Such a class has a method `initialize_root`, which
    takes the arguments of `new_root`, and `__init__`, which is called after each call on a value that the trace
    follows: with the value, the function, its arguments, its keyword arguments, which of the arguments the trace
    follows, and the nodes of those.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.tracer import Node, trace
    >>> class Depth(Node):
    ...     def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
    ...         self.depth = 1 + max(parent.depth for parent in parents)
    ...     def initialize_root(self):
    ...         self.depth = 0
    >>> value, node = trace(Depth.new_root(), lambda x: np.exp(2.0 * x) + x, 0.0)
    >>> float(value), node.depth
    (1.0, 3)
    """

    differentiates: ClassVar[bool] = False
    """Whether the trace is for derivatives, so that integers need not be followed."""

    value: Any = None
    trace: Trace | None = None

    def __init__(
        self,
        value: Any,
        fun: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        parent_argnums: tuple[int, ...],
        parents: tuple[Any, ...],
    ) -> None:
        """Take a call."""
        raise NotImplementedError(f"{type(self).__name__} has no __init__ that says what to note of a call.")

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

    differentiates = True

    parents: Sequence[Any] = ()
    """In a trace that sees calls, the nodes of the arguments."""

    vjp: Any = None
    """In such a trace, what takes the cotangent of this node to those of its parents."""

    def __init__(
        self,
        value: Any,
        fun: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        parent_argnums: tuple[int, ...],
        parents: tuple[Any, ...],
    ) -> None:
        self.parents = parents
        self.vjp = pulled_back(fun, parent_argnums, value, args, kwargs)


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

    differentiates = True

    _direction: Any = None

    def __init__(
        self,
        value: Any,
        fun: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        parent_argnums: tuple[int, ...],
        parents: tuple[Any, ...],
    ) -> None:
        tangents = [parent.g for parent in parents]
        self._direction = pushed_forward(fun, parent_argnums, tangents, value, args, kwargs)

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
    if _sees_calls(node):
        open_traces.see_calls(trace)
        return boxed(value, trace, node)
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
    return next((found for found in reversed(open_traces.traces) if found.knows(value)), None)


def node_of(value: Any) -> Any:
    """Return the node of a tensor in the innermost open trace that knows it, or `None`."""
    return _node_in(trace_of(value), value)


def _node_in(found: Trace | None, value: Any) -> Any:
    if found is None:
        return None
    for root in found.roots:
        if value is root.value:
            return root
    kind: type[Node] = type(found.roots[0])
    node = kind.__new__(kind)
    node.value, node.trace = map_leaves(_alias, value), found
    return node


def trace(start_node: Node, fun: Function, x: Any) -> tuple[Any, Any]:
    """Return a function's value at `x`, and the node that it has in a trace from `start_node` on.

    The node is `None` if the value does not depend on `x`.

    Parameters
    ----------
    start_node
        `VJPNode.new_root()`, `JVPNode.new_root(tangent)`, or the root of a class of one's own derived from `Node`,
        which then sees every call of a primitive.
    fun
        The function.
    x
        A number, an array, or a structure of these.

    Raises
    ------
    TypeError
        If a value would leave the trace without a word, as by `float(x)`.

    Examples
    --------
    >>> from tapegrad.compat.autograd.core import VJPNode, backward_pass
    >>> from tapegrad.compat.autograd.tracer import trace
    >>> value, node = trace(VJPNode.new_root(), lambda x: x**2, 3.0)
    >>> value, backward_pass(1.0, node)
    (np.float64(9.0), np.float64(6.0))

    A class that prints the calls:

    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd.tracer import Node
    >>> class Printed(Node):
    ...     def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
    ...         print(fun.__name__, "->", value)
    >>> value, node = trace(Printed.new_root(), lambda x: np.sqrt(x + 1.0), 3.0)
    add -> 4.0
    sqrt -> 2.0
    """
    if _sees_calls(start_node):
        value, node = traced(start_node, fun, x)
        if node is None:
            warnings.warn("Output seems independent of input.", stacklevel=2)
        return value, node
    with trace_stack.new_trace() as current:
        end = fun(new_box(x, current, start_node))
        depends = any([current.knows(leaf) for leaf in leaves_of(end)])
        node = _node_in(current, end) if depends else None
    return end if holds_watched(end) else getval(end), node


def _sees_calls(node: Node) -> bool:
    """Return whether the trace from a node on must see calls of primitives, which tapes do not tell of."""
    return open_traces.differentiate_by_calls or type(node) not in (VJPNode, JVPNode)


def traced(start_node: Any, fun: Function, x: Any) -> tuple[Any, Any]:
    """Return what `trace` does, of a trace that sees calls."""
    with opened() as current:
        open_traces.see_calls(current)
        return ended(fun(boxed(x, current, start_node)), current)


def backward_pass(g: Any, end_node: Node) -> Any:
    """Return the cotangent of the box from which a trace started, for the cotangent `g` of one of its results.

    Examples
    --------
    See `new_box`.
    """
    if end_node.trace is None and isinstance(end_node, VJPNode) and end_node.vjp is not None:
        return backward(g, end_node)
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
