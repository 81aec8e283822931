"""The drawing of a tape that notebooks show, made here: no other program is needed."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from tapegrad._drawing.layout import layers
from tapegrad._drawing.nodes import Node, endings, nbytes, nodes
from tapegrad._native import GradientTape
from tapegrad._observing.budget import readable_bytes

__all__ = ["to_html"]

_LIMIT = 80  # nodes drawn, the last ones of the tape
_LETTER = 6.7  # the width of a letter
_HEIGHT, _GAP, _RISE, _MARGIN = 36.0, 18.0, 30.0, 8.0


class _Box(NamedTuple):
    """One box: what it says, how it looks, and what it uses (boxes before it)."""

    title: str
    detail: str
    tip: str
    kind: str
    operands: tuple[int, ...]

    @property
    def width(self) -> float:
        return _LETTER * max(len(self.title), len(self.detail)) + 16


# Lines and letters have the colour of the text around, so that the drawing can be read on light and dark grounds.
_STYLES = {
    "op": 'fill="none"',
    "source": 'fill="#3a9d5d" fill-opacity="0.25" rx="18"',
    "result": 'fill="#3a78c9" fill-opacity="0.25" stroke-width="2"',
    "ending": 'fill="#c9503a" fill-opacity="0.15" stroke-dasharray="4 3"',
}


def to_html(tape: GradientTape) -> str:
    """Return a caption and the drawing as HTML: see `_STYLES` for what is watched, unused, and no longer followed."""
    listed = nodes(tape)
    start = max(0, len(listed) - _LIMIT)
    caption = f"{type(tape).__name__}, {tape._situation[0]}: {len(listed)} nodes, {readable_bytes(nbytes(tape))}"
    if start:
        caption += f"; the last {_LIMIT} nodes"
    boxes = _boxes(tape, listed, start)
    return f"<div><p>{escape(caption)}</p>{_svg(boxes) if boxes else ''}</div>"


def _boxes(tape: GradientTape, listed: list[Node], start: int) -> list[_Box]:
    boxes = []
    for node in listed[start:]:
        kind = "source" if node.is_source else "op" if node.is_used else "result"
        before = tuple([k - start for k in node.operands if k >= start])
        boxes.append(_Box(node.name, f"{node.shape} {node.dtype}", str(node.site or ""), kind, before))
    for ending in endings(tape)[: _LIMIT - 1]:
        before = tuple([k - start for k in ending.operands if k >= start])
        if before:
            boxes.append(_Box(ending.name, "not followed", str(ending.site or ""), "ending", before))
    return boxes


def _svg(boxes: list[_Box]) -> str:
    rows = layers([box.operands for box in boxes])
    widths = [sum([boxes[k].width for k in row]) + _GAP * (len(row) - 1) for row in rows]
    whole = max(widths)
    centres: dict[int, tuple[float, float]] = {}
    for depth, (row, width) in enumerate(zip(rows, widths, strict=True)):
        x = _MARGIN + (whole - width) / 2
        for k in row:
            centres[k] = (x + boxes[k].width / 2, _MARGIN + depth * (_HEIGHT + _RISE))
            x += boxes[k].width + _GAP
    parts = [_line(centres[k], centres[place]) for place, box in enumerate(boxes) for k in box.operands]
    parts += [_drawn(box, *centres[place]) for place, box in enumerate(boxes)]
    size = (whole + 2 * _MARGIN, len(rows) * (_HEIGHT + _RISE) - _RISE + 2 * _MARGIN)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]:.0f} {size[1]:.0f}" width="{size[0]:.0f}" '
        f'style="max-width: 100%" role="img" font-family="monospace" font-size="11" stroke="currentColor">'
        + "".join(parts)
        + "</svg>"
    )


def _line(origin: tuple[float, float], end: tuple[float, float]) -> str:
    """Return a curve from the bottom of one box to the top of another."""
    (x0, y0), (x1, y1) = (origin[0], origin[1] + _HEIGHT), end
    middle = (y0 + y1) / 2
    return (
        f'<path d="M{x0:.1f} {y0:.1f}C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}" '
        'fill="none" stroke-opacity="0.5"/>'
    )


def _drawn(box: _Box, x: float, y: float) -> str:
    tip = f"<title>{escape(box.tip)}</title>" if box.tip else ""
    return (
        f'<g>{tip}<rect x="{x - box.width / 2:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{_HEIGHT:.0f}" '
        f'{_STYLES[box.kind]}/><g text-anchor="middle" fill="currentColor" stroke="none">'
        f'<text x="{x:.1f}" y="{y + 15:.1f}" font-weight="bold">{escape(box.title)}</text>'
        f'<text x="{x:.1f}" y="{y + 29:.1f}">{escape(box.detail)}</text></g></g>'
    )
