"""TensorFlow's names for arithmetic where they, or their parameters, are not NumPy's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import complex_parts, creation, reductions
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.elementwise import elementwise
from tapegrad._tf.tensor_shape import TensorShape
from tapegrad.dtypes import as_dtype
from tapegrad.indexed_slices import IndexedSlices

__all__ = [
    "accumulate_n",
    "add_n",
    "angle",
    "atan2",
    "conj",
    "floordiv",
    "floormod",
    "imag",
    "is_finite",
    "is_inf",
    "is_nan",
    "l2_normalize",
    "polyval",
    "real",
    "realdiv",
    "reciprocal_no_nan",
    "rsqrt",
    "scalar_mul",
    "truediv",
    "truncatediv",
    "truncatemod",
]

floordiv = elementwise.floor_divide
floormod = elementwise.remainder
is_finite = elementwise.isfinite
is_inf = elementwise.isinf
is_nan = elementwise.isnan
realdiv = elementwise.divide
truncatemod = elementwise.fmod


def atan2(y: TensorLike, x: TensorLike, name: str | None = None) -> Tensor:
    """Return the angle of the point (x, y), elementwise, between -pi and pi; its derivative at (0, 0) is 0.

    Parameters
    ----------
    y, x
        Real coordinates, which are broadcast.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.atan2(y=[1.0, -1.0], x=[0.0, 0.0]).numpy().round(4).tolist()
    [1.5707999467849731, -1.5707999467849731]
    """
    return elementwise.arctan2(y, x)


def truediv(x: TensorLike, y: TensorLike, name: str | None = None) -> Tensor:
    """Return `x / y`, elementwise.

    Parameters
    ----------
    x, y
        The dividend and the divisor, which are broadcast.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.truediv(7.0, 2.0))
    3.5
    """
    return elementwise.divide(x, y)


def truncatediv(x: TensorLike, y: TensorLike, name: str | None = None) -> Tensor:
    """Return `x / y` rounded towards 0, elementwise; not differentiable.

    Parameters
    ----------
    x, y
        The dividend and the divisor, which are broadcast.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> int(tf.truncatediv(-7, 2)), float(tf.truncatediv(-7.5, 2.0))
    (-3, -3.0)
    """
    x, y = as_tensor(x), as_tensor(y)
    if x.dtype.is_integer and y.dtype.is_integer:
        return elementwise.floor_divide(elementwise.subtract(x, elementwise.fmod(x, y)), y)
    return elementwise.trunc(elementwise.divide(x, y))


def scalar_mul(scalar: TensorLike, x: TensorLike | IndexedSlices, name: str | None = None) -> Tensor | IndexedSlices:
    """Return `scalar * x`; the scalar must have no dimensions, and `IndexedSlices` stay slices.

    Parameters
    ----------
    scalar
        A number, or a tensor without dimensions.
    x
        A tensor or `IndexedSlices`.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the first argument is not a scalar.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.scalar_mul(2.0, [1.0, 3.0]).numpy().tolist()
    [2.0, 6.0]
    """
    if as_tensor(scalar).ndim:
        raise ValueError(f"scalar_mul: the first argument must be a scalar, not of shape {as_tensor(scalar).shape}.")
    return x * as_tensor(scalar) if isinstance(x, IndexedSlices) else elementwise.multiply(scalar, x)


def rsqrt(x: TensorLike, name: str | None = None) -> Tensor:
    """Return `1 / sqrt(x)`, elementwise.

    Parameters
    ----------
    x
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.math.rsqrt(4.0))
    0.5
    """
    return elementwise.reciprocal(elementwise.sqrt(x))


def reciprocal_no_nan(x: TensorLike, name: str | None = None) -> Tensor:
    """Return `1 / x`, elementwise, and 0 where `x` is 0.

    Parameters
    ----------
    x
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.reciprocal_no_nan([2.0, 0.0]).numpy().tolist()
    [0.5, 0.0]
    """
    x = as_tensor(x)
    return elementwise.divide_no_nan(_native.cast(1, x.dtype), x)


def polyval(coeffs: Sequence[TensorLike], x: TensorLike, name: str | None = None) -> Tensor:
    """Return the value of a polynomial, elementwise, by Horner's rule.

    It is differentiable with respect to `x` and to the coefficients, a list of tensors which are broadcast, that of the
    highest power first.

    Parameters
    ----------
    coeffs
        A list of tensors, the coefficient of the highest power first.
    x
        Where to take the value; it is broadcast with the coefficients.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the coefficients are not a list.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.math.polyval([1.0, 2.0, 3.0], 2.0))
    11.0
    """
    if not isinstance(coeffs, list | tuple):
        raise ValueError(f"Argument coeffs must be list type. Received type {type(coeffs)}.")
    if not coeffs:
        return creation.zeros_like(x)
    result = coeffs[0]
    for coefficient in coeffs[1:]:
        result = elementwise.add(elementwise.multiply(result, x), coefficient)
    return as_tensor(result)


def l2_normalize(
    x: TensorLike, axis: Any = None, epsilon: TensorLike = 1e-12, name: str | None = None, dim: Any = None
) -> Tensor:
    """Return `x / sqrt(max(sum(x**2), epsilon))`, the sum being over `axis` (`None` for all).

    Parameters
    ----------
    x
        A tensor.
    axis
        An axis, several, or `None` for all of them.
    epsilon
        The least sum of squares to divide by.
    name
        Has no effect.
    dim
        An older name of `axis`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.l2_normalize([[3.0, 4.0], [0.0, 0.0]], axis=1).numpy().round(3).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    x = as_tensor(x)
    size = elementwise.absolute(x) if x.dtype.is_complex else x
    total = reductions.sum(elementwise.square(size), axis if dim is None else dim, keepdims=True)
    return elementwise.multiply(x, rsqrt(elementwise.maximum(total, epsilon)))


