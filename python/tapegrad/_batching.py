"""Forward mode and batches for operations whose rules are written in Python.

An operation states one rule, its vjp, which is a linear function of the cotangent written in recorded operations. The
rest follows from it:

- its jvp is the transpose of the vjp: the vjp is recorded on a tape of its own and swept backwards from the tangents;
- for a batch, the linear function is recorded once on a tape of its own and the whole batch is pushed through that.

So a rule never sees a batch. Where the recorded function contains the very rule that it stands for, the recursion ends
by taking the rows of the batch one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, own
from tapegrad.dtypes import DType

__all__ = ["along_batch", "batched_vjp", "rule_jvp"]

Vectors: TypeAlias = Sequence[Tensor | None]
_Like: TypeAlias = tuple[tuple[int, ...], DType]


class Rule(Protocol):
    """What `_native.record` takes for a rule.

    It may also have `jvp(saved, tangents)`, with a tangent or None per operand, which returns one per result;
    `jvp_stacked(saved, tangents, batch)`, the same with one more axis in front; and `opaque = True`, if it runs code of
    the user's, which may do more than recorded operations.
    """

    def vjp(self, saved: Any, cotangents: Vectors, wanted: Sequence[bool]) -> Sequence[Any]: ...


def batched_vjp(
    rule: Rule, saved: Any, cotangents: Vectors, wanted: Sequence[bool], batch: int, within: frozenset[Rule]
) -> list[Tensor | None]:
    """Return what `rule.vjp` gives for each of a batch of cotangents, stacked."""

    def vjp(*rows: Tensor | None) -> Sequence[Any]:
        return [c if w else None for c, w in zip(rule.vjp(saved, rows, wanted), wanted, strict=True)]

    if getattr(rule, "opaque", False) or rule in within:
        return _by_rows(vjp, cotangents, batch)
    return along_batch(vjp, cotangents, batch, within | {rule})


def rule_jvp(
    rule: Rule,
    saved: Any,
    tangents: Vectors,
    operands: Sequence[_Like | None],
    results: Sequence[_Like],
    batch: int,
    within: frozenset[Rule],
) -> list[Tensor | None]:
    """Return the tangents of an operation's results, stacked if there is a batch.

    `operands` and `results` are the shapes and dtypes of the operands that have tangents, and of the results.
    """
    stated = getattr(rule, "jvp", None)
    if stated is None:
        return _transposed(rule, saved, tangents, operands, results, batch, within)
    if not batch:
        return list(stated(saved, tangents))
    stacked = getattr(rule, "jvp_stacked", None)
    if stacked is not None:
        return list(stacked(saved, tangents, batch))

    def jvp(*rows: Tensor | None) -> Sequence[Any]:
        return list(stated(saved, rows))

    if getattr(rule, "opaque", False) or rule in within:
        return _by_rows(jvp, tangents, batch)
    return along_batch(jvp, tangents, batch, within | {rule})


def along_batch(
    function: Callable[..., Sequence[Any]], vectors: Vectors, batch: int, within: frozenset[Rule] = frozenset()
) -> list[Tensor | None]:
    """Return what a linear function gives for each of a batch of arguments, by recording it once.

    `vectors` are stacked along their first axis, which the function does not see; None stands for zero, and the
    function gets it, too. Results that do not depend on the arguments are zero, hence None.
    """
    origins = [None if v is None else _zeros(v.shape[1:], v.dtype) for v in vectors]
    sources = [origin for origin in origins if origin is not None]
    tape = _native.tape_within(within)
    with tape:
        tape.watch(sources)
        results = [None if result is None else _native.tensor(result) for result in function(*origins)]
    targets = [result for result in results if result is not None]
    pushed = iter(tape._push(targets, sources, [v for v in vectors if v is not None], batch))
    return [None if result is None else next(pushed) for result in results]


def _by_rows(function: Callable[..., Sequence[Any]], vectors: Vectors, batch: int) -> list[Tensor | None]:
    """Return the same with one call of the function for each row."""
    rows = [function(*[None if v is None else v[i] for v in vectors]) for i in range(batch)]
    stacked: list[Tensor | None] = []
    for column in zip(*rows, strict=True):
        given = [_native.tensor(x) for x in column if x is not None]
        if not given:
            stacked.append(None)
            continue
        filled = [_zeros(given[0].shape, given[0].dtype) if x is None else _native.tensor(x) for x in column]
        stacked.append(_native.concatenate([_native.reshape(x, (1, *x.shape)) for x in filled]))
    return stacked


def _transposed(
    rule: Rule,
    saved: Any,
    tangents: Vectors,
    operands: Sequence[_Like | None],
    results: Sequence[_Like],
    batch: int,
    within: frozenset[Rule],
) -> list[Tensor | None]:
    """Return the results' tangents by sweeping the recorded vjp backwards."""
    opaque = getattr(rule, "opaque", False)
    inexact = [dtype.is_floating or dtype.is_complex for _, dtype in results]
    # A linear function may be recorded anywhere. At ones it shows whether user code left the tape.
    make = np.ones if opaque else np.zeros
    origins = [own(make(shape, dtype.as_numpy_dtype)) for shape, dtype in results]
    sources = [origin for origin, wanted in zip(origins, inexact, strict=True) if wanted]
    wanted = tuple([t is not None for t in tangents])
    tape = _native.tape_within(within | {rule})
    with tape:
        tape.watch(sources)
        found = rule.vjp(saved, tuple(origins), wanted)
        pairs = [
            (_native.fit_to(contribution, *like), t)
            for contribution, like, t in zip(found, operands, tangents, strict=True)
            if contribution is not None and like is not None and t is not None
        ]
    pulled = tape._pull([c for c, _ in pairs], sources, [t for _, t in pairs], batch)
    if opaque and all(p is None for p in pulled) and any(np.any(_native.array(c)) for c, _ in pairs):
        raise TypeError(
            f"{getattr(rule, 'name', rule)}: forward mode transposes its gradient function, but what that returns was "
            "not computed from its argument by recorded operations: write it with tapegrad's operations"
        )
    found_tangents = iter(pulled)
    return [next(found_tangents) if wanted else None for wanted in inexact]


def _zeros(shape: tuple[int, ...], dtype: DType) -> Tensor:
    return own(np.zeros(shape, dtype.as_numpy_dtype))
