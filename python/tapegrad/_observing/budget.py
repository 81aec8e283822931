"""The bound for a tape's memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tapegrad._native import GradientTape
from tapegrad._observing.sites import Site

__all__ = ["Budget", "new_bytes", "readable_bytes"]

_NAMED = 5  # contributors in the message


class Budget:
    """Adds up what nodes save, each buffer once, and raises when the tape holds too much."""

    def __init__(self, limit: int) -> None:
        if limit <= 0:
            raise ValueError(f"max_bytes must be positive, got {limit}")
        self._limit = limit
        self.clear()

    def clear(self) -> None:
        """Start again from nothing."""
        self._arrays: dict[int, int] = {}
        self._saved: Counter[tuple[str, Site | None]] = Counter()

    def add(self, tape: GradientTape, slot: int, name: str, site: Site | None) -> None:
        """Count the node at `slot`, the tape's last, and raise MemoryError if it is one too many."""
        for node in tape._nodes(slot):
            new = new_bytes(node[5], self._arrays)
            if new:
                self._saved[name, site] += new
        total = tape._arena_bytes + self._saved.total()
        if total > self._limit:
            largest = [
                f"  {readable_bytes(size)} by {op}" + (f" at {where}" if where else "")
                for (op, where), size in self._saved.most_common(_NAMED)
            ]
            raise MemoryError(
                f"the tape holds {readable_bytes(total)}, more than max_bytes={self._limit}. "
                f"{readable_bytes(tape._arena_bytes)} are its nodes; most is saved\n"
                + "\n".join(largest)
                + "\nThe tape can still be used. To save less: tapegrad.recompute_grad or checkpoint_loop, fewer steps "
                "on one tape, or a smaller batch."
            )


def new_bytes(buffers: Iterable[tuple[int, int]], known: dict[int, int]) -> int:
    """Add the (address, bytes) of buffers to those that are `known`, and return by how much these grow."""
    total = 0
    for address, size in buffers:
        more = size - known.get(address, 0)
        if more > 0:
            known[address] = size
            total += more
    return total


def readable_bytes(size: int) -> str:
    """Return a size such as '1.5 kB', in powers of 1000."""
    if size < 1000:
        return f"{size} bytes"
    if size < 1_000_000:
        return f"{size / 1e3:.1f} kB"
    return f"{size / 1e6:.1f} MB" if size < 1_000_000_000 else f"{size / 1e9:.1f} GB"
