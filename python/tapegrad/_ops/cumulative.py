"""Running sums and products along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_axis, as_tensor, as_vector
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import Operation, TensorLike, linear, silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.shaping import flip, roll

__all__ = ["cumprod", "cumsum", "recurrence_backwards"]


def cumsum(a: TensorLike, axis: Any = None, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Return the running sum along `axis` (`None`: of `a` as a vector).

    With `exclusive` each position holds the sum of those before it; with `reverse` the sum runs from the end.
    """
    a, axis = _with_axis(a, axis, "cumsum")
    result: Tensor = _cumsum(a, axis=axis, exclusive=bool(exclusive), reverse=bool(reverse))
    return result


def _with_axis(a: TensorLike, axis: Any, what: str) -> tuple[Tensor, int]:
    a = as_tensor(a)
    if axis is None:
        return as_vector(a), 0
    return a, as_axis(axis, a.ndim, what)


def _cumsum_forward(a: npt.NDArray[Any], *, axis: int, exclusive: bool, reverse: bool) -> npt.NDArray[Any]:
    if not reverse:
        return (_shifted(a, axis, 0) if exclusive else a).cumsum(axis)
    backwards = (slice(None),) * axis + (slice(None, None, -1),)
    return _cumsum_forward(a[backwards], axis=axis, exclusive=exclusive, reverse=False)[backwards]


def _shifted(a: npt.NDArray[Any], axis: int, first: int) -> npt.NDArray[Any]:
    """Return `a` moved by one place along `axis`, with `first` before it and without its last element."""
    out = np.empty_like(a)
    before: list[Any] = [slice(None)] * a.ndim
    behind, head = before.copy(), before.copy()
    before[axis], behind[axis], head[axis] = slice(None, -1), slice(1, None), slice(None, 1)
    out[tuple(behind)] = a[tuple(before)]
    out[tuple(head)] = first
    return out


_cumsum: Operation = linear(
    "cumsum",
    forward=_cumsum_forward,
    transpose=lambda g, axis, exclusive, reverse: _cumsum(g, axis=axis, exclusive=exclusive, reverse=not reverse),
)


def cumprod(a: TensorLike, axis: Any = None, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Return the running product along `axis` (`None`: of `a` as a vector), with derivatives exact at zeros.

    With `exclusive` each position holds the product of those before it; with `reverse` the product runs from
    the end.
    """
    a, axis = _with_axis(a, axis, "cumprod")
    if reverse:
        return flip(cumprod(flip(a, axis), axis, exclusive), axis)
    result: Tensor = _cumprod(_shift(a, axis=axis, first=1) if exclusive else a, axis=axis)
    return result


# Moves each element one place on; the last one leaves, a constant comes in.
_shift: Operation = structural(
    "shift",
    lambda a, *, axis, first: _shifted(a, axis, first),
    a=lambda g, axis: flip(_shift(flip(g, axis), axis=axis, first=0), axis),
)


def _cumprod_vjp(g: Tensor, a: Tensor, axis: int) -> Tensor:
    # d out[k] / d a[i], i <= k, is the product of a[0..i-1] times that of a[i+1..k]. Summed over k with
    # weights g[k], the second factors satisfy r[i] = g[i] + a[i+1] r[i+1].
    before = cumprod(a, axis, exclusive=True)
    return elementwise.multiply_no_nan(conjugate(before), recurrence_backwards(a, g, axis))


_cumprod: Operation = structural("cumprod", silent(lambda a, *, axis: a.cumprod(axis)), a=_cumprod_vjp)


def recurrence_backwards(a: Tensor, b: Tensor, axis: int) -> Tensor:
    """Return r[i] = b[i] + conj(a[i+1]) r[i+1]."""
    behind = flip(roll(conjugate(a), -1, axis), axis)
    result: Tensor = flip(_recurrence(behind, flip(b, axis), axis=axis), axis)
    return result


@silent
def _recurrence_forward(a: npt.NDArray[Any], b: npt.NDArray[Any], *, axis: int) -> npt.NDArray[Any]:
    """Return h[i] = b[i] + a[i] h[i-1] with h[-1] = 0, in a logarithmic number of array operations."""
    factor, h = np.moveaxis(a, axis, 0).copy(), np.moveaxis(b, axis, 0).copy()
    distance = 1
    while distance < len(h):
        # Now h[i] accounts for i-distance+1 ... i, and factor[i] is the product of the factors there.
        carried = np.zeros_like(h[:-distance])
        np.multiply(factor[distance:], h[:-distance], out=carried, where=h[:-distance] != 0)
        factor[distance:] *= factor[:-distance].copy()
        h[distance:] += carried
        distance *= 2
    return np.moveaxis(h, 0, axis)


def _recurrence_vjp_a(g: Tensor, a: Tensor, out: Tensor, axis: int) -> Tensor:
    previous = conjugate(_shift(out, axis=axis, first=0))
    return elementwise.multiply_no_nan(previous, recurrence_backwards(a, g, axis))


_recurrence: Operation = structural(
    "linear recurrence",
    _recurrence_forward,
    a=_recurrence_vjp_a,
    b=lambda g, a, axis: recurrence_backwards(a, g, axis),
)
