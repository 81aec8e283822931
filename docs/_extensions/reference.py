"""Writes the sources of the API reference, one page for each group of names, before Sphinx reads them.

A namespace is divided into groups by the modules that define its names, and a group's title is the first line of its
module's docstring; only the top namespace, where dozens of modules meet, has its themes listed here. So a new public
name is in the reference when it is exported. A name exported twice is documented once, and found under each name.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from public_names import Entry, entries, heading, namespaces
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

import tapegrad.special as special
from tapegrad._native import Value

__all__ = ["setup"]

_FOLDER = "reference"

_ONE_PAGE = 60
"""A namespace with more names than these has a page for each group; others are one page."""

_THEMES = {
    "Tapes, variables, tensors": (
        "_native",
        "tape",
        "variable",
        "indexed_slices",
        "module",
        "anomaly",
        "_observing.finiteness",
    ),
    "Derivatives of functions": ("functional", "sparse"),
    "Derivatives of your own": ("_custom_gradient", "primitives", "_ops.registered"),
    "Less memory for more time": ("checkpointing",),
    "Elementwise operations": ("", "_ops.elementwise", "_ops.complex_parts", "_tf.arithmetic", "_tf.clip"),
    "Reductions, products and order": (
        "_tf.reductions",
        "_tf.running",
        "_tf.extremes",
        "_tf.ordering",
        "linalg.products",
    ),
    "New tensors and conversions": (
        "_tf.creation",
        "_tf.conversion",
        "_interchange",
        "_tf.initializers",
        "keras.initializers",
    ),
    "Shapes, joining and cutting": ("_tf.shapes", "_tf.arrays", "_tf.joining", "_tf.tensor_shape", "_tf.tensor_spec"),
    "Indexing, gathering and scattering": ("_tf.indexing", "_tf.scatter"),
    "Branches, loops and functions": ("_tf.control_flow", "_tf.functional", "_tf.functions", "_tf.printing"),
    "Checks": ("_tf.value_checks", "_tf.number_checks", "_tf.form_checks"),
    "Element types": ("dtypes",),
}
"""The groups of `tapegrad` itself: a title, and the modules that belong to it, without the package's name."""

_FOREIGN = "As they are in NumPy and Python"
_CONSTANTS = "Constants"


def _group(entry: Entry) -> str:
    """Return the group that an object belongs to: one of `_THEMES` or of the two above, or a module's name."""
    if not entry.is_own:
        return _FOREIGN if callable(entry.value) else _CONSTANTS
    if entry.namespace == "tapegrad":
        name = entry.module.removeprefix("tapegrad").lstrip(".")
        for title, modules in _THEMES.items():
            if any(name == module or (module and name.startswith(f"{module}.")) for module in modules):
                return title
    if entry.module == "tapegrad.special":  # the operations are made there of the families' tables
        name = entry.names[0].rpartition(".")[2]
        return next(f.__name__ for f in special._FAMILIES if re.search(rf"^{name}\s*\|", f.LINES, re.MULTILINE))
    return entry.module


def _heading(group: str) -> tuple[str, str]:
    """Return a group's title and what else is said about it: both from the first line of a module's docstring."""
    if not group.startswith("tapegrad."):
        return group, ""
    title, _, rest = heading(group).partition(": ")
    return title, f"{rest[:1].upper()}{rest[1:]}.\n\n" if rest else ""


