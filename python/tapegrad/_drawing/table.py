"""`tape.summary()`: a table of what a tape has recorded."""

from __future__ import annotations

from dataclasses import dataclass

from tapegrad._drawing.nodes import Node, nodes, saved_once
from tapegrad._native import GradientTape
from tapegrad._observing.budget import readable_bytes
from tapegrad._observing.sites import Site

__all__ = ["Row", "Summary", "summary"]


@dataclass(frozen=True)
class Row:
    """A node, or a group of nodes that are alike."""

    op: str
    shape: str
    dtype: str
    nodes: int
    saved_bytes: int
    """Of the buffers that no node before these saves."""
    where: Site | None
    """The line that called the operation, if the tape knows lines."""
    seconds: float | None
    """On a debug tape: the time since what the tape heard before, in sum."""


@dataclass(frozen=True)
class Summary:
    """What a tape has recorded; its `str` is a table."""

    rows: tuple[Row, ...]
    """In the order of recording."""
    nodes: int
    arrays: int
    """Buffers saved, each counted once."""
    saved_bytes: int
    tape_bytes: int
    """Of the nodes themselves."""
    limit: int | None = None

    def __str__(self) -> str:
        shown = self._shown()
        lined = any([row.where is not None for row in shown])
        timed = any([row.seconds is not None for row in shown])
        head = ["op", "shape", "dtype", "nodes", "saved bytes", *["ms"] * timed, *["line"] * lined]
        table = [head]
        for row in shown:
            cells = [row.op, row.shape, row.dtype, str(row.nodes), str(row.saved_bytes)]
            if timed:
                cells.append("" if row.seconds is None else f"{1e3 * row.seconds:.3f}")
            if lined:
                cells.append("" if row.where is None else row.where.place)
            table.append(cells)
        widths = [max([len(cells[k]) for cells in table]) for k in range(len(head))]
        is_number = [name in ("nodes", "saved bytes", "ms") for name in head]
        lines = [
            "  ".join(
                [
                    cell.rjust(width) if right else cell.ljust(width)
                    for cell, width, right in zip(cells, widths, is_number, strict=True)
                ]
            ).rstrip()
            for cells in table
        ]
        if len(shown) < len(self.rows):
            lines.append(f"... and {_counted(len(self.rows) - len(shown), 'row')} that save less")
        lines.append(
            f"{_counted(self.nodes, 'node')}, {readable_bytes(self.saved_bytes)} in "
            f"{_counted(self.arrays, 'saved array')}, {readable_bytes(self.tape_bytes)} of tape"
        )
        return "\n".join(lines)

    __repr__ = __str__

    def _shown(self) -> list[Row]:
        """Return the rows that save most, as many as may be printed, in the order of recording."""
        if self.limit is None or len(self.rows) <= self.limit:
            return list(self.rows)
        places = sorted(range(len(self.rows)), key=lambda k: -self.rows[k].saved_bytes)[: self.limit]
        return [self.rows[k] for k in sorted(places)]


def summary(tape: GradientTape, group: bool, limit: int | None) -> Summary:
    """Return the table of a tape; see `GradientTape.summary`."""
    listed = nodes(tape)
    sizes = saved_once([node.held for node in listed])
    groups: dict[object, list[int]] = {}
    for place, node in enumerate(listed):
        key = (node.name, node.site, node.shape, node.dtype) if group else place
        groups.setdefault(key, []).append(place)
    return Summary(
        rows=tuple([_row([listed[k] for k in places], [sizes[k] for k in places]) for places in groups.values()]),
        nodes=len(listed),
        arrays=len({address for node in listed for address, _ in node.held}),
        saved_bytes=sum(sizes),
        tape_bytes=tape._arena_bytes,
        limit=limit,
    )


def _row(alike: list[Node], sizes: list[int]) -> Row:
    first = alike[0]
    times = [node.seconds for node in alike if node.seconds is not None]
    return Row(
        op=first.name,
        shape=first.shape,
        dtype=first.dtype,
        nodes=len(alike),
        saved_bytes=sum(sizes),
        where=first.site,
        seconds=sum(times) if times else None,
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
