"""NumPy's set functions: each value of the result is an element of the operands, and takes its derivative along."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, array, wrapped
from tapegrad._ops import joining, shaping, sorting
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import TensorLike, operand
from tapegrad.numpy._unrecorded import constant

__all__ = [
    "intersect1d",
    "isin",
    "setdiff1d",
    "setxor1d",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


@implements(np.unique)
def unique(
    ar: TensorLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """Return the sorted different elements of `ar`, or slices of it along `axis`, and on request where they are.

    Of equal elements the first has the derivative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> import tapegrad.numpy as np
    >>> x = tf.constant([3.0, 1.0, 3.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     greatest = np.unique(x)[-1]
    >>> print(greatest.numpy(), tape.gradient(greatest, x).numpy())
    3.0 [1. 0. 0.]
    """
    values = operand(ar)
    options: dict[str, Any] = {"axis": axis, "equal_nan": equal_nan}
    if not sorted:  # a parameter of newer versions of NumPy
        options["sorted"] = False
    find: Any = np.unique
    found = find(array(values), return_index, return_inverse, return_counts, **options)
    distinct, *others = found if isinstance(found, tuple) else (found,)
    result = sorting.distinct(values, distinct, axis, equal_nan)
    return (result, *[wrapped(other) for other in others]) if others else result


@implements("unique_values")
def unique_values(x: TensorLike) -> Tensor:
    """Return the different elements of `x`; NaNs are all different.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.sort(np.unique_values([3.0, 1.0, 3.0])).numpy())
    [1. 3.]
    """
    values = operand(x)
    return sorting.distinct(values, np.unique_values(array(values)), None, equal_nan=False)


@implements("unique_all")
def unique_all(x: TensorLike) -> Any:
    """Return the different elements of `x`, where each was first, which of them each element is, and their numbers.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.unique_all([3.0, 1.0, 3.0]).indices.numpy())
    [1 0]
    """
    return _with_values(np.unique_all, x)


@implements("unique_counts")
def unique_counts(x: TensorLike) -> Any:
    """Return the different elements of `x`, and how often each occurs.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.unique_counts([3.0, 1.0, 3.0]).counts.numpy())
    [1 2]
    """
    return _with_values(np.unique_counts, x)


@implements("unique_inverse")
def unique_inverse(x: TensorLike) -> Any:
    """Return the different elements of `x`, and which of them each element is.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.unique_inverse([3.0, 1.0, 3.0]).inverse_indices.numpy())
    [1 0 1]
    """
    return _with_values(np.unique_inverse, x)


def _with_values(function: Any, x: TensorLike) -> Any:
    """Return NumPy's named tuple with the values recorded."""
    values = operand(x)
    found = function(array(values))
    recorded = sorting.distinct(values, found.values, None, equal_nan=False)
    return type(found)(recorded, *[wrapped(part) for part in found[1:]])


@implements(np.union1d)
def union1d(ar1: TensorLike, ar2: TensorLike) -> Tensor:
    """Return the sorted different elements of two tensors.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.union1d([3.0, 1.0], [2.0, 1.0]).numpy())
    [1. 2. 3.]
    """
    return _unique(_joined(operand(ar1), operand(ar2)))


def _joined(a: Tensor, b: Tensor) -> Tensor:
    return joining.concatenate([shaping.ravel(a), shaping.ravel(b)])


def _unique(a: Tensor) -> Tensor:
    result: Tensor = unique(a)
    return result


@implements(np.intersect1d)
def intersect1d(ar1: TensorLike, ar2: TensorLike, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """Return the sorted elements that both tensors have; those of the first have the derivative.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.intersect1d([3.0, 1.0, 2.0], [2.0, 3.0]).numpy())
    [2. 3.]
    """
    a, b = operand(ar1), operand(ar2)
    _, first, second = np.intersect1d(array(a), array(b), assume_unique, return_indices=True)
    dtype = np.result_type(a.dtype.dtype, b.dtype.dtype)
    common = _native.cast(_native.take(shaping.ravel(a), first), dtype)
    return (common, wrapped(first), wrapped(second)) if return_indices else common


@implements(np.setdiff1d)
def setdiff1d(ar1: TensorLike, ar2: TensorLike, assume_unique: bool = False) -> Tensor:
    """Return the elements of the first tensor that the second does not have.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.setdiff1d([3.0, 1.0, 2.0], [2.0]).numpy())
    [1. 3.]
    """
    a, b = operand(ar1), operand(ar2)
    a, b = (shaping.ravel(a), b) if assume_unique else (_unique(a), _unique(b))
    remaining = np.isin(array(a), array(b), assume_unique=True, invert=True)
    return _native.take(a, np.flatnonzero(remaining))


@implements(np.setxor1d)
def setxor1d(ar1: TensorLike, ar2: TensorLike, assume_unique: bool = False) -> Tensor:
    """Return the sorted elements that just one of the tensors has.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> print(np.setxor1d([3.0, 1.0, 2.0], [2.0]).numpy())
    [1. 3.]
    """
    a, b = operand(ar1), operand(ar2)
    if not assume_unique:
        a, b = _unique(a), _unique(b)
    together = sorting.sort(_joined(a, b))
    values = array(together)
    differs = np.concatenate([[True], values[1:] != values[:-1], [True]])
    return _native.take(together, np.flatnonzero(differs[1:] & differs[:-1])) if values.size else together


isin = constant(np.isin)
