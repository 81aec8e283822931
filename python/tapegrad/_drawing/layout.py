"""A layered drawing of a graph whose nodes come in the order of computation: which layer, and who stands beside whom.

A line that passes layers between its ends has a place of its own in each of them, a *lane*, so that it runs between
the boxes and not behind them. All lines that come from one node share its lanes.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Layout", "layout"]

_ROUNDS = 8  # of ordering each layer by its neighbours; more change little


@dataclass
class Layout:
    """What stands in each layer, and what is connected with what.

    Items are the nodes, by their numbers, and after them the lanes. Each line connects items of adjacent layers.
    """

    layers: list[list[int]]
    """The items of each layer from left to right."""
    above: list[list[int]]
    """For each item those in the layer above that a line leads from."""
    below: list[list[int]]
    """For each item those in the layer below that a line leads to."""
    origins: list[int]
    """For each item the node whose result it carries: a node itself."""


def layout(operands: Sequence[Sequence[int]]) -> Layout:
    """Divide nodes into layers, and order them such that few lines cross.

    A node lies one layer below its lowest operand, and one without operands above the first that uses it.

    Parameters
    ----------
    operands
        For each node the nodes that it uses, all of them earlier ones.
    """
    depths = _depths(operands)
    result = _with_lanes(operands, depths)
    crossings = _crossings(result)
    for turn in range(_ROUNDS):
        before = [layer[:] for layer in result.layers]
        _order(result, downwards=turn % 2 == 0)
        fewer = _crossings(result)
        if fewer > crossings:
            result.layers = before
            break
        crossings = fewer
    return result


def _depths(operands: Sequence[Sequence[int]]) -> list[int]:
    depths: list[int] = []
    for used in operands:
        depths.append(1 + max([depths[k] for k in used], default=-1))
    first: dict[int, int] = {}
    for node, used in enumerate(operands):
        for k in used:
            first[k] = min(first.get(k, depths[node]), depths[node])
    return [depth if operands[node] else first.get(node, 1) - 1 for node, depth in enumerate(depths)]


def _with_lanes(operands: Sequence[Sequence[int]], depths: Sequence[int]) -> Layout:
    """Return the layers with their lanes, in the order of the nodes."""
    count = len(operands)
    result = Layout([[] for _ in range(max(depths, default=-1) + 1)], [[] for _ in range(count)], [], [*range(count)])
    for node, depth in enumerate(depths):
        result.layers[depth].append(node)
    ends = [*range(count)]  # the item that carries a node's result furthest down so far
    lowest = [*depths]
    lanes: dict[tuple[int, int], int] = {}
    for node, used in enumerate(operands):
        for k in used:
            for depth in range(lowest[k] + 1, depths[node]):
                item = len(result.origins)
                lanes[k, depth] = item
                result.origins.append(k)
                result.above.append([ends[k]])
                result.layers[depth].append(item)
                ends[k], lowest[k] = item, depth
            result.above[node].append(lanes.get((k, depths[node] - 1), k))
    result.below = [[] for _ in result.origins]
    for item, sources in enumerate(result.above):
        for source in sources:
            result.below[source].append(item)
    return result


def _order(found: Layout, *, downwards: bool) -> None:
    """Sort each layer by the mean place of its items' neighbours in the one before; those without stay."""
    layers = found.layers if downwards else found.layers[::-1]
    neighbours = found.above if downwards else found.below
    place: dict[int, float] = {}
    for layer in layers:
        for k, item in enumerate(layer):
            near = neighbours[item]
            place[item] = sum([place[n] for n in near]) / len(near) if near else (k + 0.5) / len(layer)
        layer.sort(key=place.__getitem__)
        place.update({item: (k + 0.5) / len(layer) for k, item in enumerate(layer)})


def _crossings(found: Layout) -> int:
    """Return how many pairs of lines cross."""
    place = {item: k for layer in found.layers for k, item in enumerate(layer)}
    crossings = 0
    for layer in found.layers:
        ends: list[int] = []  # of the lines from what stands further left
        for item in layer:
            reached = sorted([place[k] for k in found.below[item]])
            crossings += sum([len(ends) - bisect_right(ends, end) for end in reached])
            for end in reached:
                insort(ends, end)
    return crossings
