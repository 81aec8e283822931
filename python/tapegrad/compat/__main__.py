"""Run a program with tapegrad in autograd's place: `python -m tapegrad.compat program.py`, or `-m module`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from tapegrad.compat.installation import install_as_autograd

USAGE = "usage: python -m tapegrad.compat program.py [arguments], or python -m tapegrad.compat -m module [arguments]"


def main() -> None:
    """Run the program that the command line names."""
    arguments = sys.argv[1:]
    as_module = arguments[:1] == ["-m"]
    rest = arguments[1:] if as_module else arguments
    if not rest or (rest[0].startswith("-") and not as_module):
        sys.exit(USAGE)
    sys.argv = rest
    install_as_autograd()
    if as_module:
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(rest[0]).resolve().parent)
        runpy.run_path(rest[0], run_name="__main__")


if __name__ == "__main__":
    main()
