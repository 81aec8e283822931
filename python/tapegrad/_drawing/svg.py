"""The drawing of a tape that notebooks show, made here: no other program is needed."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import NamedTuple

from tapegrad._drawing.layout import Layout, layout
from tapegrad._drawing.nodes import Node, endings, nbytes, nodes
from tapegrad._drawing.placing import places
from tapegrad._native import GradientTape
from tapegrad._observing.budget import readable_bytes

__all__ = ["to_html"]

_LIMIT = 80  # nodes drawn, the last ones of the tape
_LETTER = 6.7  # the width of a letter
_HEIGHT, _GAP, _RISE, _MARGIN = 36.0, 18.0, 30.0, 8.0
_LANE = 10.0  # between a line that passes a layer and what stands beside it


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
    found = layout([box.operands for box in boxes])
    widths = [box.width for box in boxes] + [0.0] * (len(found.origins) - len(boxes))
    middles = places(found, lambda left, right: _apart(widths[left], widths[right]), partial(_straightness, len(boxes)))
    start = min([middle - width / 2 for middle, width in zip(middles, widths, strict=True)]) - _MARGIN
    middles = [middle - start for middle in middles]
    tops = {item: _MARGIN + k * (_HEIGHT + _RISE) for k, layer in enumerate(found.layers) for item in layer}
    parts = [_lines(found, lines, middles, tops) for lines in _carriers(found, len(boxes))]
    parts += [_drawn(box, middles[place], tops[place]) for place, box in enumerate(boxes)]
    width = max([middle + width / 2 for middle, width in zip(middles, widths, strict=True)]) + _MARGIN
    height = len(found.layers) * (_HEIGHT + _RISE) - _RISE + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'style="max-width: 100%" role="img" font-family="monospace" font-size="11" stroke="currentColor">'
        + "".join(parts)
        + "</svg>"
    )


def _apart(left: float, right: float) -> float:
    """Return the least distance between the middles of neighbours of these widths; lanes have none."""
    return (left + right) / 2 + (_GAP if left and right else _LANE)


def _straightness(boxes: int, item: int, other: int) -> float:
    """Return how upright a line should be: most of all one between two lanes."""
    return (1.0, 2.0, 8.0)[(item >= boxes) + (other >= boxes)]


def _carriers(found: Layout, boxes: int) -> list[list[int]]:
    """Return for each box whose result is used the items that carry it: the box itself, and its lanes."""
    carriers: list[list[int]] = [[] for _ in range(boxes)]
    for item, origin in enumerate(found.origins):
        carriers[origin].append(item)
    return [items for items in carriers if found.below[items[0]]]


def _lines(found: Layout, carriers: list[int], middles: list[float], tops: dict[int, float]) -> str:
    """Return all lines from one box as one path, which is equally dark where they lie upon each other."""
    steps = []
    for item in carriers:
        x, y = middles[item], tops[item]
        if item != carriers[0]:
            steps.append(f"M{x:.1f} {y:.1f}v{_HEIGHT:.0f}")
        y += _HEIGHT
        for end in found.below[item]:
            x1, y1, middle = middles[end], tops[end], y + _RISE / 2
            steps.append(f"M{x:.1f} {y:.1f}C{x:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
    return f'<path d="{"".join(steps)}" fill="none" stroke-opacity="0.5"/>'


def _drawn(box: _Box, x: float, y: float) -> str:
    tip = f"<title>{escape(box.tip)}</title>" if box.tip else ""
    return (
        f'<g>{tip}<rect x="{x - box.width / 2:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{_HEIGHT:.0f}" '
        f'{_STYLES[box.kind]}/><g text-anchor="middle" fill="currentColor" stroke="none">'
        f'<text x="{x:.1f}" y="{y + 15:.1f}" font-weight="bold">{escape(box.title)}</text>'
        f'<text x="{x:.1f}" y="{y + 29:.1f}">{escape(box.detail)}</text></g></g>'
    )
