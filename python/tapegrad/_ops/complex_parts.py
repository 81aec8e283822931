"""Complex numbers taken apart and put together.

The gradient of a real-valued function of complex z is 2 d/d conj(z), and a holomorphic function's rule
multiplies by the conjugate of its derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import Operation, TensorLike, linear, structural
from tapegrad._ops.elementwise import elementwise

__all__ = ["angle", "complex", "conj", "conjugate", "imag", "real"]


def conjugate(x: TensorLike) -> Tensor:
    """Return the complex conjugate, elementwise; of a real tensor the tensor itself."""
    x = as_tensor(x)
    result: Tensor = _conjugate(x) if x.dtype.is_complex else x
    return result


conj = conjugate

_conjugate: Operation = linear("conjugate", forward=lambda x: np.conjugate(x), transpose=lambda g: conjugate(g))


def real(x: TensorLike) -> Tensor:
    """Return the real part, elementwise; of a real tensor the tensor itself."""
    x = as_tensor(x)
    result: Tensor = _real(x) if x.dtype.is_complex else x
    return result


def imag(x: TensorLike) -> Tensor:
    """Return the imaginary part, elementwise; of a real tensor zeros."""
    x = as_tensor(x)
    result: Tensor = _imag(x) if x.dtype.is_complex else _native.own(np.zeros(x.shape, x.dtype))
    return result


# The sweep casts a real cotangent of a complex operand.
_real: Operation = linear("real", forward=lambda x: np.real(x), transpose=lambda g: g)
_imag: Operation = linear("imag", forward=lambda x: np.imag(x), transpose=lambda g: elementwise.multiply(g, 1j))


def complex(real: TensorLike, imag: TensorLike) -> Tensor:
    """Return `real + 1j * imag`, elementwise: complex64 of float32 parts, complex128 of float64 parts.

    Parameters
    ----------
    real, imag
        Tensors of float32 or float64, which are broadcast.

    Raises
    ------
    TypeError
        If a part is itself complex.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.complex([1.0], [2.0]).numpy()
    array([1.+2.j], dtype=complex64)
    """
    re, im = as_tensor(real), as_tensor(imag)
    for part in (re, im):
        if part.dtype.is_complex:
            raise TypeError(f"complex: the parts of complex numbers are real, not {part.dtype.name}.")
    result: Tensor = _complex(re, im)
    return result


def _join(re: npt.NDArray[Any], im: npt.NDArray[Any]) -> npt.NDArray[Any]:
    out = np.empty(np.broadcast_shapes(re.shape, im.shape), np.result_type(re, im, np.complex64))
    out.real, out.imag = re, im
    return out


_complex: Operation = structural("complex", _join, re=lambda g: real(g), im=lambda g: imag(g))


def angle(x: TensorLike) -> Tensor:
    """Return the argument of complex numbers, elementwise: `arctan2(imag, real)`."""
    x = as_tensor(x)
    if x.dtype.is_complex:
        return elementwise.arctan2(imag(x), real(x))
    return elementwise.arctan2(0.0, x)
