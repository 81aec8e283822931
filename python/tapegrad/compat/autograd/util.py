"""Small tools of `autograd.util`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["func", "subval", "subvals", "toposort"]


def subvals(x: Iterable[Any], ivs: Iterable[tuple[int, Any]]) -> tuple[Any, ...]:
    """Return the values as a tuple, with those in the pairs of position and value replaced.

    Examples
    --------
    >>> from tapegrad.compat.autograd.util import subvals
    >>> subvals((1, 2, 3), [(0, 10), (2, 30)])
    (10, 2, 30)
    """
    values = list(x)
    for position, value in ivs:
        values[position] = value
    return tuple(values)


def subval(x: Iterable[Any], i: int, v: Any) -> tuple[Any, ...]:
    """Return the values as a tuple, with another one at position `i`.

    Examples
    --------
    >>> from tapegrad.compat.autograd.util import subval
    >>> subval((1, 2, 3), 1, 20)
    (1, 20, 3)
    """
    return subvals(x, [(i, v)])


def func(f: Any) -> Any:
    """Return the function itself.

    Examples
    --------
    >>> from tapegrad.compat.autograd.util import func
    >>> func(abs)
    <built-in function abs>
    """
    return f


def toposort(end_node: Any, parents: Callable[[Any], Iterable[Any]] = operator.attrgetter("parents")) -> Iterator[Any]:
    """Yield the nodes of a graph from its end on, each after all that it is a parent of.

    Examples
    --------
    >>> from tapegrad.compat.autograd.util import toposort
    >>> graph = {"loss": ["model", "prior"], "model": ["weight"], "prior": ["weight"], "weight": []}
    >>> list(toposort("loss", graph.get))
    ['loss', 'prior', 'model', 'weight']
    """
    children: dict[int, int] = {}
    pending = [end_node]
    while pending:
        node = pending.pop()
        seen = id(node) in children
        children[id(node)] = children.get(id(node), 0) + 1
        if not seen:
            pending.extend(parents(node))
    ready = [end_node]
    while ready:
        node = ready.pop()
        yield node
        for parent in parents(node):
            children[id(parent)] -= 1
            if not children[id(parent)]:
                ready.append(parent)
