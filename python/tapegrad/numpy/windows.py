"""NumPy's window functions: vectors of a given length."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, is_watched
from tapegrad._ops.arguments import as_int
from tapegrad._ops.bessel import i0
from tapegrad._ops.elementwise import elementwise
from tapegrad.numpy._arguments import TensorLike, operand

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def bartlett(M: Any) -> Tensor:  # noqa: N803 (NumPy's name, here and below)
    """Return the triangular window with `M` points, zero at both ends.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.bartlett(5).numpy())
    [0.  0.5 1.  0.5 0. ]
    """
    return _native.own(np.bartlett(as_int(M)))


def blackman(M: Any) -> Tensor:  # noqa: N803
    """Return the Blackman window with `M` points.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.blackman(5).numpy().round(2) + 0.0)
    [0.   0.34 1.   0.34 0.  ]
    """
    return _native.own(np.blackman(as_int(M)))


def hamming(M: Any) -> Tensor:  # noqa: N803
    """Return the Hamming window with `M` points.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.hamming(5).numpy().round(2))
    [0.08 0.54 1.   0.54 0.08]
    """
    return _native.own(np.hamming(as_int(M)))


def hanning(M: Any) -> Tensor:  # noqa: N803
    """Return the Hann window with `M` points.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.hanning(5).numpy().round(2))
    [0.  0.5 1.  0.5 0. ]
    """
    return _native.own(np.hanning(as_int(M)))


def kaiser(M: Any, beta: TensorLike) -> Tensor:  # noqa: N803
    """Return the Kaiser window with `M` points; differentiable with respect to its shape `beta`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> beta = tf.constant(0.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(beta)
    ...     y = np.kaiser(3, beta)
    >>> print(y.numpy())
    [1. 1. 1.]
    """
    size, shape = as_int(M), operand(beta)
    if size <= 1 or not is_watched(shape):
        return _native.own(np.kaiser(size, float(shape)))
    middle = (size - 1) / 2.0
    width = np.sqrt(1 - ((np.arange(0.0, size) - middle) / middle) ** 2.0)
    shape = _native.cast(shape, np.float64)
    return elementwise.divide(i0(elementwise.multiply(shape, width)), i0(shape))
