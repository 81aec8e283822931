"""`numpy.einsum` with NumPy's own values, which differ from those of matrix products in the last digits.

Its derivatives are einsums again, by the way of matrix products: the cotangent of an operand is the sum of products of
the other operands and the result's cotangent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import Operation, structural
from tapegrad._ops.einsum import einsum, parse
from tapegrad._ops.indexing import index_add

__all__ = ["sum_of_products"]

_Array: TypeAlias = npt.NDArray[Any]
_Shape: TypeAlias = tuple[int, ...]
_WayBack: TypeAlias = tuple[list[int], str, _Shape, _Shape, tuple[_Shape, tuple[_Array, ...]] | None]
"""Of one operand: the numbers of the others, the equation of these and the cotangent, the shape of its sum with axes of
size 1 for those that it lacks, and with these at their length, and a diagonal's matrix and places."""


def _vjp(g: Tensor, values: tuple[Tensor, ...], equation: str) -> list[Tensor]:
    ways = _ways_back(equation, tuple([x.shape for x in values]))
    return [_cotangent(g, values, *way) for way in ways]


def _cotangent(
    g: Tensor,
    values: tuple[Tensor, ...],
    others: list[int],
    equation: str,
    kept: _Shape,
    full: _Shape,
    diagonal: tuple[_Shape, tuple[_Array, ...]] | None,
) -> Tensor:
    part = einsum(equation, *[conjugate(values[j]) for j in others], g)
    if kept != part.shape:
        part = _native.reshape(part, kept)
    if kept != full:
        part = _native.broadcast_to(part, full)
    if diagonal is None:
        return part
    shape, key = diagonal
    return index_add(part, key, shape)


@lru_cache(512)
def _ways_back(equation: str, shapes: tuple[_Shape, ...]) -> list[_WayBack]:
    """Return how the cotangent reaches each operand of these shapes."""
    terms, result = parse(equation, shapes)
    return [_way_back(k, shapes, terms, result) for k in range(len(shapes))]


def _way_back(k: int, shapes: tuple[_Shape, ...], terms: tuple[str, ...], result: str) -> _WayBack:
    shape = shapes[k]
    sizes = _sizes(terms[k], shape)
    others = [j for j in range(len(terms)) if j != k]
    elsewhere: dict[str, int] = {letter: sizes.get(letter, 1) for letter in result}
    for j in others:
        for letter, size in _sizes(terms[j], shapes[j]).items():
            elsewhere[letter] = size if size != 1 else elsewhere.get(letter, 1)
    # An axis of size 1 that was broadcast is summed over, and one that only this operand has gets equal shares.
    wanted = [letter for letter in sizes if letter in elsewhere and sizes[letter] != 1]
    equation = ",".join([*[terms[j] for j in others], result]) + "->" + "".join(wanted)
    kept, full = tuple([elsewhere[letter] if letter in wanted else 1 for letter in sizes]), tuple(sizes.values())
    if len(sizes) == len(shape):
        return others, equation, kept, full, None
    # A letter that occurs twice: the cotangents are on its diagonal.
    places = list(sizes)
    key = [
        np.broadcast_to(
            np.arange(size if size == sizes[letter] else 1).reshape([-1 if letter == other else 1 for other in places]),
            full,
        )
        for letter, size in zip(terms[k], shape, strict=True)
    ]
    return others, equation, kept, full, (shape, tuple(key))


def _sizes(term: str, shape: _Shape) -> dict[str, int]:
    """Return the size of each letter's axes; if one of them has size 1, that of the others."""
    sizes: dict[str, int] = {}
    for letter, size in zip(term, shape, strict=True):
        sizes[letter] = size if size != 1 else sizes.get(letter, 1)
    return sizes


sum_of_products: Operation = structural(
    "einsum",
    lambda *values, equation, options: np.asarray(np.einsum(equation, *values, **options)),
    values=_vjp,
)
"""`sum_of_products(*values, equation=, options=)`: `numpy.einsum` of an equation with letters."""
