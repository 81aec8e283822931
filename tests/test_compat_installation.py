"""Standing in for autograd, and the libraries that then run on tapegrad."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import tapegrad.compat.autograd
from bench.autograd_programs import LIBRARIES, PROGRAMS
from bench.gradbench.process import Tool
from tapegrad import nest
from tapegrad.compat import install_as_autograd, uninstall_autograd

TESTS = Path(__file__).parent
PROGRAMS_FILE = TESTS / "compat_programs.py"

needs_autograd = pytest.mark.skipif(
    importlib.util.find_spec("autograd") is None, reason="autograd, to compare with, is not installed"
)
needs_libraries = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("autograd", *LIBRARIES)),
    reason=f"autograd and {', '.join(LIBRARIES)} are not all installed",
)


def run(*command: str) -> str:
    """What a fresh interpreter prints."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    uninstall_autograd()
    assert "autograd" not in sys.modules


def test_modules_are_found_here():
    with install_as_autograd():
        from autograd import grad
        from autograd import numpy as anp
        from autograd.misc import flatten
        from autograd.misc.flatten import flatten_func
        from autograd.scipy.stats import norm

        for name in ("", ".numpy", ".numpy.numpy_boxes", ".scipy.special", ".misc.flatten", ".builtins"):
            assert importlib.import_module(f"autograd{name}") is importlib.import_module(
                f"tapegrad.compat.autograd{name}"
            )
        with pytest.raises(ImportError, match="no_such_module"):
            importlib.import_module("autograd.no_such_module")
        with pytest.raises(ImportError, match="no_such_name"):
            exec("from autograd import no_such_name")
    assert grad(lambda x: anp.sin(x) + norm.logpdf(x))(0.0) == 1.0
    assert flatten({"a": 1.0})[0] == [1.0]
    assert callable(flatten_func)
    assert importlib.import_module("tapegrad.compat.autograd.misc").flatten is flatten
    assert "autograd" not in sys.modules
    assert tapegrad.compat.autograd.numpy is anp


def test_other_modules_are_found_as_ever():
    with install_as_autograd():
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("autograd_of_nobody")
        assert importlib.import_module("json") is json


def test_installing_twice_is_installing_once():
    first = len(sys.meta_path)
    assert "in the place of autograd" in repr(install_as_autograd())
    install_as_autograd()
    assert len(sys.meta_path) == first + 1
    uninstall_autograd()
    uninstall_autograd()
    assert len(sys.meta_path) == first


def test_autograd_must_not_have_been_imported(monkeypatch):
    present = types.ModuleType("autograd")
    present.__file__ = "somewhere/autograd/__init__.py"
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "autograd", present)
        with pytest.raises(ImportError, match=r"from somewhere/autograd/__init__\.py: call .* before"):
            install_as_autograd()
        uninstall_autograd()
        assert sys.modules["autograd"] is present


def test_tapegrad_does_not_import_it():
    program = "import sys, tapegrad; print([name for name in sys.modules if name.startswith('tapegrad.compat')])"
    assert run("-c", program).strip() == "[]"


def test_command_runs_programs_and_modules(tmp_path):
    (tmp_path / "helper.py").write_text("import autograd\nprint('helper', autograd.__name__)\n", "utf-8")
    program = tmp_path / "program.py"
    program.write_text("import sys, helper\nprint(__name__, sys.argv[1:])\n", "utf-8")
    printed = run("-m", "tapegrad.compat", str(program), "-x", "1")
    assert printed == "helper tapegrad.compat.autograd\n__main__ ['-x', '1']\n"
    assert run("-m", "tapegrad.compat", "-m", "json.tool", "--help").startswith("usage:")
    for arguments in ([], ["-m"], ["--flag"]):
        done = subprocess.run(
            [sys.executable, "-m", "tapegrad.compat", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert done.stderr.startswith("usage: python -m tapegrad.compat")


def test_programs_run():
    results = json.loads(run(str(PROGRAMS_FILE), "--tapegrad"))
    assert len(results) > 10
    assert all(np.isfinite(nest.flatten(result)).all() for result in results.values())


@needs_autograd
def test_programs_give_what_they_give_with_autograd():
    found, wanted = (json.loads(run(str(PROGRAMS_FILE), *arguments)) for arguments in (["--tapegrad"], []))
    assert found.keys() == wanted.keys()
    for name, result in wanted.items():
        for k, (ours, theirs) in enumerate(zip(found[name], result, strict=True)):
            pair = nest.flatten(ours), nest.flatten(theirs)
            np.testing.assert_allclose(*pair, rtol=1e-9, atol=1e-11, err_msg=f"{name}, {k}")


@pytest.fixture(scope="module")
def tools():
    module = "bench.autograd_programs"
    with Tool("tapegrad", module=module) as ours, Tool("autograd", module=module) as theirs:
        yield ours, theirs


@needs_libraries
@pytest.mark.parametrize("name", PROGRAMS)
def test_libraries_give_what_they_give_with_autograd(name, tools):
    ours, theirs = (tool.ask({"program": name}, 300.0)["numbers"] for tool in tools)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)
