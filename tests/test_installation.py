"""What an installation promises: one version, a quick import, a report of itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tapegrad
from tapegrad import _native
from tapegrad._native._layers import LAYERS

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


class TestVersion:
    def test_it_is_the_projects(self) -> None:
        assert tapegrad.__version__ == PROJECT["version"] == metadata.version("tapegrad")

    def test_it_stands_in_one_place(self) -> None:
        """No other file of the project's code says which version it is."""
        assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", PROJECT["version"])
        files = [path for name in ("python", "src") for path in (ROOT / name).rglob("*") if path.is_file()]
        texts = {path: path.read_bytes() for path in [*files, ROOT / "CMakeLists.txt"] if path.suffix != ".so"}
        pattern = re.compile(rb"version[^\n]{0,20}\b" + re.escape(PROJECT["version"].encode()) + rb"\b", re.IGNORECASE)
        assert [path for path, text in texts.items() if pattern.search(text)] == []

    def test_the_changelog_begins_with_it(self) -> None:
        headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
        versions = [heading for heading in headings if heading != "[Unreleased]"]
        assert re.fullmatch(rf"\[{re.escape(PROJECT['version'])}\] - (unreleased|\d{{4}}-\d\d-\d\d)", versions[0])


class TestMetadata:
    def test_licence(self) -> None:
        found = metadata.metadata("tapegrad")
        assert (found["License-Expression"], found["License-File"]) == ("MIT", "LICENSE")
        assert not [line for line in found.get_all("Classifier", []) if line.startswith("License ::")]

    def test_it_needs_numpy_alone(self) -> None:
        needed = metadata.requires("tapegrad") or []
        assert [line for line in needed if "extra ==" not in line] == PROJECT["dependencies"] == ["numpy>=2.0"]


QUICK_AT_FIRST = """
import sys
import numpy
before = set(sys.modules)
import tapegrad
print(*sorted(set(sys.modules) - before))
"""

LATE = {"logging", "numpy.random", "scipy", "tqdm", "unittest"}
"""What takes long, and is imported when it is needed."""

FIRST_GRADIENT = """
import numpy, sys
before = set(sys.modules)
import tapegrad as tf
v = tf.Variable(1.0)
with tf.GradientTape() as tape:
    y = tf.sin(v) * 2.0
tape.gradient(y, v)
print(*sorted(set(sys.modules) - before))
"""

TIMES = """
from time import perf_counter
start = perf_counter()
import numpy
middle = perf_counter()
import tapegrad
print(middle - start, perf_counter() - middle)
"""


class TestImport:
    """Counted rather than timed where that is possible; a time is the shortest of several, as a part of NumPy's."""

    def test_nothing_but_names_is_imported(self) -> None:
        ours = [name for name in run(QUICK_AT_FIRST).split() if name.startswith("tapegrad")]
        assert ours == ["tapegrad", "tapegrad._lazy"]

    def test_a_gradient_needs_few_modules(self) -> None:
        modules = run(FIRST_GRADIENT).split()
        assert LATE.isdisjoint(modules)
        assert len(modules) < 60, modules

    def test_it_takes_a_small_part_of_numpys_time(self) -> None:
        """At most 50 ms where NumPy takes 100."""
        times = [[float(word) for word in run(TIMES).split()] for _ in range(5)]
        numpys, ours = (min(column) for column in zip(*times, strict=True))
        assert ours < 0.5 * numpys, f"{1e3 * ours:.1f} ms over NumPy's {1e3 * numpys:.1f} ms"


class TestBinding:
    """Its modules share what the core keeps for each thread."""

    def test_all_modules_come_from_one_file(self) -> None:
        """With several files there would be several copies of the core, and of what it keeps."""
        modules = [sys.modules[f"tapegrad._native.{name}"] for name in LAYERS]
        assert {module.__file__ for module in modules} == {modules[0].__file__}

    def test_they_see_the_same_thread(self) -> None:
        """A tape that one module puts on the thread's list records what others compute, until a third one pauses it."""
        modules = {name: sys.modules[f"tapegrad._native.{name}"] for name in ("tapes", "recording", "following")}
        x = tapegrad.constant(2.0)
        with modules["tapes"].GradientTape() as tape:
            tape.watch(x)
            assert modules["recording"].is_recording()
            assert modules["following"].is_watched(x)
            y = x * x
            with modules["recording"].pause():
                assert not modules["following"].is_watched(x)
                z = x * x
            assert modules["following"].is_watched(y)
            assert not modules["following"].is_watched(z)
        assert not modules["recording"].is_recording()
        assert float(tape.gradient(y, x)) == 4.0

    def test_functions_and_types_are_found_where_pickles_look(self) -> None:
        """They say that they come from the package, which has them by their names."""
        for name, value in vars(_native).items():
            if getattr(value, "__module__", "").startswith("tapegrad._native"):
                assert (value.__module__, value.__name__) == ("tapegrad._native", name)


class TestShowConfig:
    def test_dicts(self) -> None:
        config = tapegrad.show_config(mode="dicts")
        assert list(config) == ["tapegrad", "Loops", "NumPy", "Python", "Extras"]
        assert config["tapegrad"]["version"] == tapegrad.__version__
        assert config["tapegrad"]["module"] == sys.modules["tapegrad._native._core"].__file__
        assert re.match(r"(GCC|.*[Cc]lang) ", config["tapegrad"]["compiler"])
        assert config["tapegrad"]["cache limit"] == tapegrad.memory.stats().limit
        assert config["NumPy"]["version"] == np.__version__
        assert set(config["NumPy"]["processor features"]) >= {"baseline"}
        assert config["Python"]["version"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
        assert config["Python"]["interpreter lock"] is True
        assert config["Extras"]["scipy"] == metadata.version("scipy")

    def test_all_loops_are_found(self) -> None:
        loops = tapegrad.show_config(mode="dicts")["Loops"]
        ufuncs = {row[0] for row in _native.op_table() if isinstance(getattr(np, row[0], None), np.ufunc)}
        for dtype in ("float32", "float64"):
            assert loops[dtype] == {"found": len(ufuncs) + 1, "missing": []}  # and matmul
        assert ufuncs.isdisjoint(loops["tapegrad's own"])

    def test_it_prints(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert tapegrad.show_config() is None  # type: ignore[func-returns-value]
        printed = capsys.readouterr().out
        assert f"version: {tapegrad.__version__}" in printed
        assert "BLAS:" in printed
        assert "missing: none" in printed

    def test_modes(self) -> None:
        with pytest.raises(ValueError, match=r"mode must be 'stdout' or 'dicts', not 'json'"):
            tapegrad.show_config(mode="json")  # type: ignore[call-overload]
