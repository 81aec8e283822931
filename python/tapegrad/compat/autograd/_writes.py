"""Calls that write to arrays, which traces do not see: they raise."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["refuse_writing"]

_WRITING = frozenset({np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask})
"""The functions that write to an argument."""

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def refuse_writing(name: str, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Raise TypeError if a call of a function of NumPy's would write what a trace follows to an array."""
    place = _place_of_out(function)
    given = place is not None and len(args) > place and args[place] is not None
    if given or kwargs.get("out") is not None or function in _WRITING or name.endswith(".at"):
        raise TypeError(
            f"{name}: a trace follows values that this call would write to an array, where it does not see them: use "
            "a function that returns a new array."
        )


@functools.cache
def _place_of_out(function: Any) -> int | None:
    """Return which positional argument is the array to write to; `None` if there is none."""
    if isinstance(function, np.ufunc):
        return function.nin
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions written in C do not tell
        return None
    names = [parameter.name for parameter in parameters if parameter.kind in _BY_POSITION]
    return names.index("out") if "out" in names else None
