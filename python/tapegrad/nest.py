"""Nested structures of values: lists, tuples, namedtuples, dictionaries and dataclasses, to any depth.

Everything that is not one of these is a leaf, `None` and strings included. Dictionaries are flattened in the
sorted order of their keys, whatever their insertion order, and keep their own type and order when they are
packed again. Instances of dataclasses (and of attrs' classes) are containers of their fields, unless their class
has a true attribute `__nest_leaf__`, as `tf.Module` has.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, MappingView, MutableMapping, Sequence
from typing import Any

import numpy as np

from tapegrad._native import Value

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]

_LEAVES = frozenset({type(None), bool, int, float, complex, str, bytes, np.ndarray, np.float32, np.float64, np.int64})
"""Types that are known to be leaves: to find out of another that it is no mapping takes Python many times as long."""


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a container of this module, and not a leaf.

    Parameters
    ----------
    structure
        Anything.

    Examples
    --------
    >>> from tapegrad import nest
    >>> nest.is_nested((1, 2)), nest.is_nested("ab")
    (True, False)
    """
    if isinstance(structure, (list, tuple)):
        return True
    return not _is_plain_leaf(structure) and (isinstance(structure, (Mapping, MappingView)) or _has_fields(structure))


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
    elements = _elements(structure)
    if elements is None:
        return [structure]
    leaves: list[Any] = []
    _flatten_into(elements, leaves)
    return leaves


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """A structure like `structure`, with its leaves taken from `flat_sequence`: the inverse of `flatten`.

    Parameters
    ----------
    structure
        Gives the containers; its own leaves are not looked at. A view of a dictionary becomes a list.
    flat_sequence
        As many values as `structure` has leaves.

    Raises
    ------
    ValueError
        If the number of values is not the number of leaves.
    TypeError
        If `flat_sequence` is not a sequence.

    Examples
    --------
    >>> from tapegrad import nest
    >>> nest.pack_sequence_as({"b": [2, 3], "a": 1}, "xyz")
    {'b': ['y', 'z'], 'a': 'x'}
    """
    if not isinstance(flat_sequence, Sequence):
        raise TypeError(
            f"Attempted to pack value:\n  {flat_sequence!r}\ninto a structure, but found incompatible type "
            f"`{type(flat_sequence)}` instead."
        )
    if not is_nested(structure):
        if len(flat_sequence) != 1:
            raise ValueError(
                f"The target structure is of type `{type(structure)}`\n  {structure!r}\nHowever the input is a "
                f"sequence (`{type(flat_sequence)}`) of length {len(flat_sequence)}.\n  {flat_sequence!r}"
            )
        return flat_sequence[0]
    expected = len(flatten(structure))
    if expected != len(flat_sequence):
        raise ValueError(
            f"Could not pack sequence. Structure had {expected} atoms, but flat_sequence had "
            f"{len(flat_sequence)} items.  Structure: {structure!r}, flat_sequence: {flat_sequence!r}."
        )
    return _pack(structure, iter(flat_sequence))


