"""The logarithm of running sums of exponentials."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_axis, as_inexact, shape_along
from tapegrad._ops.cumulative import recurrence_backwards
from tapegrad._ops.declare import Operation, TensorLike, silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.shaping import flip, roll

__all__ = ["cumulative_logsumexp"]


def cumulative_logsumexp(a: TensorLike, axis: Any = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Return `log(cumsum(exp(a)))` along `axis`, without overflow.

    With `exclusive` each position is about those before it (-inf at the first); with `reverse` the sum runs from the
    end. Where all elements up to a position are -inf, so is the result, and the derivative is 0.
    """
    a = as_inexact(a)
    axis = as_axis(axis, a.ndim, "cumulative_logsumexp")
    if reverse:
        return flip(cumulative_logsumexp(flip(a, axis), axis, exclusive), axis)
    if exclusive:
        a = _native.where(_first(a, axis), np.array(-np.inf, a.dtype.dtype), roll(a, 1, axis))
    result: Tensor = _cumulative_logsumexp(a, axis=axis)
    return result


def _first(a: Tensor, axis: int) -> Any:
    """Return what is true at the first position along `axis`."""
    return (np.arange(a.shape[axis]) == 0).reshape(shape_along(axis, a.ndim))


def _vjp(g: Tensor, a: Tensor, out: Tensor, axis: int) -> Tensor:
    # d out[k] / d a[i], i <= k, is exp(a[i] - out[k]) = exp(a[i] - out[i]) exp(out[i] - out[k]), and no factor is
    # greater than 1. Summed over k with weights g[k], the second ones satisfy
    # r[i] = g[i] + exp(out[i] - out[i+1]) r[i+1].
    empty = elementwise.equal(out, -np.inf)

    def ratio(x: Tensor) -> Tensor:
        difference = _native.where(empty, np.array(-np.inf, a.dtype.dtype), elementwise.subtract(x, out))
        return elementwise.exp(difference)

    following = recurrence_backwards(ratio(roll(out, 1, axis)), g, axis)
    return elementwise.multiply_no_nan(ratio(a), following)


_cumulative_logsumexp: Operation = structural(
    "cumulative_logsumexp", silent(lambda a, *, axis: np.logaddexp.accumulate(a, axis)), a=_vjp
)
