"""What `GradientTape.jacobian` and its relatives do: seeds, directions, chunks, and the shapes of results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native, nest
from tapegrad._native import GradientTape, Tensor, Value, array, flatten_values, own, pack_values

__all__ = ["batch_jacobian", "jacobian", "pullback", "pushforward"]

_LEAST_ROWS = 16
"""Below this a chunk's fixed costs are more than what the cache gives."""


def jacobian(tape: GradientTape, target: Any, sources: Any, zero: bool, max_bytes: int | None, progress: bool) -> Any:
    """Return the derivatives of each element of the target: in the structure of the target that of the sources."""
    if max_bytes is not None and max_bytes <= 0:
        raise ValueError(f"jacobian: max_bytes must be positive, not {max_bytes}.")
    targets = _values(target, "target")
    flat_sources = _values(sources, "sources")
    ticker = _Ticker(sum([_passes(t, flat_sources) for t in targets])) if progress else None
    tape._open()
    try:
        results = []
        for t in targets:
            found = _of_one_target(tape, t, flat_sources, max_bytes, ticker)
            if zero:
                found = [
                    own(np.zeros(t.shape + s.shape, s.dtype.as_numpy_dtype)) if j is None else j
                    for j, s in zip(found, flat_sources, strict=True)
                ]
            results.append(pack_values(sources, found))
    finally:
        if ticker is not None:
            ticker.close()
        tape._close()
    return pack_values(target, results)


class _Ticker:
    """A progress bar that counts rows and columns."""

    def __init__(self, total: int) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            raise ImportError("progress=True needs tqdm: pip install tapegrad[progress]") from None
        self._bar = tqdm(total=total, desc="jacobian", unit="pass")

    def step(self, count: int) -> None:
        """Count passes that have been made."""
        self._bar.update(count)

    def close(self) -> None:
        """End the bar."""
        self._bar.close()


def _forward_is_shorter(target: Value, sources: Sequence[Value]) -> bool:
    # For complex numbers rows and columns follow different conventions: gradients are conjugated.
    if target.dtype.is_complex or any(s.dtype.is_complex for s in sources):
        return False
    return sum([s.size for s in sources]) < target.size


def _passes(target: Value, sources: Sequence[Value]) -> int:
    return sum([s.size for s in sources]) if _forward_is_shorter(target, sources) else target.size


def _of_one_target(
    tape: GradientTape, target: Value, sources: Sequence[Value], max_bytes: int | None, ticker: _Ticker | None
) -> list[Tensor | None]:
    if not (target.dtype.is_floating or target.dtype.is_complex):
        return [None] * len(sources)
    if not target.size or _forward_is_shorter(target, sources):
        return [_by_columns(tape, target, source, max_bytes, ticker) for source in sources]
    return _by_rows(tape, target, sources, max_bytes, ticker)


def _by_rows(
    tape: GradientTape, target: Value, sources: Sequence[Value], max_bytes: int | None, ticker: _Ticker | None
) -> list[Tensor | None]:
    """Sweep backwards from all elements of the target at once, or from as many as fit."""
    blocks = [_Blocks(target.size, target.shape + source.shape) for source in sources]
    for seeds in _unit_seeds(tape, target, max_bytes):
        for block, rows in zip(blocks, tape._pull([target], list(sources), [seeds], len(seeds)), strict=True):
            block.add(rows)
        if ticker is not None:
            ticker.step(len(seeds))
    return [block.whole() for block in blocks]


