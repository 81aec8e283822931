"""How operations whose rules are written in Python pass index sets on.

- A linear operation is tried out: what it makes of a vector that is zero except in some block of elements shows what
  depends on the block. Blocks that no result shares are tried at the same time, and divided until they are elements.
- The rule of any other one is a linear function of the cotangent, written in recorded operations. It is recorded on a
  tape of its own, and the sets found there are transposed.
- Sums of products would lead to others without end; see `contractions`.

Which elements a rule selects must not depend on values: where it may, as in sorting, and where the rule runs code of
the user's, every result is taken to depend on all elements of the operands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from tapegrad import _native
from tapegrad._native import GradientTape, Tensor, Value, array, own
from tapegrad._ops.declare import LinearRule, Rule
from tapegrad._ops.einsum import parse
from tapegrad.dtypes import DType
from tapegrad.sparse.coloring import column_colors
from tapegrad.sparse.contractions import convolution, product, sampled_product, sparse_product
from tapegrad.sparse.native_nodes import Use
from tapegrad.sparse.sets import Sets, dependence, every, through, union

__all__ = ["Propagate", "Surroundings", "external", "selects"]


class Surroundings(NamedTuple):
    """Where a node stands: on the user's tape, or within a rule that was recorded."""

    within: frozenset[Any] = frozenset()
    """The rules that have been recorded."""
    parameters: tuple[Any, ...] | None = None
    """What the outermost one had saved, and all in between were given; None on the user's tape."""


Propagate = Callable[[GradientTape, Sequence[Value], Sequence[Tensor], Surroundings], list[Sets | None]]
"""`propagate(tape, sources, targets, surroundings)`: the sets of the targets, which is `propagation.propagate`."""


class _DependsOnValues(Exception):  # noqa: N818  (not an error: the rule's sets are taken to be full)
    """A recorded rule selects elements, perhaps by their values."""


def selects(use: Use, surroundings: Surroundings) -> None:
    """Hear of a native operation that selects by indices."""
    if surroundings.parameters is not None:
        raise _DependsOnValues


def external(use: Use, surroundings: Surroundings, propagate: Propagate) -> list[Sets | None]:
    """Return the sets of each result of an operation whose rule is written in Python."""
    rule, saved = use.tape._rule(use.slot)
    if isinstance(rule, LinearRule):
        return [_of_linear(rule, saved, use, surroundings)]
    if isinstance(rule, Rule):
        contraction = _CONTRACTIONS.get(rule.name)
        if contraction is not None:
            return [contraction(dict(zip(rule.saved_names, saved, strict=True)), use)]
        if rule not in surroundings.within:
            try:
                return _of_recorded_rule(rule, saved, use, surroundings, propagate)
            except _DependsOnValues:
                pass
    return _full(use)


def _full(use: Use) -> list[Sets | None]:
    """Return the sets where each element of each result depends on all of the operands."""
    together = None
    for sets in use.sets:
        if sets is not None:
            together = union(together, every(sets, 1))
    return [every(together, math.prod(shape)) for shape, _ in use.outputs]


# --- recorded rules ---------------------------------------------------------------------------------------------------


def _of_recorded_rule(
    rule: Rule, saved: tuple[Any, ...], use: Use, surroundings: Surroundings, propagate: Propagate
) -> list[Sets | None]:
    wanted = tuple([sets is not None for sets in use.sets])
    cotangents = [own(np.zeros(shape, dtype.as_numpy_dtype)) for shape, dtype in use.outputs]
    sources = [g for g in cotangents if _is_inexact(g.dtype)]
    outer = surroundings.parameters
    known = tuple([part for part in saved if outer is None or any([part is other for other in outer])])
    inner = Surroundings(surroundings.within | {rule}, known)
    tape = _native.tape_within(inner.within)
    with _native.pause(), tape:
        tape.watch(sources)
        # What depends on the sources must not be taken for a constant, whose zeros count.
        tape.watch([value for value in _values_in(saved) if use.tape._slot(value) is not None])
        found = rule.vjp(saved, tuple(cotangents), wanted)
        contributions = [
            _native.fit_to(contribution, *like) if w and contribution is not None and like is not None else None
            for contribution, like, w in zip(found, use.likes, wanted, strict=True)
        ]
    targets = [contribution for contribution in contributions if contribution is not None]
    transposed = iter(propagate(tape, sources, targets, inner))
    results: list[Sets | None] = [None] * len(use.outputs)
    for contribution, sets in zip(contributions, use.sets, strict=True):
        part = None if contribution is None else next(transposed)
        if part is None:
            continue
        transpose, first = part.T.tocsr(), 0
        for k, (shape, dtype) in enumerate(use.outputs):
            if _is_inexact(dtype):
                rows = transpose[first : first + math.prod(shape)]
                results[k] = union(results[k], through(rows, sets))
                first += math.prod(shape)
    return results


def _is_inexact(dtype: DType) -> bool:
    return dtype.is_floating or dtype.is_complex


