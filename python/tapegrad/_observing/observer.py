"""The observer of a tape: what the native module calls after each operation."""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from typing import Protocol

from tapegrad import _native
from tapegrad._native import GradientTape, Tensor, Value
from tapegrad._observing.budget import Budget
from tapegrad._observing.finiteness import check_results
from tapegrad._observing.history import History
from tapegrad._observing.sites import Site, user_site

__all__ = ["Flow", "Observer"]


class Flow(Protocol):
    """What hears of cotangents during a sweep."""

    def passed(self, slot: int, cotangents: Sequence[Tensor | None], contributions: Sequence[object]) -> None:
        """Hear what the node at `slot` received and passed on."""


class Observer:
    """Keeps the lines of a tape's nodes, and what else was asked for.

    Parameters
    ----------
    tape
        Whose observer it is.
    debug
        Whether to keep the history that `explain` needs, and times.
    max_bytes
        The bound for the tape's memory, if there is one.
    """

    def __init__(self, tape: GradientTape, debug: bool, max_bytes: int | None) -> None:
        self.debug = debug
        self.sites: dict[int, Site | None] = {}
        """The lines of the nodes, by their (first) slots."""
        self.seconds: dict[int, float] = {}
        """On a debug tape, the time that passed between a node and what the tape heard before it."""
        self.history = History(tape) if debug else None
        self.entrance: Site | None = None
        self.exit: Site | None = None
        self.reset: Site | None = None
        """Where the tape was last entered, left, and made to forget something."""
        self.flow: Flow | None = None
        """Hears of the cotangents of a sweep, in place of the search for NaNs."""
        self._budget = None if max_bytes is None else Budget(max_bytes)
        self._tape = weakref.ref(tape)
        self._listening: GradientTape | None = None
        self._clock = time.perf_counter()

    @property
    def looks_for_anomalies(self) -> bool:
        """Whether sweeps report their cotangents though the thread does not look for NaNs."""
        return self.flow is not None

    def entered(self) -> None:
        """The tape begins to record."""
        tape = self._tape()
        if tape is not None and not (self.debug or self._budget) and not _native.check_for_anomalies(0):
            tape._observe(None)  # made by a block that looked for NaNs, and is over
        self.entrance = user_site()
        self._clock = time.perf_counter()

    def exited(self) -> None:
        """The tape records no more."""
        self.exit = user_site()

    def paused(self) -> None:
        """The tape has been told to stop recording for a while; a debug tape goes on listening."""
        if self.history is not None:
            self._listening = GradientTape(watch_accessed_variables=False)
            self._listening._observe(_Listener(self.history))
            self._listening.__enter__()

    def resumed(self) -> None:
        """The pause is over."""
        if self._listening is not None:
            self._listening.__exit__(None, None, None)
            self._listening = None

    def forgot(self) -> None:
        """The tape drops what it has recorded."""
        if self.sites:
            self.reset = user_site()
        self.sites.clear()
        self.seconds.clear()
        if self.history is not None:
            self.history.clear()
        if self._budget is not None:
            self._budget.clear()

    def watched(self, slot: int, value: Value) -> None:
        """The tape follows a value from now on."""
        self.sites[slot] = site = user_site()
        if self.history is not None:
            self.history.watched(slot, value, site)

    def recorded(self, slot: int, name: str, operands: list[Value | None], results: tuple[Tensor, ...]) -> None:
        """The tape has a node more."""
        now = time.perf_counter()
        self.sites[slot] = site = user_site()
        if self.history is not None:
            self.seconds[slot] = now - self._clock
            self.history.heard(name, operands, results, site, recorded=True)
        tape = self._tape()
        if self._budget is not None and tape is not None:
            self._budget.add(tape, slot, name, site)
        if _native.check_for_anomalies(0):
            check_results(name, operands, results, site)
        self._clock = time.perf_counter()

    def ended(self, name: str, operands: list[Value | None], results: tuple[Value, ...]) -> None:
        """An operation was called that the tape does not follow, or a value has left."""
        looks = bool(results) and _native.check_for_anomalies(0) > 0
        if self.history is None and not looks:
            return
        site = user_site()
        if self.history is not None:
            self.history.heard(name, operands, results, site)
        if looks:
            check_results(name, operands, results, site)
        self._clock = time.perf_counter()


class _Listener:
    """The observer of a tape that knows no value, so that it hears of everything as ended."""

    debug = False
    looks_for_anomalies = False
    flow = None

    def __init__(self, history: History) -> None:
        self._history = history

    def ended(self, name: str, operands: list[Value | None], results: tuple[Value, ...]) -> None:
        """An operation was called while the tape paused."""
        self._history.heard(name, operands, results, user_site(), paused=True)

    def entered(self) -> None:
        """Nothing to note: nor below."""

    exited = forgot = entered
