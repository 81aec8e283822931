"""The way from TensorFlow's names for special functions to those of `tapegrad.special`, which needs SciPy.

It is imported with the first call, so that a program without special functions needs neither its time nor SciPy.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike

__all__ = ["special"]


def special(name: str, *operands: TensorLike) -> Any:
    """Apply a function of `tapegrad.special` so that its results are tensors: one operand at least is.

    Python's numbers beside other operands stay as they are, since they take the type of these.
    """
    weak = [isinstance(x, int | float | complex) for x in operands]
    return _function(name)(
        *[x if number and not all(weak) else as_tensor(x) for x, number in zip(operands, weak, strict=True)]
    )


@cache
def _function(name: str) -> Any:
    return getattr(import_module("tapegrad.special"), name)
