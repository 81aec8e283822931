"""How sums of products pass index sets on: matrix products, also with sparse matrices, `einsum`, convolutions.

An operand that does not depend on the sources is a constant, and its zeros are used: a product with a banded matrix
keeps the result's sets small.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad.sparse.operands import Structure
from tapegrad.sparse.sets import Indices, Sets, Shape, dependence, gathered, merged, numbers, through, union

__all__ = ["convolution", "product", "sampled_product", "sparse_product"]

_MOST_PRODUCTS = 1 << 26
"""Above so many products with numbers that are not zero, a constant counts as full."""


def product(
    terms: Sequence[str],
    result: str,
    sets: Sequence[Sets | None],
    shapes: Sequence[Shape],
    values: Sequence[npt.NDArray[Any] | None],
) -> Sets | None:
    """Return the sets of a sum of products.

    Parameters
    ----------
    terms, result
        The letters of the operands' axes, and of the result's, as in `einsum`.
    sets, shapes
        The operands'. An axis of size 1 is broadcast against others of its letter.
    values
        Of operands that are constant; None for the others.
    """
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, size in zip(term, shape, strict=True):
            sizes[letter] = size if sizes.get(letter, 1) == 1 else sizes[letter]
    constants = [
        _letters_of_zeros(term, value != 0)
        for term, value in zip(terms, values, strict=True)
        if value is not None and not value.all()
    ]
    found = None
    for term, of_operand, shape in zip(terms, sets, shapes, strict=True):
        if of_operand is not None:
            part = _of_operand(term, shape, of_operand, result, sizes, constants)
            found = union(found, part)
    return found


def _letters_of_zeros(term: str, there: npt.NDArray[np.bool_]) -> tuple[str, npt.NDArray[np.bool_]]:
    """Return where a constant is not zero, with one axis for each letter, none of them broadcast."""
    letters = "".join(dict.fromkeys(term))
    if len(letters) < len(term):  # a letter that occurs twice: the diagonal
        there = np.einsum(f"{term}->{letters}", there)
    broadcast = [axis for axis, size in enumerate(there.shape) if size == 1]
    return "".join([letter for axis, letter in enumerate(letters) if axis not in broadcast]), there.squeeze()


def _of_operand(
    term: str,
    shape: Shape,
    sets: Sets,
    result: str,
    sizes: Mapping[str, int],
    constants: Sequence[tuple[str, npt.NDArray[np.bool_]]],
) -> Sets:
    """Return what the result has from one operand."""
    whole = tuple([sizes[letter] for letter in result])
    places = _products(dict.fromkeys(result + term), sizes, constants)
    if places is not None:
        to, of = _numbers_at(result, whole, places), _numbers_at(term, shape, places)
        return through(dependence(to, of, (math.prod(whole), math.prod(shape))), sets)
    # Sum over the axes that only the operand has, then repeat along those that only the result has.
    own: dict[str, int] = {}
    for letter, size in zip(term, shape, strict=True):
        own[letter] = max(size, own.get(letter, 1))
    kept = [letter for letter in own if letter in result]
    kept_shape = tuple([own[letter] for letter in kept])
    grid = _grid(own)
    summed = merged(
        gathered(sets, _numbers_at(term, shape, grid)), _numbers_at(kept, kept_shape, grid), math.prod(kept_shape)
    )
    return gathered(summed, _numbers_at(kept, kept_shape, _grid(dict(zip(result, whole, strict=True)))))


def _grid(sizes: Mapping[str, int]) -> dict[str, Indices]:
    """Return the positions along each letter's axis of all elements of an array with these axes."""
    places = np.indices(tuple(sizes.values())).reshape(len(sizes), math.prod(sizes.values()))
    return dict(zip(sizes, places, strict=True))


