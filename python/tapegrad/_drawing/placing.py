"""Where the items of a layered drawing stand from left to right: near what they are connected with, and apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from tapegrad._drawing.layout import Layout

__all__ = ["places"]

_ROUNDS = 24  # over all layers, down and up in turn


def places(found: Layout, apart: Callable[[int, int], float], straightness: Callable[[int, int], float]) -> list[float]:
    """Return the middle of each item, measured from any point.

    Parameters
    ----------
    found
        The layers.
    apart
        The least distance between the middles of two items that stand side by side.
    straightness
        How much a line between two items should be upright, beside others.
    """
    middles = [0.0] * len(found.origins)
    for layer in found.layers:
        for left, right in pairwise(layer):
            middles[right] = middles[left] + apart(left, right)
        shift = (middles[layer[0]] + middles[layer[-1]]) / 2
        for item in layer:
            middles[item] -= shift
    for turn in range(_ROUNDS):
        down = turn % 2 == 0
        for layer in found.layers if down else found.layers[::-1]:
            wishes, weights = [], []
            for item in layer:
                # The last rounds look both ways.
                near = found.above[item] if down else found.below[item]
                near = found.above[item] + found.below[item] if turn >= _ROUNDS - 2 or not near else near
                shares = [straightness(item, k) for k in near]
                weights.append(sum(shares) or 1.0)
                wish = sum([share * middles[k] for share, k in zip(shares, near, strict=True)]) / weights[-1]
                wishes.append(wish if near else middles[item])
            gaps = [apart(left, right) for left, right in pairwise(layer)]
            for item, middle in zip(layer, _nearest(wishes, weights, gaps), strict=True):
                middles[item] = middle
    return middles


def _nearest(wishes: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Return the places that are apart by the gaps, or more, and nearest to the wishes in the sense of least squares.

    Without the gaps they only have to ascend, and the answer is known: neighbours that are out of order meet at the
    mean of their wishes (Barlow et al., *Statistical Inference under Order Restrictions*, 1972).
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    groups: list[tuple[float, float, int]] = []  # mean, weight, number of members
    for wish, weight, offset in zip(wishes, weights, offsets, strict=True):
        mean, total, members = wish - offset, weight, 1
        while groups and groups[-1][0] >= mean:
            other, more, count = groups.pop()
            mean = (mean * total + other * more) / (total + more)
            total, members = total + more, members + count
        groups.append((mean, total, members))
    means = [mean for mean, _, members in groups for _ in range(members)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