def _values_in(saved: Any) -> list[Value]:
    if isinstance(saved, Value):
        return [saved] if _is_inexact(saved.dtype) else []
    return [value for part in saved for value in _values_in(part)] if isinstance(saved, (tuple, list)) else []


# --- linear operations ------------------------------------------------------------------------------------------------

_REFINEMENT = 4
"""How many parts a block is divided into."""

_MOST_ELEMENTS = 1 << 22
"""Of the vectors that are tried at the same time."""


def _of_linear(rule: LinearRule, saved: tuple[Any, ...], use: Use, surroundings: Surroundings) -> Sets | None:
    known = surroundings.parameters
    if known is not None and not all([_is_plain(part) or any([part is other for other in known]) for part in saved]):
        raise _DependsOnValues
    like = use.likes[0]
    assert like is not None
    shape, dtype = like
    kind = np.complex128 if dtype.is_complex else np.float64

    def apply(vectors: npt.NDArray[Any]) -> npt.NDArray[Any]:
        stack = own(vectors.astype(kind).reshape(len(vectors), *shape))
        with _native.pause():
            (result,) = rule.jvp_stacked(saved, (stack,), len(vectors))
        return array(result).reshape(len(vectors), -1)

    found = _tried_out(apply, math.prod(shape), math.prod(use.shape), dtype.is_complex)
    return through(found, use.sets[0])


def _is_plain(part: Any) -> bool:
    """Whether a parameter is one that a caller writes down, rather than computes from values."""
    if isinstance(part, (tuple, list)):
        return all([_is_plain(item) for item in part])
    return part is None or isinstance(part, (bool, int, float, complex, str, slice, type, np.dtype, DType))


def _tried_out(apply: Callable[[npt.NDArray[Any]], npt.NDArray[Any]], size: int, results: int, complex_: bool) -> Sets:
    """Return which results of a linear function depend on which elements.

    With random numbers a sum of several is zero only where none of them takes part.
    """
    if not size or not results:
        return csr_array((results, size), dtype=np.bool_)
    rng = np.random.default_rng(0)
    vector: npt.NDArray[Any] = rng.uniform(1.0, 2.0, size)
    if complex_:
        vector = vector * np.exp(1j * rng.uniform(0.1, 1.4, size))
    length = _REFINEMENT
    while length < size:
        length *= _REFINEMENT
    found = csr_array(np.ones((results, 1), np.bool_))
    while length > 1:
        length //= _REFINEMENT
        block = np.arange(size) // length
        colors = column_colors(found)
        # One vector for each color and each part of the blocks of that color.
        vector_of = colors[block // _REFINEMENT] * _REFINEMENT + block % _REFINEMENT
        rows, blocks = found.tocoo().coords
        rows = np.repeat(rows, _REFINEMENT)
        parts = np.arange(_REFINEMENT)
        tried_by = np.add.outer(colors[blocks] * _REFINEMENT, parts).reshape(-1)
        columns = np.add.outer(blocks * _REFINEMENT, parts).reshape(-1)
        there = columns < -(-size // length)
        count = (int(colors.max()) + 1) * _REFINEMENT
        step = max(1, _MOST_ELEMENTS // max(size, results))
        for first in range(0, count, step):
            tried = np.arange(first, min(first + step, count))
            nonzero = apply(np.where(vector_of == tried[:, None], vector, 0)) != 0
            inside = np.flatnonzero((tried_by >= first) & (tried_by <= tried[-1]))
            there[inside] &= nonzero[tried_by[inside] - first, rows[inside]]
        found = dependence(rows[there], columns[there], (results, -(-size // length)))
    return found


# --- sums of products -------------------------------------------------------------------------------------------------


def _einsum(saved: dict[str, Any], use: Use) -> Sets | None:
    shapes = [value.shape for value in saved["values"]]
    terms, result = parse(saved["equation"], tuple(shapes))
    values = [array(value) if slot is None else None for value, slot in zip(saved["values"], use.operands, strict=True)]
    return product(terms, result, use.sets, shapes, values)


def _convolution(saved: dict[str, Any], use: Use, correlates: bool) -> Sets | None:
    values = [array(saved[name]) if slot is None else None for name, slot in zip("av", use.operands, strict=True)]
    sizes = [
        value.size if value is not None else like[0][0]  # type: ignore[index]
        for value, like in zip(values, use.likes, strict=True)
    ]
    return convolution(use.sets, sizes, values, use.shape[0], correlates)


def _shapes(use: Use) -> list[tuple[int, ...]]:
    """Return the operands' shapes, without those of constants."""
    return [() if like is None else like[0] for like in use.likes]


_CONTRACTIONS: dict[str, Callable[[dict[str, Any], Use], Sets | None]] = {
    "convolve": lambda saved, use: _convolution(saved, use, False),
    "correlate": lambda saved, use: _convolution(saved, use, True),
    "einsum": _einsum,
    "sparse.matmul": lambda saved, use: sparse_product(
        use.sets, _shapes(use), use.shape, saved["structure"], saved["axis"]
    ),
    "sparse.sampled": lambda saved, use: sampled_product(use.sets, _shapes(use), saved["structure"], saved["axis"]),
}
