"""NumPy's protocols: which recorded function takes the place of a NumPy function applied to a tensor.

The native types look a function up in `UFUNC_OPERATIONS` and `IMPLEMENTATIONS` and come here for what they do not find
there. The functions themselves live in `tapegrad.numpy`, which is imported with the first of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from tapegrad._native import IMPLEMENTATIONS, UFUNC_OPERATIONS, matmul
from tapegrad._ops.elementwise import elementwise

__all__ = ["implementation_of", "implements"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

UFUNC_OPERATIONS.update(
    {getattr(np, name): operation for name, operation in vars(elementwise).items() if hasattr(np, name)}
)
UFUNC_OPERATIONS[np.matmul] = matmul


def implements(*functions: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Decorate the recorded function of the same signature that tensors use in place of these NumPy functions."""

    def register(implementation: _Function) -> _Function:
        for function in functions:
            IMPLEMENTATIONS[function] = implementation
        return implementation

    return register


def implementation_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the recorded function for a NumPy function, or raise the TypeError that names it."""
    import tapegrad.numpy  # fills the table

    try:
        return IMPLEMENTATIONS[function]
    except KeyError:
        raise TypeError(f"numpy.{function.__name__} has no derivative rule in tapegrad") from None


def array_ufunc(ufunc: np.ufunc, method: str, operands: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Apply a ufunc, or one of its methods, where the table of operations alone does not say how."""
    if method == "__call__" and not keywords and ufunc in UFUNC_OPERATIONS:
        return UFUNC_OPERATIONS[ufunc](*operands)
    raise TypeError(f"numpy.{ufunc.__name__} has no derivative rule in tapegrad")