class _Blocks:
    """Rows as they come, `total` in all: written to one array, or if a tape records, joined by a recorded operation."""

    def __init__(self, total: int, shape: tuple[int, ...]) -> None:
        self._total = total
        self._shape = shape
        self._parts: list[Tensor] = []
        self._whole: npt.NDArray[Any] | None = None
        self._filled = 0

    def add(self, rows: Tensor | None) -> None:
        """Take the next rows, None where nothing depends."""
        if rows is None:
            return
        if len(rows) == self._total or _native.is_recording():
            self._parts.append(rows)
            return
        if self._whole is None:
            self._whole = np.empty((self._total, *rows.shape[1:]), rows.dtype.as_numpy_dtype)
        self._whole[self._filled : self._filled + len(rows)] = array(rows)
        self._filled += len(rows)

    def whole(self) -> Tensor | None:
        """Return all rows in the wanted shape, None if nothing depends."""
        if self._whole is not None:
            return own(self._whole.reshape(self._shape))
        if not self._parts:
            return None
        one = self._parts[0] if len(self._parts) == 1 else _native.concatenate(self._parts)
        return _native.reshape(one, self._shape)


def _by_columns(
    tape: GradientTape, target: Value, source: Value, max_bytes: int | None, ticker: _Ticker | None
) -> Tensor | None:
    """Push all unit tangents of a source forwards at once, or as many as fit."""
    if not (source.dtype.is_floating or source.dtype.is_complex):
        return None
    blocks = _Blocks(source.size, source.shape + target.shape)
    for seeds in _unit_seeds(tape, source, max_bytes):
        blocks.add(tape._push([target], [source], [seeds], len(seeds))[0])
        if ticker is not None:
            ticker.step(len(seeds))
    if not source.size:
        connected = tape._push([target], [source], [own(np.zeros(source.shape, source.dtype.as_numpy_dtype))])
        return None if connected[0] is None else own(np.zeros(target.shape + source.shape, target.dtype.as_numpy_dtype))
    stacked = blocks.whole()
    if stacked is None:
        return None
    first = len(source.shape)
    turned = _native.transpose(stacked, (*range(first, stacked.ndim), *range(first)))
    return _native.cast(turned, source.dtype)