def map_structure(func: Callable[..., Any], *structures: Any, check_types: bool = True) -> Any:
    """Apply `func` to corresponding leaves of `structures`; the result has the structure of the first.

    Parameters
    ----------
    func
        Called with one leaf of each structure.
    *structures
        At least one; all of the same structure.
    check_types
        As for `assert_same_structure`.

    Raises
    ------
    ValueError, TypeError
        If the structures differ (see `assert_same_structure`), or `func` cannot be called.

    Examples
    --------
    >>> from tapegrad import nest
    >>> nest.map_structure(lambda x, y: x + y, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func!r}")
    if not structures:
        raise ValueError("Must provide at least one structure")
    first = structures[0]
    for other in structures[1:]:
        assert_same_structure(first, other, check_types)
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
    problem = _difference(nest1, nest2, check_types)
    if problem:
        error, text = problem
        raise error(
            "The two structures don't have the same nested structure.\n\n"
            f"First structure: {_described(nest1)}\n\nSecond structure: {_described(nest2)}\n\n"
            f"More specifically: {text}"
        )


def _difference(nest1: Any, nest2: Any, check_types: bool) -> tuple[type[Exception], str] | None:
    """Return where two structures first differ, and the exception that this deserves."""
    elements1, elements2 = _elements(nest1), _elements(nest2)
    if elements1 is None and elements2 is None:
        return None
    if elements1 is None or elements2 is None:
        container, leaf = (nest2, nest1) if elements1 is None else (nest1, nest2)
        text = f'Substructure "{_described(container)}" is a sequence, while substructure "{_described(leaf)}" is not'
        return ValueError, text
    if check_types and type(nest1) is not type(nest2) and not _same_kind(nest1, nest2):
        return TypeError, (
            f"The two structures don't have the same sequence type. First structure {_described(nest1)} has type "
            f"{type(nest1).__name__}, while second structure {_described(nest2)} has type {type(nest2).__name__}"
        )
    if isinstance(nest1, Mapping) and isinstance(nest2, Mapping) and set(nest1) != set(nest2):
        return ValueError, (
            "The two dictionaries don't have the same set of keys. First structure has keys "
            f"{list(nest1)}, while second structure has keys {list(nest2)}"
        )
    if len(elements1) != len(elements2):
        return ValueError, (
            "The two structures don't have the same number of elements. "
            f"First structure: {_described(nest1)}. Second structure: {_described(nest2)}"
        )
    for element1, element2 in zip(elements1, elements2, strict=True):
        if _is_plain_leaf(element1) and _is_plain_leaf(element2):
            continue
        problem = _difference(element1, element2, check_types)
        if problem:
            return problem
    return None


def _described(structure: Any) -> str:
    return f"type={type(structure).__name__} str={structure}"


def _same_kind(nest1: Any, nest2: Any) -> bool:
    """Dictionaries of different classes hold the same structure; so do namedtuples of one name and fields."""
    if isinstance(nest1, Mapping):
        return isinstance(nest2, Mapping)
    fields1, fields2 = getattr(nest1, "_fields", None), getattr(nest2, "_fields", None)
    return fields1 is not None and fields1 == fields2 and type(nest1).__name__ == type(nest2).__name__


def _is_plain_leaf(structure: Any) -> bool:
    """Whether `structure` is one of the commonest leaves; the others are those that no container is found to be."""
    return type(structure) in _LEAVES or isinstance(structure, Value)


def _has_fields(structure: Any) -> bool:
    """Whether `structure` is an instance of a dataclass, or of attrs' equivalent, that counts as a container."""
    kind = type(structure)
    return (hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__attrs_attrs__")) and not getattr(
        kind, "__nest_leaf__", False
    )


def _field_names(structure: Any) -> list[str]:
    """The fields that the constructor takes, which determine the others."""
    if hasattr(structure, "__attrs_attrs__"):
        return [field.name for field in structure.__attrs_attrs__ if field.init]
    return [field.name for field in dataclasses.fields(structure) if field.init]


def _sorted_keys(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError(f"nest only supports dicts with sortable keys; got keys {list(mapping)}.") from None


def _elements(structure: Any) -> Sequence[Any] | None:
    """The elements of a container in the order of flattening; None for a leaf."""
    if isinstance(structure, (list, tuple)):
        return structure
    if _is_plain_leaf(structure):
        return None
    if isinstance(structure, Mapping):
        return [structure[key] for key in _sorted_keys(structure)]
    if isinstance(structure, MappingView):
        return list(structure)  # type: ignore[call-overload,no-any-return]
    if _has_fields(structure):
        return [getattr(structure, name) for name in _field_names(structure)]
    return None


def _flatten_into(elements: Sequence[Any], leaves: list[Any]) -> None:
    for element in elements:
        inner = _elements(element)
        if inner is None:
            leaves.append(element)
        else:
            _flatten_into(inner, leaves)


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    elements = _elements(structure)
    if elements is None:
        return next(leaves)
    packed = [_pack(element, leaves) for element in elements]
    kind: Any = type(structure)
    if kind is list or isinstance(structure, MappingView):
        return packed
    if isinstance(structure, Mapping):
        return _pack_mapping(structure, dict(zip(_sorted_keys(structure), packed, strict=True)))
    if hasattr(structure, "_fields"):
        return kind(*packed)
    if isinstance(structure, (list, tuple)):
        return kind(packed)
    if hasattr(structure, "__attrs_attrs__"):
        # The constructor's parameters have the fields' names without leading underscores.
        return kind(**{name.lstrip("_"): value for name, value in zip(_field_names(structure), packed, strict=True)})
    return dataclasses.replace(structure, **dict(zip(_field_names(structure), packed, strict=True)))


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
