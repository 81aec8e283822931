"""Operators on functions of one argument, applied to functions of several, as in `autograd.wrap_util`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from tapegrad.compat.autograd._values import Function
from tapegrad.compat.autograd.util import subvals

__all__ = ["unary_to_nary"]


def unary_to_nary(unary_operator: Function) -> Function:
    """Make `operator(fun, argnum, ...)` of an operator `unary_operator(unary_fun, x, ...)`.

    Parameters
    ----------
    unary_operator
        Gets a function of one argument, and that argument. Where several are chosen, it is a tuple of them.

    Returns
    -------
    callable
        `operator(fun, argnum=0, ...)` returns a function of the arguments of `fun`; `argnum` is a position or a
        sequence of positions, and what follows it goes to the unary operator.

    Examples
    --------
    >>> from tapegrad.compat.autograd.wrap_util import unary_to_nary
    >>> @unary_to_nary
    ... def slope(fun, x, step=1e-3):
    ...     return (fun(x + step) - fun(x - step)) / (2.0 * step)
    >>> round(slope(lambda a, x: a * x**2, 1)(2.0, 3.0), 6)
    12.0
    """

    @functools.wraps(unary_operator)
    def operator(fun: Function, argnum: int | Sequence[int] = 0, *nary_op_args: Any, **nary_op_kwargs: Any) -> Function:
        several = not isinstance(argnum, int) and isinstance(argnum, Sequence)

        @functools.wraps(fun, assigned=("__doc__", "__name__", "__module__"))
        def applied(*args: Any, **kwargs: Any) -> Any:
            def unary(x: Any) -> Any:
                pairs = zip(argnum, x, strict=True) if several else [(argnum, x)]  # type: ignore[arg-type]
                return fun(*subvals(args, pairs), **kwargs)  # type: ignore[arg-type]

            unary.__name__ = getattr(fun, "__name__", unary.__name__)
            x = tuple([args[k] for k in argnum]) if several else args[argnum]  # type: ignore[index,union-attr]
            return unary_operator(unary, x, *nary_op_args, **nary_op_kwargs)

        return applied

    return operator
