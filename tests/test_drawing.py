"""The layout of drawings: layers, lines that run beside boxes, few crossings."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapegrad._drawing.layout import layout
from tapegrad._drawing.placing import _nearest
from tapegrad._drawing.svg import _Box, _svg

SVG = "{http://www.w3.org/2000/svg}"


@st.composite
def graphs(draw):
    """The operands of each node of some graph."""
    return [
        tuple(sorted(draw(st.sets(st.integers(0, node - 1), max_size=3)))) if node else ()
        for node in range(draw(st.integers(1, 12)))
    ]


def boxes_and_lines(operands):
    """The rectangles (left, top, right, bottom), and the ends of all pieces of lines, of a drawing."""
    svg = ElementTree.fromstring(_svg([_Box(f"node {k}", "()", "", "op", used) for k, used in enumerate(operands)]))
    sides = [[float(box.get(name)) for name in ("x", "y", "width", "height")] for box in svg.iter(f"{SVG}rect")]
    pieces = []
    for path in svg.iter(f"{SVG}path"):
        for step in re.findall(r"M[^M]+", path.get("d")):
            number = [float(text) for text in re.findall(r"-?[\d.]+", step)]
            end = (number[0], number[1] + number[2]) if "v" in step else (number[6], number[7])
            pieces.append(((number[0], number[1]), end))
    return [(x, y, x + width, y + height) for x, y, width, height in sides], pieces


@pytest.mark.parametrize(
    ("operands", "depths"),
    [
        ([()], [0]),
        ([(), (0,), (1,), (0, 2)], [0, 1, 2, 3]),
        ([(), (), (0, 1), (0,)], [0, 0, 1, 1]),
        ([(), (0,), (1,), (), (2, 3)], [0, 1, 2, 2, 3]),  # node 3 stands just above its user
    ],
)
def test_layers(operands, depths):
    found = layout(operands).layers
    assert [next(k for k, layer in enumerate(found) if node in layer) for node in range(len(operands))] == depths


def test_nothing_to_draw():
    assert layout([]).layers == []


def test_lines_of_one_node_share_lanes():
    found = layout([(), (0,), (0, 1), (0, 2), (0, 3)])
    assert found.origins == [0, 1, 2, 3, 4, 0, 0, 0]


def test_order_avoids_crossings():
    # Two chains whose second nodes come in the other order: drawn as they come, their lines would cross.
    first, second = layout([(), (), (1,), (0,)]).layers
    assert second == [{0: 3, 1: 2}[node] for node in first]


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_lines_run_beside_boxes(operands):
    boxes, lines = boxes_and_lines(operands)
    for (x0, y0), (x1, y1) in lines:
        assert y0 < y1
        # Between two layers a line may go anywhere; through a layer it goes upright, beside the boxes.
        for left, top, right, bottom in boxes:
            beside = x0 == x1 and not left < x0 < right
            assert beside or y1 <= top or bottom <= y0


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_lines_lead_from_each_operand_to_its_user(operands):
    boxes, lines = boxes_and_lines(operands)
    below = {}
    for start, end in lines:
        below.setdefault(start, set()).add(end)
    tops = {(round((left + right) / 2, 1), top): place for place, (left, top, right, _) in enumerate(boxes)}

    def reached(point):
        found = set()
        for end in below.get(point, ()):
            near = [place for (x, y), place in tops.items() if y == end[1] and abs(x - end[0]) < 0.2]
            found |= set(near) if near else reached(end)
        return found

    for place, (left, _, right, bottom) in enumerate(boxes):
        starts = [start for start in below if start[1] == bottom and abs(start[0] - (left + right) / 2) < 0.2]
        users = {user for user, used in enumerate(operands) if place in used}
        assert set().union(*[reached(start) for start in starts]) == users


@pytest.mark.parametrize(
    ("wishes", "gaps", "places"),
    [
        ([0.0, 10.0], [4.0], [0.0, 10.0]),  # there is room
        ([5.0, 5.0], [4.0], [3.0, 7.0]),  # each gives way by half
        ([9.0, 5.0, 1.0], [4.0, 4.0], [1.0, 5.0, 9.0]),
    ],
)
def test_neighbours_keep_apart(wishes, gaps, places):
    assert _nearest(wishes, [1.0] * len(wishes), gaps) == pytest.approx(places)


def test_the_heavier_neighbour_gives_way_less():
    assert _nearest([5.0, 5.0], [3.0, 1.0], [4.0]) == pytest.approx([4.0, 8.0])
