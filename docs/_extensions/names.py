"""The role of single backticks in docstrings: a link for the name of something public, and else code.

Many parameters are called like a function: `shape`, `size`, `function`. Such words are not made links.
"""

from __future__ import annotations

import inspect
from functools import cache

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from public_names import entries
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]


@cache
def _parameters() -> frozenset[str]:
    """Return what parameters of public functions are called."""
    found: set[str] = set()
    for entry in entries():
        if entry.is_own and callable(entry.value):
            try:
                found.update(inspect.signature(entry.value).parameters)
            except ValueError:  # some of the native types cannot be called
                continue
    return frozenset(found)


def _name(
    role: str, rawtext: str, text: str, lineno: int, inliner: Inliner
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Return the nodes for a text between single backticks."""
    parts = text.removesuffix("()").split(".")
    if text in _parameters() or not all(part.isidentifier() for part in parts):
        return [nodes.literal(rawtext, text)], []
    link = inliner.document.settings.env.domains["py"].role("obj")
    result: tuple[list[nodes.Node], list[nodes.system_message]] = link(role, rawtext, text, lineno, inliner)
    return result


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the role `name`."""
    app.add_role("name", _name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
