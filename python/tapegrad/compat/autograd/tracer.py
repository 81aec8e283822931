"""What is recorded, as in `autograd.tracer`: boxes are tensors that a tape records."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from tapegrad._native import Value
from tapegrad.compat.autograd._noting import notrace_primitives
from tapegrad.compat.autograd._primitives import notrace_primitive, primitive, register_notrace
from tapegrad.compat.autograd._traces import Node, TraceStack, new_box, node_of, trace, trace_of, trace_stack
from tapegrad.compat.autograd._values import getval, isbox
from tapegrad.compat.autograd.util import subval, subvals, toposort
from tapegrad.numpy.methods import PROPERTIES

__all__ = [
    "Box",
    "Node",
    "TraceStack",
    "getval",
    "isbox",
    "new_box",
    "notrace_primitive",
    "notrace_primitives",
    "primitive",
    "register_notrace",
    "subval",
    "subvals",
    "toposort",
    "trace",
    "trace_stack",
]


class _Recorded(type):
    """The type of classes whose instances are what tapes record, whatever they were made by."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isbox(instance)


class Box(metaclass=_Recorded):
    """What `isinstance(x, Box)` asks for: a tensor that a tape records at this moment.

    There are no objects of this class: `new_box` makes tensors.

    Examples
    --------
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.tracer import Box
    >>> grad(lambda x: 5.0 * x if isinstance(x, Box) else x)(1.0)
    np.float64(5.0)
    """

    def __new__(cls, *args: object) -> NoReturn:
        """Raise TypeError."""
        raise TypeError(f"{cls.__name__} has no objects of its own: tracer.new_box(value, trace, node) makes tensors.")

    @classmethod
    def register(cls, value_type: type) -> None:
        """Say that values of a type are to be boxed: those that NumPy reads as arrays of numbers always are.

        Raises
        ------
        TypeError
            For other types.
        """
        if not issubclass(value_type, (np.ndarray, np.number, float, complex, Value)):
            raise TypeError(
                f"{cls.__name__}.register: {value_type.__name__} is no type of arrays or numbers, and tapes record "
                "only these: pass such values through primitives, or as dataclasses."
            )


# What libraries read on boxes.
PROPERTIES.update({"_value": getval, "_node": node_of, "_trace": trace_of})
