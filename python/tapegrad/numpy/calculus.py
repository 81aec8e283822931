"""NumPy's calculus of samples: running sums, differences, slopes, integrals, interpolation, convolution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import convolving, cumulative, differences, interpolation, shaping
from tapegrad._ops.declare import TensorLike
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import UNSET, Out, as_dtype, delivered, operand, without_nan

__all__ = [
    "convolve",
    "correlate",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "ediff1d",
    "gradient",
    "interp",
    "nancumprod",
    "nancumsum",
    "trapezoid",
    "unwrap",
]


@implements(np.cumsum)
def cumsum(a: TensorLike, axis: Any = None, dtype: Any = None, out: Out = None) -> Any:
    """Return the running sums along `axis`; with `axis=None` of `a` as a vector.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.cumsum([1.0, 2.0, 3.0]).numpy())
    [1. 3. 6.]
    """
    return delivered(cumulative.cumsum(_of_type(a, dtype), axis), out)


@implements(np.cumprod)
def cumprod(a: TensorLike, axis: Any = None, dtype: Any = None, out: Out = None) -> Any:
    """Return the running products along `axis`; the derivatives are exact at zeros.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> x = tf.constant([0.0, 2.0, 3.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = np.cumprod(x)
    >>> print(y.numpy(), tape.gradient(y, x).numpy())
    [0. 0. 0.] [9. 0. 0.]
    """
    return delivered(cumulative.cumprod(_of_type(a, dtype), axis), out)


@implements(np.nancumsum)
def nancumsum(a: TensorLike, axis: Any = None, dtype: Any = None, out: Out = None) -> Any:
    """Return the running sums along `axis`, NaNs counting as zeros.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.nancumsum([1.0, float("nan"), 3.0]).numpy())
    [1. 1. 4.]
    """
    return cumsum(without_nan(a, 0), axis, dtype, out)


@implements(np.nancumprod)
def nancumprod(a: TensorLike, axis: Any = None, dtype: Any = None, out: Out = None) -> Any:
    """Return the running products along `axis`, NaNs counting as ones.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.nancumprod([2.0, float("nan"), 3.0]).numpy())
    [2. 2. 6.]
    """
    return cumprod(without_nan(a, 1), axis, dtype, out)


@implements("cumulative_sum")
def cumulative_sum(
    x: TensorLike, /, *, axis: Any = None, dtype: Any = None, out: Out = None, include_initial: bool = False
) -> Any:
    """Return the running sums along `axis`, with `include_initial` behind a zero.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.cumulative_sum([1.0, 2.0, 3.0], include_initial=True).numpy())
    [0. 1. 3. 6.]
    """
    values, axis = _with_axis(x, dtype, axis)
    return delivered(_behind(0, cumulative.cumsum(values, axis), axis, include_initial), out)


@implements("cumulative_prod")
def cumulative_prod(
    x: TensorLike, /, *, axis: Any = None, dtype: Any = None, out: Out = None, include_initial: bool = False
) -> Any:
    """Return the running products along `axis`, with `include_initial` behind a one.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.cumulative_prod([1.0, 2.0, 3.0], include_initial=True).numpy())
    [1. 1. 2. 6.]
    """
    values, axis = _with_axis(x, dtype, axis)
    return delivered(_behind(1, cumulative.cumprod(values, axis), axis, include_initial), out)


def _of_type(a: TensorLike, dtype: Any) -> Tensor:
    values, wanted = operand(a), as_dtype(dtype)
    return values if wanted is None else _native.cast(values, wanted)


def _with_axis(x: TensorLike, dtype: Any, axis: Any) -> tuple[Tensor, int]:
    values = _of_type(x, dtype)
    if not values.ndim:
        values = _native.reshape(values, (1,))
    if axis is None:
        if values.ndim >= 2:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0
    return values, axis


def _behind(initial: int, running: Tensor, axis: int, is_wanted: bool) -> Tensor:
    if not is_wanted:
        return running
    shape = list(running.shape)
    shape[axis] = 1
    return _native.concatenate([np.full(shape, initial, running.dtype.dtype), running], axis)


@implements(np.diff)
def diff(a: TensorLike, n: int = 1, axis: Any = -1, prepend: Any = UNSET, append: Any = UNSET) -> Tensor:
    """Return the `n`-th differences along `axis`, of `a` between what is prepended and appended.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.diff([1.0, 4.0, 9.0], prepend=0.0).numpy())
    [1. 3. 5.]
    """
    before = [] if prepend is UNSET else [operand(prepend)]
    behind = [] if append is UNSET else [operand(append)]
    return differences.diff(operand(a), n, axis, before, behind)


@implements(np.ediff1d)
def ediff1d(ary: TensorLike, to_end: TensorLike | None = None, to_begin: TensorLike | None = None) -> Tensor:
    """Return the differences of `ary` as a vector, between the elements of `to_begin` and `to_end`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.ediff1d([1.0, 4.0, 9.0], to_end=[0.0]).numpy())
    [3. 5. 0.]
    """
    values = shaping.ravel(operand(ary))
    steps = differences.diff(values)
    if to_end is None and to_begin is None:
        return steps
    first, last = _end(to_begin, "to_begin", values), _end(to_end, "to_end", values)
    return _native.concatenate([*first, steps, *last])


def _end(given: TensorLike | None, name: str, values: Tensor) -> list[Tensor]:
    if given is None:
        return []
    end = operand(given)
    if not np.can_cast(end.dtype.dtype, values.dtype.dtype, casting="same_kind"):
        raise TypeError(f"dtype of `{name}` must be compatible with input `ary` under the `same_kind` rule.")
    return [_native.cast(shaping.ravel(end), values.dtype)]


@implements(np.gradient)
def gradient(f: TensorLike, *varargs: TensorLike, axis: Any = None, edge_order: int = 1) -> Any:
    """Return the slopes of the samples `f` along each axis: a tensor for one axis, a tuple for several.

    `varargs` has the distances: none, one number for all axes, or a number or a vector of positions for each. The
    result is differentiable with respect to the samples, the distances and the positions. Equal distances of positions
    are computed with as one number, as NumPy does, unless a tape watches the positions, which can change the last bit.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.gradient([1.0, 4.0, 9.0], 0.5).numpy())
    [ 6.  8. 10.]
    """
    spacings = [spacing if type(spacing) in (int, float, complex) else operand(spacing) for spacing in varargs]
    slopes = differences.gradient(operand(f), spacings, axis, edge_order)
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


@implements("trapezoid", "trapz")
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: TensorLike = 1.0, axis: Any = -1) -> Tensor:
    """Return the integral along `axis` of what is linear between the samples `y` at `x`, or at distances `dx`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.trapezoid([1.0, 2.0, 4.0], x=[0.0, 1.0, 3.0]).numpy())
    7.5
    """
    distance = dx if type(dx) in (int, float, complex) else operand(dx)
    return differences.trapezoid(operand(y), None if x is None else operand(x), distance, axis)


@implements(np.unwrap)
def unwrap(p: TensorLike, discont: Any = None, axis: Any = -1, *, period: TensorLike = 2 * math.pi) -> Tensor:
    """Return the phases `p` with multiples of `period` added, so that they do not jump along `axis`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.unwrap([0.0, 0.75, 0.25], period=1.0).numpy())
    [ 0.   -0.25 -0.75]
    """
    size = period if type(period) in (int, float) else operand(period)
    limit = None if discont is None else array(operand(discont))
    return differences.unwrap(operand(p), limit, axis, size)


@implements(np.interp)
def interp(
    x: TensorLike,
    xp: TensorLike,
    fp: TensorLike,
    left: TensorLike | None = None,
    right: TensorLike | None = None,
    period: TensorLike | None = None,
) -> Tensor:
    """Return at `x` the function that is linear between the points (`xp`, `fp`); differentiable in all arguments.

    At a point the derivative is that to the right, at the last point that to the left.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> fp = tf.constant([0.0, 10.0, 20.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(fp)
    ...     y = np.interp(1.25, [0.0, 1.0, 2.0], fp)
    >>> print(y.numpy(), tape.gradient(y, fp).numpy())
    12.5 [0.   0.75 0.25]
    """
    options = [None if value is None else operand(value) for value in (left, right, period)]
    return interpolation.interp(operand(x), operand(xp), operand(fp), *options)


@implements(np.convolve)
def convolve(a: TensorLike, v: TensorLike, mode: Any = "full") -> Tensor:
    """Return the convolution of two vectors.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.convolve([1.0, 2.0, 3.0], [0.0, 1.0, 0.5]).numpy())
    [0.  1.  2.5 4.  1.5]
    """
    return convolving.convolve(operand(a), operand(v), mode)


@implements(np.correlate)
def correlate(a: TensorLike, v: TensorLike, mode: Any = "valid") -> Tensor:
    """Return the correlation of two vectors, the second of them conjugated.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5]).numpy())
    [3.5]
    """
    return convolving.correlate(operand(a), operand(v), mode)
