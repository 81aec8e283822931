"""What decides the pattern of derivatives in a recorded program: whether two tapes have the same one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapegrad._native import GradientTape, Value, array
from tapegrad._ops.declare import Rule
from tapegrad._ops.indexing import Selection

__all__ = ["Program"]


class Program(NamedTuple):
    """What leads from a source to a target."""

    ends: tuple[Any, ...]
    """Slots and shapes of the two."""
    nodes: list[tuple[Any, ...]]
    """The nodes of the tape: slots, kinds, names, operands, and shapes and dtypes of the results."""
    choices: list[Any]
    """Their parameters and indices, and where constant factors are zero."""

    @classmethod
    def on(cls, tape: GradientTape, target: Value, source: Value) -> Program:
        """Return the program that a tape has recorded."""
        nodes = [node[:5] for node in tape._nodes()]  # what follows is where saved arrays lie
        choices: list[Any] = []
        for slot, kind, name, operands, _ in nodes:
            if kind == "structural":
                choices.append(tape._parameters(slot))
                if name in ("take", "scatter_add"):
                    choices.append(array(tape._saved(slot, 1)))
                elif name == "matmul":
                    choices += [_choices(tape._saved(slot, k), tape) for k in (0, 1) if operands[k] is None]
            elif kind == "external":
                rule, saved = tape._rule(slot)
                if isinstance(rule, Rule):
                    choices.append(_choices(saved, tape))
        return cls((tape._slot(target), target.shape, tape._slot(source), source.shape), nodes, choices)

    def is_same_as(self, other: Program) -> bool:
        """Whether the dependences in both are the same."""
        return self.ends == other.ends and self.nodes == other.nodes and _are_same(self.choices, other.choices)


def _choices(part: Any, tape: GradientTape) -> Any:
    if isinstance(part, Value):
        if tape._slot(part) is not None:
            return None
        there = array(part) != 0
        return None if there.all() else there
    if isinstance(part, Selection):
        part = part.key
    if isinstance(part, (tuple, list)):
        return [_choices(item, tape) for item in part]
    return part


def _are_same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all([_are_same(x, y) for x, y in zip(a, b, strict=True)])
    return type(a) is type(b) and bool(a == b)
