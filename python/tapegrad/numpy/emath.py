"""`numpy.emath`: square roots, logarithms, powers and inverse functions that become complex where they must.

Examples
--------
>>> from tapegrad.numpy import emath
>>> emath.sqrt([-4.0, 9.0]).numpy()
array([0.+2.j, 3.+0.j])
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops.elementwise import elementwise
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, operand

__all__ = ["arccos", "arcsin", "arctanh", "log", "log2", "log10", "logn", "power", "sqrt"]


def _complex(x: Tensor) -> Tensor:
    narrow = x.dtype.name in ("float32", "complex64", "int8", "uint8", "int16", "uint16")
    return _native.cast(x, np.complex64 if narrow else np.complex128)


def _of_positive(x: TensorLike) -> Tensor:
    """Return `x` as complex numbers if any of them is a negative real one."""
    x = operand(x)
    values = array(x)
    return _complex(x) if np.any(np.isreal(values) & (values.real < 0)) else x


def _of_unit(x: TensorLike) -> Tensor:
    """Return `x` as complex numbers if any of them is a real one greater than 1 in modulus."""
    x = operand(x)
    values = array(x)
    return _complex(x) if np.any(np.isreal(values) & (np.abs(values) > 1)) else x


@implements(np.emath.sqrt)
def sqrt(x: TensorLike) -> Tensor:
    """Return the square root; imaginary for negative numbers.

    Examples
    --------
    >>> from tapegrad.numpy import emath
    >>> complex(emath.sqrt(-1.0))
    1j
    """
    return elementwise.sqrt(_of_positive(x))


@implements(np.emath.log)
def log(x: TensorLike) -> Tensor:
    """Return the natural logarithm; complex for negative numbers.

    Examples
    --------
    >>> from tapegrad.numpy import emath
    >>> complex(emath.log(-1.0))
    3.141592653589793j
    """
    return elementwise.log(_of_positive(x))


@implements(np.emath.log2)
def log2(x: TensorLike) -> Tensor:
    """Return the logarithm to base 2; complex for negative numbers.

    Examples
    --------
    >>> from tapegrad.numpy import emath
    >>> float(emath.log2(8.0))
    3.0
    """
    return elementwise.log2(_of_positive(x))


@implements(np.emath.log10)
def log10(x: TensorLike) -> Tensor:
    """Return the logarithm to base 10; complex for negative numbers.

    Examples
    --------
    >>> from tapegrad.numpy import emath
    >>> float(emath.log10(100.0))
    2.0
    """
    return elementwise.log10(_of_positive(x))


@implements(np.emath.logn)
def logn(n: TensorLike, x: TensorLike) -> Tensor:
    """Return the logarithm of `x` to base `n`; complex for negative numbers.

    Examples
    --------
    >>> from tapegrad.numpy import emath
    >>> float(emath.logn(2.0, 8.0))
    3.0
    """
    return elementwise.divide(elementwise.log(_of_positive(x)), elementwise.log(_of_positive(n)))


@implements(np.emath.power)
def power(x: TensorLike, p: Any) -> Tensor:
    """Return `x` to the power `p`; complex for negative numbers, and not of integers for a negative power.

    Examples
    --------
    >>> from tapegrad.numpy import emath
    >>> float(emath.power(2, -1))
    0.5
    """
    exponent = operand(p)
    if exponent.dtype.is_integer and np.any(array(exponent) < 0):
        exponent = _native.cast(exponent, np.float64)
    return elementwise.power(_of_positive(x), exponent)


@implements(np.emath.arccos)
def arccos(x: TensorLike) -> Tensor:
    """Return the inverse cosine; complex outside -1 ... 1.

    Examples
    --------
    >>> from tapegrad.numpy import emath
    >>> float(emath.arccos(1.0))
    0.0
    """
    return elementwise.arccos(_of_unit(x))


@implements(np.emath.arcsin)
def arcsin(x: TensorLike) -> Tensor:
    """Return the inverse sine; complex outside -1 ... 1.

    Examples
    --------
    >>> from tapegrad.numpy import emath
    >>> float(emath.arcsin(0.0))
    0.0
    """
    return elementwise.arcsin(_of_unit(x))


@implements(np.emath.arctanh)
def arctanh(x: TensorLike) -> Tensor:
    """Return the inverse hyperbolic tangent; complex outside -1 ... 1.

    Examples
    --------
    >>> from tapegrad.numpy import emath
    >>> float(emath.arctanh(0.0))
    0.0
    """
    return elementwise.arctanh(_of_unit(x))
