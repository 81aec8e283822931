"""Where a gradient becomes zero: a sweep that is watched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tapegrad._native import GradientTape, Tensor, Value, array, own, pause
from tapegrad._observing.finiteness import elements
from tapegrad._observing.observer import Observer

__all__ = ["Finding", "follow"]


class Finding(NamedTuple):
    """What became of the cotangent of a target on its way to a source."""

    outcome: str
    """"dead", "cancels", "no rule", "not a number" or "connected"."""
    slots: tuple[int, ...] = ()
    """The nodes where it happened, the one nearest to the target first."""


class _Flow:
    """Hears what each node received and what it passed on."""

    def __init__(self, tape: GradientTape) -> None:
        self._tape = tape
        self.dead: list[int] = []
        self.silent: list[int] = []
        self.poisoned: list[int] = []
        self.cancelled: list[int] = []
        self._fed: set[int] = set()

    def passed(self, slot: int, cotangents: Sequence[Tensor | None], contributions: Sequence[object]) -> None:
        """Hear of one node."""
        given = [array(g) for g in cotangents if g is not None]
        if not any([g.any() for g in given]):
            if slot in self._fed:
                self.cancelled.append(slot)
            return
        parts = [None if part is None else elements(part) for part in contributions]
        passed = [part for part in parts if part is not None]
        if not passed:
            self.silent.append(slot)
        elif not any([part.any() for part in passed]):
            self.dead.append(slot)
        if all([_finite(g) for g in given]) and not all([_finite(part) for part in passed]):
            self.poisoned.append(slot)
        operands = self._tape._nodes(slot, 1)[0][3]
        self._fed.update(
            [k for k, part in zip(operands, parts, strict=True) if k is not None and part is not None and part.any()]
        )

    def was_fed(self, slot: int) -> bool:
        """Whether something other than zero arrived at a slot."""
        return slot in self._fed


def follow(tape: GradientTape, target: Value, source: Value) -> Finding:
    """Sweep from a target to a source that depend on each other, and see what happens on the way."""
    flow = _Flow(tape)
    observer = tape.observer
    borrowed = observer is None
    if borrowed:
        observer = Observer(tape, False, None)
        tape._observe(observer)
    observer.flow = flow
    try:
        with pause():
            seed = own(np.ones(target.shape, target.dtype.as_numpy_dtype))
            (gradient,) = tape._pull([target], [source], [seed], 0)
    finally:
        observer.flow = None
        if borrowed:
            tape._observe(None)
    if gradient is None:
        return Finding("no rule", tuple(flow.silent))
    values = elements(gradient)
    if not _finite(values):
        return Finding("not a number", tuple(flow.poisoned))
    if values.any():
        return Finding("connected")
    if flow.dead or flow.silent:
        return Finding("dead", tuple(flow.dead + flow.silent))
    slot = tape._slot(source)
    return Finding("cancels", tuple(flow.cancelled) or ((slot,) if slot is not None and flow.was_fed(slot) else ()))


def _finite(values: Any) -> bool:
    return bool(np.isfinite(values).all())
