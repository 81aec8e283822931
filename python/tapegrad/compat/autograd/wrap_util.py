"""Operators on functions of one argument, applied to functions of several, as in `autograd.wrap_util`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from tapegrad.compat.autograd._values import Function
from tapegrad.compat.autograd.util import subvals

__all__ = ["get_doc", "get_name", "unary_to_nary", "wrap_nary_f", "wraps"]


def get_name(f: Any) -> str:
    """Return the name of a function.

    Examples
    --------
    >>> from tapegrad.compat.autograd.wrap_util import get_name
    >>> get_name(len)
    'len'
    """
    name: str = getattr(f, "__name__", "[unknown name]")
    return name


def get_doc(f: Any) -> str:
    """Return the documentation of a function, "" if it has none.

    Examples
    --------
    >>> from tapegrad.compat.autograd.wrap_util import get_doc
    >>> get_doc(lambda x: x)
    ''
    """
    return getattr(f, "__doc__", None) or ""


def wraps(
    fun: Function, namestr: str = "{fun}", docstr: str = "{doc}", **kwargs: Any
) -> Callable[[Function], Function]:
    """Decorate a function made of another one: with a name and a documentation in which `{fun}` and `{doc}` are its.

    Examples
    --------
    >>> from tapegrad.compat.autograd.wrap_util import wraps
    >>> @wraps(abs, "{how}_{fun}", how="twice")
    ... def made(x):
    ...     return 2.0 * abs(x)
    >>> made.__name__
    'twice_abs'
    """

    def decorated(f: Function) -> Function:
        f.__name__ = namestr.format(fun=get_name(fun), **kwargs)
        f.__doc__ = docstr.format(fun=get_name(fun), doc=get_doc(fun), **kwargs)
        return f

    return decorated


def wrap_nary_f(fun: Function, op: Function, argnum: int | Sequence[int]) -> Callable[[Function], Function]:
    """Decorate what an operator makes of a function: its name says of which, and for which argument.

    Examples
    --------
    >>> from tapegrad.compat.autograd.wrap_util import wrap_nary_f
    >>> def slope(f, x): ...
    >>> wrap_nary_f(abs, slope, 0)(lambda x: x).__name__
    'slope_of_abs_wrt_argnum_0'
    """
    return wraps(
        fun,
        "{op}_of_{fun}_wrt_argnum_{argnum}",
        "{op} of {fun} for argument {argnum}; it takes the arguments of {fun}.",
        op=get_name(op),
        argnum=argnum,
    )


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

    # Its own arguments, not those of the unary operator.
    operator.__signature__ = inspect.signature(operator, follow_wrapped=False)  # type: ignore[attr-defined]
    return operator
