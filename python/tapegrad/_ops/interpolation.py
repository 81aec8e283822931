"""Piecewise linear interpolation between given points, with derivatives with respect to all of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.complex_parts import conjugate, real
from tapegrad._ops.declare import structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import index_add

__all__ = ["interp"]

_Array = npt.NDArray[Any]


def interp(
    x: Tensor,
    xp: Tensor,
    fp: Tensor,
    left: Tensor | None = None,
    right: Tensor | None = None,
    period: Tensor | None = None,
) -> Tensor:
    """Return at `x` the function that is linear between the points (`xp`, `fp`), `xp` ascending.

    At a point the derivative is that to the right, at the last point that to the left. `left` and `right` are the
    values outside, those of the first and last point by default; with a `period` there is no outside.
    """
    if period is not None:
        return _periodic(x, xp, fp, period)
    inside: Tensor = _interp(
        x, xp, fp, left=None if left is None else array(left), right=None if right is None else array(right)
    )
    # Outside is a matter of its own only where it has a derivative.
    for value, is_there in ((left, np.less), (right, np.greater)):
        if value is not None and _native.is_watched(value):
            edge = array(xp)[0 if is_there is np.less else -1]
            inside = _native.where(is_there(array(x), edge), _native.cast(value, inside.dtype), inside)
    return inside


def _periodic(x: Tensor, xp: Tensor, fp: Tensor, period: Tensor) -> Tensor:
    """Bring all positions into one period, and continue the points by one on either side, as NumPy does."""
    if array(period) == 0:
        raise ValueError("period must be a non-zero value")
    if xp.ndim != 1 or fp.ndim != 1:
        raise ValueError("Data points must be 1-D sequences")
    if xp.shape != fp.shape:
        raise ValueError("fp and xp are not of the same length")
    size = elementwise.absolute(_native.cast(period, np.float64))
    x = elementwise.remainder(_native.cast(x, np.float64), size)
    xp = elementwise.remainder(_native.cast(xp, np.float64), size)
    order = np.argsort(array(xp))
    xp, fp = _native.take(xp, order), _native.take(fp, order)
    first, last = _native.basic_index(xp, slice(0, 1)), _native.basic_index(xp, slice(-1, None))
    xp = _native.concatenate([elementwise.subtract(last, size), xp, elementwise.add(first, size)])
    fp = _native.take(fp, np.pad(np.arange(fp.size), 1, mode="wrap"))
    result: Tensor = _interp(x, xp, fp, left=None, right=None)
    return result


class _Place(NamedTuple):
    """The segments in which the x are, and where in them, as recorded functions of x and xp."""

    start: _Array
    end: _Array
    inside: _Array
    slope_outside: _Array
    width: Tensor
    share: Tensor
    """How far x is on the way from start to end: between 0 and 1."""


def _place(x: Tensor, xp: Tensor) -> _Place:
    positions, points = array(x), array(xp)
    inside = (positions >= points[0]) & (positions <= points[-1])
    start = np.clip(np.searchsorted(points, positions, side="right") - 1, 0, max(len(points) - 2, 0))
    end = np.minimum(start + 1, len(points) - 1)
    first = _native.take(xp, start)
    width = elementwise.subtract(_native.take(xp, end), first)
    share = elementwise.divide_no_nan(elementwise.subtract(x, first), width)
    # Outside, all the weight is on the outermost point. Nothing is known about a NaN.
    unknown = np.isnan(positions)
    share = _native.where(inside, share, np.where(unknown, np.nan, positions > points[-1]))
    return _Place(start, end, inside, np.where(unknown, np.nan, 0.0), width, share)


def _slope(place: _Place, fp: Tensor) -> Tensor:
    """Return the slopes of the segments conjugated, which is what cotangents are multiplied by."""
    rise = elementwise.subtract(_native.take(fp, place.end), _native.take(fp, place.start))
    width = _native.cast(place.width, rise.dtype)
    slope = elementwise.divide_no_nan(rise, width)
    return conjugate(_native.where(place.inside, slope, place.slope_outside.astype(slope.dtype.dtype)))


def _vjp_x(g: Tensor, x: Tensor, xp: Tensor, fp: Tensor) -> Tensor:
    return real(elementwise.multiply_no_nan(_slope(_place(x, xp), fp), g))


def _vjp_xp(g: Tensor, x: Tensor, xp: Tensor, fp: Tensor) -> Tensor:
    place = _place(x, xp)
    drag = real(elementwise.multiply_no_nan(_slope(place, fp), g))
    return _to_ends(
        place,
        elementwise.multiply_no_nan(elementwise.subtract(place.share, 1), drag),
        elementwise.multiply_no_nan(elementwise.negative(place.share), drag),
        xp.size,
    )


def _vjp_fp(g: Tensor, x: Tensor, xp: Tensor, left: Any, right: Any) -> Tensor:
    place = _place(x, xp)
    positions, points = array(x), array(xp)
    # Where `left` or `right` is given, the points have no part in what is outside.
    constant = np.zeros(positions.shape, np.bool_)
    if left is not None:
        constant |= positions < points[0]
    if right is not None:
        constant |= positions > points[-1]
    g = _native.where(constant, 0, g)
    share = _native.cast(place.share, g.dtype)
    return _to_ends(
        place,
        elementwise.multiply_no_nan(elementwise.subtract(1, share), g),
        elementwise.multiply_no_nan(share, g),
        xp.size,
    )


def _to_ends(place: _Place, to_start: Tensor, to_end: Tensor, size: int) -> Tensor:
    """Return the cotangents of the points summed from those of the starts and the ends of the segments."""
    parts = _native.concatenate([_native.reshape(to_start, (-1,)), _native.reshape(to_end, (-1,))])
    return index_add(parts, (np.concatenate([place.start.reshape(-1), place.end.reshape(-1)]),), (size,))


_interp = structural(
    "interp",
    lambda x, xp, fp, *, left, right: np.interp(x, xp, fp, left, right),
    x=_vjp_x,
    xp=_vjp_xp,
    fp=_vjp_fp,
)
