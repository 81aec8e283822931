"""`numpy.pad` in all its modes but that of a function of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, unrecorded
from tapegrad._ops import padding, shaping
from tapegrad._ops.elementwise import elementwise
from tapegrad._protocols import implements
from tapegrad.numpy import reductions
from tapegrad.numpy._arguments import TensorLike, holds_watched, operand
from tapegrad.numpy._unrecorded import computed
from tapegrad.numpy.ranges import linspace
from tapegrad.numpy.statistics import median

__all__ = ["pad"]

_Pair = tuple[Any, Any]

_KEYWORDS: dict[str, set[str]] = {
    "constant": {"constant_values"},
    "edge": set(),
    "empty": set(),
    "linear_ramp": {"end_values"},
    "maximum": {"stat_length"},
    "mean": {"stat_length"},
    "median": {"stat_length"},
    "minimum": {"stat_length"},
    "reflect": {"reflect_type"},
    "symmetric": {"reflect_type"},
    "wrap": set(),
}

_STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": reductions.max,
    "mean": reductions.mean,
    "median": median,
    "minimum": reductions.min,
}


@implements(np.pad)
def pad(array: TensorLike, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Tensor:
    """Return a tensor with elements added around it.

    Raises
    ------
    ValueError
        If the mode is unknown, or a keyword does not belong to it, or an empty axis cannot be extended.
    TypeError
        If the mode is a function and a tape watches the tensor.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.pad([1.0, 2.0], 1).numpy()
    array([0., 1., 2., 0.])
    >>> np.pad([1.0, 2.0, 4.0], (0, 2), mode="reflect").numpy()
    array([1., 2., 4., 2., 1.])
    """
    if not holds_watched(array, kwargs):
        result: Tensor = computed(np.pad, (array, pad_width, mode), kwargs)
        return result
    if callable(mode):
        raise TypeError("numpy.pad: a mode that is a function writes to an array; use another for watched tensors.")
    if mode not in _KEYWORDS:
        raise ValueError(f"mode '{mode}' is not supported")
    if not kwargs.keys() <= _KEYWORDS[mode]:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {set(kwargs) - _KEYWORDS[mode]}")
    a = operand(array)
    widths = _widths(unrecorded(pad_width), a.ndim)
    if mode in ("constant", "empty"):
        return _with_constants(a, widths, kwargs.get("constant_values", 0))
    if not a.size and any(map(sum, widths)):
        raise ValueError("can't extend an empty axis using modes other than 'constant' or 'empty'")
    if mode == "linear_ramp":
        ends = _values(kwargs.get("end_values", 0), a)
        return _extended(a, widths, lambda axis, x, width, side: _ramp(x, axis, width, side, ends[axis][side]))
    if mode in _STATISTICS:
        lengths = _pairs(kwargs.get("stat_length"), a.ndim)
        return _extended(a, widths, lambda axis, x, width, side: _statistic(mode, x, axis, width, lengths[axis], side))
    if kwargs.get("reflect_type", "even") == "odd":
        return _reflected_odd(a, widths, edge=int(mode == "symmetric"))
    for axis, pair in enumerate(widths):
        if any(pair):
            a = _native.take(a, np.pad(np.arange(a.shape[axis]), pair, mode), axis)
    return a


def _pairs(given: Any, ndim: int) -> list[_Pair]:
    """Return one pair (before, after) per axis of a number, a pair, or pairs."""
    if given is None:
        return [(None, None)] * ndim
    numbers = np.asarray(unrecorded(given))
    if numbers.size == 2 and numbers.shape != (2, 1):
        numbers = numbers.reshape(2)
    pairs: list[_Pair] = [tuple(pair) for pair in np.broadcast_to(numbers, (ndim, 2)).tolist()]
    return pairs


def _widths(pad_width: Any, ndim: int) -> list[_Pair]:
    if isinstance(pad_width, dict):
        by_axis = {axis % ndim: width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(by_axis.get(axis, 0), 2).tolist() for axis in range(ndim)]
    if np.asarray(pad_width).dtype.kind not in "iu":
        raise TypeError("`pad_width` must be of integral type.")
    widths = _pairs(pad_width, ndim)
    if any(width < 0 for pair in widths for width in pair):
        raise ValueError("index can't contain negative values")
    return widths


def _values(given: Any, a: Tensor) -> Any:
    """Return the values for each axis and side, a tensor of shape (ndim, 2).

    NumPy takes one or two of them in their own type, and more than these as Python's numbers, whose type is weak.
    """
    values = operand(given)
    if values.size > 2 or values.shape == (2, 1):
        values = _native.cast(values, a.dtype)
    elif values.size == 2:
        values = _native.reshape(values, (2,))
    return _native.broadcast_to(values, (a.ndim, 2))


def _with_constants(a: Tensor, widths: list[_Pair], constants: Any) -> Tensor:
    if np.size(unrecorded(constants)) == 1:
        return padding.pad(a, widths, "constant", _native.reshape(_native.cast(operand(constants), a.dtype), ()))
    values = _values(constants, a)

    def constant(axis: int, x: Tensor, width: int, side: int) -> Tensor:
        value = _native.cast(values[axis, side], x.dtype)
        return _native.broadcast_to(value, (*x.shape[:axis], width, *x.shape[axis + 1 :]))

    return _extended(a, widths, constant)


def _extended(a: Tensor, widths: list[_Pair], part: Callable[[int, Tensor, int, int], Tensor]) -> Tensor:
    """Return `a` with `part(axis, x, width, side)` joined at both sides of each axis in turn; `x` is what is there."""
    for axis, pair in enumerate(widths):
        sides = [part(axis, a, width, side) if width else None for side, width in enumerate(pair)]
        parts = [x for x in (sides[0], a, sides[1]) if x is not None]
        a = _native.concatenate(parts, axis) if len(parts) > 1 else a
    return a


def _slice(x: Tensor, axis: int, *bounds: int | None) -> Tensor:
    return _native.basic_index(x, (*(slice(None),) * axis, slice(*bounds)))


def _ramp(x: Tensor, axis: int, width: int, side: int, end: Tensor) -> Tensor:
    edge = shaping.squeeze(_slice(x, axis, None, 1) if side == 0 else _slice(x, axis, -1, None), axis)
    ramp: Tensor = linspace(end, edge, width, endpoint=False, dtype=x.dtype, axis=axis)
    return ramp if side == 0 else shaping.flip(ramp, axis)


def _statistic(mode: str, x: Tensor, axis: int, width: int, lengths: _Pair, side: int) -> Tensor:
    size = x.shape[axis]
    length = size if lengths[side] is None else min(lengths[side], size)
    if not length and mode in ("maximum", "minimum"):
        raise ValueError("stat_length of 0 yields no value for padding")
    chunk = _slice(x, axis, 0, length) if side == 0 else _slice(x, axis, size - length, size)
    value = _native.cast(_STATISTICS[mode](chunk, axis=axis, keepdims=True), x.dtype)
    return _native.broadcast_to(value, (*x.shape[:axis], width, *x.shape[axis + 1 :]))


def _reflected_odd(a: Tensor, widths: list[_Pair], edge: int) -> Tensor:
    """Return `a` extended by twice the edge element less the mirror image, as often as the widths need it.

    `edge` is 1 if the mirror image repeats the edge element, else 0.
    """
    for axis, (before, after) in enumerate(widths):
        period = a.shape[axis]
        if period == 1:
            a = _native.take(a, np.zeros(before + 1 + after, np.intp), axis)
            continue
        while before or after:
            # Whole periods only, so that a reflection does not start within one.
            size = a.shape[axis]
            length = size // period * period if edge else (size - 1) // (period - 1) * (period - 1)
            left, right = min(length, before), min(length, after)
            parts = [a]
            if left:
                mirror = _native.take(a, np.arange(left - edge, -edge, -1), axis)
                parts.insert(0, elementwise.subtract(elementwise.multiply(_slice(a, axis, None, 1), 2), mirror))
            if right:
                mirror = _native.take(a, np.arange(size - 2 + edge, size - 2 + edge - right, -1), axis)
                parts.append(elementwise.subtract(elementwise.multiply(_slice(a, axis, -1, None), 2), mirror))
            a = _native.concatenate(parts, axis)
            before, after = before - left, after - right
    return a
