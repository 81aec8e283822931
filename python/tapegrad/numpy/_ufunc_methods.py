"""The methods of ufuncs on tensors: reduce, accumulate, reduceat, outer and at."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array, is_watched
from tapegrad._ops import cumulative, folding, reducing
from tapegrad._ops.arguments import as_axes, as_axis, as_shape, kept_shape
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import getitem
from tapegrad._ops.reduceat import add_reduceat
from tapegrad._ops.writing import add_at, check_writable, set_at
from tapegrad.numpy._arguments import UNSET, as_axis_argument, as_dtype, delivered, operand

__all__ = ["METHODS"]

_Operation = Callable[..., Any]


def _reduce(
    ufunc: np.ufunc,
    operation: _Operation,
    a: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = UNSET,
    where: Any = True,
) -> Any:
    """Return `ufunc.reduce`, recorded."""
    a = operand(a)
    if ufunc is np.add and dtype is None and initial is UNSET and where is True:
        return delivered(_native.sum(a, as_axis_argument(axis), keepdims), out)
    axes = as_axes(axis, a.ndim, f"{ufunc.__name__}.reduce")
    start = None if initial is UNSET else initial
    mask = array(where) if where is not True else True
    return delivered(reduced(ufunc, operation, a, axes, as_dtype(dtype), bool(keepdims), start, mask), out)


def reduced(
    ufunc: np.ufunc,
    operation: _Operation,
    a: Tensor,
    axis: tuple[int, ...],
    dtype: np.dtype[Any] | None,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Tensor:
    """Return a reduction over `axis`, by the rule that its operation has, or element after element."""
    result: Tensor
    if ufunc is np.add or ufunc is np.multiply:
        function = reducing.total if ufunc is np.add else reducing.product
        options = {"axis": axis, "keepdims": keepdims, "dtype": dtype, "where": where}
        result = function(a, initial=None if initial is None else array(initial)[()], **options)
        if is_watched(initial):
            # The value is there; this adds exactly zero, and the derivative with respect to the initial value.
            others = function(a, initial=None, **options) if ufunc is np.multiply else 1.0
            change = elementwise.subtract(initial, array(initial))
            result = elementwise.add(result, elementwise.multiply(others, change))
        return result
    if dtype is not None:
        a = _native.cast(a, dtype)
    if ufunc in reducing.EXTREMA:
        return _extremum(ufunc, operation, a, axis, keepdims, initial, where)
    if where is True and not is_watched(initial) and ufunc.__name__ in _native.elementwise:
        if ufunc.identity is None and (len(axis) != 1 or (initial is None and not a.shape[axis[0]])):
            # NumPy says what is wrong: no order of the elements over several axes, or nothing to start with.
            ufunc.reduce(array(a), axis)
        start = None if initial is None else array(initial)[()]
        result = folding.fold(a, name=ufunc.__name__, axis=axis, keepdims=keepdims, initial=start)
        return result
    return _one_by_one(ufunc, operation, a, axis, keepdims, initial, where)


_NEVER_CHOSEN: dict[np.ufunc, float] = {np.maximum: -np.inf, np.minimum: np.inf, np.fmax: np.nan, np.fmin: np.nan}
"""Each with the number that is never chosen."""


def _extremum(
    ufunc: np.ufunc,
    operation: _Operation,
    a: Tensor,
    axis: tuple[int, ...],
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Tensor:
    if where is not True:
        if initial is None:
            ufunc.reduce(array(a), axis, where=where)  # raises
        a = reducing.masked(a, where, _NEVER_CHOSEN[ufunc])
    if initial is not None and not all(a.shape[k] for k in axis):
        shape = kept_shape(a.shape, axis)
        full = _native.broadcast_to(_native.cast(operand(initial), a.dtype), shape)
        return full if keepdims else _native.reshape(full, [size for k, size in enumerate(shape) if k not in axis])
    result: Tensor = reducing.EXTREMA[ufunc](a, axis=axis, keepdims=keepdims)
    return result if initial is None else operation(result, _native.cast(operand(initial), a.dtype))


def _one_by_one(
    ufunc: np.ufunc, operation: _Operation, a: Tensor, axis: tuple[int, ...], keepdims: bool, initial: Any, where: Any
) -> Tensor:
    """Return a reduction by calls of the operation: for other people's ufuncs, and for masks."""
    elements = reducing.lanes(a, axis)
    mask = None if where is True else array(reducing.lanes(operand(np.broadcast_to(where, a.shape)), axis))
    start = ufunc.identity if initial is None else initial
    if mask is not None and start is None:
        raise ValueError(f"numpy.{ufunc.__name__}.reduce has no identity, so where= needs an initial value.")
    first = 0 if start is not None else 1
    if start is None and not elements.shape[-1]:
        raise ValueError(f"numpy.{ufunc.__name__}.reduce has no identity, so it cannot reduce an empty axis.")
    shape = elements.shape[:-1]
    result = (
        getitem(elements, (..., 0))
        if start is None
        else _native.broadcast_to(_native.cast(operand(start), a.dtype), shape)
    )
    for k in range(first, elements.shape[-1]):
        after = operation(result, getitem(elements, (..., k)))
        result = after if mask is None else _native.where(mask[..., k], after, result)
    if keepdims:
        result = _native.reshape(result, kept_shape(a.shape, axis))
    return result


