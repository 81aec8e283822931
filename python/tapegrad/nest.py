"""Nested structures of values: lists, tuples, namedtuples and dictionaries, to any depth.

Everything that is not one of these is a leaf, `None` and strings included. Dictionaries are flattened in the
sorted order of their keys, whatever their insertion order, and keep their own type and order when they are
packed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a container of this module, and not a leaf.

    >>> from tapegrad import nest
    >>> nest.is_nested((1, 2)), nest.is_nested("ab")
    (True, False)
    """
    return isinstance(structure, (list, tuple, Mapping))


def flatten(structure: Any) -> list[Any]:
    """The leaves of `structure`, from left to right; a bare value gives a list of one.

    Parameters
    ----------
    structure
        A leaf, or a container of leaves and containers.

    Raises
    ------
    TypeError
        If the keys of a dictionary cannot be sorted.

    Examples
    --------
    >>> from tapegrad import nest
    >>> nest.flatten({"b": [2, 3], "a": 1})
    [1, 2, 3]
    """
    if not isinstance(structure, (list, tuple, Mapping)):
        return [structure]
    leaves: list[Any] = []
    _flatten_into(structure, leaves)
    return leaves


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """A structure like `structure`, with its leaves taken from `flat_sequence`: the inverse of `flatten`.

    Parameters
    ----------
    structure
        Gives the containers; its own leaves are not looked at.
    flat_sequence
        As many values as `structure` has leaves.

    Raises
    ------
    ValueError
        If the number of values is not the number of leaves.

    Examples
    --------
    >>> from tapegrad import nest
    >>> nest.pack_sequence_as({"b": [2, 3], "a": 1}, "xyz")
    {'b': ['y', 'z'], 'a': 'x'}
    """
    if not is_nested(structure):
        if len(flat_sequence) != 1:
            raise ValueError(f"a single value cannot be packed from {len(flat_sequence)} values")
        return flat_sequence[0]
    expected = len(flatten(structure))
    if expected != len(flat_sequence):
        raise ValueError(
            f"Could not pack sequence. Structure had {expected} atoms, but flat_sequence had "
            f"{len(flat_sequence)} items."
        )
    return _pack(structure, iter(flat_sequence))


def map_structure(func: Callable[..., Any], *structures: Any) -> Any:
    """Apply `func` to corresponding leaves of `structures`; the result has their structure.

    Parameters
    ----------
    func
        Called with one leaf of each structure.
    *structures
        At least one; all of the same structure.

    Raises
    ------
    ValueError, TypeError
        If the structures differ (see `assert_same_structure`).

    Examples
    --------
    >>> from tapegrad import nest
    >>> nest.map_structure(lambda x, y: x + y, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    if not structures:
        raise ValueError("map_structure needs at least one structure")
    first = structures[0]
    for other in structures[1:]:
        assert_same_structure(first, other)
    results = [func(*leaves) for leaves in zip(*map(flatten, structures), strict=True)]
    return pack_sequence_as(first, results)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True) -> None:
    """Raise if two structures do not have the same containers in the same places.

    Parameters
    ----------
    nest1, nest2
        The structures to compare; their leaves are not compared.
    check_types
        If false, containers of different types count as the same when their lengths (or keys) agree.

    Raises
    ------
    ValueError
        If the lengths or keys of two containers differ, or a leaf meets a container.
    TypeError
        If `check_types` and two containers have different types.

    Examples
    --------
    >>> from tapegrad import nest
    >>> nest.assert_same_structure([1, (2, 3)], ["a", ("b", "c")])
    """
    elements1, elements2 = _elements(nest1), _elements(nest2)
    if elements1 is None and elements2 is None:
        return
    problem = f"The two structures don't have the same nested structure: {nest1!r} and {nest2!r}"
    if elements1 is None or elements2 is None:
        raise ValueError(f"{problem}: one is a single value where the other is a container.")
    if check_types and type(nest1) is not type(nest2) and not _same_kind(nest1, nest2):
        raise TypeError(f"{problem}: types {type(nest1).__name__} and {type(nest2).__name__}.")
    if len(elements1) != len(elements2):
        raise ValueError(f"{problem}: lengths {len(elements1)} and {len(elements2)}.")
    if isinstance(nest1, Mapping) and isinstance(nest2, Mapping) and set(nest1) != set(nest2):
        raise ValueError(f"{problem}: keys {list(nest1)} and {list(nest2)}.")
    for element1, element2 in zip(elements1, elements2, strict=True):
        assert_same_structure(element1, element2, check_types)


def _same_kind(nest1: Any, nest2: Any) -> bool:
    """Dictionaries of different classes hold the same structure; so do namedtuples of one name and fields."""
    if isinstance(nest1, Mapping):
        return isinstance(nest2, Mapping)
    fields1, fields2 = getattr(nest1, "_fields", None), getattr(nest2, "_fields", None)
    return fields1 is not None and fields1 == fields2 and type(nest1).__name__ == type(nest2).__name__


def _sorted_keys(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError(f"nest only supports dicts with sortable keys; got keys {list(mapping)}.") from None


def _elements(structure: Any) -> Sequence[Any] | None:
    """The elements of a container in the order of flattening; None for a leaf."""
    if isinstance(structure, (list, tuple)):
        return structure
    if isinstance(structure, Mapping):
        return [structure[key] for key in _sorted_keys(structure)]
    return None


def _flatten_into(structure: Any, leaves: list[Any]) -> None:
    for element in _elements(structure) or ():
        if isinstance(element, (list, tuple, Mapping)):
            _flatten_into(element, leaves)
        else:
            leaves.append(element)


def _pack(structure: Any, leaves: Iterable[Any]) -> Any:
    elements = _elements(structure)
    if elements is None:
        return next(iter(leaves))
    packed = [_pack(element, leaves) for element in elements]
    if isinstance(structure, Mapping):
        return _pack_mapping(structure, dict(zip(_sorted_keys(structure), packed, strict=True)))
    if hasattr(structure, "_fields"):
        return type(structure)(*packed)
    kind: Any = type(structure)
    return packed if kind is list else kind(packed)


def _pack_mapping(structure: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    kind: Any = type(structure)
    if isinstance(structure, defaultdict):
        result: MutableMapping[Any, Any] = kind(structure.default_factory)
    elif isinstance(structure, MutableMapping):
        result = kind()
    else:
        return kind((key, values[key]) for key in structure)
    for key in structure:
        result[key] = values[key]
    return result
