"""Graphs of the calls that a function makes, as in `autograd.misc.tracers`: to look at, or to make them again.

Any other use of a function's calls is a class of nodes of one's own: see `autograd.tracer.trace`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad import nest
from tapegrad._transformed import name_of
from tapegrad.compat.autograd._boxes import open_traces
from tapegrad.compat.autograd._noting import boxed, ended, opened
from tapegrad.compat.autograd._values import Function, getval
from tapegrad.compat.autograd.tracer import Node, trace
from tapegrad.compat.autograd.util import subvals, toposort
from tapegrad.functional.structures import leaves_of

__all__ = ["ConstGraphNode", "FullGraphNode", "const_graph", "const_graph_unary", "full_graph"]


class ConstGraphNode(Node):
    """A call that can be made again with other values of the arguments that the trace follows.

    Attributes
    ----------
    parents
        The nodes of these arguments.
    partial_fun
        The function of a sequence of their values that makes the call.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd.misc.tracers import ConstGraphNode
    >>> from tapegrad.compat.autograd.tracer import trace
    >>> value, node = trace(ConstGraphNode.new_root(), lambda x: np.power(x, 3.0), 2.0)
    >>> node.partial_fun([5.0])
    np.float64(125.0)
    """

    parents: Sequence[Any]
    partial_fun: Callable[[Sequence[Any]], Any]

    def __init__(
        self,
        value: Any,
        fun: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        parent_argnums: tuple[int, ...],
        parents: tuple[Any, ...],
    ) -> None:
        # The values of now are not kept.
        others = subvals(args, [(argnum, None) for argnum in parent_argnums])
        self.parents = parents
        self.partial_fun = lambda values: fun(*subvals(others, zip(parent_argnums, values, strict=True)), **kwargs)

    def initialize_root(self) -> None:
        """Begin a graph."""
        self.parents = ()


class _ConstGraph:
    """The calls of a function of one argument, after it has been called for the first time."""

    def __init__(self, fun: Function) -> None:
        self._name = name_of(fun)
        self._fun: Function | None = fun

    def __call__(self, x: Any) -> Any:
        fun = self._fun
        return self._repeated(x) if fun is None else self._recorded(fun, x)

    def _recorded(self, fun: Function, x: Any) -> Any:
        root = ConstGraphNode.new_root()
        with opened() as trace:
            open_traces.see_calls(trace)
            value, end = ended(fun(boxed(x, trace, root)), trace)
        if end is None:
            raise ValueError(f"const_graph: {self._name} returned {value!r}, which does not depend on its arguments.")
        decided = [node for node, _ in trace.decisions]
        self._root, self._end = root, end
        parents = lambda node: [end, *decided] if node is None else node.parents  # noqa: E731
        self._calls = [node for node in list(toposort(None, parents))[::-1] if node is not None and node is not root]
        self._outcomes: dict[int, list[bool]] = {}
        for node, outcome in trace.decisions:
            self._outcomes.setdefault(id(node), []).append(outcome)
        self._structure = nest.map_structure(lambda leaf: None, x)
        self._leaves = [_described(leaf) for leaf in leaves_of(x)]
        self._fun = None  # so that what it refers to can go
        return value

    def _repeated(self, x: Any) -> Any:
        self._check(x)
        values = {id(self._root): x}
        self._check_outcomes(self._root, x)
        for node in self._calls:
            value = node.partial_fun([values[id(parent)] for parent in node.parents])
            self._check_outcomes(node, value)
            values[id(node)] = value
        return values[id(self._end)]

    def _check(self, x: Any) -> None:
        nest.assert_same_structure(self._structure, x)
        for before, leaf in zip(self._leaves, leaves_of(x), strict=True):
            if _described(leaf) != before:
                raise ValueError(
                    f"const_graph: {self._name} was recorded for {_text(before)}, and is now called with "
                    f"{_text(_described(leaf))}: make a graph of its own for that by const_graph."
                )

    def _check_outcomes(self, node: Any, value: Any) -> None:
        for outcome in self._outcomes.get(id(node), ()):
            if bool(value) is not outcome:
                raise ValueError(
                    f"const_graph: {self._name} was recorded in a branch where a condition was {outcome}, and now it "
                    f"is {not outcome}, so that the recorded calls are not those to make. Write the choice as "
                    "numpy.where(condition, x, y), or call the function itself."
                )


def _described(leaf: Any) -> tuple[str, Any]:
    """Return what a graph takes for granted of a leaf: kind and shape of numbers, or the value if it is none."""
    plain = getval(leaf)
    if isinstance(plain, (bool, int, float, complex, np.ndarray, np.generic)):
        return np.result_type(plain).kind, np.shape(plain)
    return "", plain


_KINDS = {"b": "bools", "i": "integers", "u": "unsigned integers", "f": "real numbers", "c": "complex numbers"}


def _text(described: tuple[str, Any]) -> str:
    kind, rest = described
    return f"{_KINDS[kind]} of shape {rest}" if kind in _KINDS else repr(rest)


def const_graph_unary(fun: Function) -> Function:
    """Return a function of one argument as the calls of primitives that it makes when it is called first.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd.misc.tracers import const_graph_unary
    >>> area = const_graph_unary(lambda r: np.pi * r**2)
    >>> area(1.0), area(2.0)
    (np.float64(3.141592653589793), np.float64(12.566370614359172))
    """
    return _ConstGraph(fun)


def const_graph(fun: Function, *args: Any, **kwargs: Any) -> Function:
    """Return a function as the calls of primitives that it makes when it is called first.

    From the second call on these are repeated, and `fun` is not run: its loops, branches, containers and derivatives
    have been worked out. All else that it reads is a constant.

    Parameters
    ----------
    fun
        The function; it is let go after the first call.
    *args, **kwargs
        Its first arguments, and keyword arguments, which are constants.

    Returns
    -------
    callable
        Takes the remaining positional arguments, always of the same structure, shapes and kinds of numbers. It can be
        differentiated and traced.

    Raises
    ------
    ValueError
        When called: if the result does not depend on the arguments, or the arguments differ from the first ones so
        that the calls would not be the same: in shape, in kind, or in a condition that the function has branched on.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.misc import const_graph
    >>> def slope(x):
    ...     print("called")
    ...     return grad(lambda y: np.sin(y) + 2.0 * y)(x)
    >>> graph = const_graph(slope)
    >>> graph(0.0)
    called
    np.float64(3.0)
    >>> graph(np.pi), grad(graph)(np.pi / 2)
    (np.float64(1.0), np.float64(-1.0))
    """
    partial = functools.partial(fun, *args, **kwargs)
    graph = const_graph_unary(functools.update_wrapper(lambda operands: partial(*operands), fun))

    @functools.wraps(fun)
    def repeated(*operands: Any) -> Any:
        return graph(operands)

    del repeated.__wrapped__  # it lets go of the function
    return repeated


class FullGraphNode(Node):
    """A call with all that belongs to it.

    Attributes
    ----------
    value
        What it gave; `None` for the node that a graph begins with.
    recipe
        The function, its arguments, its keyword arguments, and pairs: the position of an argument that the trace
        follows, and the node of that.

    Examples
    --------
    See `full_graph`.
    """

    value: Any
    recipe: tuple[Function, tuple[Any, ...], dict[str, Any], list[tuple[int, Any]]]

    def __init__(
        self,
        value: Any,
        fun: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        parent_argnums: tuple[int, ...],
        parents: tuple[Any, ...],
    ) -> None:
        self.value = value
        self.recipe = (fun, args, kwargs, list(zip(parent_argnums, parents, strict=True)))

    def initialize_root(self) -> None:
        """Begin a graph."""
        self.value = None
        self.recipe = (lambda x: x, (), {}, [])


def full_graph(fun: Function, *args: Any, **kwargs: Any) -> Any:
    """Return the node of a function's result, from which all calls that led to it can be reached.

    Parameters
    ----------
    fun
        The function.
    *args
        Its arguments, which the trace follows.
    **kwargs
        Keyword arguments, which are constants.

    Returns
    -------
    FullGraphNode
        The node; `None` if the result does not depend on the arguments.

    Examples
    --------
    >>> import tapegrad.compat.autograd.numpy as np
    >>> from tapegrad.compat.autograd.misc.tracers import full_graph
    >>> node = full_graph(lambda x, y: np.exp(x) * y, 0.0, 3.0)
    >>> function, args, kwargs, parents = node.recipe
    >>> function.__name__, [float(arg) for arg in args], float(node.value)
    ('multiply', [1.0, 3.0], 3.0)
    >>> parents[0][1].recipe[0].__name__
    'exp'
    """
    return trace(FullGraphNode.new_root(), lambda operands: fun(*operands, **kwargs), args)[1]
