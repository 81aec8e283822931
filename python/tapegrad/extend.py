"""How a library gives its own functions derivatives: declarations of operations, and their places in NumPy's protocols.

Everything that tapegrad itself is made of is here: `structural` and `linear` make an operation of a function of arrays
and its rules, `register_ufunc` of a ufunc and its partial derivatives, and `implements` says what tensors use in place
of a function that NumPy dispatches. For code that is not to be taken apart there are `primitive`, `implicit_solve` and
`custom_gradient`. docs/extending.md shows all of them at work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad.numpy  # noqa: F401 (what NumPy's functions have already)
from tapegrad import _protocols
from tapegrad._custom_gradient import custom_gradient
from tapegrad._native import IMPLEMENTATIONS, is_watched
from tapegrad._ops.declare import LinearRule, Operation, Rule, TensorLike, linear, silent, structural
from tapegrad._ops.registered import register_ufunc
from tapegrad._ops.untracked import untracked
from tapegrad.primitives import implicit_solve, primitive

__all__ = [
    "LinearRule",
    "Operation",
    "Rule",
    "TensorLike",
    "custom_gradient",
    "implements",
    "implicit_solve",
    "is_watched",
    "linear",
    "primitive",
    "register_ufunc",
    "silent",
    "structural",
    "untracked",
]


def implements(
    *functions: Callable[..., Any] | str, constant: bool = False, replace: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate the recorded function that tensors use in place of a function that NumPy dispatches.

    Parameters
    ----------
    *functions
        Functions that ask their arguments for `__array_function__`: those of a library, or NumPy's, for all of which
        tensors have something already. NumPy's can be given by name; one that the installed NumPy lacks is passed over.
    constant
        Whether the function is piecewise constant, so that no tape follows its results.
    replace
        Whether this may take the place of what tensors use already.

    Returns
    -------
    callable
        The decorator. It returns the function that it is given, which must have the same signature.

    Raises
    ------
    TypeError
        If one of `functions` is neither a name nor a function that NumPy dispatches. Ufuncs are for `register_ufunc`.
    ValueError
        If tensors have a function in its place, and `replace` is false.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad as tf
    >>> from tapegrad.extend import implements
    >>> def energy(x):  # a library's function, which hands itself to what is no array
    ...     if not isinstance(x, np.ndarray):
    ...         return x.__array_function__(energy, (type(x),), (x,), {})
    ...     return float(x @ x)
    >>> @implements(energy)
    ... def recorded_energy(x):
    ...     return tf.reduce_sum(x**2)
    >>> tf.grad(energy)(np.array([1.0, 3.0]))
    array([2., 6.])
    """
    for given in functions:
        function = getattr(np, given, None) if isinstance(given, str) else given
        if function is None:
            continue
        if isinstance(function, np.ufunc) or not callable(function):
            raise TypeError(f"implements: {function!r} is not dispatched by __array_function__; see register_ufunc.")
        if function in IMPLEMENTATIONS and not replace:
            raise ValueError(
                f"implements: tensors have a function in place of {function.__module__}.{function.__qualname__} "
                "already; pass replace=True to give them another."
            )
    return _protocols.implements(*functions, constant=constant)
