"""Source files stay short enough to be read in one go."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIRECTORIES = ("src", "python", "tests", "bench", "examples")
SUFFIXES = frozenset({".py", ".pyx", ".pxd", ".pxi", ".c", ".h"})
MAX_LINES = 400

# Longer files, each with the reason why it is not divided.
LONGER: dict[str, str] = {
    "src/tapecore/binding/tape.pxi": "one class, two fifths of which are the docstrings of its methods",
}


def line_counts() -> dict[str, int]:
    """Lines of every source file, by its path from the root."""
    files = (path for name in DIRECTORIES for path in (ROOT / name).rglob("*") if path.suffix in SUFFIXES)
    return {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in files}


def test_files_are_short() -> None:
    """A longer file needs a reason in LONGER."""
    long = {name: lines for name, lines in line_counts().items() if lines > MAX_LINES}
    excess = {name: lines for name, lines in long.items() if name not in LONGER}
    assert not excess, f"longer than {MAX_LINES} lines: {excess}; divide them, or give the reason in LONGER"


def test_exceptions_are_needed() -> None:
    """LONGER lists only files that exist and are long."""
    lines = line_counts()
    needless = [name for name in LONGER if lines.get(name, 0) <= MAX_LINES]
    assert not needless, f"no longer than {MAX_LINES} lines, or gone: {needless}; take them out of LONGER"
