"""The Python functions that every library runs, one text each: all do the same work in the same form."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

SCALAR_OPS = 100
VECTOR_OPS = 24


def fresh(function: Function) -> Function:
    """Return a copy of a function with a code object of its own.

    CPython specialises bytecode for the types it meets, per code object. Contestants that shared one would
    slow each other down (a float's `*` falls back to the generic path once a tensor has been through it).
    """
    code = function.__code__.replace()
    return types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__)  # type: ignore[return-value]


def mul_add(x: Any, w: Any, b: Any) -> Any:
    """Run 100 operations, `*` and `+` in turn."""
    y = x
    for _ in range(10):
        y = y * w
        y = y + b
        y = y * w
        y = y + b
        y = y * w
        y = y + b
        y = y * w
        y = y + b
        y = y * w
        y = y + b
    return y


def sin_tanh(x: Any, sin: Callable[[Any], Any], tanh: Callable[[Any], Any]) -> Any:
    """Run 100 operations, sine and hyperbolic tangent in turn."""
    y = x
    for _ in range(10):
        y = sin(y)
        y = tanh(y)
        y = sin(y)
        y = tanh(y)
        y = sin(y)
        y = tanh(y)
        y = sin(y)
        y = tanh(y)
        y = sin(y)
        y = tanh(y)
    return y


def mul_add_loop(x: Any, w: Any, b: Any, ops: int) -> Any:
    """Run `ops` operations, `*` and `+` in turn, for chains of any length."""
    y = x
    for _ in range(ops // 2):
        y = y * w
        y = y + b
    return y


def vector(x: Any, w: Any, b: Any, tanh: Callable[[Any], Any], exp: Callable[[Any], Any]) -> Any:
    """Run 24 elementwise operations: four times `mul add tanh neg exp mul`."""
    h = x
    for _ in range(4):
        h = h * w
        h = h + b
        h = tanh(h)
        h = -h
        h = exp(h)
        h = h * x
    return h
