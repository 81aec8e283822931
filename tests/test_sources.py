"""Source files stay short enough to be read in one go, and the binding keeps no data that threads share unguarded."""

import re
from pathlib import Path

from tapegrad._native._layers import LAYERS

ROOT = Path(__file__).resolve().parents[1]
BINDING = ROOT / "python" / "tapegrad" / "_native"
DIRECTORIES = ("src", "python", "tests", "bench", "examples")
SUFFIXES = frozenset({".py", ".pyx", ".pxd", ".c", ".h"})
MAX_LINES = 400

# Longer files, each with the reason why it is not divided.
LONGER: dict[str, str] = {
    "python/tapegrad/_native/tapes.pyx": "one class, of which half is documentation",
    "python/tapegrad/_native/values.pyx": "two classes, and what their methods need",
}


# What the binding keeps at module level, each with what keeps threads from disturbing each other there. The C core has
# nothing of the kind, which tests/core/static_data.py reads off its object files.
MODULE_DATA: dict[str, str] = {
    **dict.fromkeys(
        [
            "ONE_SET",
            "INSIDE",
            "ALL_OPERANDS",
        ],
        "a constant",
    ),
    **dict.fromkeys(["ARITHMETIC", "COMPARISONS", "OPERAND_NAMES", "ERRORS"], "a constant table"),
    **dict.fromkeys(
        [
            "loops",
            "promoted",
            "type_numbers",
            "dtype_of_number",
            "KEPT_ALIVE",
            "general_dealloc",
            "operators",
            "owners",
        ],
        "filled while the binding is imported, then constant",
    ),
    **dict.fromkeys(
        ["c_host", "c_table", "NUMPY_ERRORS", "IGNORED"], "filled while the binding is imported, then constant"
    ),
    "pool": "has a lock of its own",
    "registry": "has a lock of its own",
    "late_modules": "a dict, of which items are looked up and stored one at a time",
    "births": "counted atomically",
    "generation": "changed in forked children only, which have one thread then",
    "kept": "not in use without the interpreter lock",
    "kept_count": "not in use without the interpreter lock",
    "c_context": "made under c_context_lock",
    "c_context_lock": "a lock",
}
# "cdef type name = value" at the beginning of a line; functions, types and imports are no data.
MODULE_VARIABLE = re.compile(
    r"^cdef (?!class |enum|extern |struct |inline |.*\)[^=\n]*:$)"
    r"[\w ]+?[ *]+(?P<name>\w+)(?:\[.*?\])*(?: = .*| *#.*)?$",
    re.MULTILINE,
)


# "from tapegrad._native.name cimport ..." or "import ...".
USE = re.compile(r"^from tapegrad\._native\.(?P<name>\w+) c?import", re.MULTILINE)


def binding() -> dict[str, str]:
    """The text of each module of the binding: what it declares for others, and its code."""
    texts: dict[str, str] = {}
    for path in sorted([*BINDING.glob("*.pxd"), *BINDING.glob("*.pyx")]):
        texts[path.stem] = texts.get(path.stem, "") + path.read_text("utf-8")
    return texts


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


def test_module_data_of_the_binding_is_guarded() -> None:
    """Whatever the binding keeps at module level has a reason in MODULE_DATA why threads may share it."""
    found = [match["name"] for text in binding().values() for match in MODULE_VARIABLE.finditer(text)]
    assert {"pool", "kept", "late_modules"} <= set(found), "the expression does not find variables any more"
    assert sorted(found) == sorted(MODULE_DATA)  # each of them defined once


def test_what_the_binding_changes_after_import() -> None:
    """Functions that assign to module-level data name it in a `global` statement."""
    changed = {name for text in binding().values() for name in re.findall(r"^ +global ([\w, ]+)$", text, re.MULTILINE)}
    assert changed == {"generation", "kept_count"}


def test_modules_of_the_binding_build_on_those_before_them() -> None:
    """The list by which they are loaded names each of them, in an order in which none needs a later one."""
    texts = binding()
    declarations = set(texts) - {path.stem for path in BINDING.glob("*.pyx")}
    assert set(LAYERS) == set(texts) - declarations
    for place, name in enumerate(LAYERS):
        used = {match["name"] for match in USE.finditer(texts[name])} - {name} - declarations
        assert used <= set(LAYERS[:place]), f"{name} uses what is loaded later: {used - set(LAYERS[:place])}"
