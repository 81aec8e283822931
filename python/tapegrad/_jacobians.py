"""What `GradientTape.jacobian` and its relatives do: seeds, directions, chunks, and the shapes of results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native, nest
from tapegrad._native import GradientTape, Tensor, Value, array, own

__all__ = ["batch_jacobian", "jacobian", "pullback", "pushforward"]

_CHUNK_ELEMENTS = 1 << 15
"""Elements of one stacked cotangent that stay in the cache while the sweep passes; longer batches go in chunks."""

_LEAST_ROWS = 16
"""Below this a chunk's fixed costs are more than what the cache gives."""


def jacobian(tape: GradientTape, target: Any, sources: Any, zero: bool, max_bytes: int | None, progress: bool) -> Any:
    """Return the derivatives of each element of the target: in the structure of the target that of the sources."""
    if max_bytes is not None and max_bytes <= 0:
        raise ValueError(f"jacobian: max_bytes must be positive, not {max_bytes}.")
    targets = _values(target, "target")
    flat_sources = _values(sources, "sources")
    tape._open()
    ticker = _Ticker(sum([_passes(t, flat_sources) for t in targets])) if progress else None
    try:
        results = []
        for t in targets:
            found = _of_one_target(tape, t, flat_sources, max_bytes, ticker)
            if zero:
                found = [
                    own(np.zeros(t.shape + s.shape, s.dtype.as_numpy_dtype)) if j is None else j
                    for j, s in zip(found, flat_sources, strict=True)
                ]
            results.append(_packed(sources, found))
    finally:
        if ticker is not None:
            ticker.close()
        tape._close()
    return _packed(target, results)


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
    blocks = [_Blocks(target.shape + source.shape) for source in sources]
    for seeds in _unit_seeds(tape, target, max_bytes):
        pulled = tape._pull([target], list(sources), [seeds], len(seeds))
        # A target that is a source depends on itself, also if the tape does not know it.
        for block, source, rows in zip(blocks, sources, pulled, strict=True):
            block.add(seeds if rows is None and source is target else rows)
        if ticker is not None:
            ticker.step(len(seeds))
    return [block.whole() for block in blocks]


class _Blocks:
    """Rows of a Jacobian as they come: written to one array, or if a tape records, joined by a recorded operation."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._parts: list[Tensor] = []
        self._whole: npt.NDArray[Any] | None = None
        self._filled = 0

    def add(self, rows: Tensor | None) -> None:
        """Take the next rows, None where nothing depends."""
        if rows is None:
            return
        if _native.is_recording() or (not self._parts and self._whole is None):
            self._parts.append(rows)
            return
        if self._whole is None:
            first = array(self._parts.pop())
            self._whole = np.empty(
                (math.prod(self._shape) // math.prod(first.shape[1:]), *first.shape[1:]), first.dtype
            )
            self._append(first)
        self._append(array(rows))

    def _append(self, rows: npt.NDArray[Any]) -> None:
        assert self._whole is not None
        self._whole[self._filled : self._filled + len(rows)] = rows
        self._filled += len(rows)

    def whole(self) -> Tensor | None:
        """Return all rows in the Jacobian's shape."""
        if self._whole is not None:
            return own(self._whole.reshape(self._shape))
        return _joined(self._parts, self._shape)


def _by_columns(
    tape: GradientTape, target: Value, source: Value, max_bytes: int | None, ticker: _Ticker | None
) -> Tensor | None:
    """Push all unit tangents of a source forwards at once, or as many as fit."""
    if not (source.dtype.is_floating or source.dtype.is_complex):
        return None
    if target is source:
        return own(np.eye(source.size, dtype=source.dtype.as_numpy_dtype).reshape(source.shape * 2))
    blocks = _Blocks(source.shape + target.shape)
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


def _joined(parts: Sequence[Tensor | None], shape: tuple[int, ...]) -> Tensor | None:
    if not parts or parts[0] is None:
        return None
    given = [part for part in parts if part is not None]
    return _native.reshape(given[0] if len(given) == 1 else _native.concatenate(given), shape)


def _unit_seeds(tape: GradientTape, like: Value, max_bytes: int | None) -> Iterator[Tensor]:
    """Yield the unit vectors of a value's shape, stacked in chunks."""
    size = like.size
    dtype = np.dtype(like.dtype.as_numpy_dtype)
    work, nodes = tape._work
    rows = max(_LEAST_ROWS, _CHUNK_ELEMENTS // max(size, work // max(nodes, 1), 1))
    if max_bytes is not None:
        # Seldom more than a few stacked values live at the same time; the elements of all are the bound.
        rows = min(rows, max(1, max_bytes // (dtype.itemsize * max(size + work, 1))))
    chunks = max(1, -(-size // rows))
    bounds = [round(k * size / chunks) for k in range(chunks + 1)]
    for start, end in pairwise(bounds):
        if end > start:
            yield own(np.eye(end - start, size, start, dtype).reshape(end - start, *like.shape))


def batch_jacobian(tape: GradientTape, target: Any, source: Any, zero: bool, max_bytes: int | None) -> Tensor | None:
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
    parts: list[Tensor | None] = []
    limit = size if max_bytes is None else max(1, max_bytes // (8 * max(origin.size + tape._work[0], 1)))
    for start in range(0, size, limit):
        count = min(limit, size - start)
        seeds = np.zeros((count, rows, size), dtype)
        seeds[np.arange(count), :, np.arange(start, start + count)] = 1
        stack = own(seeds.reshape(count, *origin.shape))
        if forward:
            parts += tape._push([target], [source], [stack], count)
        else:
            parts += tape._pull([target], [source], [stack], count)
    joined = _joined(parts, (size, rows, sizes[0] if forward else sizes[1]))
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
        for k, source in enumerate(flat_sources):
            for t, seed in zip(targets, seeds, strict=True):
                if source is t and found[k] is None:
                    found[k] = seed
    finally:
        tape._close()
    return _packed(sources, found)


def pushforward(tape: GradientTape, target: Any, sources: Any, tangents: Any) -> Any:
    """Return the targets' tangents for a stack of tangents of the sources."""
    targets = _values(target, "target")
    flat_sources = _values(sources, "sources")
    seeds, batch = _stacks(flat_sources, nest.flatten(tangents), "tangents", "source")
    tape._open()
    try:
        found = tape._push(targets, flat_sources, seeds, batch) if batch else _no_rows(targets)
        for k, t in enumerate(targets):
            for source, seed in zip(flat_sources, seeds, strict=True):
                if source is t and found[k] is None:
                    found[k] = seed
    finally:
        tape._close()
    return _packed(target, found)


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
    if isinstance(structure, Value):
        return [structure]
    leaves: list[Any] = nest.flatten(structure)
    for leaf in leaves:
        if not isinstance(leaf, Value):
            raise TypeError(
                f"{argument} must be a tensor or a variable, or a structure of these; it holds {leaf!r} of type "
                f"{type(leaf).__name__!r}. Convert it with tapegrad.constant inside the tape."
            )
    return leaves


def _packed(structure: Any, leaves: list[Any]) -> Any:
    """Return the leaves in the form of a structure."""
    return leaves[0] if isinstance(structure, Value) else nest.pack_sequence_as(structure, leaves)
