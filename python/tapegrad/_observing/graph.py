"""The graph of what a tape recorded and, for a debug tape, of what it heard beside that; and ways through it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import NamedTuple

from tapegrad._native import GradientTape
from tapegrad._observing.history import Event, History
from tapegrad._observing.observer import Observer
from tapegrad._observing.sites import Site
from tapegrad.variable import Variable

__all__ = ["Edge", "Graph"]

_ASSIGNMENTS = frozenset({"assign", "assign_add", "assign_sub"})


class Edge(NamedTuple):
    """One operation's use of a value."""

    operand: int
    result: int
    op: str
    where: Site | None
    broken: str | None = None
    """Why no derivative passes, if the tape knew the operand; None also stands for an operand that it did not know."""


class Graph:
    """The uses of values, by the keys of `History`."""

    def __init__(self, tape: GradientTape) -> None:
        self.edges: dict[int, list[Edge]] = defaultdict(list)
        """By operand."""
        self.made: dict[int, tuple[str, Site | None]] = {}
        """The operations, and their lines, that gave the values."""
        self.left: dict[int, list[Event]] = defaultdict(list)
        """By operand: the uses that have taken it away from all tapes."""
        observer: Observer | None = tape.observer
        sites = {} if observer is None else observer.sites
        self._followed: set[tuple[int, int]] = set()
        for slot, _, name, operands, outputs, _ in tape._nodes():
            for out in range(slot, slot + len(outputs)):
                self.made[out] = (name, sites.get(slot))
                for operand in operands:
                    if operand is not None and (operand, out) not in self._followed:
                        self._followed.add((operand, out))
                        self.edges[operand].append(Edge(operand, out, name, sites.get(slot)))
        if observer is not None and observer.history is not None:
            self._add_history(observer.history, tape._situation[1])

    def _add_history(self, history: History, watches: bool) -> None:
        for event in history.events:
            for result in event.results:
                self.made.setdefault(result, (event.name, event.site))
            for operand in event.operands:
                if operand is None:
                    continue
                if not event.results:
                    self.left[operand].append(event)
                known = operand >= 0 or (watches and _is_trainable(history, operand))
                for result in event.results:
                    if result != operand and (operand, result) not in self._followed:
                        broken = _reason(event) if known or event.paused else None
                        self.edges[operand].append(Edge(operand, result, event.name, event.site, broken))
        for former, slot in history.aliases.items():
            self.edges[former].append(Edge(former, slot, "watch", self.made[slot][1]))

    def path(self, sources: Iterable[int], targets: Iterable[int]) -> list[Edge] | None:
        """Return a way from one of the sources to one of the targets, with as few broken edges as there can be."""
        goals = set(targets)
        queue = deque([(0, key) for key in sources])
        cost = {key: 0 for _, key in queue}
        arrival: dict[int, Edge] = {}
        while queue:
            here, key = queue.popleft()
            if here > cost[key]:
                continue
            if key in goals:
                return _walked(arrival, key)
            for edge in self.edges.get(key, ()):
                there = here + (edge.broken is not None)
                if there < cost.get(edge.result, there + 1):
                    cost[edge.result] = there
                    arrival[edge.result] = edge
                    (queue.append if edge.broken else queue.appendleft)((there, edge.result))
        return None

    def reachable(self, sources: Iterable[int]) -> set[int]:
        """Return the keys of the sources and of all that was computed from them."""
        found = set(sources)
        waiting = list(found)
        while waiting:
            for edge in self.edges.get(waiting.pop(), ()):
                if edge.result not in found:
                    found.add(edge.result)
                    waiting.append(edge.result)
        return found


def _walked(arrival: dict[int, Edge], key: int) -> list[Edge]:
    edges: list[Edge] = []
    while key in arrival:
        edges.append(arrival[key])
        key = arrival[key].operand
    return edges[::-1]


def _is_trainable(history: History, key: int) -> bool:
    """Whether a value without a slot is a variable that a tape would watch if an operation had a derivative in it."""
    value = history.value(key)
    return isinstance(value, Variable) and value.trainable and value.dtype.is_floating


def _reason(event: Event) -> str:
    """Why no derivative passes an operation that the tape has not recorded, or not in this operand."""
    if event.paused:
        return "paused"
    if event.name == "stop_gradient":
        return "stop_gradient"
    if event.name in _ASSIGNMENTS:
        return "assigned"
    if event.name == "cast" and not event.inexact:
        return "integer"
    return "piecewise constant"
