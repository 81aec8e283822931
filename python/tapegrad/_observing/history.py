"""What a debug tape has heard: every operation, followed or not, by the keys of its operands and results.

A key is a value's slot if the tape knows the value. Other values get negative keys, and are kept alive so that they can
be told apart: identity is all there is to recognise them by.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import NamedTuple

from tapegrad._native import GradientTape, Value
from tapegrad._observing.sites import Site

__all__ = ["Event", "History", "is_inexact"]


class Event(NamedTuple):
    """One operation, or a use that takes a value away from all tapes."""

    name: str
    operands: tuple[int | None, ...]
    """Keys; `None` for a constant that is no value."""
    results: tuple[int, ...]
    """Keys; none if the value has left."""
    site: Site | None
    recorded: bool
    """Whether the tape has a node for it."""
    paused: bool
    """Whether it was heard while the tape did not record."""
    inexact: bool
    """Whether the result can have a derivative: it is floating or complex."""


class History:
    """The events in their order, and the values that the tape does not know."""

    def __init__(self, tape: GradientTape) -> None:
        self._tape = weakref.ref(tape)
        self.events: list[Event] = []
        self.aliases: dict[int, int] = {}
        """The slots of values that were watched after they had been heard of, by their former keys."""
        self._keys: dict[int, int] = {}
        self._values: list[Value] = []

    def clear(self) -> None:
        """Forget everything."""
        self.events.clear()
        self.aliases.clear()
        self._keys.clear()
        self._values.clear()

    def heard(
        self,
        name: str,
        operands: Sequence[Value | None],
        results: Sequence[Value],
        site: Site | None,
        *,
        recorded: bool = False,
        paused: bool = False,
    ) -> None:
        """Add an operation."""
        into = tuple([None if value is None else self._key(value) for value in operands])
        out = tuple([self._key(value) for value in results])
        if into == out and not recorded:
            return  # another object for the same value
        inexact = bool(results) and is_inexact(results[0])
        self.events.append(Event(name, into, out, site, recorded, paused, inexact))

    def watched(self, slot: int, value: Value, site: Site | None) -> None:
        """Add the watching of a value."""
        if id(value) in self._keys:
            self.aliases[self._keys[id(value)]] = slot
        self.events.append(Event("watch", (), (slot,), site, True, False, True))

    def keys(self, value: Value) -> set[int]:
        """Return the keys that a value has or had."""
        tape = self._tape()
        slot = None if tape is None else tape._slot(value)
        return {key for key in (slot, self._keys.get(id(value))) if key is not None}

    def value(self, key: int) -> Value:
        """Return the value with a negative key."""
        return self._values[-1 - key]

    def _key(self, value: Value) -> int:
        tape = self._tape()
        slot = None if tape is None else tape._slot(value)
        if slot is not None:
            return slot
        key = self._keys.get(id(value))
        if key is None:
            self._values.append(value)
            key = self._keys[id(value)] = -len(self._values)
        return key


def is_inexact(value: Value) -> bool:
    """Whether a value can have a derivative: it is floating or complex."""
    return value.dtype.is_floating or value.dtype.is_complex
