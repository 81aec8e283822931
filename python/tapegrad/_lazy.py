"""Exports that are imported when they are first used, so that importing the package takes no time.

The stub beside the package's `__init__.py` is the list of them, one `from module import name as alias` a line; type
checkers read the same file.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeAlias

__all__ = ["exports", "load"]

Exports: TypeAlias = dict[str, tuple[str, str]]
"""For each name the module it is in, and what it is called there."""

_WITH_EXTRAS = {"scipy", "special"}
"""Modules that need more than NumPy, which `from tapegrad import *` must not."""


def exports(file: str) -> Exports:
    """Return what the stub of a package's `__init__.py` lists."""
    table = {}
    with open(file.rpartition(".")[0] + ".pyi", encoding="utf-8") as stub:  # noqa: PTH123 (pathlib takes long)
        for line in stub:
            words = line.split()
            if len(words) == 6 and words[0] == "from" and words[4] == "as":
                table[words[5]] = (words[1], words[3])
    return table


def load(package: str, name: str, table: Exports) -> Any:
    """Return the value of a name that the package does not have yet."""
    if name in table:
        module, member = table[name]
        if module == package:  # a submodule
            return import_module(f"{package}.{member}")
        return getattr(import_module(module), member)
    if name == "__version__":
        return import_module("importlib.metadata").version(package)
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    from tapegrad._ops.elementwise import elementwise

    operations = vars(elementwise)
    if name == "__all__":  # without what cannot be imported everywhere
        return sorted({*table, *operations, "newaxis"} - _WITH_EXTRAS)
    try:
        return operations[name]
    except KeyError:
        raise AttributeError(f"module {package!r} has no attribute {name!r}") from None
