"""Variance and standard deviation with all of NumPy's parameters, and of the elements that are not nan."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.arguments import kept_shape
from tapegrad._ops.declare import silent, structural
from tapegrad._ops.elementwise import elementwise

__all__ = ["std", "var"]

_Array = npt.NDArray[Any]
_Axes = tuple[int, ...]


def _forward(name: str) -> Any:
    plain, without_nan = getattr(np, name), getattr(np, "nan" + name)

    @silent
    def forward(a: _Array, *, axis: _Axes, dtype: Any, ddof: Any, keepdims: bool, where: Any, skip_nan: bool) -> Any:
        count = 1
        for k in axis:
            count *= a.shape[k]
        if where is True and not skip_nan and count > ddof:
            return plain(a, axis, dtype, ddof=ddof, keepdims=keepdims)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # too few elements give nan, silently as everywhere
            options = {} if where is True else {"where": where}
            return (without_nan if skip_nan else plain)(a, axis, dtype, ddof=ddof, keepdims=keepdims, **options)

    return forward


def _deviations(
    a: Tensor, axis: _Axes, dtype: Any, ddof: Any, where: Any, skip_nan: bool
) -> tuple[Tensor, npt.NDArray[Any]]:
    """Return the deviations from the mean, 0 for elements that take no part, and what their squares are divided by."""
    if dtype is not None:
        a = _native.cast(a, dtype)
    real = array(a).real.dtype
    takes_part = True if where is True else np.broadcast_to(where, a.shape)
    if skip_nan:
        takes_part = takes_part & ~np.isnan(array(a))
    if takes_part is True:
        count = np.asarray(math.prod([a.shape[k] for k in axis]), real)
        deviations = elementwise.subtract(a, elementwise.divide_no_nan(_native.sum(a, axis, True), count))
    else:
        count = np.sum(takes_part, axis, keepdims=True).astype(real)
        zero = np.zeros((), a.dtype.dtype)
        mean = elementwise.divide_no_nan(_native.sum(_native.where(takes_part, a, zero), axis, True), count)
        deviations = _native.where(takes_part, elementwise.subtract(a, mean), zero)
    return deviations, np.maximum(count - real.type(ddof), 0)


def _var_vjp(g: Tensor, a: Tensor, axis: _Axes, dtype: Any, ddof: Any, where: Any, skip_nan: bool) -> Tensor:
    deviations, count = _deviations(a, axis, dtype, ddof, where, skip_nan)
    g = elementwise.multiply_no_nan(_twice_over(count), _native.reshape(g, kept_shape(a.shape, axis)))
    return elementwise.multiply_no_nan(deviations, g)


@silent
def _twice_over(count: _Array) -> Any:
    return np.divide(2.0, count, dtype=count.dtype)


def _std_vjp(
    g: Tensor, a: Tensor, out: Tensor, axis: _Axes, dtype: Any, ddof: Any, where: Any, skip_nan: bool
) -> Tensor:
    shape = kept_shape(a.shape, axis)
    deviations, count = _deviations(a, axis, dtype, ddof, where, skip_nan)
    direction = elementwise.divide_no_nan(deviations, elementwise.multiply(_native.reshape(out, shape), count))
    return elementwise.multiply_no_nan(direction, _native.reshape(g, shape))


var = structural("var", _forward("var"), a=_var_vjp)
"""The mean of the squared (for complex numbers: absolute) deviations from the mean."""

std = structural("std", _forward("std"), a=_std_vjp)
"""The standard deviation; its derivative at constants is 0."""
