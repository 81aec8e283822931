"""NumPy's functions about order: sorting and partitioning; positions, which are piecewise constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, unrecorded
from tapegrad._ops import shaping, sorting
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, operand
from tapegrad.numpy._unrecorded import constant

__all__ = [
    "argmax",
    "argmin",
    "argpartition",
    "argsort",
    "argwhere",
    "count_nonzero",
    "flatnonzero",
    "lexsort",
    "nanargmax",
    "nanargmin",
    "nonzero",
    "partition",
    "searchsorted",
    "sort",
    "sort_complex",
]


@implements(np.sort)
def sort(a: TensorLike, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Tensor:
    """Return `a` sorted along `axis`; with `axis=None` as a vector. Each element takes its derivative along.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> x = tf.constant([3.0, 1.0, 2.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     least = np.sort(x)[0]
    >>> print(least.numpy(), tape.gradient(least, x).numpy())
    1.0 [0. 1. 0.]
    """
    _refuse_fields(order)
    values, axis = _flat_or(operand(a), axis)
    return sorting.sort(values, axis, kind=kind, stable=stable)


@implements(np.partition)
def partition(a: TensorLike, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Tensor:
    """Return `a` reordered along `axis` so that what a sort would put at `kth` is there, and nothing less behind it.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.partition([3.0, 1.0, 2.0], 0)[0].numpy())
    1.0
    """
    _refuse_fields(order)
    values, axis = _flat_or(operand(a), axis)
    return sorting.partition(values, unrecorded(kth), axis, kind)


def _refuse_fields(order: Any) -> None:
    if order is not None:
        raise ValueError("Cannot specify order when the array has no fields.")


def _flat_or(a: Tensor, axis: Any) -> tuple[Tensor, Any]:
    return (shaping.ravel(a), 0) if axis is None else (a, axis)


@implements(np.sort_complex)
def sort_complex(a: TensorLike) -> Tensor:
    """Return `a` sorted along the last axis, by real and then by imaginary parts, as complex numbers.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.sort_complex([3.0, 1.0]).numpy())
    [1.+0.j 3.+0.j]
    """
    ordered = sorting.sort(operand(a))
    if ordered.dtype.is_complex:
        return ordered
    return _native.cast(ordered, np.complex64 if ordered.dtype.dtype.char in "bhBH" else np.complex128)


argmax = constant(np.argmax)
argmin = constant(np.argmin)
argpartition = constant(np.argpartition)
argsort = constant(np.argsort)
argwhere = constant(np.argwhere)
count_nonzero = constant(np.count_nonzero)
flatnonzero = constant(np.flatnonzero)
lexsort = constant(np.lexsort)
nanargmax = constant(np.nanargmax)
nanargmin = constant(np.nanargmin)
nonzero = constant(np.nonzero)
searchsorted = constant(np.searchsorted)
