"""Reducing and accumulating with any elementwise operation of two operands, element after element.

With h[0] = a[0] and h[i] = f(h[i-1], a[i]), and the slopes f1, f2 of f at each step, the cotangent r[i] of h[i] is
g[i] + f1[i+1] r[i+1]: a linear recurrence, computed in a logarithmic number of steps. That of a[i] is f2[i] r[i].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native, _rules
from tapegrad._native import Tensor
from tapegrad._ops.arguments import kept_shape
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.cumulative import recurrence_backwards
from tapegrad._ops.declare import Operation, silent, structural
from tapegrad._ops.reducing import lanes, unlaned

__all__ = ["accumulate", "fold"]

_Array = npt.NDArray[Any]
_Axes = tuple[int, ...]

_NUMBERS = {row[0]: number for number, row in enumerate(_native.op_table())}


@silent
def _accumulate_forward(a: _Array, *, name: str, axis: int) -> _Array:
    result: _Array = getattr(np, name).accumulate(a, axis)
    return result


def _cotangents(g: Tensor, a: Tensor, h: Tensor, name: str, axis: int) -> tuple[Tensor, Tensor]:
    """Return the cotangents of the first element, and of the others, from those of all the results `h`."""
    op = _NUMBERS[name]
    before, behind, later = _slice(h, axis, None, -1), _slice(h, axis, 1, None), _slice(a, axis, 1, None)
    values = (before, later, None, behind)
    ones = _native.own(np.ones(behind.shape, behind.dtype.dtype))
    slopes = _rules.cotangent(op, 0, ones, values)
    first = np.zeros(kept_shape(h.shape, (axis,)), h.dtype.dtype)
    r = recurrence_backwards(_native.concatenate([first, conjugate(slopes)], axis), g, axis)
    return _slice(r, axis, None, 1), _rules.cotangent(op, 1, _slice(r, axis, 1, None), values)


def _slice(a: Tensor, axis: int, start: int | None, stop: int | None) -> Tensor:
    return _native.basic_index(a, (*(slice(None),) * axis, slice(start, stop)))


def _accumulate_vjp(g: Tensor, a: Tensor, out: Tensor, name: str, axis: int) -> Tensor:
    if a.shape[axis] < 2:
        return g
    return _native.concatenate(_cotangents(g, a, out, name, axis), axis)


accumulate: Operation = structural("accumulate", _accumulate_forward, a=_accumulate_vjp)
"""`accumulate(a, name=, axis=)`: the results of the operation `name` after each element along `axis`."""


@silent
def _fold_forward(a: _Array, *, name: str, axis: _Axes, keepdims: bool, initial: Any) -> Any:
    ufunc = getattr(np, name)
    if ufunc.identity is not None:
        return ufunc.reduce(a, axis, keepdims=keepdims, **({} if initial is None else {"initial": initial}))
    # The order of the elements counts. NumPy's loops for AVX-512 get power.reduce and arctan2.reduce wrong (they use
    # the first and the last element only), but not the accumulations, which end with the same.
    (place,) = axis
    if initial is not None:
        a = np.concatenate([np.full(kept_shape(a.shape, axis), initial, a.dtype), a], place)
    result = np.take(ufunc.accumulate(a, place), -1, place)
    return np.expand_dims(result, place) if keepdims else result


def _fold_vjp(g: Tensor, a: Tensor, name: str, axis: _Axes, initial: Any) -> Tensor:
    elements = lanes(a, axis)
    last, count = elements.ndim - 1, elements.shape[-1]
    start = getattr(np, name).identity if initial is None else initial
    if start is not None:
        elements = _native.concatenate([np.full((*elements.shape[:-1], 1), start, a.dtype.dtype), elements], last)
    g = _native.reshape(g, (*elements.shape[:-1], 1))
    if elements.shape[-1] > 1:
        zeros = np.zeros((*elements.shape[:-1], elements.shape[-1] - 1), g.dtype.dtype)
        h = accumulate(elements, name=name, axis=last)
        g = _native.concatenate(_cotangents(_native.concatenate([zeros, g], last), elements, h, name, last), last)
    return unlaned(_slice(g, last, elements.shape[-1] - count, None), a.shape, axis)


fold: Operation = structural("reduce", _fold_forward, a=_fold_vjp)
"""`fold(a, name=, axis=, keepdims=, initial=)`: the result of the operation `name` after the last element."""