def _grouped(members: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return the groups of a namespace: in the order of `_THEMES`, then as they come, the others' names last."""
    groups: dict[str, list[Entry]] = {theme: [] for theme in _THEMES}
    for entry in members:
        groups.setdefault(_group(entry), []).append(entry)
    for title in (_CONSTANTS, _FOREIGN):
        if title in groups:
            groups[title] = groups.pop(title)
    return {title: group for title, group in groups.items() if group}


def _title(text: str, line: str) -> str:
    """Return a heading; what stands between single backticks is code."""
    text = re.sub(r"`+([^`]+)`+", r"``\1``", text)
    return f"{text}\n{line * len(text)}\n\n"


def _summary_table(group: list[Entry]) -> str:
    names = "".join([f"   {entry.names[0].rpartition('.')[2]}\n" for entry in group])
    return f".. autosummary::\n   :nosignatures:\n\n{names}\n"


def _also(entry: Entry) -> list[str]:
    """Return a paragraph with the other names of an object."""
    return ["Also " + ", ".join(f"``{name}``" for name in entry.names[1:]) + ".", ""] if entry.names[1:] else []


def _documentation(entry: Entry) -> str:
    """Return the directive that documents an object, and the targets for its other names."""
    first, *others = entry.names
    lines = []
    if inspect.isclass(entry.value):
        lines += [f".. autoclass:: {first}", "   :members:"]
        if issubclass(entry.value, Value):
            lines += ["   :inherited-members:"]
    elif callable(entry.value):
        lines += [f".. autofunction:: {first}"]
    else:
        lines += [f".. py:data:: {first}", f"   :value: {entry.value!r}", "", *[f"   {line}" for line in _also(entry)]]
    kind = "class" if inspect.isclass(entry.value) else "function" if callable(entry.value) else "data"
    for name in others:
        lines += ["", f".. py:{kind}:: {name}", "   :no-typesetting:"]
    return "\n".join(lines) + "\n\n"


def _manual(name: str) -> str:
    """Return the address where NumPy's or SciPy's manual describes a function."""
    manual = "https://docs.scipy.org/doc/scipy" if name.startswith("scipy.") else "https://numpy.org/doc/stable"
    return f"{manual}/reference/generated/{name}.html"


@cache
def _documented() -> dict[str, Entry]:
    """Return the public objects by the names that document them."""
    return {entry.names[0]: entry for entry in entries()}


def _amend(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Add to a docstring, ahead of its sections, what the code need not repeat: other names, another's parameters."""
    entry = _documented().get(name)
    if entry is None:
        return
    first = next((k for k, line in enumerate(lines[1:]) if re.fullmatch("-{3,}", line)), len(lines))
    added = []
    if entry.model:
        added += [f"The parameters are those of `{entry.model} <{_manual(entry.model)}>`__.", ""]
    added += _also(entry)
    lines[first:first] = added if first < len(lines) else ["", *added]


def _others_table(group: list[Entry]) -> str:
    """Return a table of names that NumPy or Python document, with what they are."""
    rows = []
    for entry in group:
        value = entry.value
        what = f"``{entry.module}.{getattr(value, '__name__', '')}``" if callable(value) else f"``{value!r}``"
        names = ", ".join(f"``{name}``" for name in entry.names)
        targets = "".join(f"\n       .. py:data:: {name}\n          :no-typesetting:\n" for name in entry.names)
        rows.append(f"   * - {names}\n{targets}     - {what}\n")
    return ".. list-table::\n   :header-rows: 1\n\n   * - name\n     - what it is\n" + "".join(rows) + "\n"


def _body(group: str, members: list[Entry]) -> str:
    """Return a table of a group's names, and what each of them is."""
    if group in (_FOREIGN, _CONSTANTS):
        return _others_table(members)
    documented = [entry for entry in members if callable(entry.value)]
    table = _summary_table(documented) if len(documented) > 1 else ""
    return table + "".join([_documentation(entry) for entry in members])


def _file(group: str) -> str:
    """Return the name of a group's file."""
    return "_".join(re.findall("[a-z0-9]+", group.rpartition(".")[2].lower()))


def _introduction(namespace: str) -> str:
    """Return the head of a namespace's page: its name, what its module says about itself."""
    return (
        _title(f"``{namespace}``", "=")
        + f".. currentmodule:: {namespace}\n\n.. automodule:: {namespace}\n   :no-members:\n\n"
    )


def _elsewhere(namespace: str, everything: list[Entry]) -> str:
    """Return the list of names that a namespace shares with one that documents them."""
    shared = []
    for entry in everything:
        here = [name for name in entry.names if name.rpartition(".")[0] == namespace]
        if here and entry.namespace != namespace and entry.is_own:
            shared += [f":py:obj:`{name.rpartition('.')[2]} <{entry.names[0]}>`" for name in here]
    if not shared:
        return ""
    return _title("Documented elsewhere", "-") + "Also here: " + ", ".join(sorted(shared)) + ".\n\n"


def _namespace_table() -> str:
    """Return a table of the namespaces with what each is for, which `reference.md` shows."""
    rows = [f"   * - :doc:`{name} </{_FOLDER}/{name}>`\n     - {heading(name)}.\n" for name in sorted(namespaces())]
    return ".. list-table::\n\n" + "".join(rows)


def _pages() -> dict[str, str]:
    """Return the text of every page by its file's name."""
    everything = entries()
    pages = {}
    for namespace in namespaces():
        groups = _grouped([entry for entry in everything if entry.namespace == namespace])
        text = _introduction(namespace)
        if sum(len(group) for group in groups.values()) > _ONE_PAGE:
            text += ".. toctree::\n   :maxdepth: 1\n\n"
            for group, members in groups.items():
                place = f"{namespace}/{_file(group)}"
                title, about = _heading(group)
                text += f"   {place}\n"
                head = _title(title, "=") + f".. currentmodule:: {namespace}\n\n{about}"
                pages[f"{place}.rst"] = head + _body(group, members)
            text += "\n"
        else:
            for group, members in groups.items():
                text += (_title(_heading(group)[0], "-") if len(groups) > 1 else "") + _body(group, members)
        pages[f"{namespace}.rst"] = text + _elsewhere(namespace, everything)
    pages["namespaces.txt"] = _namespace_table()
    return pages


def _write(app: Sphinx) -> None:
    """Write the pages, those that changed, and remove what is left of names that are gone."""
    folder = Path(app.srcdir) / _FOLDER
    pages = _pages()
    for path in [*folder.rglob("*.rst")]:
        if path.relative_to(folder).as_posix() not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Let Sphinx call this before it looks for sources."""
    app.connect("builder-inited", _write)
    app.connect("autodoc-process-docstring", _amend, priority=100)  # before numpydoc reads the sections
    return {"parallel_read_safe": True, "parallel_write_safe": True}
