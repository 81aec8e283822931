"""Derivatives of functions of one argument, rules and vector spaces, as in `autograd.core`."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.autograd._boxes import open_traces
from tapegrad.compat.autograd._call_derivatives import backward, filled
from tapegrad.compat.autograd._primitives import primitive
from tapegrad.compat.autograd._rules import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
)
from tapegrad.compat.autograd._traces import JVPNode, VJPNode, backward_pass, traced
from tapegrad.compat.autograd._values import Function, conjugated, differentiable, settled
from tapegrad.compat.autograd._vspaces import SparseObject, VSpace, vspace
from tapegrad.compat.autograd.tracer import Box, Node, getval, isbox, trace
from tapegrad.compat.autograd.util import func, subval, toposort
from tapegrad.functional.products import jvp as forward_product
from tapegrad.functional.products import vjp as reverse_product

__all__ = [
    "Box",
    "JVPNode",
    "Node",
    "SparseObject",
    "VJPNode",
    "VSpace",
    "backward_pass",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "func",
    "getval",
    "isbox",
    "make_jvp",
    "make_vjp",
    "primitive",
    "subval",
    "toposort",
    "trace",
    "vspace",
]


def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """Return what carries cotangents back through a function of one argument, and the function's value.

    Examples
    --------
    >>> from tapegrad.compat.autograd.core import make_vjp
    >>> vjp, value = make_vjp(lambda x: x**2, 3.0)
    >>> value, vjp(1.0)
    (np.float64(9.0), np.float64(6.0))
    """
    if open_traces.differentiate_by_calls:
        value, node = traced(VJPNode.new_root(), fun, differentiable("make_vjp", x))
        return lambda g: filled(None if node is None else backward(g, node), x), value
    value, pullback = reverse_product(lambda y: settled(fun(y)), x)
    return lambda g: conjugated(pullback(conjugated(g))), value


def make_jvp(fun: Function, x: Any) -> Function:
    """Return the function `jvp(g)` that gives the value of a function and its derivative along the direction `g`.

    Examples
    --------
    >>> from tapegrad.compat.autograd.core import make_jvp
    >>> make_jvp(lambda x: x**2, 3.0)(1.0)
    (np.float64(9.0), np.float64(6.0))
    """

    def jvp(g: Any) -> tuple[Any, Any]:
        if open_traces.differentiate_by_calls:
            value, node = traced(JVPNode.new_root(g), fun, differentiable("make_jvp", x))
            return value, filled(None if node is None else node.g, value)
        return forward_product(fun, (x,), (g,))

    return jvp
