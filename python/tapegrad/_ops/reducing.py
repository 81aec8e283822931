"""Products and extrema over axes, and sums, with all of NumPy's parameters; the values are those of its reductions.

Parameters are the axes; whether they stay, `keepdims`; the type `dtype` to compute in; a number `initial` to start
with, or `None`; which elements take part, `where`: a boolean array that broadcasts to the operand, or `True`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array, own
from tapegrad._ops import cumulative
from tapegrad._ops.arguments import kept_shape
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import Operation, silent, structural
from tapegrad._ops.elementwise import elementwise

__all__ = ["EXTREMA", "lanes", "masked", "product", "total", "unlaned"]

_Array = npt.NDArray[Any]
_Axes = tuple[int, ...]


def _options(initial: Any, where: Any) -> dict[str, Any]:
    """Return the keyword arguments of a ufunc's `reduce` that are not at their defaults."""
    options: dict[str, Any] = {} if initial is None else {"initial": initial}
    if where is not True:
        options["where"] = where
    return options


def masked(a: Tensor, where: Any, other: Any) -> Tensor:
    """Return `a` with the number `other` in place of the elements that take no part."""
    return a if where is True else _native.where(np.broadcast_to(where, a.shape), a, np.asarray(other, a.dtype.dtype))


@silent
def _total_forward(a: _Array, *, axis: _Axes, keepdims: bool, dtype: Any, initial: Any, where: Any) -> Any:
    return np.add.reduce(a, axis, dtype, keepdims=keepdims, **_options(initial, where))


def _total_vjp(g: Tensor, a_shape: tuple[int, ...], axis: _Axes, where: Any) -> Tensor:
    return masked(_native.broadcast_to(_native.reshape(g, kept_shape(a_shape, axis)), a_shape), where, 0)


total = structural("sum", _total_forward, a=_total_vjp)


@silent
def _product_forward(a: _Array, *, axis: _Axes, keepdims: bool, dtype: Any, initial: Any, where: Any) -> Any:
    return np.multiply.reduce(a, axis, dtype, keepdims=keepdims, **_options(initial, where))


def _product_vjp(g: Tensor, a: Tensor, axis: _Axes, initial: Any, where: Any) -> Tensor:
    # d product / d a[i] is the product of the elements before i times that of those behind it: no division.
    factors = lanes(masked(a, where, 1), axis)
    before = cumulative.cumprod(factors, -1, exclusive=True)
    behind = cumulative.cumprod(factors, -1, exclusive=True, reverse=True)
    others = unlaned(elementwise.multiply(before, behind), a.shape, axis)
    if initial is not None:
        others = elementwise.multiply(others, np.asarray(initial, others.dtype.dtype))
    g = _native.reshape(g, kept_shape(a.shape, axis))
    return masked(elementwise.multiply_no_nan(conjugate(others), g), where, 0)


product = structural("prod", _product_forward, a=_product_vjp)


def _extremum(name: str, ufunc: np.ufunc, share_of: Callable[[Tensor, Tensor], Tensor]) -> Operation:
    """Return the reduction by a ufunc that chooses one of two; the elements that tie for it share the derivative."""

    def vjp(g: Tensor, a: Tensor, out: Tensor, axis: _Axes) -> Tensor:
        shape = kept_shape(a.shape, axis)
        chosen = array(out).reshape(shape)
        places = array(a) == chosen
        count = np.count_nonzero(places)
        g = _native.reshape(g, shape)
        # No ties: one place each. (A nan has none, which the ties of others could make up for.)
        if count == chosen.size and (count == 1 or not np.isnan(chosen).any()):
            return _native.where(own(places), g, 0)
        there = _native.cast(own(places), g.dtype)
        share = share_of(there, _native.sum(there, axis, True))
        return elementwise.multiply_no_nan(share, g)

    return structural(name, lambda a, *, axis, keepdims: ufunc.reduce(a, axis, keepdims=keepdims), a=vjp)


# Where the result is nan nothing is equal to it: the derivative of max is nan there, too, that of nanmax is 0.
EXTREMA: dict[np.ufunc, Operation] = {
    np.maximum: _extremum("max", np.maximum, elementwise.divide),
    np.minimum: _extremum("min", np.minimum, elementwise.divide),
    np.fmax: _extremum("nanmax", np.fmax, elementwise.divide_no_nan),
    np.fmin: _extremum("nanmin", np.fmin, elementwise.divide_no_nan),
}


def lanes(a: Tensor, axis: _Axes) -> Tensor:
    """Return `a` with the axes `axis` moved behind the others and made one."""
    rest = tuple([k for k in range(a.ndim) if k not in axis])
    count = 1
    for k in axis:
        count *= a.shape[k]
    return _native.reshape(_native.transpose(a, rest + axis), (*[a.shape[k] for k in rest], count))


def unlaned(a: Tensor, shape: tuple[int, ...], axis: _Axes) -> Tensor:
    """Return what `lanes` has made of a tensor of `shape` in that shape again."""
    order = tuple([k for k in range(len(shape)) if k not in axis]) + axis
    split = _native.reshape(a, tuple([shape[k] for k in order]))
    return _native.transpose(split, tuple(np.argsort(order).tolist()))
