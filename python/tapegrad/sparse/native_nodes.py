"""How the operations of the core pass index sets on: the elementwise ones, and those that move, sum or contract."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tapegrad import _native
from tapegrad._native import GradientTape, Tensor, array
from tapegrad.dtypes import DType
from tapegrad.sparse.contractions import product
from tapegrad.sparse.sets import Indices, Sets, Shape, broadcast, gathered, merged, numbers, union

__all__ = ["Use", "elementwise", "structural"]

# The operands of each elementwise operation that have a derivative, and one that is not zero everywhere.
_DIFFERENTIABLE = {
    row[0]: [k for k, partial in enumerate(row[3]) if partial not in (None, "0.0")] for row in _native.op_table()
}


class Use(NamedTuple):
    """A node, and what is known of its operands: their sets, None where they do not depend on the sources."""

    tape: GradientTape
    slot: int
    name: str
    operands: Sequence[int | None]
    sets: Sequence[Sets | None]
    likes: Sequence[tuple[Shape, DType] | None]
    """The operands' shapes and dtypes, None for constants."""
    outputs: Sequence[tuple[Shape, DType]]

    @property
    def shape(self) -> Shape:
        """The shape of the result."""
        return self.outputs[0][0]

    def parameters(self) -> tuple[int, ...]:
        """Return the parameters of a structural node."""
        return self.tape._parameters(self.slot)

    def saved(self, k: int) -> Tensor | None:
        """Return what the node has saved of operand `k`."""
        return self.tape._saved(self.slot, k)

    def operand(self, k: int) -> tuple[Sets, Shape]:
        """Return sets and shape of an operand that depends on the sources."""
        like = self.likes[k]
        assert like is not None
        return self.sets[k], like[0]


def elementwise(use: Use) -> Sets | None:
    """Return the union of the sets of all operands that have a derivative."""
    return _united(use, _DIFFERENTIABLE[use.name])


def _united(use: Use, operands: Sequence[int]) -> Sets | None:
    result = None
    for k in operands:
        if use.sets[k] is not None:
            result = union(result, broadcast(*use.operand(k), use.shape))
    return result


def structural(use: Use) -> Sets | None:
    """Return the sets of the result of an operation of structural.h, which says what the parameters mean."""
    return _STRUCTURAL[use.name](use)


def _same(use: Use) -> Sets:
    return use.sets[0]


def _transpose(use: Use) -> Sets:
    sets, shape = use.operand(0)
    return gathered(sets, numbers(shape).transpose(use.parameters()))


def _positions(shape: Shape, parameters: Sequence[int]) -> Indices:
    """Return the numbers of the elements that `start, step, count` of each axis select."""
    result = np.zeros(1, np.intp)
    for axis, size in enumerate(shape):
        start, step, count = parameters[3 * axis : 3 * axis + 3]
        result = np.add.outer(result * size, start + step * np.arange(count)).reshape(-1)
    return result


def _slice(use: Use) -> Sets:
    sets, shape = use.operand(0)
    return gathered(sets, _positions(shape, use.parameters()))


def _unslice(use: Use) -> Sets:
    return merged(use.sets[0], _positions(use.shape, use.parameters()), math.prod(use.shape))


def _kept(shape: Shape, mask: int) -> Shape:
    return tuple([1 if mask >> axis & 1 else size for axis, size in enumerate(shape)])


def _sum(use: Use) -> Sets:
    sets, shape = use.operand(0)
    kept = _kept(shape, use.parameters()[0])
    return merged(sets, np.broadcast_to(numbers(kept), shape), math.prod(kept))


def _broadcast_to(use: Use) -> Sets:
    kept = _kept(use.shape, use.parameters()[0])
    return gathered(use.sets[0], np.broadcast_to(numbers(kept), use.shape))


def _concatenate(use: Use) -> Sets | None:
    axis, *bounds = use.parameters()
    places = numbers(use.shape)
    result = None
    for sets, begin, end in zip(use.sets, bounds, bounds[1:], strict=False):
        if sets is not None:
            part = places[(slice(None),) * axis + (slice(begin, end),)]
            result = union(result, merged(sets, part, places.size))
    return result


def _where(use: Use) -> Sets | None:
    # The condition may be another one elsewhere: both branches count.
    return _united(use, (1, 2))


def _mask(use: Use) -> Sets | None:
    return _united(use, (0,))


def _indices(use: Use) -> Indices:
    indices = use.saved(1)
    assert indices is not None
    return array(indices)


def _take(use: Use) -> Sets:
    sets, shape = use.operand(0)
    return gathered(sets, numbers(shape).take(_indices(use), use.parameters()[0]))


def _scatter_add(use: Use) -> Sets:
    places = numbers(use.shape)
    return merged(use.sets[0], places.take(_indices(use), use.parameters()[0]), places.size)


def _matmul(use: Use) -> Sets | None:
    flags = use.parameters()[0]
    lead = "".join([chr(ord("A") + k) for k in range(len(use.shape) - 2)])
    cores = "li" if flags & 1 else "il", "jl" if flags & 2 else "lj"
    shapes: list[Shape] = []
    values: list[Any] = []
    for k, like in enumerate(use.likes):
        saved = use.saved(k) if like is None else None
        assert like is not None or saved is not None
        shapes.append(saved.shape if saved is not None else like[0])  # type: ignore[index]
        values.append(None if saved is None else array(saved))
    terms = [lead[len(lead) - (len(shape) - 2) :] + core for shape, core in zip(shapes, cores, strict=True)]
    return product(terms, lead + "ij", use.sets, shapes, values)


_STRUCTURAL: dict[str, Callable[[Use], Sets | None]] = {
    "reshape": _same,
    "transpose": _transpose,
    "slice": _slice,
    "unslice": _unslice,
    "sum": _sum,
    "broadcast_to": _broadcast_to,
    "cast": _same,
    "concatenate": _concatenate,
    "where": _where,
    "mask": _mask,
    "take": _take,
    "scatter_add": _scatter_add,
    "matmul": _matmul,
}
