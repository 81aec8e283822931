"""The programs on the pages for users of other libraries print the same in that library and in tapegrad.

Each such page begins with a program for the other library, which the site does not run, and the same for tapegrad.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = {"from_tensorflow": "tensorflow", "from_pytorch": "torch", "from_jax": "jax"}
THEIRS = re.compile(r"^```\{code-block\} python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OURS = re.compile(r"^```\{code-cell\} ipython3\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs(page: str) -> tuple[str, str]:
    """The first program for the other library, and the first for tapegrad."""
    text = (DOCS / f"{page}.md").read_text("utf-8")
    theirs, ours = THEIRS.search(text), OURS.search(text)
    assert theirs is not None
    assert ours is not None
    return theirs[1], ours[1]


def printed(program: str) -> str:
    """What a program prints, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_our_program_runs(page: str) -> None:
    """The program for tapegrad prints something."""
    assert printed(programs(page)[1]).strip()


@pytest.mark.parametrize(("page", "library"), PAGES.items(), ids=PAGES)
def test_programs_print_the_same(page: str, library: str) -> None:
    """Where the other library is installed, both programs print the same."""
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    theirs, ours = programs(page)
    assert printed(theirs) == printed(ours)


def test_tensorflow_program_is_the_same() -> None:
    """What the page says: one line is different."""
    theirs, ours = programs("from_tensorflow")
    assert theirs.replace("import tensorflow as tf", "import tapegrad as tf") == ours
