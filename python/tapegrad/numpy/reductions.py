"""Reductions over axes: sums, products, means, extrema, spread."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import UFUNC_OPERATIONS, Tensor, array
from tapegrad._ops import reductions as plain
from tapegrad._ops import spread
from tapegrad._ops.arguments import as_axes, as_inexact
from tapegrad._ops.complex_parts import conjugate, real
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.untracked import untracked
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import (
    UNSET,
    Out,
    TensorLike,
    as_axis_argument,
    as_dtype,
    delivered,
    operand,
    without_nan,
)
from tapegrad.numpy._ufunc_methods import reduced

__all__ = ["amax", "amin", "max", "mean", "min", "prod", "ptp", "std", "sum", "var"]


def mask(where: Any) -> Any:
    """Return the parameter `where` as a boolean array, or `True` if every element takes part."""
    return True if where is UNSET or where is True else array(where)


@implements(np.sum)
def sum(
    a: TensorLike,
    axis: Any = None,
    dtype: Any = None,
    out: Out = None,
    keepdims: Any = UNSET,
    initial: Any = UNSET,
    where: Any = UNSET,
) -> Any:
    """Return the sum over `axis`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.sum([[1.0, 2.0], [3.0, 4.0]], axis=0, initial=10.0).numpy()
    array([14., 16.])
    """
    a = operand(a)
    keepdims = keepdims is not UNSET and bool(keepdims)
    if dtype is None and initial is UNSET and where is UNSET:
        return delivered(_native.sum(a, as_axis_argument(axis), keepdims), out)
    return reduction(np.add, a, axis, dtype, out, keepdims, initial, where)


@implements(np.prod)
def prod(
    a: TensorLike,
    axis: Any = None,
    dtype: Any = None,
    out: Out = None,
    keepdims: Any = UNSET,
    initial: Any = UNSET,
    where: Any = UNSET,
) -> Any:
    """Return the product over `axis`; its derivatives are exact where elements are zero, too.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.prod([2.0, 3.0, 4.0], where=[True, False, True]))
    8.0
    """
    return reduction(np.multiply, operand(a), axis, dtype, out, keepdims, initial, where)


def reduction(
    ufunc: np.ufunc, a: Tensor, axis: Any, dtype: Any, out: Any, keepdims: Any, initial: Any, where: Any
) -> Any:
    """Return a ufunc's reduction with all parameters."""
    axes = as_axes(axis, a.ndim, ufunc.__name__)
    start = None if initial is UNSET else initial
    operation = UFUNC_OPERATIONS[ufunc]
    keep = keepdims is not UNSET and bool(keepdims)
    return delivered(reduced(ufunc, operation, a, axes, as_dtype(dtype), keep, start, mask(where)), out)


@implements(np.max, np.amax)
def max(
    a: TensorLike,
    axis: Any = None,
    out: Out = None,
    keepdims: Any = UNSET,
    initial: Any = UNSET,
    where: Any = UNSET,
) -> Any:
    """Return the greatest element over `axis`; those that tie for it share its derivative.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.max([[1.0, 5.0], [3.0, 4.0]], axis=1).numpy()
    array([5., 4.])
    """
    return reduction(np.maximum, operand(a), axis, None, out, keepdims, initial, where)


@implements(np.min, np.amin)
def min(
    a: TensorLike,
    axis: Any = None,
    out: Out = None,
    keepdims: Any = UNSET,
    initial: Any = UNSET,
    where: Any = UNSET,
) -> Any:
    """Return the least element over `axis`; those that tie for it share its derivative.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.min([[1.0, 5.0], [3.0, 4.0]], axis=1).numpy()
    array([1., 3.])
    """
    return reduction(np.minimum, operand(a), axis, None, out, keepdims, initial, where)


amax, amin = max, min


@implements(np.ptp)
def ptp(a: TensorLike, axis: Any = None, out: Out = None, keepdims: Any = UNSET) -> Any:
    """Return the difference between the greatest and the least element over `axis`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.ptp([3.0, -1.0, 7.0]))
    8.0
    """
    a = operand(a)
    return delivered(elementwise.subtract(max(a, axis, None, keepdims), min(a, axis, None, keepdims)), out)


