"""`numpy.einsum` with NumPy's own values, which differ from those of matrix products in the last digits.

Its derivatives are einsums again, by the way of matrix products: the cotangent of an operand is the sum of products of
the other operands and the result's cotangent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import Operation, structural
from tapegrad._ops.einsum import einsum, parse
from tapegrad._ops.indexing import index_add

__all__ = ["sum_of_products"]

_Array = npt.NDArray[Any]
_Shape = tuple[int, ...]


def _vjp(g: Tensor, values: tuple[Tensor, ...], equation: str) -> list[Tensor]:
    terms, result = parse(equation, tuple([x.shape for x in values]))
    return [_cotangent(k, g, values, terms, result) for k in range(len(values))]


def _cotangent(k: int, g: Tensor, values: tuple[Tensor, ...], terms: tuple[str, ...], result: str) -> Tensor:
    shape = values[k].shape
    sizes: dict[str, int] = {}
    for letter, size in zip(terms[k], shape, strict=True):
        sizes[letter] = max(size, sizes.get(letter, size)) if size != 1 else sizes.get(letter, 1)
    others = [j for j in range(len(values)) if j != k]
    elsewhere = {letter for j in others for letter in terms[j]} | set(result)
    # An axis of size 1 that was broadcast is summed over, and one that only this operand has gets equal shares.
    wanted = [letter for letter in sizes if letter in elsewhere and sizes[letter] != 1]
    equation = ",".join([*[terms[j] for j in others], result]) + "->" + "".join(wanted)
    part = einsum(equation, *[conjugate(values[j]) for j in others], g)
    found = dict(zip(wanted, part.shape, strict=True))
    part = _native.reshape(part, tuple([found.get(letter, 1) for letter in sizes]))
    part = _native.broadcast_to(part, tuple(sizes.values()))
    if len(sizes) == len(shape):
        return part
    # A letter that occurs twice: the cotangents are on its diagonal.
    places = list(sizes)
    key = [
        np.broadcast_to(
            np.arange(size if size == sizes[letter] else 1).reshape([-1 if letter == other else 1 for other in places]),
            tuple(sizes.values()),
        )
        for letter, size in zip(terms[k], shape, strict=True)
    ]
    return index_add(part, tuple(key), shape)


sum_of_products: Operation = structural(
    "einsum",
    lambda *values, equation, options: np.asarray(np.einsum(equation, *values, **options)),
    values=_vjp,
)
"""`sum_of_products(*values, equation=, options=)`: `numpy.einsum` of an equation with letters."""
