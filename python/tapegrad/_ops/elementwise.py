"""Elementwise operations, under NumPy's names.

Those that carry gradients come from the native table and appear here by being there; the comparisons, the
logical and the bitwise operations are NumPy's ufuncs, whose results no tape follows. All are attributes of
the one object `elementwise`, as in `elementwise.add(x, y)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tapegrad._examples import example, parameters
from tapegrad._native import Tensor, apply_ufunc
from tapegrad._native import elementwise as _table

__all__ = ["elementwise"]

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
    operation.__module__ = "tapegrad"  # where pickle finds it
    operation.__doc__ = (
        f"NumPy's `{ufunc.__name__}`, elementwise; not differentiable: the result is on no tape."
        + parameters(("x", "y")[: ufunc.nin], "; types are promoted as in NumPy 2")
        + example("elementwise", "tapegrad", ufunc.__name__)
    )
    return operation


class _Operations:
    """The operations as attributes, so that the table alone says what there is."""

    def __init__(self, operations: dict[str, Callable[..., Tensor]]) -> None:
        self.__dict__.update(operations)
        self.__dict__.update({alias: operations[name] for alias, name in _ALIASES.items()})

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Tensor]: ...


elementwise = _Operations({**_table, **{ufunc.__name__: _of_ufunc(ufunc) for ufunc in _NOT_DIFFERENTIABLE}})