def _accumulate(
    ufunc: np.ufunc, operation: _Operation, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None
) -> Any:
    """Return `ufunc.accumulate`, recorded."""
    a, kind = operand(array), as_dtype(dtype)
    if kind is not None:
        a = _native.cast(a, kind)
    place = as_axis(axis, a.ndim, f"{ufunc.__name__}.accumulate")
    if ufunc is np.add:
        result = cumulative.cumsum(a, place)
    elif ufunc is np.multiply:
        result = cumulative.cumprod(a, place)
    elif ufunc.__name__ in _native.elementwise:
        result = folding.accumulate(a, name=ufunc.__name__, axis=place)
    else:
        result = _accumulated_one_by_one(operation, a, place)
    return delivered(result, out)


def _accumulated_one_by_one(operation: _Operation, a: Tensor, axis: int) -> Tensor:
    parts: list[Tensor] = []
    for k in range(a.shape[axis]):
        part = getitem(a, (*(slice(None),) * axis, slice(k, k + 1)))
        parts.append(operation(parts[-1], part) if parts else part)
    return _native.concatenate(parts, axis) if parts else a


def _reduceat(
    ufunc: np.ufunc, operation: _Operation, array: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None
) -> Any:
    """Return `ufunc.reduceat`, recorded: reductions of the segments that start at the indices."""
    a, kind = operand(array), as_dtype(dtype)
    place = as_axis(axis, a.ndim, f"{ufunc.__name__}.reduceat")
    starts = as_shape(indices)
    if ufunc is np.add and (kind is None or a.dtype == kind):
        return delivered(add_reduceat(a, starts=starts, axis=place), out)
    parts = []
    for start, stop in pairwise((*starts, a.shape[place])):
        # A segment that does not come before the next one's start is its first element alone.
        segment = getitem(a, (*(slice(None),) * place, slice(start, stop if start < stop else start + 1)))
        parts.append(reduced(ufunc, operation, segment, (place,), kind, True, None, True))
    return delivered(_native.concatenate(parts, place), out)


def _outer(ufunc: np.ufunc, operation: _Operation, a: Any, b: Any, /, **keywords: Any) -> Any:
    """Return `ufunc.outer`, recorded: the operation on each pair of elements."""
    a, b = operand(a), operand(b)
    columns = _native.reshape(a, a.shape + (1,) * b.ndim)
    return ufunc(columns, b, **keywords)


def _at(ufunc: np.ufunc, operation: _Operation, a: Tensor, indices: Any, b: Any = None, /) -> None:
    """Apply `ufunc.at` to a tensor: elements that are named twice are operated on twice, in order."""
    check_writable(a)
    key = indices if isinstance(indices, tuple) else (indices,)
    old = _native.version(a)
    if ufunc in (np.add, np.subtract):
        _native.rebind(a, add_at(old, key, b if ufunc is np.add else np.negative(operand(b))))
        return
    positions = np.arange(a.size).reshape(a.shape)[tuple([_plain(part) for part in key])]
    values = None if b is None else _native.reshape(_native.broadcast_to(operand(b), positions.shape), (-1,))
    flat = _native.reshape(old, (-1,))
    for turn in _turns(positions.reshape(-1)):
        places = positions.reshape(-1)[turn]
        before = getitem(flat, places)
        after = ufunc(before) if values is None else ufunc(before, getitem(values, turn))
        flat = set_at(flat, places, after)
    _native.rebind(a, _native.reshape(flat, a.shape))


def _plain(part: Any) -> Any:
    return part if part is None or part is Ellipsis or isinstance(part, (int, slice)) else array(part)


def _turns(places: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    """Return the numbers of the places in groups: the k-th time that each place is named."""
    order = np.argsort(places, stable=True)
    ordered = places[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    rank = np.empty(len(places), np.intp)
    rank[order] = np.arange(len(places)) - np.repeat(first, np.diff(np.append(first, len(places))))
    return [np.flatnonzero(rank == k) for k in range(rank.max(initial=-1) + 1)]


METHODS: dict[str, Callable[..., Any]] = {
    "reduce": _reduce,
    "accumulate": _accumulate,
    "reduceat": _reduceat,
    "outer": _outer,
    "at": _at,
}
"""By its name, what takes the place of a ufunc's method."""
