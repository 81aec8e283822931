"""What rules for broadcasting functions are written with, as in `autograd.numpy.numpy_vjps`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.compat.autograd._values import Function, is_complex
from tapegrad.compat.autograd.numpy.numpy_wrapper import metadata

__all__ = ["balanced_eq", "match_complex", "repeat_to_match_shape", "replace_zero", "unbroadcast", "unbroadcast_f"]


def unbroadcast(x: Any, target_meta: tuple[Any, ...], broadcast_idx: int = 0) -> Any:
    """Return a cotangent summed over the axes along which its argument was broadcast.

    Parameters
    ----------
    x
        The cotangent.
    target_meta
        What `numpy_wrapper.metadata` says of the argument: shape, number of axes, dtype, whether it is complex.
    broadcast_idx
        Where the argument's missing axes are in `x`.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.numpy.numpy_vjps import unbroadcast
    >>> unbroadcast(np.ones((3, 2)), ((2,), 1, np.dtype(float), False))
    array([3., 3.])
    """
    shape, ndim, _, complex_target = target_meta
    missing = tuple(range(broadcast_idx, broadcast_idx + np.ndim(x) - ndim))
    if missing:
        x = np.sum(x, axis=missing)
    stretched = tuple([k for k, size in enumerate(shape) if size == 1 and np.shape(x)[k] != 1])
    if stretched:
        x = np.sum(x, axis=stretched, keepdims=True)
    return np.real(x) if is_complex(x) and not complex_target else x


def unbroadcast_f(target: Any, f: Function) -> Function:
    """Return a rule's function from cotangent to cotangent, with broadcasting of the argument undone.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.numpy.numpy_vjps import unbroadcast_f
    >>> unbroadcast_f(2.0, lambda g: 3.0 * g)(np.ones(4))
    np.float64(12.0)
    """
    target_meta = metadata(target)
    return lambda g: unbroadcast(f(g), target_meta)


def match_complex(target: Any, x: Any) -> Any:
    """Return `x` as a complex number if the target is one, and its real part if it is not.

    Examples
    --------
    >>> from tapegrad.compat.autograd.numpy.numpy_vjps import match_complex
    >>> match_complex(1.0, 2.0 + 1.0j), match_complex(1.0j, 2.0)
    (2.0, (2+0j))
    """
    wanted, given = is_complex(target), is_complex(x)
    if given and not wanted:
        return np.real(x)
    return x + 0j if wanted and not given else x


def replace_zero(x: Any, val: Any) -> Any:
    """Return `x` with another value in place of zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.numpy.numpy_vjps import replace_zero
    >>> replace_zero(np.array([0.0, 2.0]), 1.0)
    array([1., 2.])
    """
    return np.where(x != 0, x, val)


def repeat_to_match_shape(
    g: Any, shape: tuple[int, ...], dtype: Any, axis: int | Sequence[int] | None, keepdims: bool
) -> tuple[Any, int]:
    """Return the cotangent of a reduction repeated along the reduced axes, and how often each element stands there.

    Parameters
    ----------
    g
        The cotangent.
    shape, dtype
        Of the argument of the reduction.
    axis, keepdims
        Those of the reduction; whether its axes were kept makes no difference.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.numpy.numpy_vjps import repeat_to_match_shape
    >>> repeat_to_match_shape(np.array([1.0, 2.0]), (2, 3), np.dtype(float), 1, False)
    (array([[1., 1., 1.],
           [2., 2., 2.]]), 3)
    """
    axes = range(len(shape)) if axis is None else [k % len(shape) for k in np.atleast_1d(axis)]
    kept = [1 if k in axes else size for k, size in enumerate(shape)]
    return np.reshape(g, kept) + np.zeros(shape, dtype), math.prod([shape[k] for k in axes])


def balanced_eq(x: Any, z: Any, y: Any) -> Any:
    """Return the share that `x` has where the extreme `z` of `x` and `y` is: 1, 0, or 1/2 at a tie.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.numpy.numpy_vjps import balanced_eq
    >>> balanced_eq(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 3.0]), np.array([1.0, 3.0, 0.0]))
    array([0.5, 0. , 1. ])
    """
    return (x == z) / (1.0 + (x == y))
