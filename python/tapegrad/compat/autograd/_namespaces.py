"""Modules with the names of NumPy's and SciPy's, whose functions take tensors; each is made when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tapegrad.compat.autograd._primitives import library

__all__ = ["mirrored", "names_of", "wrapped"]

_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, np.ufunc, type(np.concatenate))


def wrapped(value: Any, recorded: Callable[..., Any] | None) -> Any:
    """Return a function for values that may be tensors; anything else, such as a type or a constant, as it is."""
    return library(value, recorded) if isinstance(value, _FUNCTIONS) else value


def mirrored(
    module: ModuleType, target: dict[str, Any], recorded: Callable[[str], Callable[..., Any] | None]
) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module that mirrors another one.

    Parameters
    ----------
    module
        The one to mirror.
    target
        Where names are put once they have been asked for: the `globals()` of the mirror.
    recorded
        `recorded(name)` is the function for tensors, `None` if there is none.
    """

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {target['__name__']!r} has no attribute {name!r}")
        value = wrapped(getattr(module, name), recorded(name))
        target[name] = value
        return value

    return get


def names_of(module: ModuleType, more: Mapping[str, Any] | None = None) -> list[str]:
    """Return the public names of a module, and more."""
    public = [name for name in getattr(module, "__all__", vars(module)) if not name.startswith("_")]
    return sorted({*public, *(more or {})})