def real(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the real part, elementwise.

    Parameters
    ----------
    input
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.math.real(1.0 + 2.0j))
    1.0
    """
    return complex_parts.real(input)


def imag(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the imaginary part, elementwise.

    Parameters
    ----------
    input
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.math.imag(1.0 + 2.0j))
    2.0
    """
    return complex_parts.imag(input)


def conj(x: TensorLike, name: str | None = None) -> Tensor:
    """Return the complex conjugate, elementwise.

    Parameters
    ----------
    x
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> complex(tf.math.conj(1.0 + 2.0j))
    (1-2j)
    """
    return complex_parts.conjugate(x)


def angle(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the argument of complex numbers, elementwise.

    Parameters
    ----------
    input
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.math.angle(1.0j)), 4)
    1.5708
    """
    return complex_parts.angle(input)


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """Return the sum of several tensors of one shape.

    Parameters
    ----------
    inputs
        A list of tensors of one shape and dtype.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If there are no tensors, or their shapes differ.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.add_n([[1, 2], [3, 4], [5, 6]]).numpy().tolist()
    [9, 12]
    """
    tensors = [as_tensor(x) for x in inputs] if isinstance(inputs, list | tuple) else [as_tensor(inputs)]
    if not tensors:
        raise ValueError("add_n: at least one tensor is needed.")
    total = tensors[0]
    for x in tensors[1:]:
        if x.shape != total.shape:
            raise ValueError(f"add_n: the tensors must have one shape, not {total.shape} and {x.shape}.")
        total = elementwise.add(total, x)
    return total


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """Return the sum of several tensors of one shape, as `add_n`, after a check of their shape and type.

    Parameters
    ----------
    inputs
        A list of tensors of one shape and dtype.
    shape
        The shape that they must have; `None` asks for nothing.
    tensor_dtype
        The dtype that they must have; `None` asks for nothing.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the tensors' shape is not `shape`.
    TypeError
        If their dtype is not `tensor_dtype`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.math.accumulate_n([[1, 2], [3, 4]], shape=[2], tensor_dtype=tf.int32).numpy().tolist()
    [4, 6]
    """
    total = add_n(inputs)
    if shape is not None and not TensorShape(shape).is_compatible_with(total.shape):
        raise ValueError(f"Shapes {TensorShape(shape)} and {total.shape} are not compatible")
    if tensor_dtype is not None and as_dtype(tensor_dtype) is not total.dtype:
        raise TypeError(f"The `tensor_dtype` argument is {tensor_dtype}, but `input` is of type {total.dtype}.")
    return total
