"""The annotations are what type checkers need: mypy accepts the programs in `typing/` and refuses the mistakes there.

What the programs assert about types is checked by mypy, and once more while they run.
"""

from __future__ import annotations

import re
import runpy
import types
import typing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
TYPED = ROOT / "tests" / "typing"
PROGRAMS = [TYPED / "functions.py", TYPED / "recording.py"]
EXAMPLES = sorted(set((ROOT / "examples").rglob("*.py")) - set((ROOT / "examples").rglob("setup.py")))
MISTAKE = re.compile(r"# mistake: ([\w-]+)$")
ERROR = re.compile(r"^.*mistakes\.py:(\d+): error: .*\[([\w-]+)\]$", re.MULTILINE)


def mypy(*files: Path) -> str:
    """What `mypy --strict` prints about these files."""
    api = pytest.importorskip("mypy.api", reason="mypy is one of the developers' tools")
    report, complaint, _ = api.run(["--strict", "--config-file", str(ROOT / "pyproject.toml"), *map(str, files)])
    assert not complaint
    return str(report)


def test_programs_are_accepted() -> None:
    """The types that the programs assert are those of the annotations, and the examples pass as they are."""
    assert "Success" in (report := mypy(*PROGRAMS, *EXAMPLES)), report


def test_mistakes_are_found() -> None:
    """mypy refuses each line that says so, for the reason that it says, and no other line."""
    lines = (TYPED / "mistakes.py").read_text("utf-8").splitlines()
    expected = {(number, found[1]) for number, line in enumerate(lines, 1) if (found := MISTAKE.search(line))}
    found = {(int(number), code) for number, code in ERROR.findall(mypy(TYPED / "mistakes.py"))}
    assert expected
    assert found == expected


def is_of(value: Any, kind: Any) -> bool:
    """Whether a value is of a type, as far as it can be seen."""
    if kind is Any:
        return True
    if isinstance(kind, types.UnionType):
        members = [member for member in typing.get_args(kind) if member is not Any]
        return value is None or any(is_of(value, member) for member in members)
    origin = typing.get_origin(kind)
    alias = kind if origin is None else origin
    if hasattr(alias, "__value__"):  # NumPy's NDArray is written `type NDArray = ...` from 2.5 on
        return is_of(value, alias.__value__)
    if origin is None:
        return isinstance(value, kind)
    if origin is np.ndarray:
        return isinstance(value, np.ndarray | np.generic)
    inner = typing.get_args(kind)
    if not isinstance(value, origin):
        return False
    if origin is list:
        return all(is_of(element, inner[0]) for element in value)
    if origin is dict:
        return all(is_of(k, inner[0]) and is_of(v, inner[1]) for k, v in value.items())
    if origin is tuple:
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        return len(value) == len(kinds) and all(map(is_of, value, kinds))
    return True


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_types_are_those_of_the_values(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a program runs, values have the types that it asserts."""
    asserted = []

    def check(value: Any, kind: Any) -> Any:
        asserted.append(kind)
        assert is_of(value, kind), f"{value!r} is no {kind}"
        return value

    monkeypatch.setattr(typing, "assert_type", check)
    runpy.run_path(str(program))
    assert len(asserted) > 20


def test_wrong_types_are_noticed() -> None:
    """The check of values can fail."""
    assert not is_of(3.0, int)
    assert not is_of([1.0], list[int])
    assert not is_of((1, 2), tuple[int, int, int])
    assert not is_of(1.5, str | int)
    assert not is_of({1: 2}, dict[str, int])
