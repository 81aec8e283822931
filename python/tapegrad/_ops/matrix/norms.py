"""Norms of vectors and matrices, and condition numbers.

At a kink the slope is the one of least norm: 0 at zero, equal shares where several elements, sums or singular values
are the greatest.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor, array
from tapegrad._ops import reductions
from tapegrad._ops.arguments import as_axes, as_axis, as_inexact, as_shape, kept_shape
from tapegrad._ops.declare import Operation, TensorLike, silent, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import getitem
from tapegrad._ops.matrix.inverse import inverse_or_nan
from tapegrad._ops.matrix.parts import adjoint, as_matrices, on_matrices
from tapegrad._ops.matrix.singular import singular_sum, svd, svdvals
from tapegrad._ops.shaping import moveaxis, transpose
from tapegrad._ops.statistics import direction_of, norm_vjp, shares
from tapegrad._ops.untracked import untracked

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]


def norm(x: TensorLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return a norm of vectors or matrices, as `numpy.linalg.norm` does.

    Parameters
    ----------
    x
        The tensor; without `axis` and with an `ord` it must be a vector or a matrix.
    ord
        `None`: the root of the sum of squares. Of vectors: a number p, `inf` or `-inf`. Of matrices: `"fro"`,
        `"nuc"`, 1, -1, 2, -2, `inf` or `-inf`.
    axis
        One axis of vectors, a pair of axes of matrices, or `None` for all.
    keepdims
        Whether the axes stay, with size 1.
    """
    x = as_inexact(x)
    if axis is None:
        if ord is None or (ord in ("f", "fro") and x.ndim == 2):
            return _of_vectors(x, None, None, keepdims)
        axes = tuple(range(x.ndim))
    else:
        axes = tuple([as_axis(number, x.ndim, "norm") for number in as_shape(axis)])
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"norm: the order {ord!r} is not one for vectors.")
        # Without an axis NumPy has another way to sum the squares.
        whole = axis is None and ord == 2
        return _of_vectors(x, None if whole else ord, None if whole else axes[0], keepdims)
    if len(axes) == 2:
        return _of_matrices(x, ord, axes, keepdims)
    raise ValueError(f"norm: the axes of a vector or a matrix are one or two, not {axes}.")


def vector_norm(x: TensorLike, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """Return the p-norm, `ord` being p, over any number of axes (`None`: all of them)."""
    x = as_inexact(x)
    if axis is not None and not isinstance(axis, (tuple, list)):
        return _of_vectors(x, ord, as_axis(axis, x.ndim, "vector_norm"), keepdims)
    axes = as_axes(axis, x.ndim, "vector_norm")
    rest = tuple([k for k in range(x.ndim) if k not in axes])
    sizes = [x.shape[k] for k in rest]
    vectors = _native.reshape(transpose(x, axes + rest), (math.prod([x.shape[k] for k in axes]), *sizes))
    result = _of_vectors(vectors, ord, 0, False)
    return _native.reshape(result, kept_shape(x.shape, axes)) if keepdims else result


def matrix_norm(x: TensorLike, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Return a norm of the matrices in the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


def _of_vectors(x: Tensor, ord: Any, axis: int | None, keepdims: bool) -> Tensor:
    if ord is not None and ord == 0:
        return untracked(np.linalg.norm, x, ord=0, axis=axis, keepdims=keepdims)
    result: Tensor = _vector_norm(x, ord=None if ord == 2 and axis is None else ord, axis=axis, keepdims=bool(keepdims))
    return result


@silent
def _norm_forward(x: npt.NDArray[Any], *, ord: Any, axis: Any, keepdims: bool) -> Any:
    return np.linalg.norm(x, ord, axis, keepdims)


_vector_norm: Operation = structural("norm", _norm_forward, x=norm_vjp)


def _of_matrices(x: Tensor, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if axes[0] == axes[1]:
        raise ValueError("norm: a matrix has two different axes.")
    if ord is None or ord in ("f", "fro"):
        result: Tensor = _vector_norm(x, ord=None if ord is None else "fro", axis=axes, keepdims=bool(keepdims))
        return result
    matrices = moveaxis(x, axes, (-2, -1))
    if ord in (2, -2, "nuc"):
        result = _singular_norm(matrices, ord=ord)
    elif ord in (1, -1, np.inf, -np.inf):
        result = _sum_norm(matrices, ord=ord)
    else:
        raise ValueError(f"norm: the order {ord!r} is not one for matrices.")
    return _native.reshape(result, kept_shape(x.shape, axes)) if keepdims else result


@silent
def _matrix_norm_forward(x: npt.NDArray[Any], *, ord: Any) -> Any:
    return np.linalg.norm(x, ord, (-2, -1))


def _sum_norm_vjp(g: Tensor, x: Tensor, ord: Any) -> Tensor:
    magnitude = elementwise.absolute(x)
    direction = direction_of(x, magnitude)
    sums = np.sum(array(magnitude), -2 if abs(ord) == 1 else -1, keepdims=True)
    if not sums.size:
        return elementwise.multiply_no_nan(direction, on_matrices(g))
    extreme = np.max(sums, (-2, -1), keepdims=True) if ord > 0 else np.min(sums, (-2, -1), keepdims=True)
    share = shares(sums == extreme, (-2, -1), sums.dtype)
    return elementwise.multiply_no_nan(elementwise.multiply(direction, share), on_matrices(g))


_sum_norm = structural("norm", _matrix_norm_forward, x=_sum_norm_vjp)


def _singular_norm_vjp(g: Tensor, x: Tensor, ord: Any) -> Tensor:
    u, s, vh = svd(x, full_matrices=False)
    values = array(s)
    # What is zero up to rounding errors is at the kink that abs has at 0.
    tolerance = values[..., :1] * (max(x.shape[-2:]) * np.finfo(values.dtype).eps)
    chosen = values > tolerance
    if ord == "nuc":
        weights = chosen.astype(values.dtype)
    else:
        extreme = values[..., :1] if ord == 2 else values[..., -1:]
        weights = shares(np.abs(values - extreme) <= tolerance, -1, values.dtype) * chosen
    slope = singular_sum(x, _native.own(weights), u, s, adjoint(vh))
    return elementwise.multiply_no_nan(slope, on_matrices(g))


_singular_norm = structural("norm", _matrix_norm_forward, x=_singular_norm_vjp)


def cond(x: TensorLike, p: Any = None) -> Tensor:
    """Return condition numbers: `norm(x, p) * norm(inv(x), p)`; `p=None` is 2, for which x need not be square.

    Of singular matrices they are inf, and the derivative is nan.
    """
    x = as_matrices(x, "cond")
    if not x.size and 0 in x.shape[-2:]:
        raise np.linalg.LinAlgError("cond is not defined on empty arrays")
    if p is None or p in (2, -2):
        s = svdvals(x)
        first, last = getitem(s, (..., 0)), getitem(s, (..., -1))
        result = elementwise.divide(last, first) if p == -2 else elementwise.divide(first, last)
    else:
        result = elementwise.multiply(norm(x, p, (-2, -1)), norm(inverse_or_nan(x), p, (-2, -1)))
    infinite = np.isnan(array(result)) & ~np.isnan(array(x)).any(axis=(-2, -1))
    if not infinite.any():
        return result
    # A quotient that is inf with a slope that is not finite: a constant inf would pass for one without any.
    size = elementwise.add(reductions.sum(elementwise.absolute(x), (-2, -1)), 1.0)
    return _native.where(infinite, elementwise.divide(size, 0.0), result)
