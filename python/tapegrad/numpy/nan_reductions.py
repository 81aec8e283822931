"""Reductions of the elements that are not nan; no gradient flows to those that are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import array
from tapegrad._ops import spread
from tapegrad._ops.elementwise import elementwise
from tapegrad._protocols import implements
from tapegrad.numpy import reductions
from tapegrad.numpy._arguments import UNSET, Out, TensorLike, delivered, operand, without_nan

__all__ = [
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


@implements(np.nansum)
def nansum(
    a: TensorLike,
    axis: Any = None,
    dtype: Any = None,
    out: Out = None,
    keepdims: Any = UNSET,
    initial: Any = UNSET,
    where: Any = UNSET,
) -> Any:
    """Return the sum of the elements that are not nan.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.nansum([1.0, np.nan, 3.0]))
    4.0
    """
    return reductions.sum(without_nan(a, 0), axis, dtype, out, keepdims, initial, where)


@implements(np.nanprod)
def nanprod(
    a: TensorLike,
    axis: Any = None,
    dtype: Any = None,
    out: Out = None,
    keepdims: Any = UNSET,
    initial: Any = UNSET,
    where: Any = UNSET,
) -> Any:
    """Return the product of the elements that are not nan.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.nanprod([2.0, np.nan, 3.0]))
    6.0
    """
    return reductions.prod(without_nan(a, 1), axis, dtype, out, keepdims, initial, where)


@implements(np.nanmax)
def nanmax(
    a: TensorLike,
    axis: Any = None,
    out: Out = None,
    keepdims: Any = UNSET,
    initial: Any = UNSET,
    where: Any = UNSET,
) -> Any:
    """Return the greatest element that is not nan; nan if there is none.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.nanmax([1.0, np.nan, 3.0]))
    3.0
    """
    return reductions.reduction(np.fmax, operand(a), axis, None, out, keepdims, initial, where)


@implements(np.nanmin)
def nanmin(
    a: TensorLike,
    axis: Any = None,
    out: Out = None,
    keepdims: Any = UNSET,
    initial: Any = UNSET,
    where: Any = UNSET,
) -> Any:
    """Return the least element that is not nan; nan if there is none.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.nanmin([1.0, np.nan, 3.0]))
    1.0
    """
    return reductions.reduction(np.fmin, operand(a), axis, None, out, keepdims, initial, where)


@implements(np.nanmean)
def nanmean(
    a: TensorLike, axis: Any = None, dtype: Any = None, out: Out = None, keepdims: Any = UNSET, *, where: Any = UNSET
) -> Any:
    """Return the mean of the elements that are not nan.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.nanmean([1.0, np.nan, 3.0]))
    2.0
    """
    a = operand(a)
    if not (a.dtype.is_floating or a.dtype.is_complex):
        return reductions.mean(a, axis, dtype, out, keepdims, where=where)
    options = {"keepdims": keepdims, "where": where}
    count = array(reductions.sum(~np.isnan(array(a)), axis, np.intp, **options))
    total = reductions.sum(without_nan(a, 0), axis, dtype, **options)
    return delivered(_native.cast(elementwise.divide(total, count), total.dtype), out)


@implements(np.nanvar)
def nanvar(
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
    """Return the variance of the elements that are not nan.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.nanvar([1.0, np.nan, 3.0]))
    1.0
    """
    return delivered(
        reductions.moment(spread.var, a, axis, dtype, ddof, keepdims, where, mean, correction, skip_nan=True), out
    )


@implements(np.nanstd)
def nanstd(
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
    """Return the standard deviation of the elements that are not nan.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.nanstd([1.0, np.nan, 3.0]))
    1.0
    """
    return delivered(
        reductions.moment(spread.std, a, axis, dtype, ddof, keepdims, where, mean, correction, skip_nan=True), out
    )
