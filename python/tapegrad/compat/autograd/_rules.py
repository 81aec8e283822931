"""Derivative rules in autograd's form: makers of functions, given one by one or for a whole call."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, TypeAlias

from tapegrad.compat.autograd._values import Function
from tapegrad.compat.autograd.util import subval

__all__ = [
    "Rules",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "rules_of",
]

VJP: TypeAlias = Callable[[Sequence[int], Any, Sequence[Any], dict[str, Any]], Callable[[Any], Sequence[Any]]]
"""`rule(argnums, ans, args, kwargs)` returns what takes the cotangent of `ans` to those of the arguments."""

JVP: TypeAlias = Callable[[Sequence[int], Sequence[Any], Any, Sequence[Any], dict[str, Any]], Any]
"""`rule(argnums, tangents, ans, args, kwargs)` returns the tangent of `ans`."""


class Rules:
    """The rules of one primitive; what is not given is `None`.

    Attributes
    ----------
    name
        Of the primitive, for messages.
    vjp, jvp
        The rules.
    fallback
        `fallback(argnum, ans, args, kwargs)` makes the vjp for an argument that has none of its own, or raises.
    """

    __slots__ = ("fallback", "jvp", "name", "vjp")

    def __init__(self, name: str, fallback: Function) -> None:
        self.name = name
        self.fallback = fallback
        self.vjp: VJP | None = None
        self.jvp: JVP | None = None


def rules_of(fun: Any) -> Rules:
    """Return the rules of a primitive, to be read or set."""
    found = getattr(fun, "rules", None)
    if isinstance(found, Rules):
        return found
    raise TypeError(
        f"{fun!r} is no primitive, so that a rule for it would never be used: decorate it with "
        "autograd.extend.primitive first, or take the function of autograd.numpy or autograd.scipy."
    )


def defvjp(fun: Function, *vjpmakers: Function | None, argnums: Iterable[int] | None = None) -> None:
    """Define how cotangents go back through a primitive, argument by argument.

    Parameters
    ----------
    fun
        The primitive; a function of `autograd.numpy` gets another rule than its own.
    *vjpmakers
        `maker(ans, *args, **kwargs)` returns the function that takes the cotangent of the result `ans` to that of the
        argument; `None` in place of a maker says that there is no dependence.
    argnums
        Which arguments the makers are for: the first ones by default.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.extend import defvjp, primitive
    >>> @primitive
    ... def cube(x):
    ...     return x**3
    >>> defvjp(cube, lambda ans, x: lambda g: g * 3.0 * x**2)
    >>> grad(cube)(2.0), grad(grad(cube))(2.0)
    (np.float64(12.0), np.float64(12.0))
    """
    rules = rules_of(fun)
    makers = dict(zip(count() if argnums is None else argnums, vjpmakers, strict=False))

    def maker(argnum: int, ans: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Function:
        if argnum not in makers:
            fallback: Function = rules.fallback(argnum, ans, args, kwargs)
            return fallback
        chosen = makers[argnum]
        made: Function = _nothing if chosen is None else chosen(ans, *args, **kwargs)
        return made

    defvjp_argnum(fun, maker)


def _nothing(g: Any) -> None:
    """Return no cotangent."""


def defvjp_argnum(fun: Function, vjpmaker: Function) -> None:
    """Define how cotangents go back through a primitive by one maker, which is told the argument's number.

    `vjpmaker(argnum, ans, args, kwargs)` returns what takes the cotangent of `ans` to that of the argument.

    Examples
    --------
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.extend import defvjp_argnum, primitive
    >>> @primitive
    ... def total(*terms):
    ...     return sum(terms)
    >>> defvjp_argnum(total, lambda argnum, ans, args, kwargs: lambda g: g)
    >>> grad(total, 1)(1.0, 2.0)
    np.float64(1.0)
    """

    def whole(argnums: Sequence[int], ans: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Function:
        made = [vjpmaker(argnum, ans, args, kwargs) for argnum in argnums]
        return lambda g: [vjp(g) for vjp in made]

    defvjp_argnums(fun, whole)


def defvjp_argnums(fun: Function, vjpmaker: VJP) -> None:
    """Define how cotangents go back through a primitive, for all arguments at once.

    `vjpmaker(argnums, ans, args, kwargs)` returns the function that takes the cotangent of `ans` to a sequence of those
    of the arguments with these numbers.

    Examples
    --------
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.extend import defvjp_argnums, primitive
    >>> @primitive
    ... def difference(a, b):
    ...     return a - b
    >>> defvjp_argnums(difference, lambda argnums, ans, args, kwargs: lambda g: [(g, -g)[k] for k in argnums])
    >>> grad(difference, [0, 1])(1.0, 2.0)
    (np.float64(1.0), np.float64(-1.0))
    """
    rules_of(fun).vjp = vjpmaker


def defjvp(fun: Function, *jvpfuns: Function | str | None, argnums: Iterable[int] | None = None) -> None:
    """Define how tangents go forward through a primitive, argument by argument.

    Parameters
    ----------
    fun
        The primitive.
    *jvpfuns
        `jvp(g, ans, *args, **kwargs)` returns what the tangent `g` of the argument contributes to that of the result.
        `"same"` says that the primitive is linear in the argument, `None` that there is no dependence.
    argnums
        Which arguments these are for: the first ones by default.

    Notes
    -----
    autograd needs this rule for forward mode; here the rule of `defvjp` is transposed where there is none.

    Examples
    --------
    >>> from tapegrad.compat.autograd import make_jvp
    >>> from tapegrad.compat.autograd.extend import defjvp, primitive
    >>> @primitive
    ... def cube(x):
    ...     return x**3
    >>> defjvp(cube, lambda g, ans, x: g * 3.0 * x**2)
    >>> make_jvp(cube)(2.0)(1.0)
    (np.float64(8.0), np.float64(12.0))
    """
    rules = rules_of(fun)
    makers = dict(zip(count() if argnums is None else argnums, jvpfuns, strict=False))

    def one(argnum: int, g: Any, ans: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        if argnum not in makers:
            raise NotImplementedError(f"JVP of {rules.name} wrt argnum {argnum} not defined")
        jvp = makers[argnum]
        if jvp is None:
            return None
        if jvp == "same":
            return fun(*subval(args, argnum, g), **kwargs)
        assert callable(jvp)
        return jvp(g, ans, *args, **kwargs)

    defjvp_argnum(fun, one)


def defjvp_argnum(fun: Function, jvpmaker: Function) -> None:
    """Define how tangents go forward through a primitive by one function, which is told the argument's number.

    `jvpmaker(argnum, g, ans, args, kwargs)` returns what the tangent `g` of that argument contributes.

    Examples
    --------
    >>> from tapegrad.compat.autograd import make_jvp
    >>> from tapegrad.compat.autograd.extend import defjvp_argnum, primitive
    >>> @primitive
    ... def total(*terms):
    ...     return sum(terms)
    >>> defjvp_argnum(total, lambda argnum, g, ans, args, kwargs: g)
    >>> make_jvp(total)(2.0)(3.0)
    (np.float64(2.0), np.float64(3.0))
    """

    def whole(argnums: Sequence[int], gs: Sequence[Any], ans: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        parts = [jvpmaker(argnum, g, ans, args, kwargs) for argnum, g in zip(argnums, gs, strict=True)]
        known = [part for part in parts if part is not None]
        return functools.reduce(operator.add, known) if known else None

    defjvp_argnums(fun, whole)


def defjvp_argnums(fun: Function, jvpmaker: JVP) -> None:
    """Define how tangents go forward through a primitive, for all arguments at once.

    `jvpmaker(argnums, gs, ans, args, kwargs)` returns the tangent of `ans`, where `gs` are those of the arguments.

    Examples
    --------
    >>> from tapegrad.compat.autograd import make_jvp
    >>> from tapegrad.compat.autograd.extend import defjvp_argnums, primitive
    >>> @primitive
    ... def total(*terms):
    ...     return sum(terms)
    >>> defjvp_argnums(total, lambda argnums, gs, ans, args, kwargs: sum(gs))
    >>> make_jvp(total)(2.0)(3.0)
    (np.float64(2.0), np.float64(3.0))
    """
    rules_of(fun).jvp = jvpmaker


def def_linear(fun: Function) -> None:
    """Say that a primitive is linear in each of its arguments, which is its rule for tangents.

    Examples
    --------
    >>> from tapegrad.compat.autograd import make_jvp
    >>> from tapegrad.compat.autograd.core import def_linear
    >>> from tapegrad.compat.autograd.extend import primitive
    >>> @primitive
    ... def product(a, b):
    ...     return a * b
    >>> def_linear(product)
    >>> make_jvp(product)(2.0, 3.0)(1.0)
    (np.float64(6.0), np.float64(3.0))
    """
    defjvp_argnum(fun, lambda argnum, g, ans, args, kwargs: fun(*subval(args, argnum, g), **kwargs))
