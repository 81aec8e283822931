"""Every public name of tapegrad: where it is exported, what it is, and which of its names documents it.

The reference is written from this list, and the tests of the docstrings walk it.
"""

from __future__ import annotations

import importlib
import inspect
import operator
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import tapegrad

__all__ = ["Entry", "entries", "heading", "namespaces"]

_WITH_EXTRAS = ("scipy", "special")
"""Namespaces that `tapegrad.__all__` leaves out, since they cannot be imported everywhere."""

_MODELS = {"numpy": "numpy", "special": "scipy.special"}
"""Namespaces, without the package's name, whose functions are those of another package."""


@dataclass
class Entry:
    """One public object, under all of its names."""

    value: Any
    names: list[str] = field(default_factory=list)
    """Qualified; the first one is where the reference documents it."""

    @property
    def namespace(self) -> str:
        """The namespace whose pages document it."""
        return self.names[0].rpartition(".")[0]

    @property
    def module(self) -> str:
        """The module that defines it."""
        return getattr(self.value, "__module__", None) or type(self.value).__module__

    @property
    def model(self) -> str | None:
        """The name of NumPy's or SciPy's function that it is named after, if it has the same parameters.

        A few more or fewer are the same: versions add some.
        """
        for name in self.names:
            package, _, member = name.removeprefix("tapegrad.").partition(".")
            if package not in _MODELS:
                continue
            try:
                function = operator.attrgetter(member)(importlib.import_module(_MODELS[package]))
            except AttributeError:
                continue
            theirs, own = _parameters(function), _parameters(self.value)
            if theirs is None or own is None or theirs <= own or own <= theirs:
                return f"{_MODELS[package]}.{member}"
        return None

    @property
    def is_own(self) -> bool:
        """Whether tapegrad made it; the rest is NumPy's or Python's, exported as it is."""
        return self.module.split(".")[0] == "tapegrad"


def namespaces() -> dict[str, ModuleType]:
    """Return the modules that are reached from `tapegrad` by exported names, by name and in that order."""
    found: dict[str, ModuleType] = {}

    def visit(module: ModuleType, more: tuple[str, ...] = ()) -> None:
        found[module.__name__] = module
        for name in (*module.__all__, *more):
            member = getattr(module, name)
            own = isinstance(member, ModuleType) and member.__name__ == f"{module.__name__}.{name}"
            if own and hasattr(member, "__all__") and member.__name__ not in found:
                visit(member)

    visit(tapegrad, _WITH_EXTRAS)
    return found


def entries() -> list[Entry]:
    """Return all public objects, in the order in which the namespaces export them."""
    found: dict[Any, Entry] = {}
    for name, module in namespaces().items():
        for member in module.__all__:
            value = getattr(module, member)
            if not isinstance(value, ModuleType):
                # Equal constants are not the same name: `tapegrad.newaxis` is None, as `tapegrad.numpy.newaxis` is.
                key = id(value) if callable(value) or _is_own(value) else f"{name}.{member}"
                found.setdefault(key, Entry(value)).names.append(f"{name}.{member}")
    for entry in found.values():
        entry.names.sort(key=lambda name: _rank(entry, name))
    return list(found.values())


def _parameters(function: Any) -> set[str] | None:
    """Return the names of a function's parameters; None for some of C's that do not say."""
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return None


def _is_own(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "tapegrad"


def _rank(entry: Entry, name: str) -> tuple[bool, bool, int]:
    """Sort the name first under which the object knows itself, where its own namespace exports it."""
    namespace, _, member = name.rpartition(".")
    defined = entry.module == namespace or entry.module.startswith(f"{namespace}.")
    top = namespace == "tapegrad"
    own = getattr(entry.value, "__name__", getattr(entry.value, "name", member))
    return not (top or defined), own.rpartition(".")[2] != member, namespace.count(".")


def heading(module: str) -> str:
    """Return the first line of a module's docstring, without its full stop."""
    importlib.import_module(module)
    return (sys.modules[module].__doc__ or module).strip().splitlines()[0].rstrip(".")
