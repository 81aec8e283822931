"""Fill in what the examples of `tapegrad/_examples/*.txt` print. Run it after a change of the other columns."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import tapegrad
from tapegrad import _examples

NAMESPACES = {"elementwise": "tapegrad", "numpy": "tapegrad.numpy", "special": "tapegrad.special"}
FOLDER = Path(tapegrad.__file__).parent / "_examples"


def printed(statements: list[str]) -> str:
    """Return what a list of statements prints, a line."""
    names: dict[str, Any] = {}
    output = StringIO()
    with redirect_stdout(output):
        exec("\n".join(statements), names)
    return output.getvalue().strip()


def main() -> None:
    """Write the tables again."""
    for table, namespace in NAMESPACES.items():
        rows = [(name, given) for name, (given, _) in _examples.lines(table).items()]
        text = [
            f"{name} | {given} | {printed(_examples.statements(f'{namespace}.{name}', given))}" for name, given in rows
        ]
        (FOLDER / f"{table}.txt").write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
