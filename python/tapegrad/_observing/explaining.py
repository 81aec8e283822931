"""`tape.explain`: finds the reason why a gradient is None or zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tapegrad._native import GradientTape, Value
from tapegrad._observing.explanation import Explanation, Step
from tapegrad._observing.flow import follow
from tapegrad._observing.graph import Edge, Graph
from tapegrad._observing.history import is_inexact
from tapegrad._observing.observer import Observer
from tapegrad._observing.sites import Site
from tapegrad.variable import Variable

__all__ = ["explain"]

_DEBUG = "A tape made with tf.GradientTape(debug=True) says where in the program."

_BROKEN = {
    "stop_gradient": "The gradient is None: stop_gradient cuts the path.",
    "paused": "The gradient is None: {op} was called while the tape did not record, inside stop_recording().",
    "assigned": "The gradient is None: the path goes through a variable's {op}, and an assignment is not recorded.",
    "integer": "The gradient is None: the path goes through integers, which have no derivative, from a {op} on.",
    "piecewise constant": "The gradient is None: {op} is piecewise constant here, so that no derivative passes it.",
}

_SLOPES = {
    "relu": "its operand is not positive",
    "relu6": "its operand is outside the range from 0 to 6",
    "clip": "its operand is outside the bounds",
    "maximum": "the other operand is the larger one",
    "minimum": "the other operand is the smaller one",
    "fmax": "the other operand is the larger one",
    "fmin": "the other operand is the smaller one",
    "where": "the other branch was taken",
    "multiply": "it multiplies by zero",
    "matmul": "it multiplies by zeros",
    "sign": "it is flat on both sides",
    "slice": "other elements were taken",
    "take": "other elements were taken",
}
"""Why the slope of an operation is zero."""


def explain(tape: GradientTape, target: Value, source: Value) -> Explanation:
    """Return why the gradient of `target` with respect to `source` is None or zero; see `GradientTape.explain`."""
    for name, value in (("target", target), ("source", source)):
        if not isinstance(value, Value):
            raise TypeError(f"{name} must be a tensor or a variable, got {value!r} of type {type(value).__name__!r}")
    found = _Question(tape, target, source).answer()
    return found if tape.observer is not None and tape.observer.debug else replace(found, hint=_DEBUG)


class _Question:
    """A target, a source, and what the tape knows of them."""

    def __init__(self, tape: GradientTape, target: Value, source: Value) -> None:
        self._tape = tape
        self._target = target
        self._source = source
        self._observer: Observer | None = tape.observer
        self._situation, self._watches = tape._situation
        self._graph = Graph(tape)
        self._slot = tape._slot(source)
        self._sources = self._keys(source)
        self._targets = self._keys(target)
        self._path = self._graph.path(self._sources, self._targets)

    def _keys(self, value: Value) -> set[int]:
        if self._observer is not None and self._observer.history is not None:
            return self._observer.history.keys(value)
        slot = self._tape._slot(value)
        return set() if slot is None else {slot}

    def answer(self) -> Explanation:
        """Return the explanation."""
        if self._situation == "new":
            return Explanation("never entered", "The tape was never entered, so it has recorded nothing.")
        if self._target is self._source and is_inexact(self._source):
            return Explanation("connected", "Target and source are the same: the gradient is all ones.")
        if self._situation == "consumed" and self._slot is None and not self._is_debug():
            return Explanation("used up", "The tape is not persistent: its one gradient was taken, and it has let go.")
        if self._slot is None:
            return self._unfollowed_source()
        if self._path is None:
            return self._no_path()
        first = self._path[0] if self._path else None
        if first is not None and first.operand < 0 and first.broken is None:
            watch = self._graph.made[self._slot][1]
            text = f"The gradient is None: {first.op} used the source before it was watched{_near(watch)}."
            return self._found("watched late", text, first.op, first.where)
        broken = next((edge for edge in self._path if edge.broken is not None), None)
        return self._connected() if broken is None else self._broken(broken)

    def _is_debug(self) -> bool:
        return self._observer is not None and self._observer.debug

    def _found(self, reason: str, text: str, op: str | None = None, where: Site | None = None) -> Explanation:
        steps: list[Step] = []
        if self._path:
            steps = [Step(edge.op, edge.where) for edge in self._path]
            if self._slot is not None and self._path[0].operand == self._slot:
                steps.insert(0, Step(*self._graph.made[self._slot]))
        return Explanation(reason, text, op, where, tuple(steps))

    def _broken(self, edge: Edge) -> Explanation:
        reason = edge.broken or ""
        return self._found(reason, _BROKEN[reason].format(op=edge.op), edge.op, edge.where)

    def _unfollowed_source(self) -> Explanation:
        source = self._source
        made = next((self._graph.made[key] for key in self._sources if key in self._graph.made), None)
        use = next((edge for key in self._sources for edge in self._graph.edges.get(key, ())), None)
        op, where = (None, None if use is None else use.where) if made is None else made
        if op == "assign":  # a variable's first value
            op = None
        came = "" if where is None else ", made here" if made else ", first used here"
        if not is_inexact(source):
            text = f"The gradient is None: the source is of dtype {source.dtype.name}, which has no derivative{came}."
            return self._found("integer", text, op, where)
        if self._path and self._path[0].broken is not None:
            return self._broken(self._path[0])
        if isinstance(source, Variable) and self._watches:
            if not source.trainable:
                text = (
                    f"The gradient is None: variable {source.name!r} is not trainable, so reading it does not watch it"
                )
                return self._found("not trainable", f"{text}{came}.", op, where)
            left = self._left()
            if left is not None:
                return left
            if use is None or use.broken is None:
                return self._forgotten() or self._found(
                    "unused",
                    f"The gradient is None: the tape did not record when "
                    f"variable {source.name!r} was read, or on this thread it was not read at all.",
                )
        why = "the tape does not watch variables by itself, and " if isinstance(source, Variable) else ""
        return self._forgotten() or self._found(
            "unwatched", f"The gradient is None: {why}the source was never watched{came}.", op, where
        )

    def _forgotten(self) -> Explanation | None:
        """The answer if the tape has dropped something and knows nothing of the source now."""
        if self._observer is None or self._observer.reset is None or self._sources:
            return None
        text = "The gradient is None: the tape has forgotten what it had recorded: it was reset, or entered again."
        return self._found("forgotten", text, None, self._observer.reset)

    def _no_path(self) -> Explanation:
        left = self._left()
        if left is not None:
            return left
        heard = [key for key in self._targets if key in self._graph.made or key in self._graph.edges]
        if heard:
            text = "The gradient is None: nothing that the target was computed from depends on the source"
            return self._found("unrelated", text + self._origins(heard) + ".", *self._graph.made[heard[0]])
        times = ""
        if self._observer is not None and self._observer.entrance is not None:
            times = f" The tape was entered{_near(self._observer.entrance)}"
            times += f" and left{_near(self._observer.exit)}." if self._observer.exit is not None else "."
        return self._found(
            "unheard",
            "The gradient is None: the target is no result of an operation that the tape has followed. So it was "
            f"computed before the tape was entered, after it was left, on another thread, or from constants.{times}",
        )

    def _left(self) -> Explanation | None:
        """The answer if what depends on the source was made a number or an array; the last such use is named."""
        reached = self._graph.reachable(self._sources)
        events = [event for key in reached for event in self._graph.left.get(key, ())]
        if not events:
            return None
        event = events[-1]
        text = f"The gradient is None: what depends on the source left the tape through {event.name}"
        also = f" (and {len(events) - 1} more such uses)" if len(events) > 1 else ""
        return self._found("left", f"{text}{also}. What comes back is a constant.", event.name, event.site)

    def _origins(self, targets: Iterable[int]) -> str:
        """Name what the targets were computed from, if it is watched."""
        uses: dict[int, list[int]] = {}
        for edges in self._graph.edges.values():
            for edge in edges:
                uses.setdefault(edge.result, []).append(edge.operand)
        waiting, seen = list(targets), set(targets)
        while waiting:
            for key in uses.get(waiting.pop(), ()):
                if key not in seen:
                    seen.add(key)
                    waiting.append(key)
        names = [
            variable.name if isinstance(variable, Variable) else ""
            for variable in self._tape.watched_variables()
            if self._tape._slot(variable) in seen
        ]
        return f"; it was computed from {', '.join(sorted(names)[:5])}" if names else ""

    def _connected(self) -> Explanation:
        outcome, slots = follow(self._tape, self._target, self._source)
        if not slots:
            if outcome == "connected":
                return self._found(outcome, "The gradient is neither None nor zero: the target depends on the source.")
            return self._found(outcome, f"The gradient is zero or undefined ({outcome}), at no single operation.")
        op, where = self._graph.made[slots[0]]
        more = f" So do {len(slots) - 1} other operations on other ways." if len(slots) > 1 else ""
        if outcome == "dead":
            slope = _SLOPES.get(op, "its derivative is zero at these values")
            return self._found(outcome, f"The gradient is zero: {op} passes nothing back, {slope}.{more}", op, where)
        spot = "the source" if slots[0] == self._slot else f"the result of {op}"
        text = {
            "no rule": f"The gradient is None: {op} has no derivative in this operand.",
            "cancels": f"The gradient is zero: what comes back on several ways to {spot} adds up to zero.",
            "not a number": f"The gradient is not finite: it becomes so in the derivative of {op}.",
        }[outcome]
        return self._found(outcome, text, op, where)


def _near(site: Site | None) -> str:
    return "" if site is None else f" (at {site.place})"
