"""What libraries define derivatives with, as in `autograd.extend`."""

from tapegrad.compat.autograd._primitives import notrace_primitive, primitive, register_notrace
from tapegrad.compat.autograd._rules import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
)
from tapegrad.compat.autograd._traces import JVPNode, VJPNode
from tapegrad.compat.autograd._vspaces import SparseObject, VSpace, vspace
from tapegrad.compat.autograd.tracer import Box

__all__ = [
    "Box",
    "JVPNode",
    "SparseObject",
    "VJPNode",
    "VSpace",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "notrace_primitive",
    "primitive",
    "register_notrace",
    "vspace",
]
