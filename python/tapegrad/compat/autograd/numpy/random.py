"""Random numbers as in `autograd.numpy.random`: they are NumPy's, and constants for the tapes."""

from __future__ import annotations

from typing import Any

from numpy import random as _random

from tapegrad.compat.autograd._namespaces import names_of

__all__ = names_of(_random)


def __getattr__(name: str) -> Any:
    return getattr(_random, name)


def __dir__() -> list[str]:
    return __all__