def _unit_seeds(tape: GradientTape, like: Value, max_bytes: int | None) -> Iterator[Tensor]:
    """Yield the unit vectors of a value's shape, stacked in chunks."""
    size = like.size
    rows = max(_LEAST_ROWS, tape._rows_per_chunk(like))
    if max_bytes is not None:
        rows = min(rows, _rows_within(tape, like, max_bytes))
    chunks = max(1, -(-size // rows))
    bounds = [round(k * size / chunks) for k in range(chunks + 1)]
    for start, end in pairwise(bounds):
        if end > start:
            yield _native.unit_stack(like, start, end)


def _rows_within(tape: GradientTape, like: Value, max_bytes: int) -> int:
    """Return how many cotangents of a value's shape can be stacked within a number of bytes."""
    # Seldom more than a few stacked values live at the same time; the elements of all are the bound.
    return max(1, max_bytes // (like.dtype.itemsize * max(like.size + tape._work, 1)))


def batch_jacobian(tape: GradientTape, target: Any, source: Any, max_bytes: int | None) -> Tensor:
    """Return the Jacobian of each row of the target with respect to the same row of the source."""
    for name, value in (("target", target), ("source", source)):
        if not isinstance(value, Value):
            raise TypeError(f"batch_jacobian: the {name} must be one tensor or variable, not {type(value).__name__}.")
        if value.ndim < 2:
            raise ValueError(f"Shape {value.shape} must have rank at least 2")
    rows = target.shape[0]
    if rows != source.shape[0]:
        raise ValueError(
            f"Need first dimension of target shape ({target.shape}) and source shape ({source.shape}) to match."
        )
    tape._open()
    try:
        shape = target.shape + source.shape[1:]
        sizes = math.prod(target.shape[1:]), math.prod(source.shape[1:])
        found = _rows_at_once(tape, target, source, sizes, max_bytes)
        if found is None:
            return own(np.zeros(shape, source.dtype.as_numpy_dtype))
        return _native.reshape(found, shape)
    finally:
        tape._close()


def _rows_at_once(
    tape: GradientTape, target: Value, source: Value, sizes: tuple[int, int], max_bytes: int | None
) -> Tensor | None:
    """Return (rows, target, source): what one element of every row does to or gets from every row."""
    rows = target.shape[0]
    complex_ = target.dtype.is_complex or source.dtype.is_complex
    if not rows or not sizes[0] or not sizes[1]:
        return None
    forward = sizes[1] < sizes[0] and not complex_
    origin, size = (source, sizes[1]) if forward else (target, sizes[0])
    dtype = origin.dtype.as_numpy_dtype
    blocks = _Blocks(size, (size, rows, sizes[0] if forward else sizes[1]))
    limit = size if max_bytes is None else _rows_within(tape, origin, max_bytes)
    for start in range(0, size, limit):
        count = min(limit, size - start)
        seeds = np.zeros((count, rows, size), dtype)
        seeds[np.arange(count), :, np.arange(start, start + count)] = 1
        stack = own(seeds.reshape(count, *origin.shape))
        through = tape._push if forward else tape._pull
        blocks.add(through([target], [source], [stack], count)[0])
    joined = blocks.whole()
    if joined is None:
        return None
    return _native.transpose(joined, (1, 2, 0) if forward else (1, 0, 2))


def pullback(tape: GradientTape, target: Any, sources: Any, cotangents: Any) -> Any:
    """Return the gradients for a stack of cotangents, stacked in the structure of the sources."""
    targets = _values(target, "target")
    flat_sources = _values(sources, "sources")
    seeds, batch = _stacks(targets, nest.flatten(cotangents), "cotangents", "target")
    tape._open()
    try:
        found = tape._pull(targets, flat_sources, seeds, batch) if batch else _no_rows(flat_sources)
    finally:
        tape._close()
    return pack_values(sources, found)


def pushforward(tape: GradientTape, target: Any, sources: Any, tangents: Any) -> Any:
    """Return the targets' tangents for a stack of tangents of the sources."""
    targets = _values(target, "target")
    flat_sources = _values(sources, "sources")
    seeds, batch = _stacks(flat_sources, nest.flatten(tangents), "tangents", "source")
    tape._open()
    try:
        found = tape._push(targets, flat_sources, seeds, batch) if batch else _no_rows(targets)
    finally:
        tape._close()
    return pack_values(target, found)


def _no_rows(values: Sequence[Value]) -> list[Tensor | None]:
    return [own(np.zeros((0, *v.shape), v.dtype.as_numpy_dtype)) for v in values]


def _stacks(
    values: Sequence[Value], stacks: Sequence[Any], argument: str, what: str
) -> tuple[list[Tensor | None], int]:
    """Return the stacks as tensors of the values' types, checked, and their common length."""
    if len(stacks) != len(values):
        raise ValueError(f"There are {len(stacks)} {argument} for {len(values)} {what}s: one stack for each is needed.")
    converted: list[Tensor | None] = []
    lengths: set[int] = set()
    for k, (value, stack) in enumerate(zip(values, stacks, strict=True)):
        if stack is None:
            converted.append(None)
            continue
        stack = _native.tensor(stack)
        if stack.ndim != value.ndim + 1 or stack.shape[1:] != value.shape:
            raise ValueError(
                f"{argument}[{k}] has shape {stack.shape}: for a {what} of shape {value.shape} it must be (n, "
                f"{', '.join(map(str, value.shape))}), with one row for each of n {argument}."
            )
        lengths.add(stack.shape[0])
        converted.append(_native.cast(stack, value.dtype))
    if len(lengths) > 1:
        raise ValueError(f"The {argument} are stacks of different lengths: {sorted(lengths)}.")
    if not lengths:
        raise ValueError(f"All {argument} are None: at least one stack is needed.")
    return converted, lengths.pop()


def _values(structure: Any, argument: str) -> list[Any]:
    """Return the tensors and variables of a structure."""
    if structure is None:
        raise TypeError(
            f"Argument `{argument}` should be a list or nested structure of Tensors, Variables or "
            "CompositeTensors to be differentiated, but received None."
        )
    return flatten_values(structure, argument)
