"""Products of several matrices, powers of matrices, and the cross product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor, matmul
from tapegrad._ops.arguments import as_axis, as_int, as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.joining import stack
from tapegrad._ops.matrix.inverse import inv
from tapegrad._ops.shaping import expand_dims, moveaxis

__all__ = ["cross", "matrix_power", "multi_dot"]


def matrix_power(a: TensorLike, n: int) -> Tensor:
    """Return the square matrices to the power of an integer; a negative one takes the inverse."""
    a, exponent = as_tensor(a), as_int(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"matrix_power: square matrices are needed, not shape {a.shape}.")
    if exponent == 0:
        return _native.own(np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype.dtype), a.shape).copy())
    if exponent < 0:
        a, exponent = inv(a), -exponent
    if exponent == 3:
        return matmul(matmul(a, a), a)
    result = None
    power = a
    while True:
        exponent, odd = divmod(exponent, 2)
        if odd:
            result = power if result is None else matmul(result, power)
        if not exponent:
            break
        power = matmul(power, power)
    assert result is not None
    return result


def multi_dot(arrays: Sequence[TensorLike]) -> Tensor:
    """Return the product of matrices, multiplied in the order that takes the fewest multiplications.

    The first and the last one may be vectors.
    """
    tensors = [as_tensor(x) for x in arrays]
    if len(tensors) < 2:
        raise ValueError("multi_dot: at least two arrays are needed.")
    if len(tensors) == 2:
        return matmul(*tensors)
    is_row, is_column = tensors[0].ndim == 1, tensors[-1].ndim == 1
    if is_row:
        tensors[0] = expand_dims(tensors[0], 0)
    if is_column:
        tensors[-1] = expand_dims(tensors[-1], 1)
    for x in tensors:
        if x.ndim != 2:
            raise np.linalg.LinAlgError(f"multi_dot: {x.ndim}-dimensional array given. Array must be two-dimensional.")
    product = _product(tensors, _cuts([*[x.shape[0] for x in tensors], tensors[-1].shape[1]]), 0, len(tensors) - 1)
    if is_row and is_column:
        return _native.reshape(product, ())
    return _native.reshape(product, (-1,)) if is_row or is_column else product


def _cuts(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Return behind which matrix to cut each run of matrices in two; matrix k is `sizes[k]` by `sizes[k + 1]`."""
    count = len(sizes) - 1
    costs = {(k, k): 0 for k in range(count)}
    cuts = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            options = [
                costs[first, k] + costs[k + 1, last] + sizes[first] * sizes[k + 1] * sizes[last + 1]
                for k in range(first, last)
            ]
            costs[first, last] = min(options)
            cuts[first, last] = first + options.index(costs[first, last])
    return cuts


def _product(tensors: list[Tensor], cuts: dict[tuple[int, int], int], first: int, last: int) -> Tensor:
    if first == last:
        return tensors[first]
    cut = cuts[first, last]
    return matmul(_product(tensors, cuts, first, cut), _product(tensors, cuts, cut + 1, last))


def cross(x1: TensorLike, x2: TensorLike, axis: Any = -1) -> Tensor:
    """Return the cross products of vectors of three elements along `axis`."""
    first, second = as_tensor(x1), as_tensor(x2)
    first = moveaxis(first, as_axis(axis, first.ndim, "cross"), 0)
    second = moveaxis(second, as_axis(axis, second.ndim, "cross"), 0)
    if first.shape[0] != 3 or second.shape[0] != 3:
        raise ValueError(
            f"cross: vectors of three elements are needed, but they have {first.shape[0]} and {second.shape[0]}."
        )
    a, b = [first[k] for k in range(3)], [second[k] for k in range(3)]
    parts = [
        elementwise.subtract(elementwise.multiply(a[i], b[j]), elementwise.multiply(a[j], b[i]))
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]
    return stack(parts, as_int(axis))
