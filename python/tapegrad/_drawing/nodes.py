"""What views of a tape show of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tapegrad._native import GradientTape
from tapegrad._observing.budget import new_bytes
from tapegrad._observing.sites import Site
from tapegrad.dtypes import DType

__all__ = ["Ending", "Node", "endings", "nbytes", "nodes", "saved_once"]


@dataclass(frozen=True)
class Node:
    """One node of a tape."""

    slot: int
    """Of its first output; others follow."""
    name: str
    """The operation, or the name of the variable that is watched."""
    is_source: bool
    operands: tuple[int, ...]
    """The nodes that it uses, by their places in the list of nodes."""
    is_used: bool
    """Whether a later node uses a result."""
    outputs: tuple[tuple[tuple[int, ...], DType], ...]
    held: tuple[tuple[int, int], ...]
    """(address, bytes) of the buffers that it keeps alive."""
    site: Site | None
    seconds: float | None

    @property
    def shape(self) -> str:
        """The shapes of the outputs."""
        return ", ".join([str(shape) for shape, _ in self.outputs])

    @property
    def dtype(self) -> str:
        """The dtypes of the outputs, each once."""
        return ", ".join(dict.fromkeys([dtype.name for _, dtype in self.outputs]))


@dataclass(frozen=True)
class Ending:
    """An operation that a debug tape heard of and that has no node: what is computed by it is no longer followed."""

    name: str
    operands: tuple[int, ...]
    """The nodes whose results it uses, by their places in the list of nodes."""
    site: Site | None


def nodes(tape: GradientTape) -> list[Node]:
    """Return the nodes of a tape in their order."""
    observer = tape.observer
    sites = {} if observer is None else observer.sites
    seconds = {} if observer is None else observer.seconds
    names = {tape._slot(variable): variable.name for variable in tape.watched_variables()}
    listed = tape._nodes()
    places = _places(listed)
    used = {place for entry in listed for place in _used(entry[3], places)}
    return [
        Node(
            slot=slot,
            name=names.get(slot, name),
            is_source=kind == "watched",
            operands=_used(operands, places),
            is_used=place in used,
            outputs=tuple(outputs),
            held=tuple(held),
            site=sites.get(slot),
            seconds=seconds.get(slot),
        )
        for place, (slot, kind, name, operands, outputs, held) in enumerate(listed)
    ]


def endings(tape: GradientTape) -> list[Ending]:
    """Return what a debug tape heard being done with values that it knows and did not record, in order."""
    if tape.observer is None or tape.observer.history is None:
        return []
    places = _places(tape._nodes())
    heard = [event for event in tape.observer.history.events if not event.recorded]
    found = [Ending(event.name, _used(event.operands, places), event.site) for event in heard]
    return [ending for ending in found if ending.operands]


def nbytes(tape: GradientTape) -> int:
    """Return the bytes of a tape's nodes and of what they save; see `GradientTape.nbytes`."""
    return tape._arena_bytes + sum(saved_once([entry[5] for entry in tape._nodes()]))


def saved_once(held: Sequence[Sequence[tuple[int, int]]]) -> list[int]:
    """Return for each node the bytes of the buffers that no node before it holds."""
    known: dict[int, int] = {}
    return [new_bytes(buffers, known) for buffers in held]


def _places(listed: Sequence[tuple[Any, ...]]) -> dict[int, int]:
    """Return for each slot the place of its node in the list of nodes."""
    return {slot + k: place for place, (slot, _, _, _, outputs, _) in enumerate(listed) for k in range(len(outputs))}


def _used(operands: Sequence[int | None], places: dict[int, int]) -> tuple[int, ...]:
    """Return the places of the nodes of those operands that the tape knows, each once."""
    return tuple(dict.fromkeys([places[k] for k in operands if k is not None and k in places]))
