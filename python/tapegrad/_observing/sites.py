"""Lines of the user's program."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Site", "user_site"]

_NUMPY = Path(np.__file__).parent
# NumPy's and SciPy's Python code calls operations on behalf of the program, as tapegrad's does.
_LIBRARIES = tuple([f"{path}/" for path in (Path(__file__).parents[1], _NUMPY, _NUMPY.parent / "scipy")])


class Site(NamedTuple):
    """A line of the program, in a function."""

    file: str
    line: int
    function: str

    @property
    def source(self) -> str:
        """The text of the line; empty if there is no such file."""
        return linecache.getline(self.file, self.line).strip()

    @property
    def place(self) -> str:
        """The file, or a notebook's cell, and the line in it."""
        return f"{_cell(self.file) or self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place} in {self.function}"


def user_site() -> Site | None:
    """Return the line outside tapegrad, NumPy and SciPy that the call under way comes from."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_LIBRARIES):
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return Site(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def _cell(file: str) -> str | None:
    """Return what IPython calls a file that it made of a cell, such as `Cell In[3]`; `None` for any other file."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    name_parts = getattr(getattr(shell, "compile", None), "format_code_name", lambda file: None)(file)
    return None if name_parts is None else " ".join(name_parts)
