"""Elementwise operations, under NumPy's names.

Those that carry gradients come from the native table, one line each, and appear here by being there; the
comparisons, the logical and the bitwise operations are NumPy's ufuncs, whose results no tape follows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tapegrad._native import Tensor, apply_ufunc
from tapegrad._native import elementwise as _table

_NOT_DIFFERENTIABLE = (
    np.equal,
    np.not_equal,
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    np.logical_and,
    np.logical_or,
    np.logical_xor,
    np.logical_not,
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
    np.invert,
    np.left_shift,
    np.right_shift,
    np.isnan,
    np.isinf,
    np.isfinite,
    np.signbit,
    np.gcd,
    np.lcm,
)


# NumPy's own second names.
_ALIASES = {
    "abs": "absolute",
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "bitwise_invert": "invert",
    "bitwise_left_shift": "left_shift",
    "bitwise_not": "invert",
    "bitwise_right_shift": "right_shift",
    "mod": "remainder",
    "pow": "power",
    "round": "rint",
    "true_divide": "divide",
}


def _of_ufunc(ufunc: np.ufunc) -> Callable[..., Tensor]:
    """Return the operation of one ufunc; like all operations it ignores TensorFlow's `name`."""

    def unary(x: object, name: str | None = None) -> Tensor:
        return apply_ufunc(ufunc, x)

    def binary(x: object, y: object, name: str | None = None) -> Tensor:
        return apply_ufunc(ufunc, x, y)

    operation: Callable[..., Tensor] = unary if ufunc.nin == 1 else binary
    operation.__name__ = operation.__qualname__ = ufunc.__name__
    operation.__doc__ = f"NumPy's `{ufunc.__name__}`, elementwise; not differentiable."
    return operation


_operations: dict[str, Callable[..., Tensor]] = {
    **_table,
    **{ufunc.__name__: _of_ufunc(ufunc) for ufunc in _NOT_DIFFERENTIABLE},
}
_operations.update({alias: _operations[name] for alias, name in _ALIASES.items()})
globals().update(_operations)
__all__ = sorted(_operations)


def __getattr__(name: str) -> Callable[..., Tensor]:
    # The names are only known at run time; to a type checker this declares that each is an operation.
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
