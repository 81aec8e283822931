"""Examples of every rule that tapegrad knows: a function in which the rule is recorded, and where to differentiate it.

Operations of the table of elementwise operations and SciPy's ufuncs bring their own: their lines say where they are
sampled. All others are listed in the files beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Example", "complexified", "examples_of", "number", "spaced"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Example:
    """A function of floating operands, differentiable at these."""

    name: str
    function: Callable[..., Any]
    operands: tuple[Array, ...]
    any_shape: bool = False
    """Whether the operands can have any shapes that broadcast."""
    complex: bool = True
    """Whether they can be complex."""
    tolerance: dict[str, float] = field(default_factory=dict)
    """For `check_grads`, where differences are less accurate."""

    def __str__(self) -> str:
        return self.name


def examples_of(rows: dict[str, tuple[Any, ...]], **options: Any) -> list[Example]:
    """Examples from a table: name, then the function and its operands."""
    return [
        Example(name, function, tuple([np.asarray(x, np.float64) for x in operands]), **options)
        for name, (function, *operands) in rows.items()
    ]


_rng = np.random.default_rng(31)


def number(*shape: int, low: float = 0.4, high: float = 2.0) -> Array:
    """Random numbers from an interval, by default positive ones."""
    return np.asarray(_rng.uniform(low, high, shape))


def spaced(*shape: int) -> Array:
    """Numbers of either sign in random order, well apart from each other and from 0."""
    count = int(np.prod(shape))
    return np.asarray(_rng.permutation(np.linspace(-1.6, 1.7, count) + 0.013).reshape(shape))


def complexified(operands: Sequence[Array]) -> tuple[Array, ...]:
    """The operands with imaginary parts."""
    rng = np.random.default_rng(5)
    return tuple([x + 1j * rng.uniform(0.1, 0.5, x.shape) * rng.choice([-1, 1], x.shape) for x in operands])
