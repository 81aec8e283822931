"""Which values a function uses without having them as arguments: those its code refers to by name."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from tapegrad._native import Value, is_watched

__all__ = ["followed_values"]

_CONTAINERS = (list, tuple, dict)
_WITHOUT_VALUES = frozenset({bool, int, float, complex, str, bytes, type(None), np.float64, np.int64, np.ndarray})


def followed_values(function: Any) -> list[Value]:
    """Return the tensors and variables that tapes follow among the values that a function's code refers to.

    The functions that it calls are looked into, too. Found are those in closures, default values,
    module-level names and `functools.partial`, also inside lists, tuples and dictionaries there; not the attributes of
    objects.
    """
    found: list[Value] = []
    seen: set[int] = set()
    pending = [function]
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Value):
            if is_watched(value):
                found.append(value)
        else:
            pending.extend(_referred_to(value))
    return found


def _referred_to(value: Any) -> Iterator[Any]:
    """Yield the values to look at next."""
    if isinstance(value, FunctionType):
        for cell in value.__closure__ or ():
            yield from _content(cell)
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        for name in _names(value.__code__):
            # Of what a module holds only values and functions of its own: not all that it has imported.
            other = value.__globals__.get(name)
            if isinstance(other, (Value, *_CONTAINERS)) or (
                isinstance(other, FunctionType) and other.__globals__ is value.__globals__
            ):
                yield other
    elif isinstance(value, functools.partial):
        yield value.func
        yield from value.args
        yield from value.keywords.values()
    elif isinstance(value, MethodType):
        yield value.__func__
    elif isinstance(value, _CONTAINERS):
        elements = value.values() if isinstance(value, dict) else value
        # By types first: long lists of numbers take no step of Python code per element.
        if not set(map(type, elements)) <= _WITHOUT_VALUES:
            yield from elements
    elif hasattr(value, "__wrapped__"):
        yield value.__wrapped__


def _content(cell: CellType) -> Iterator[Any]:
    try:
        yield cell.cell_contents
    except ValueError:  # not yet assigned
        return


@functools.lru_cache(maxsize=1024)
def _names(code: CodeType) -> tuple[str, ...]:
    """Return the names of globals that a function's code, or that of a function defined in it, mentions."""
    names = list(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names += _names(constant)
    return tuple(names)
