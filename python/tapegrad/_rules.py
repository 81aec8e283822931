"""The rules of the operations table, as Python runs them.

The native sweep has the table's rule texts compiled to C. Here the very same texts are compiled to Python functions:
over recorded operations for sweeps that an outer tape records and for types without native kernels, and over NumPy for
the forward pass of tapegrad's own operations on such types. The structural operations' arithmetic on these types is
here too. Nothing in this module states a derivative.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native

Array = npt.NDArray[Any]

_TABLE = _native.op_table()
_NAMES = [row[0] for row in _TABLE]
_ARGUMENTS = "x, y, z, out"
_ONE = "1.0"
"""The partial derivative of what is added: a cotangent or tangent passes on as it is, as `tg_op_passes_on` says."""
_CONSTANTS = {"inf": math.inf, "pi": math.pi}


def _compile(text: str, names: dict[str, Any]) -> Callable[..., Any]:
    function: Callable[..., Any] = eval(f"lambda {_ARGUMENTS}: {text}", names)  # the table's own text
    return function


@functools.cache
def _recorded_names() -> dict[str, Any]:
    return {**_CONSTANTS, **_native.elementwise, "where": _native.where, "sign": _sign}


def _sign(x: Any) -> Any:
    """The sign of x in a form that has a derivative for complex numbers, too: the slope of their modulus."""
    if not x.dtype.is_complex:
        return _native.elementwise["sign"](x)
    return _native.elementwise["divide_no_nan"](x, _native.cast(_native.elementwise["absolute"](x), x.dtype))


@functools.cache
def _numpy_names() -> dict[str, Any]:
    names: dict[str, Any] = {**_CONSTANTS, "where": np.where}
    for op, (name, _, text, *_) in enumerate(_TABLE):
        names[name] = getattr(np, name) if text is None else functools.partial(_own_forward, op)
    return names


def _libm(name: str, x: Array) -> Array:
    """A function of the C library, by way of the float64 kernel."""
    if np.iscomplexobj(x):
        raise TypeError(f"{name} is not defined for complex values")
    wide = _native.array(_native.elementwise[name](_native.own(x.astype(np.float64))))
    return wide.astype(np.result_type(x.dtype, np.float16))


def _own_forward(op: int, *arrays: Any) -> Any:
    name, _, text, *_ = _TABLE[op]
    if text == "libm":
        return _libm(name, np.asarray(arrays[0]))
    function = _forward_function(op)
    return function(*arrays, *[None] * (4 - len(arrays)))


@functools.cache
def _forward_function(op: int) -> Callable[..., Any]:
    return _compile(_TABLE[op][2] or "", _numpy_names())


@functools.cache
def partial_of(op: int, k: int) -> Callable[..., Any]:
    """Return partial derivative k of an operation as a function of x, y, z and the result, by recorded operations."""
    text = _TABLE[op][3][k]
    assert text is not None
    return _compile(text, _recorded_names())


def forward(op: int, arrays: Sequence[Array]) -> Any:
    """The value of operation number `op` by NumPy, in whatever type the arrays have."""
    if _TABLE[op][2] is None:
        return getattr(np, _NAMES[op])(*arrays)
    if all(a.dtype.kind in "iub" for a in arrays):  # formulas need a floating type, the one NumPy would choose
        arrays = [
            a.astype(np.result_type(a.dtype, np.float16 if a.dtype.itemsize == 1 else np.float32)) for a in arrays
        ]
    return _own_forward(op, *arrays)


def check_differentiable(op: int, k: int, values: Sequence[_native.Value]) -> None:
    """Raises TypeError where an operation on watched complex values has no derivative."""
    name, _, _, _, _, complex_rule, _ = _TABLE[op]
    if complex_rule == "-" and any(v.dtype.is_complex for v in values):
        raise TypeError(
            f"{name} has no derivative for complex values in tapegrad (operand {k} is watched): apply it to real and "
            "imaginary parts, or to stop_gradient(x)"
        )


def cotangent(op: int, k: int, g: _native.Tensor, saved: Sequence[_native.Tensor | None]) -> _native.Tensor:
    """The cotangent g times partial derivative k of operation `op`, by recorded operations; exactly zero where g is.

    `saved` holds x, y, z and the result, None for those that the rule does not mention.
    """
    text = _TABLE[op][3][k]
    if text == _ONE:
        return g
    partial = partial_of(op, k)(*saved)
    if isinstance(partial, _native.Value) and partial.dtype.is_complex and _TABLE[op][5] == "holomorphic":
        from tapegrad._ops.complex_parts import conjugate  # which is built on this module's callers

        partial = conjugate(partial)
    product: _native.Tensor = _native.elementwise["multiply_no_nan"](partial, g)
    return product


def tangent(op: int, k: int, t: _native.Tensor, saved: Sequence[_native.Tensor | None]) -> _native.Tensor:
    """The tangent t of operand k times its partial derivative, by recorded operations; zero where either is zero.

    `saved` is as for `cotangent`, of which this is the transpose.
    """
    text = _TABLE[op][3][k]
    if text == _ONE:
        return t
    partial = partial_of(op, k)(*saved)
    if isinstance(partial, _native.Value) and t.dtype.is_complex and _TABLE[op][5] == "gradient":
        from tapegrad._ops.complex_parts import conjugate, real

        # The partial is the gradient of a real number: its slope along t is the real part of their inner product.
        return real(_native.elementwise["multiply_no_nan"](conjugate(partial), t))
    product: _native.Tensor = _native.elementwise["multiply_no_nan"](partial, t)
    if isinstance(partial, _native.Value) and np.isnan(_native.array(product)).any():
        # A pole before a slope of exactly zero, such as the branch that a where() did not take, contributes nothing.
        moving = _native.where(_native.array(partial) == 0, 0, t)
        product = _native.elementwise["multiply_no_nan"](partial, moving)
    return product


def structural(
    op: str, x: Array, other: Array | None, shape: tuple[int, ...], params: Sequence[int], dtype: npt.DTypeLike
) -> Any:
    """Structural operations that add or multiply, for layouts and types that the native ones leave to NumPy."""
    if op == "sum":
        axes = tuple(d for d in range(x.ndim) if params[0] >> d & 1)
        return np.add.reduce(x, axis=axes).reshape(shape)
    if op == "cast":
        return (x if np.issubdtype(dtype, np.complexfloating) else x.real).astype(dtype)
    assert other is not None
    if op == "scatter_add":
        result = np.zeros(shape, x.dtype)
        axis = params[0]
        parts = np.moveaxis(x, range(axis, axis + other.ndim), range(other.ndim))
        np.add.at(np.moveaxis(result, axis, 0), other, parts)
        return result
    a = x.swapaxes(-1, -2) if params[0] & 1 else x
    b = other.swapaxes(-1, -2) if params[0] & 2 else other
    return np.matmul(a, b)
