"""What the tests of traces share: nodes that keep all that they hear of calls."""

from __future__ import annotations

from tapegrad.compat.autograd.tracer import Node, trace


class Call(Node):
    """Keeps all that it hears of a call."""

    def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
        self.calls = parents[0].calls
        self.calls.append(self)
        self.name, self.result, self.args, self.kwargs = fun.__name__, value, args, kwargs
        self.argnums, self.parents = parent_argnums, parents

    def initialize_root(self):
        self.calls, self.parents = [], ()


def seen(fun, x):
    """The value of a function, and the calls that a trace has seen of it."""
    root = Call.new_root()
    return trace(root, fun, x)[0], root.calls


def names(fun, x):
    return [call.name for call in seen(fun, x)[1]]


def value_of(fun, x):
    return seen(fun, x)[0]
