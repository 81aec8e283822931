"""Nested structures: order of flattening, exact packing, and what is said when structures differ."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple

import pytest

from tapegrad import nest

Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("structure", "leaves"),
    [
        (5, [5]),
        (None, [None]),
        ("ab", ["ab"]),
        ([], []),
        ({}, []),
        ([1, [2, (3,)], []], [1, 2, 3]),
        ({"b": 1, "a": [2, 3]}, [2, 3, 1]),
        (OrderedDict([("b", 1), ("a", 2)]), [2, 1]),
        (Point(1, {"z": 2}), [1, 2]),
        ([{"k": (1, None)}, "s"], [1, None, "s"]),
    ],
)
def test_flatten_and_pack_are_inverse(structure, leaves):
    assert nest.flatten(structure) == leaves
    packed = nest.pack_sequence_as(structure, leaves)
    assert packed == structure
    assert type(packed) is type(structure)


def test_dictionaries_keep_their_order_and_type():
    structure = OrderedDict([("b", 1), ("a", 2)])
    assert list(nest.pack_sequence_as(structure, [10, 20]).items()) == [("b", 20), ("a", 10)]
    counts = defaultdict(list, {"x": 1})
    packed = nest.pack_sequence_as(counts, [7])
    assert packed == {"x": 7}
    assert packed.default_factory is list


def test_list_subclasses_keep_their_type():
    class Stack(list):
        pass

    packed = nest.pack_sequence_as(Stack([1, 2]), [3, 4])
    assert type(packed) is Stack
    assert packed == [3, 4]


def test_map_structure():
    assert nest.map_structure(lambda x: x + 1, {"a": (1, 2)}) == {"a": (2, 3)}
    assert nest.map_structure(lambda x, y: x * y, [2, [3]], [5, [7]]) == [10, [21]]
    assert nest.map_structure(lambda x: x, 3) == 3


def test_deep_structures():
    structure: object = 1
    for _ in range(200):
        structure = [structure]
    assert nest.flatten(structure) == [1]
    assert nest.pack_sequence_as(structure, [1]) == structure


def test_wrong_number_of_leaves():
    with pytest.raises(ValueError, match="Structure had 2 atoms, but flat_sequence had 3 items"):
        nest.pack_sequence_as([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="cannot be packed from 2 values"):
        nest.pack_sequence_as(1, [1, 2])


def test_unsortable_keys():
    with pytest.raises(TypeError, match="sortable keys"):
        nest.flatten({"a": 1, 2: 3})


def test_same_structure():
    nest.assert_same_structure({"a": [1, 2]}, OrderedDict(a=["x", None]))
    nest.assert_same_structure([1, 2], (1, 2), check_types=False)


@pytest.mark.parametrize(
    ("left", "right", "error"),
    [
        ([1, 2], [1], ValueError),
        ([1, [2]], [1, 2], ValueError),
        (1, [1], ValueError),
        ({"a": 1}, {"b": 1}, ValueError),
        ([1, 2], (1, 2), TypeError),
        (Point(1, 2), (1, 2), TypeError),
    ],
)
def test_different_structures(left, right, error):
    with pytest.raises(error, match="don't have the same nested structure"):
        nest.assert_same_structure(left, right)
    with pytest.raises(error, match="don't have the same nested structure"):
        nest.map_structure(lambda x, y: x, left, right)


def test_map_structure_needs_a_structure():
    with pytest.raises(ValueError, match="at least one structure"):
        nest.map_structure(len)
