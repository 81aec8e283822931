"""The structures of `tapegrad.nest`, with a short way for the most frequent of them: a single value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad import nest
from tapegrad._native import Tensor

__all__ = ["leaves_of", "map_leaves", "pack_as"]

# Types that need no closer look.
_LEAVES = frozenset({float, int, complex, bool, str, type(None), np.ndarray, np.float64, np.float32, Tensor})


def leaves_of(structure: Any) -> list[Any]:
    """Return the leaves of a structure, from left to right."""
    return [structure] if type(structure) in _LEAVES else nest.flatten(structure)


def pack_as(structure: Any, leaves: Sequence[Any]) -> Any:
    """Return a structure like `structure` with these leaves: the inverse of `leaves_of`."""
    return leaves[0] if type(structure) in _LEAVES else nest.pack_sequence_as(structure, leaves)


def map_leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """Return a structure like `structure` with `function` applied to each leaf."""
    if type(structure) in _LEAVES:
        return function(structure)
    return nest.pack_sequence_as(structure, [function(leaf) for leaf in nest.flatten(structure)])
