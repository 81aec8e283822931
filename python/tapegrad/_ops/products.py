"""Products of vectors, matrices and tensors whose values are those of NumPy's functions of these names."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import Operation, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.linear import tensordot
from tapegrad._ops.shaping import expand_dims

__all__ = ["contraction", "matvec", "vdot", "vecdot", "vecmat"]

_Array = npt.NDArray[Any]
_Axes = tuple[int, ...]


def _contract(a: _Array, b: _Array, *, function: Any, of_a: _Axes, of_b: _Axes) -> Any:
    return np.tensordot(a, b, (of_a, of_b)) if function is None else function(a, b)


def _others(ndim: int, axes: _Axes) -> _Axes:
    return tuple([k for k in range(ndim) if k not in axes])


def _vjp_a(g: Tensor, b: Tensor, a_shape: tuple[int, ...], of_a: _Axes, of_b: _Axes) -> Tensor:
    free_a, free_b = _others(len(a_shape), of_a), _others(b.ndim, of_b)
    part = tensordot(g, conjugate(b), (tuple(range(len(free_a), g.ndim)), free_b))
    # Its axes are those of `a` that are free, then those that go with the summed axes of `b` in their order.
    return _in_order(part, free_a + tuple([of_a[of_b.index(k)] for k in sorted(of_b)]))


def _vjp_b(g: Tensor, a: Tensor, b_shape: tuple[int, ...], of_a: _Axes, of_b: _Axes) -> Tensor:
    free_a, free_b = _others(a.ndim, of_a), _others(len(b_shape), of_b)
    part = tensordot(conjugate(a), g, (free_a, tuple(range(len(free_a)))))
    return _in_order(part, tuple([of_b[of_a.index(k)] for k in sorted(of_a)]) + free_b)


def _in_order(x: Tensor, axes: _Axes) -> Tensor:
    """Return `x`, whose axes have these numbers, with its axes in the order of the numbers."""
    order = tuple(sorted(range(len(axes)), key=axes.__getitem__))
    return x if order == tuple(range(len(axes))) else _native.transpose(x, order)


contraction = structural("tensordot", _contract, a=_vjp_a, b=_vjp_b)
"""The sum of products over the axes `of_a` and `of_b`: `numpy.tensordot`, or the `function` that gives the values."""


def _columns(x: Tensor) -> Tensor:
    return expand_dims(x, -1)


def _rows(x: Tensor) -> Tensor:
    return expand_dims(x, -2)


# The first vector is conjugated: the result is not holomorphic in it, and its cotangent is conj(g) times the other.
vecdot = structural(
    "vecdot",
    lambda a, b: np.vecdot(a, b),
    a=lambda g, b: elementwise.multiply(_columns(conjugate(g)), b),
    b=lambda g, a: elementwise.multiply(_columns(g), a),
)
vdot = structural(
    "vdot",
    lambda a, b: np.vdot(a, b),
    a=lambda g, b, a_shape: _native.reshape(elementwise.multiply(conjugate(g), b), a_shape),
    b=lambda g, a, b_shape: _native.reshape(elementwise.multiply(g, a), b_shape),
)
matvec: Operation = structural(
    "matvec",
    lambda a, b: np.matvec(a, b),
    a=lambda g, b: elementwise.multiply(_columns(g), _rows(conjugate(b))),
    b=lambda g, a: _native.sum(elementwise.multiply(_columns(g), conjugate(a)), -2),
)
vecmat: Operation = structural(
    "vecmat",
    lambda a, b: np.vecmat(a, b),
    a=lambda g, b: _native.sum(elementwise.multiply(_rows(conjugate(g)), b), -1),
    b=lambda g, a: elementwise.multiply(_columns(a), _rows(g)),
)
