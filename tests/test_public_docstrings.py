"""The docstring of every public name has what a reader looks for, and its example gives what it shows.

What can be checked is checked: a summary, a section of examples, the errors that the function raises itself, and that
its parameters are described, and no others. Functions with the parameters of NumPy's or SciPy's of the same name leave
the description to these; the reference has links to them.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs" / "_extensions"))
from public_names import Entry, entries

ENTRIES = {entry.names[0]: entry for entry in entries() if entry.is_own and callable(entry.value)}
HAS_ALL_MODELS = np.lib.NumpyVersion(np.__version__) >= "2.4.0"
"""Older ones lack functions whose parameters are not described here."""
SECTION = r"^{}\n-+\n(.*?)(?=^\S[^\n]*\n---|\Z)"


def documentation(entry: Entry) -> str:
    return inspect.getdoc(entry.value) or ""


def section(text: str, title: str) -> str:
    found = re.search(SECTION.format(title), text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def raised(function: Callable[..., Any]) -> set[str]:
    """The names of the exceptions that a function's own statements raise, as far as they are Python's."""
    if not inspect.isfunction(function):
        return set()
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
    return {name for name in names if name.endswith("Error")}


def problems(value: Any, text: str, *, complete: bool) -> list[str]:
    """What is wrong with the docstring of an object; `complete` asks for all of its parameters."""
    found = []
    if not re.match(r"\S[^\n]*(\n\S[^\n]*)*[.)`]\n\n", text):
        found.append("no summary, a sentence by itself")
    if ">>>" not in section(text, "Examples"):
        found.append("no example")
    if not inspect.isroutine(value) or hasattr(value, "__wrapped__"):
        return found
    found += [
        f"raises {name} and does not say when" for name in sorted(raised(value)) if name not in section(text, "Raises")
    ]
    lines = re.findall(r"^(\*{0,2}\w[^\n:]*?)(?: : [^\n]*)?$", section(text, "Parameters"), re.MULTILINE)
    described = {name.strip(" *") for line in lines for name in line.split(",")}
    parameters = set(inspect.signature(value).parameters)
    found += [f"has no parameter {name}" for name in sorted(described - parameters)]
    if complete:
        found += [f"does not describe {name}" for name in sorted(parameters - described)]
    return found


@pytest.mark.parametrize("name", ENTRIES)
def test_docstring_is_whole(name: str) -> None:
    entry = ENTRIES[name]
    assert not problems(entry.value, documentation(entry), complete=entry.model is None and HAS_ALL_MODELS)


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # by NumPy 2.5
@pytest.mark.parametrize("name", ENTRIES)
def test_examples(name: str) -> None:
    """Also those of functions that are made from tables, which no module's source shows."""
    value = ENTRIES[name].value
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    for test in [doctest.DocTestParser().get_doctest(documentation(ENTRIES[name]), {}, name, None, 0)]:
        runner.run(test)
        assert test.examples, f"{value} has no examples"
    assert runner.failures == 0


def test_every_elementwise_operation_has_an_example() -> None:
    """The walk has met the operations that come from the native table."""
    assert {f"tapegrad.{name}" for name in ("sin", "power", "softplus")} <= set(ENTRIES)


def test_problems_are_found() -> None:
    """The check can fail."""

    def careless(x: Any, y: Any) -> None:
        """Do something.

        Parameters
        ----------
        x
            What to do.
        z
            There is no such thing.
        """
        raise ValueError("no")

    assert problems(careless, inspect.getdoc(careless) or "", complete=True) == [
        "no example",
        "raises ValueError and does not say when",
        "has no parameter z",
        "does not describe y",
    ]
