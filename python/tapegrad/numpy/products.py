"""Products of vectors, matrices and tensors."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import products, shaping
from tapegrad._ops.arguments import as_axes, as_int, as_shape
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import getitem
from tapegrad._ops.joining import stack
from tapegrad._ops.sum_of_products import sum_of_products
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import Out, TensorLike, as_dtype, delivered, operand

__all__ = ["cross", "dot", "einsum", "inner", "kron", "outer", "tensordot", "vdot"]


@implements(np.dot)
def dot(a: TensorLike, b: TensorLike, out: Out = None) -> Any:
    """Return the product of vectors or matrices; in general over the last axis of `a` and the last but one of `b`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.dot([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).numpy()
    array([3., 7.])
    """
    a, b = operand(a), operand(b)
    m, n = a.ndim, b.ndim
    if not m or not n:
        result = elementwise.multiply(a, b)
    elif m < 3 and n < 3:
        result = _native.matmul(a, b)
    else:
        result = _contraction(np.dot, a, b, (m - 1,), (max(n - 2, 0),))
    return delivered(result, out)


@implements(np.inner)
def inner(a: TensorLike, b: TensorLike, /) -> Tensor:
    """Return the sum of products over the last axes.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.inner([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    a, b = operand(a), operand(b)
    if not a.ndim or not b.ndim:
        return elementwise.multiply(a, b)
    if a.ndim == b.ndim == 1 and a.shape == b.shape:
        return _native.matmul(a, b)
    return _contraction(np.inner, a, b, (a.ndim - 1,), (b.ndim - 1,))


def _contraction(function: Any, a: Tensor, b: Tensor, of_a: tuple[int, ...], of_b: tuple[int, ...]) -> Tensor:
    if [a.shape[k] for k in of_a] != [b.shape[k] for k in of_b]:
        raise ValueError(f"shapes {a.shape} and {b.shape} not aligned: axes {of_a} and {of_b} differ in size")
    result: Tensor = products.contraction(a, b, function=function, of_a=of_a, of_b=of_b)
    return result


@implements(np.tensordot)
def tensordot(a: TensorLike, b: TensorLike, axes: Any = 2) -> Tensor:
    """Return the sum of products over a number of last and first axes, or over pairs of axes.

    Raises
    ------
    ValueError
        If there are more axes to sum over than an operand has.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.tensordot(np.ones((2, 3, 4)), np.ones((4, 3)), ([1, 2], [1, 0])).numpy()
    array([12., 12.])
    """
    a, b = operand(a), operand(b)
    if np.ndim(axes) == 0 and not isinstance(axes, (list, tuple)):
        count = as_int(axes)
        of_a, of_b = tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
        if count > min(a.ndim, b.ndim):
            raise ValueError("shape-mismatch for sum")
    else:
        first, second = axes
        of_a = as_axes(as_shape(first), a.ndim, "tensordot")
        of_b = as_axes(as_shape(second), b.ndim, "tensordot")
    return _contraction(None, a, b, of_a, of_b)


@implements(np.vdot)
def vdot(a: TensorLike, b: TensorLike, /) -> Tensor:
    """Return the product of two vectors (or of tensors as vectors), the first one conjugated.

    Raises
    ------
    ValueError
        If the vectors differ in length.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> complex(np.vdot([1j], [2.0]))
    -2j
    """
    a, b = (_native.reshape(operand(x), (-1,)) for x in (a, b))
    if a.shape != b.shape:
        raise ValueError("cannot reshape array: vectors have different lengths")
    result: Tensor = products.vdot(a, b)
    return result


@implements(np.outer)
def outer(a: TensorLike, b: TensorLike, out: Out = None) -> Any:
    """Return the products of each element of `a` with each of `b`, both as vectors.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.outer([1.0, 2.0], [3.0, 4.0]).numpy()
    array([[3., 4.],
           [6., 8.]])
    """
    column, row = _native.reshape(operand(a), (-1, 1)), _native.reshape(operand(b), (1, -1))
    return delivered(elementwise.multiply(column, row), out)


@implements(np.kron)
def kron(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the Kronecker product: `b` times each element of `a`, as blocks.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.kron([1.0, 10.0], [1.0, 2.0]).numpy()
    array([ 1.,  2., 10., 20.])
    """
    a, b = operand(a), operand(b)
    ndim = max(a.ndim, b.ndim)
    shapes = [(1,) * (ndim - x.ndim) + x.shape for x in (a, b)]
    left = _native.reshape(a, tuple([size for k in shapes[0] for size in (k, 1)]))
    right = _native.reshape(b, tuple([size for k in shapes[1] for size in (1, k)]))
    return _native.reshape(elementwise.multiply(left, right), tuple([m * n for m, n in zip(*shapes, strict=True)]))


@implements(np.cross)
def cross(a: TensorLike, b: TensorLike, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None) -> Tensor:
    """Return the cross product of vectors in three (or two) dimensions.

    Raises
    ------
    ValueError
        If vectors have other than two or three components.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).numpy()
    array([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = shaping.moveaxis(operand(a), axisa, -1), shaping.moveaxis(operand(b), axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError("incompatible dimensions for cross product (dimension must be 2 or 3)")
    x, y = ([getitem(v, (..., k)) for k in range(v.shape[-1])] for v in (a, b))
    if len(x) == len(y) == 2:
        return _minor(x, y, 0, 1)
    parts = [_minor(x, y, 1, 2), _minor(x, y, 2, 0), _minor(x, y, 0, 1)]
    return shaping.moveaxis(stack(parts, -1), -1, axisc)


def _minor(x: list[Tensor], y: list[Tensor], i: int, j: int) -> Tensor:
    """Return `x[i] * y[j] - x[j] * y[i]`, where a third component that is not there is zero."""
    first = elementwise.multiply(x[i], y[j]) if i < len(x) and j < len(y) else None
    second = elementwise.multiply(x[j], y[i]) if j < len(x) and i < len(y) else None
    if first is None:
        return elementwise.negative(second)
    return first if second is None else elementwise.subtract(first, second)


@implements(np.einsum)
def einsum(*operands: Any, out: Out = None, optimize: Any = False, **kwargs: Any) -> Any:
    """Return the sum of products that subscripts describe, in any of the forms that NumPy takes.

    Raises
    ------
    ValueError
        If there are no operands.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> float(np.einsum("i,i->", [1.0, 2.0], [3.0, 4.0]))
    11.0
    >>> float(np.einsum([1.0, 2.0], [0], [3.0, 4.0], [0], []))
    11.0
    """
    if not operands:
        raise ValueError("must specify the einstein sum subscripts string and at least one operand")
    if not isinstance(operands[0], str):
        operands = _as_equation(operands)
    equation, *values = operands
    options = {"optimize": optimize, **kwargs}
    casting = options.get("casting", "safe")
    if "dtype" in options:
        options["dtype"] = as_dtype(options["dtype"])
    result = sum_of_products(*map(operand, values), equation=equation, options=options)
    return delivered(result, out, casting)


def _as_equation(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return operands with lists of numbers for their axes as an equation with letters, followed by the operands."""
    values, lists = list(operands[: len(operands) // 2 * 2 : 2]), list(operands[1::2])
    result = operands[-1] if len(operands) % 2 else None
    labels = sorted({label for axes in lists for label in axes if label is not Ellipsis})
    if len(labels) > len(string.ascii_letters):
        raise ValueError("einsum: there are more axes than letters.")
    # In the order of the numbers, by which the axes of a result that is not given are sorted.
    letters = dict(zip(labels, sorted(string.ascii_letters), strict=False))

    def term(axes: Any) -> str:
        return "".join(["..." if label is Ellipsis else letters[label] for label in axes])

    equation = ",".join(map(term, lists))
    return (equation if result is None else f"{equation}->{term(result)}", *values)