@implements(np.mean)
def mean(
    a: TensorLike, axis: Any = None, dtype: Any = None, out: Out = None, keepdims: Any = UNSET, *, where: Any = UNSET
) -> Any:
    """Return the arithmetic mean over `axis`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.mean([[1.0, 2.0], [3.0, 4.0]], axis=0, keepdims=True).numpy()
    array([[2., 3.]])
    """
    a = operand(a)
    keepdims = keepdims is not UNSET and bool(keepdims)
    kind = a.dtype
    if dtype is None and where is UNSET and (kind.is_floating or kind.is_complex):
        return delivered(plain.mean(a, axis, keepdims), out)
    if not (kind.is_floating or kind.is_complex):
        options = {} if where is UNSET else {"where": array(where)}
        axis = as_axis_argument(axis)
        return delivered(untracked(np.mean, a, axis=axis, dtype=as_dtype(dtype), keepdims=keepdims, **options), out)
    narrow = dtype is None and kind.itemsize == 2
    total = sum(a, axis, np.float32 if narrow else dtype, None, keepdims, where=where)
    taking_part = np.broadcast_to(mask(where), a.shape)
    count = np.add.reduce(taking_part, as_axes(axis, a.ndim, "mean"), np.intp, keepdims=keepdims)
    # Divided in float64, as NumPy divides by an integer, and rounded once.
    result = _native.cast(elementwise.divide(total, count), total.dtype)
    return delivered(_native.cast(result, kind) if narrow else result, out)


@implements(np.var)
def var(
    a: TensorLike,
    axis: Any = None,
    dtype: Any = None,
    out: Out = None,
    ddof: Any = 0,
    keepdims: Any = UNSET,
    *,
    where: Any = UNSET,
    mean: Any = UNSET,
    correction: Any = UNSET,
) -> Any:
    """Return the variance over `axis`: the sum of squared deviations, divided by their number less `ddof`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.var([1.0, 2.0, 3.0], ddof=1))
    1.0
    """
    return delivered(moment(spread.var, a, axis, dtype, ddof, keepdims, where, mean, correction), out)


@implements(np.std)
def std(
    a: TensorLike,
    axis: Any = None,
    dtype: Any = None,
    out: Out = None,
    ddof: Any = 0,
    keepdims: Any = UNSET,
    *,
    where: Any = UNSET,
    mean: Any = UNSET,
    correction: Any = UNSET,
) -> Any:
    """Return the standard deviation over `axis`; its derivative at constants is 0.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.std([1.0, 3.0]))
    1.0
    """
    return delivered(moment(spread.std, a, axis, dtype, ddof, keepdims, where, mean, correction), out)


def moment(
    function: Any,
    a: TensorLike,
    axis: Any,
    dtype: Any,
    ddof: Any,
    keepdims: Any,
    where: Any,
    mean: Any,
    correction: Any,
    skip_nan: bool = False,
) -> Tensor:
    """Return the variance or standard deviation `function` of all elements, or of those that are not nan."""
    ddof = _correction_of(function.__name__, ddof, correction)
    a = as_inexact(operand(a)) if dtype is None else operand(a)
    if mean is UNSET:
        result: Tensor = function(
            a,
            axis=as_axes(axis, a.ndim, "var"),
            dtype=as_dtype(dtype),
            ddof=ddof,
            keepdims=keepdims is not UNSET and bool(keepdims),
            where=mask(where),
            skip_nan=skip_nan,
        )
        return result
    if skip_nan:
        where = np.logical_and(mask(where), ~np.isnan(array(a)))
        a = without_nan(a, 0)
    variance = _var_about(a, mean, axis, dtype, ddof, keepdims, where)
    return variance if function is spread.var else elementwise.sqrt(variance)


def _correction_of(function: str, ddof: Any, correction: Any) -> Any:
    """Return what `ddof`, or under its other name `correction`, says."""
    if correction is UNSET:
        return ddof
    if ddof != 0:
        raise ValueError(f"{function}: ddof and correction are the same; only one of them can be given.")
    return correction


def _var_about(a: Tensor, mean: TensorLike, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any) -> Tensor:
    """Return the variance for a mean that was computed before; it is differentiable in both."""
    deviations = elementwise.subtract(a, operand(mean))
    if deviations.dtype.is_complex:
        squares = real(elementwise.multiply(deviations, conjugate(deviations)))
    else:
        squares = elementwise.multiply(deviations, deviations)
    total = sum(squares, axis, dtype, None, keepdims, where=where)
    count = np.add.reduce(np.broadcast_to(mask(where), a.shape), as_axes(axis, a.ndim, "var"), np.intp)
    if keepdims is not UNSET and keepdims:
        count = np.reshape(count, total.shape)
    return _native.cast(elementwise.divide(total, np.maximum(count - ddof, 0)), total.dtype)
