"""The modules of the binding, loaded from their one shared object.

The core keeps some of its state for each thread, so there must be one copy of it in the process: it is linked into one
shared object, and all modules of the binding with it. Python's import system finds `_core` there, by the file's name;
the others are taken from the same file here.
"""

import sys
from importlib import import_module
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader

# Each builds on nothing but those before it.
LAYERS = (
    "_core",
    "silence",
    "recording",
    "values",
    "following",
    "arrays",
    "structural",
    "shaping",
    "operands",
    "operators",
    "functions",
    "combining",
    "indexing",
    "external",
    "variables",
    "passing",
    "sweeps",
    "targets",
    "tapes",
    "pushes",
    "interface",
)


def _load_all() -> None:
    package = __name__.rpartition(".")[0]
    shared_object = import_module(f"{package}.{LAYERS[0]}").__file__
    assert shared_object is not None
    for name in LAYERS[1:]:
        loader = ExtensionFileLoader(f"{package}.{name}", shared_object)
        spec = spec_from_loader(loader.name, loader)
        assert spec is not None
        module = sys.modules[spec.name] = module_from_spec(spec)
        loader.exec_module(module)


_load_all()