def _products(
    letters: Mapping[str, None], sizes: Mapping[str, int], constants: Sequence[tuple[str, npt.NDArray[np.bool_]]]
) -> dict[str, Indices] | None:
    """Return the positions along `letters` of all products whose constants are not zero; None if these do not help."""
    if not constants:
        return None
    reduced: list[tuple[str, npt.NDArray[np.bool_]]] = []
    for axes, there in constants:
        others = tuple([k for k, letter in enumerate(axes) if letter not in letters])
        remaining = "".join([letter for letter in axes if letter in letters])
        reduced.append((remaining, np.asarray(there.any(others)) if others else there))
    reduced.sort(key=lambda constant: float(np.mean(constant[1])) if constant[1].size else 0.0)
    first, there = reduced[0]
    found = dict(zip(first, np.nonzero(there), strict=True)) if first else {}
    count = np.count_nonzero(there)
    free = [letter for letter in letters if letter not in found]
    more = math.prod([sizes[letter] for letter in free])
    if count * more > _MOST_PRODUCTS:
        return None
    places = {letter: np.repeat(position, more) for letter, position in found.items()}
    for letter, position in _grid({letter: sizes[letter] for letter in free}).items():
        places[letter] = np.tile(position, count)
    for axes, there in reduced[1:]:
        if axes:
            stays = there[tuple([places[letter] for letter in axes])]
            places = {letter: position[stays] for letter, position in places.items()}
    return places


def _numbers_at(term: Sequence[str], shape: Shape, places: Mapping[str, Indices]) -> Indices:
    """Return the numbers of the elements at the given positions along each letter's axis."""
    length = len(next(iter(places.values()))) if places else 1
    result = np.zeros(length, np.intp)
    for letter, size in zip(term, shape, strict=True):
        result = result * size + (places[letter] if size > 1 else 0)
    return result


def convolution(
    sets: Sequence[Sets | None],
    sizes: Sequence[int],
    values: Sequence[npt.NDArray[Any] | None],
    size: int,
    correlates: bool,
) -> Sets | None:
    """Return the sets of a convolution or correlation of two vectors, or of its middle part, of `size` elements."""
    missing = sum(sizes) - 1 - size
    # NumPy computes a correlation with a longer vector backwards.
    before = (missing + (correlates and sizes[0] < sizes[1])) // 2
    places = np.indices(tuple(sizes))
    second = sizes[1] - 1 - places[1] if correlates else places[1]
    to = places[0] + second - before
    there = (to >= 0) & (to < size)
    for k, value in enumerate(values):
        if value is not None:
            there &= (value != 0)[places[k]]
    found = None
    for k, of_operand in enumerate(sets):
        if of_operand is not None:
            entries = dependence(to[there], places[k][there], (size, sizes[k]))
            found = union(found, through(entries, of_operand))
    return found


def sparse_product(
    sets: Sequence[Sets | None], shapes: Sequence[Shape], whole: Shape, structure: Structure, axis: int
) -> Sets | None:
    """Return the sets of a product of a sparse matrix, given by its elements, with an array along one of its axes."""
    to = _numbers_along(whole, axis)[structure.rows]
    elements = np.broadcast_to(np.arange(len(to))[:, None], to.shape)
    found = None
    for k, (of_operand, shape) in enumerate(zip(sets, shapes, strict=True)):
        if of_operand is not None:
            of = _numbers_along(shape, axis)[structure.columns] if k else elements
            entries = dependence(to.reshape(-1), of.reshape(-1), (math.prod(whole), math.prod(shape)))
            found = union(found, through(entries, of_operand))
    return found


def sampled_product(
    sets: Sequence[Sets | None], shapes: Sequence[Shape], structure: Structure, axis: int
) -> Sets | None:
    """Return the sets of a sparse matrix's elements, each the product of a row and a column of two arrays."""
    found = None
    for of_operand, shape, chosen in zip(sets, shapes, (structure.rows, structure.columns), strict=True):
        if of_operand is not None:
            of = _numbers_along(shape, axis)[chosen]
            to = np.broadcast_to(np.arange(len(of))[:, None], of.shape)
            entries = dependence(to.reshape(-1), of.reshape(-1), (len(of), math.prod(shape)))
            found = union(found, through(entries, of_operand))
    return found


def _numbers_along(shape: Shape, axis: int) -> Indices:
    """Return the numbers of an array's elements, with one axis in front of all others, which are one."""
    return np.moveaxis(numbers(shape), axis, 0).reshape(shape[axis], -1)
