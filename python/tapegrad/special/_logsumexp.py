"""Sums of exponentials: their logarithm with weights and signs, and the softmax functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.special

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops import softmax as softmax_ops
from tapegrad._ops.arguments import as_axes, as_inexact, kept_shape
from tapegrad._ops.declare import Operation, TensorLike, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.registered import as_operand
from tapegrad._ops.ufunc_rules import product

__all__ = ["as_floating", "log_softmax", "logsumexp", "softmax"]

_Axes = tuple[int, ...]


def as_floating(x: TensorLike) -> Tensor:
    """Return an operand as a floating or complex tensor; integers become float64."""
    return as_inexact(as_operand(x))


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """Return ``log(sum(b * exp(a)))`` over `axis`, without overflow.

    Parameters
    ----------
    a
        The exponents, real or complex; -inf contributes nothing.
    axis
        An axis, several, or None for all.
    b
        Weights, which are broadcast with `a` and may be negative or zero; 1 if they are left out.
    keepdims
        Whether the axes stay, with size 1.
    return_sign
        Whether to return the logarithm of the sum's absolute value together with its sign. Only for real `a`.

    Returns
    -------
    Tensor or tuple of Tensor
        The logarithms, and the signs if they are asked for. A sum of zero has slope 0 in `a`.

    Raises
    ------
    TypeError
        If the sign of a complex sum is asked for.

    Examples
    --------
    >>> import tapegrad as tf
    >>> a = tf.constant([1000.0, 1000.0], dtype=tf.float64)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(a)
    ...     y = tf.special.logsumexp(a, b=[3.0, 1.0])
    >>> tape.gradient(y, a).numpy()
    array([0.75, 0.25])
    """
    a = as_floating(a)
    operands: tuple[Tensor, ...] = (a,)
    if b is not None:
        b = as_operand(b)
        shape = np.broadcast_shapes(a.shape, b.shape)
        operands = (_native.broadcast_to(a, shape), _native.broadcast_to(b, shape))
    if return_sign and any(x.dtype.is_complex for x in operands):
        raise TypeError("logsumexp: the sign of a complex sum has no rule in tapegrad; leave return_sign out.")
    axes = as_axes(axis, operands[0].ndim, "logsumexp")
    operation = _logsumexp if b is None else _weighted
    return operation(*operands, axis=axes, keepdims=bool(keepdims), return_sign=bool(return_sign))


def _values(a: npt.NDArray[Any], b: npt.NDArray[Any] | None, axis: _Axes, keepdims: bool, return_sign: bool) -> Any:
    axes = axis if a.ndim else None
    return scipy.special.logsumexp(a, axis=axes, b=b, keepdims=keepdims, return_sign=return_sign)


def _exponentials(a: Any, b: Any, axis: _Axes) -> tuple[Any, Any]:
    """Return the exponentials over a scale that they share, and the sum of their products with the weights."""
    values = _native.array(a).real
    if b is not None:
        values = np.where(_native.array(b) == 0.0, -np.inf, values).astype(values.dtype)
    top = np.max(values, axis, keepdims=True, initial=-np.inf)
    # The scale cancels, so it is a constant.
    shifted = elementwise.subtract(a, np.where(np.isfinite(top), top, 0.0).astype(values.dtype))
    if np.any(top == np.inf):
        # All the weight is on the elements that are +inf: exp(0), and exp(-inf) for the others beside them.
        limits = np.where(values == np.inf, 0.0, -np.inf).astype(values.dtype)
        shifted = _native.where(np.broadcast_to(top == np.inf, values.shape), limits, shifted)
    exponentials = elementwise.exp(shifted)
    weighted = exponentials if b is None else elementwise.multiply_no_nan(exponentials, b)
    return exponentials, _native.sum(weighted, axis, True)


def _vjp_a(gs: Any, a: Any, axis: _Axes, b: Any = None) -> Any:
    if gs[0] is None:
        return None
    exponentials, total = _exponentials(a, b, axis)
    weighted = exponentials if b is None else elementwise.multiply_no_nan(exponentials, b)
    return product(elementwise.divide_no_nan(weighted, total), _native.reshape(gs[0], kept_shape(a.shape, axis)))


def _vjp_b(gs: Any, a: Any, b: Any, axis: _Axes) -> Any:
    if gs[0] is None:
        return None
    exponentials, total = _exponentials(a, b, axis)
    return product(elementwise.divide(exponentials, total), _native.reshape(gs[0], kept_shape(a.shape, axis)))


_logsumexp: Operation = structural(
    "logsumexp",
    lambda a, *, axis, keepdims, return_sign: _values(a, None, axis, keepdims, return_sign),
    a=lambda gs, a, axis: _vjp_a(gs, a, axis),
)
_weighted: Operation = structural(
    "logsumexp",
    lambda a, b, *, axis, keepdims, return_sign: _values(a, b, axis, keepdims, return_sign),
    a=lambda gs, a, b, axis: _vjp_a(gs, a, axis, b),
    b=_vjp_b,
)


def softmax(x: TensorLike, axis: Any = None) -> Tensor:
    """Return ``exp(x)`` divided by its sum over `axis`: an axis, several, or None for all.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.special.softmax([1000.0, 1000.0]).numpy()
    array([0.5, 0.5])
    """
    return _over_axes(softmax_ops.softmax, x, axis, "softmax")


def log_softmax(x: TensorLike, axis: Any = None) -> Tensor:
    """Return the logarithm of `softmax`, also where that underflows.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.special.log_softmax([0.0, 1000.0]).numpy()
    array([-1000.,     0.])
    """
    return _over_axes(softmax_ops.log_softmax, x, axis, "log_softmax")


def _over_axes(operation: Operation, x: TensorLike, axis: Any, name: str) -> Tensor:
    x = as_floating(x)
    if x.dtype.is_complex:
        raise TypeError(f"{name} is for real values, not {x.dtype.name}; apply it to the real part.")
    shape = x.shape
    axes = as_axes(axis, x.ndim, name)
    result: Tensor = operation(x if shape else _native.reshape(x, (1,)), axis=axes or (0,))
    return result if shape else _native.reshape(result, ())
