"""Evenly spaced numbers, on a straight or a logarithmic scale, differentiable with respect to their bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array, unrecorded
from tapegrad._ops import shaping
from tapegrad._ops.arguments import as_axis, as_int
from tapegrad._ops.elementwise import elementwise
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, as_dtype, holds_watched, operand
from tapegrad.numpy._unrecorded import computed

__all__ = ["arange", "geomspace", "linspace", "logspace"]


@implements(np.linspace)
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: Any = 0,
    *,
    device: str | None = None,
) -> Any:
    """Return `num` evenly spaced numbers from `start` to `stop`, along a new axis.

    Raises
    ------
    ValueError
        If the device is not "cpu".

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.linspace(0, 1, 5).numpy()
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    if device not in (None, "cpu"):
        raise ValueError(f"Device not understood. Only 'cpu' is allowed, but received: {device}")
    kind = as_dtype(dtype)
    if not holds_watched(start, stop) or (kind is not None and kind.kind in "iu"):
        return computed(np.linspace, (start, stop, as_int(num), endpoint, retstep, kind, axis), {})
    count = as_int(num)
    divisions = count - 1 if endpoint else count
    computing = np.linspace(unrecorded(start), unrecorded(stop), 0).dtype
    first, last = (_native.cast(operand(bound), computing) for bound in (start, stop))
    delta = elementwise.subtract(last, first)
    places = np.arange(0, count, dtype=computing).reshape((-1,) + (1,) * delta.ndim)
    if divisions > 0:
        step = elementwise.divide(delta, divisions)
        if np.any(array(step) == 0):  # as NumPy does, for differences that are too small to divide
            y = elementwise.multiply(places / divisions, delta)
        else:
            y = elementwise.multiply(places, step)
    else:
        step = _native.own(np.asarray(np.nan))
        y = elementwise.multiply(places, delta)
    y = elementwise.add(y, first)
    if endpoint and count > 1:
        y = _native.where(np.arange(count).reshape(places.shape) == count - 1, last, y)
    y = shaping.moveaxis(y, 0, as_axis(axis, y.ndim, "linspace"))
    if kind is not None:
        y = _native.cast(y, kind)
    return (y, step) if retstep else y


@implements(np.logspace)
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: Any = 0,
) -> Tensor:
    """Return numbers evenly spaced on a logarithmic scale, from `base**start` to `base**stop`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.logspace(0, 2, 3).numpy()
    array([  1.,  10., 100.])
    """
    if not holds_watched(start, stop, base):
        result: Tensor = computed(np.logspace, (start, stop, as_int(num), endpoint, base, dtype, axis), {})
        return result
    if type(base) not in (int, float):
        base, start, stop = operand(base), operand(start), operand(stop)
        if base.ndim:
            ndim = max(base.ndim, start.ndim, stop.ndim)
            base, start, stop = (_native.reshape(x, (1,) * (ndim - x.ndim) + x.shape) for x in (base, start, stop))
            base = shaping.expand_dims(base, axis)
    y = linspace(start, stop, num, endpoint, axis=axis)
    powers = elementwise.power(base, y)
    return powers if dtype is None else _native.cast(powers, np.dtype(dtype))


@implements(np.geomspace)
def geomspace(
    start: TensorLike, stop: TensorLike, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: Any = 0
) -> Tensor:
    """Return a geometric progression from `start` to `stop`.

    Raises
    ------
    ValueError
        If a bound is zero.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.geomspace(1, 8, 4).numpy()
    array([1., 2., 4., 8.])
    """
    if not holds_watched(start, stop):
        result: Tensor = computed(np.geomspace, (start, stop, as_int(num), endpoint, dtype, axis), {})
        return result
    bounds = [unrecorded(bound) for bound in (start, stop)]
    if np.any(bounds[0] == 0) or np.any(bounds[1] == 0):
        raise ValueError("Geometric sequence cannot include zero")
    count = as_int(num)
    computing = np.result_type(*bounds, float(count), np.zeros((), as_dtype(dtype)))
    first, last = (_native.cast(operand(bound), computing) for bound in (start, stop))
    sign = np.sign(array(first))  # cancels in the result, so it is a constant
    first, last = elementwise.divide(first, sign), elementwise.divide(last, sign)
    y = logspace(elementwise.log10(first), elementwise.log10(last), count, endpoint)
    places = np.arange(count).reshape((-1,) + (1,) * (y.ndim - 1))
    y = _native.where(places == 0, first, y)
    if endpoint and count > 1:
        y = _native.where(places == count - 1, last, y)
    y = shaping.moveaxis(elementwise.multiply(y, sign), 0, as_axis(axis, y.ndim, "geomspace"))
    return y if dtype is None else _native.cast(y, np.dtype(dtype))


@implements(np.arange)
def arange(
    start_or_stop: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: str | None = None,
    like: Any = None,
) -> Tensor:
    """Return the numbers from the start (0 if only one is given) to before the stop, in steps.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.arange(3).numpy()
    array([0, 1, 2])
    """
    start, end = (0, start_or_stop) if stop is None else (start_or_stop, stop)
    bounds = [array(bound).item() if isinstance(bound, _native.Value) else bound for bound in (start, end, step)]
    values = np.arange(*bounds, dtype=_range_dtype((start, end, step)) if dtype is None else as_dtype(dtype))
    if values.dtype.kind not in "fc" or not holds_watched(start, step) or values.size == 0:
        return _native.own(values)
    # NumPy adds multiples of the difference of the first two to the first one.
    first = _native.cast(operand(start), values.dtype)
    second = elementwise.add(first, _native.cast(operand(step), values.dtype))
    places = np.arange(len(values))
    multiples = elementwise.multiply(elementwise.subtract(second, first), places.astype(values.dtype))
    y = elementwise.add(multiples, first)
    return _native.where(places == 1, second, y) if len(values) > 1 else y


def _range_dtype(bounds: tuple[Any, ...]) -> np.dtype[Any] | None:
    """Return the type of a range whose bounds hold a tensor; `None`: NumPy's choice."""
    if not any(isinstance(bound, _native.Value) for bound in bounds):
        return None
    return np.result_type(*[bound.dtype.dtype if isinstance(bound, _native.Value) else bound for bound in bounds])
