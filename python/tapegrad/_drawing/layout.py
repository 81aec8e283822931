"""A layered drawing of a graph whose nodes come in the order of computation."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["layers"]

_ROUNDS = 4  # of ordering a layer by its neighbours; more change little


def layers(operands: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the nodes of each layer from left to right.

    A node lies one layer below its lowest operand. Within a layer nodes are ordered by the mean place of those that
    they are connected with, which keeps most lines from crossing.

    Parameters
    ----------
    operands
        For each node the nodes that it uses, all of them earlier ones.
    """
    depth: list[int] = []
    for used in operands:
        depth.append(1 + max([depth[k] for k in used], default=-1))
    result: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for node, level in enumerate(depth):
        result[level].append(node)
    users: list[list[int]] = [[] for _ in operands]
    for node, used in enumerate(operands):
        for k in used:
            users[k].append(node)
    for turn in range(_ROUNDS):
        downwards = turn % 2 == 0
        for layer in result if downwards else result[::-1]:
            _order(layer, operands if downwards else users, result)
    return result


def _order(layer: list[int], neighbours: Sequence[Sequence[int]], whole: Sequence[Sequence[int]]) -> None:
    """Sort a layer by the mean place of each node's neighbours; those without stay about where they are."""
    place = {node: (k + 0.5) / len(nodes) for nodes in whole for k, node in enumerate(nodes)}
    means = {
        node: sum([place[k] for k in neighbours[node]]) / len(neighbours[node]) if neighbours[node] else place[node]
        for node in layer
    }
    layer.sort(key=means.__getitem__)
