"""NumPy's protocols: which recorded function takes the place of a NumPy function applied to a tensor.

The native types look a function up in `UFUNC_OPERATIONS` and `IMPLEMENTATIONS` and come here for what they do not find
there. The functions themselves live in `tapegrad.numpy`, which is imported with the first of them.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from tapegrad._interchange import array_namespace, refuse_storing, to_dlpack
from tapegrad._native import IMPLEMENTATIONS, UFUNC_OPERATIONS, matmul
from tapegrad._ops.elementwise import elementwise

__all__ = [
    "CONSTANT",
    "UNRELATED",
    "array_namespace",
    "array_ufunc",
    "implementation_of",
    "implements",
    "refuse_storing",
    "to_dlpack",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])

CONSTANT: set[Callable[..., Any]] = set()
"""The functions whose derivative is zero wherever it exists: their results are tensors that no tape follows."""

UNRELATED: set[Callable[..., Any]] = set()
"""The functions that ask about an array or print it; what they return is NumPy's own."""

UFUNC_OPERATIONS.update(
    {
        getattr(np, name): operation
        for name, operation in vars(elementwise).items()
        if isinstance(getattr(np, name, None), np.ufunc)
    }
)
UFUNC_OPERATIONS[np.matmul] = matmul


def implements(*functions: Callable[..., Any] | str, constant: bool = False) -> Callable[[_Function], _Function]:
    """Decorate the recorded function of the same signature that tensors use in place of these NumPy functions.

    A function that not every supported NumPy has is given by its name in `numpy`. `constant` says that the function
    is piecewise constant, so that its results are on no tape.
    """

    def register(implementation: _Function) -> _Function:
        for given in functions:
            function = getattr(np, given, None) if isinstance(given, str) else given
            if function is not None:
                IMPLEMENTATIONS[function] = implementation
                if constant:
                    CONSTANT.add(function)
        return implementation

    return register


def implementation_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what tensors use in place of a NumPy function that the table did not have (yet)."""
    import tapegrad.numpy  # noqa: F401 (fills the table)

    implementation: Callable[..., Any] | None = IMPLEMENTATIONS.get(function)
    if implementation is None:
        from tapegrad.numpy._unrecorded import without_rule

        implementation = functools.partial(without_rule, function)
    return implementation


def array_ufunc(ufunc: np.ufunc, method: str, operands: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Apply a ufunc, or one of its methods, where the table of operations alone does not say how."""
    if ufunc not in UFUNC_OPERATIONS and _is_special(ufunc):
        import tapegrad.special  # noqa: F401 (puts SciPy's functions into the table)
    return _calls().apply(ufunc, method, operands, keywords)


@functools.cache
def _calls() -> ModuleType:
    """Return the module of the calls of ufuncs, which is imported when it is first needed."""
    return import_module("tapegrad.numpy._ufunc_calls")


def _is_special(ufunc: np.ufunc) -> bool:
    """Return whether a ufunc is one of scipy.special's, which must then have been imported."""
    special = sys.modules.get("scipy.special")
    return special is not None and getattr(special, ufunc.__name__, None) is ufunc
