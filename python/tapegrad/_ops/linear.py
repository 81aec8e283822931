"""Products of matrices and tensors, composed of the native matrix product and moves of axes."""

from __future__ import annotations

import math
from typing import Any

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_axes, as_int, as_shape, as_tensor
from tapegrad._ops.declare import TensorLike

__all__ = ["matmul", "matrix_transpose", "tensordot"]


def matmul(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the matrix product: vectors, matrices and broadcast stacks of matrices, as NumPy's `@`."""
    return _native.matmul(a, b)


def matrix_transpose(a: TensorLike) -> Tensor:
    """Return `a` with its last two axes exchanged."""
    a = as_tensor(a)
    ndim = a.ndim
    if ndim < 2:
        raise ValueError(f"matrix_transpose: a tensor with at least two dimensions is needed, not shape {a.shape}.")
    return _native.transpose(a, (*range(ndim - 2), ndim - 1, ndim - 2))


def tensordot(a: TensorLike, b: TensorLike, axes: Any = 2) -> Tensor:
    """Return the sum of products over `axes`.

    Parameters
    ----------
    a, b
        The tensors.
    axes
        How many of the last axes of `a` and of the first axes of `b` are summed over; or a pair: the axes of
        `a`, and those of `b` in the same order.
    """
    a, b = as_tensor(a), as_tensor(b)
    of_a, of_b = _axes_pair(axes, a.ndim, b.ndim)
    if len(of_a) != len(of_b) or [a.shape[k] for k in of_a] != [b.shape[k] for k in of_b]:
        raise ValueError(
            f"tensordot: the sizes of the axes {list(of_a)} of shape {a.shape} and {list(of_b)} of shape "
            f"{b.shape} differ."
        )
    free_a = tuple([k for k in range(a.ndim) if k not in of_a])
    free_b = tuple([k for k in range(b.ndim) if k not in of_b])
    shape_a, shape_b = tuple([a.shape[k] for k in free_a]), tuple([b.shape[k] for k in free_b])
    inner = math.prod([a.shape[k] for k in of_a])
    left = _as_matrix(a, free_a + of_a, (math.prod(shape_a), inner))
    right = _as_matrix(b, of_b + free_b, (inner, math.prod(shape_b)))
    product = _native.matmul(left, right)
    return product if len(shape_a) == len(shape_b) == 1 else _native.reshape(product, shape_a + shape_b)


def _as_matrix(x: Tensor, order: tuple[int, ...], shape: tuple[int, int]) -> Tensor:
    """Return `x` with its axes in another order, as a matrix."""
    if order != tuple(range(len(order))):
        x = _native.transpose(x, order)
    return x if x.shape == shape else _native.reshape(x, shape)


def _axes_pair(axes: Any, ndim_a: int, ndim_b: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the axes of both tensors to sum over, not negative."""
    try:
        first, second = axes
    except TypeError:
        count = as_int(axes)
        if not 0 <= count <= min(ndim_a, ndim_b):
            raise ValueError(
                f"tensordot: cannot sum over {count} axes of tensors with {ndim_a} and {ndim_b} dimensions."
            ) from None
        return tuple(range(ndim_a - count, ndim_a)), tuple(range(count))
    return as_axes(as_shape(first), ndim_a, "tensordot"), as_axes(as_shape(second), ndim_b, "tensordot")
