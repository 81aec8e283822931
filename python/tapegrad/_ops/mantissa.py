"""Floating-point numbers taken apart: fractions, mantissas and exponents."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native, _rules
from tapegrad._native import Tensor, array
from tapegrad._ops.declare import Operation, TensorLike, silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.untracked import untracked

__all__ = ["divmod", "float_power", "frexp", "ldexp", "modf"]

_Array = npt.NDArray[Any]


def modf(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the fractional part, whose slope is 1, and the integral part, which no tape follows."""
    return _fraction(x), untracked(lambda a: np.modf(a)[1], x)


_fraction: Operation = structural("modf", silent(lambda x: np.modf(x)[0]), x=lambda g: g)


def frexp(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mantissas between 1/2 and 1 and the exponents of 2 that go with them, which no tape follows."""
    return _mantissa(x), untracked(lambda a: np.frexp(a)[1], x)


_mantissa: Operation = structural(
    "frexp",
    silent(lambda x: np.frexp(x)[0]),
    x=lambda g, x: ldexp(g, -np.frexp(array(x))[1]),
)


def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Return `x1` times 2 to the integer power `x2`."""
    result: Tensor = _ldexp(x1, exponent=array(x2))
    return result


_ldexp: Operation = structural(
    "ldexp",
    silent(lambda x, *, exponent: np.ldexp(x, exponent)),
    x=lambda g, exponent: ldexp(g, exponent),
)


def float_power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Return `x1` to the power `x2` in float64, or complex128."""
    result: Tensor = _float_power(_wide(x1), _wide(x2))
    return result


def _wide(x: TensorLike) -> Tensor:
    x = _native.tensor(x if isinstance(x, _native.Value) else np.asarray(x))
    return _native.cast(x, np.complex128 if x.dtype.is_complex else np.float64)


_POWER = [row[0] for row in _native.op_table()].index("power")

_float_power = structural(
    "float_power",
    silent(lambda x, y: np.float_power(x, y)),
    x=lambda g, x, y: _rules.cotangent(_POWER, 0, g, (x, y, None, None)),
    y=lambda g, x, y, out: _rules.cotangent(_POWER, 1, g, (x, y, None, out)),
)


def divmod(x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    """Return the floor of the quotient, which no tape follows, and the remainder."""
    return elementwise.floor_divide(x1, x2), elementwise.remainder(x1, x2)
