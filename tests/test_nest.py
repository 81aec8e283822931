"""Nested structures: order of flattening, exact packing, and what is said when structures differ."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field

import pytest

import tapegrad as tf
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
    with pytest.raises(ValueError, match=r"the input is a sequence .* of length 2"):
        nest.pack_sequence_as(1, [1, 2])
    with pytest.raises(TypeError, match="incompatible type `<class 'int'>`"):
        nest.pack_sequence_as([1], 5)


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


def test_difference_deep_down_names_the_whole_and_the_place():
    with pytest.raises(ValueError, match="have the same nested structure") as raised:
        nest.assert_same_structure({"a": [1, (2, 3)]}, {"a": [1, (2,)]})
    text = str(raised.value)
    assert "First structure: type=dict str={'a': [1, (2, 3)]}" in text
    assert "same number of elements. First structure: type=tuple str=(2, 3). Second structure: type=tuple" in text


def test_map_structure_of_different_containers():
    assert nest.map_structure(lambda x, y: x + y, [1, Point(2, 3)], (10, [20, 30]), check_types=False) == [
        11,
        Point(22, 33),
    ]


def test_map_structure_needs_a_function_and_a_structure():
    with pytest.raises(ValueError, match="at least one structure"):
        nest.map_structure(len)
    with pytest.raises(TypeError, match="func must be callable, got: 3"):
        nest.map_structure(3, [1])


@dataclass(frozen=True)
class Fit:
    slope: object
    parts: list
    rank: int = field(init=False, default=7)


class Unpacked:
    """What attrs makes of a class, as far as it matters here."""

    class _Field:
        def __init__(self, name, init=True):
            self.name, self.init = name, init

    __attrs_attrs__ = (_Field("_x"), _Field("y"), _Field("z", init=False))

    def __init__(self, x, y):
        self._x, self.y, self.z = x, y, x


def test_dataclasses_are_containers_of_what_their_constructor_takes():
    fit = Fit(1, [2, {"b": 4, "a": 3}])
    assert nest.is_nested(fit)
    assert nest.flatten([fit, 5]) == [1, 2, 3, 4, 5]
    packed = nest.map_structure(lambda leaf: -leaf, fit)
    assert packed == Fit(-1, [-2, {"b": -4, "a": -3}])
    assert packed.rank == 7
    assert nest.flatten(Fit) == [Fit]  # the class itself is a leaf


def test_attrs_classes_are_containers():
    packed = nest.map_structure(lambda leaf: 10 * leaf, Unpacked(1, (2, 3)))
    assert (packed._x, packed.y, packed.z) == (10, (20, 30), 10)


def test_modules_are_leaves():
    @dataclass(eq=False)
    class Line(tf.Module):
        slope: tf.Variable

    line = Line(tf.Variable(2.0))
    assert nest.flatten([line]) == [line]


def test_gradients_in_a_dataclass():
    fit = Fit(tf.constant(3.0), [tf.constant(2.0)])
    with tf.GradientTape() as tape:
        tape.watch(fit)
        y = fit.slope**2 * fit.parts[0]
    gradients = tape.gradient(y, fit)
    assert isinstance(gradients, Fit)
    assert [float(leaf) for leaf in nest.flatten(gradients)] == [12.0, 9.0]


def test_views_of_dictionaries():
    variables = {"b": 1, "a": 2}
    assert nest.flatten(variables.values()) == [1, 2]
    assert nest.pack_sequence_as(variables.values(), [10, 20]) == [10, 20]
