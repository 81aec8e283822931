"""Every example in a docstring runs and gives what it shows."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import tapegrad

MODULES = [
    "tapegrad",
    *(module.name for module in pkgutil.walk_packages(tapegrad.__path__, "tapegrad.")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    # Without the module's own names, as for a reader: `print` is not `tapegrad.print`.
    results = doctest.testmod(importlib.import_module(name), globs={}, optionflags=doctest.ELLIPSIS)
    assert results.failed == 0
