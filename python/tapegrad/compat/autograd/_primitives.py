"""Functions that tapes record as one operation: those of users, and those of NumPy and SciPy under new rules.

A call becomes a node whose rules are autograd's; what runs them is what runs the rules of `tapegrad.primitive`. Around
them, cotangents of complex values change from one convention to the other.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence, ValuesView
from typing import Any, NoReturn

import numpy as np

from tapegrad._native import Tensor, Value
from tapegrad._ops.complex_parts import real
from tapegrad.compat.autograd._boxes import holds_box, open_traces
from tapegrad.compat.autograd._noting import noted, notrace_primitives
from tapegrad.compat.autograd._rules import Rules
from tapegrad.compat.autograd._values import (
    Function,
    conjugated,
    getval,
    holds_tensor,
    holds_watched,
    settled,
)
from tapegrad.compat.autograd._vspaces import SparseObject
from tapegrad.compat.autograd._writes import refuse_writing
from tapegrad.compat.autograd.util import subval
from tapegrad.functional.structures import leaves_of
from tapegrad.primitives.external import Call

__all__ = ["library", "notrace_primitive", "primitive", "register_notrace"]


def primitive(f_raw: Function) -> Function:
    """Make a function one operation for the tapes: rules say how it is differentiated, not what happens in it.

    It is called with numbers and arrays, and its derivatives are what `defvjp` and `defjvp` define.

    Parameters
    ----------
    f_raw
        Any function of numbers, arrays and structures of these.

    Returns
    -------
    callable
        The function, which returns tensors where a tape records one of its arguments.

    Raises
    ------
    NotImplementedError
        When a derivative is taken for which there is no rule.

    Examples
    --------
    >>> import math
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.extend import defvjp, primitive
    >>> @primitive
    ... def sine(x):
    ...     return math.sin(x)
    >>> defvjp(sine, lambda ans, x: lambda g: g * math.cos(x))
    >>> grad(sine)(0.0)
    np.float64(1.0)
    """

    @functools.wraps(f_raw)
    def call(*args: Any, **kwargs: Any) -> Any:
        if open_traces.seeing_calls and holds_box((args, kwargs)):
            return noted(call, args, kwargs)
        if not _holds_any_tensor(args) and not (kwargs and _holds_any_tensor(kwargs.values())):
            return f_raw(*args, **kwargs)
        return _called(f_raw, rules, args, kwargs)

    rules = Rules(_name_of(f_raw), functools.partial(_undefined, _name_of(f_raw)))
    call.rules = rules  # type: ignore[attr-defined]
    call.fun = f_raw  # type: ignore[attr-defined]
    return call


def notrace_primitive(f_raw: Function) -> Function:
    """Make a function one that is called with numbers and arrays, and whose result is a constant for the tapes.

    Examples
    --------
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.extend import notrace_primitive
    >>> steps = notrace_primitive(lambda x: round(float(x)))
    >>> grad(lambda x: steps(x) * x)(2.6)
    np.float64(3.0)
    """

    @functools.wraps(f_raw)
    def call(*args: Any, **kwargs: Any) -> Any:
        return f_raw(*getval(args), **getval(kwargs))

    call.fun = f_raw  # type: ignore[attr-defined]
    return call


def register_notrace(trace_type: type, primitive_fun: Function) -> None:
    """Say that a primitive's result does not depend on its arguments, as `notrace_primitive` does.

    Of autograd's two kinds of nodes for derivatives, `trace_type` can be either: it holds for both.

    Of a class of nodes of one's own (see `tracer.trace`) it holds for traces of that class.

    Examples
    --------
    >>> from tapegrad.compat.autograd import grad
    >>> from tapegrad.compat.autograd.core import VJPNode
    >>> from tapegrad.compat.autograd.extend import primitive, register_notrace
    >>> @primitive
    ... def size(x):
    ...     return float(x.size)
    >>> register_notrace(VJPNode, size)
    >>> grad(lambda x: size(x) * x)(2.0)
    np.float64(1.0)
    """
    notrace_primitives[trace_type].add(primitive_fun)
    if not trace_type.differentiates:  # type: ignore[attr-defined]
        return
    rules = primitive_fun.rules  # type: ignore[attr-defined]
    rules.vjp = lambda argnums, ans, args, kwargs: lambda g: [None] * len(argnums)
    rules.jvp = lambda argnums, gs, ans, args, kwargs: None


_LIBRARY: dict[Function, Function] = {}
"""The functions of NumPy and SciPy that have been asked for, so that each has one set of rules under all its names."""

_STRUCTURAL = frozenset({np.iscomplexobj, np.isrealobj, np.ndim, np.result_type, np.shape, np.size})
"""The functions that tell what a trace takes for constant."""

_PLAIN = frozenset({np.ndarray, np.float64, float, int, bool, str, type(None)})


def library(function: Function, recorded: Function | None) -> Function:
    """Return a function of NumPy or SciPy for values that may be tensors.

    Parameters
    ----------
    function
        What is called with plain arguments.
    recorded
        What is called as soon as there is a tensor among them; `None`: nothing, so that a rule must be defined.
    """
    made = _LIBRARY.get(function)
    if made is not None:
        return made

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if open_traces.seeing_calls and holds_box((args, kwargs)):
            refuse_writing(rules.name, function, args, kwargs)
            return function(*getval(args), **getval(kwargs)) if structural else noted(call, args, kwargs)
        for arg in args:
            kind = type(arg)
            if kind is Tensor:
                break
            if kind not in _PLAIN:
                if isinstance(arg, ValuesView):  # those of a dictionary, which NumPy does not take for a sequence
                    return call(*[list(arg) if isinstance(arg, ValuesView) else arg for arg in args], **kwargs)
                if holds_tensor((arg,)):
                    break
        else:
            if not kwargs or not holds_tensor(kwargs.values()):
                return function(*args, **kwargs)
        if recorded is None or rules.vjp is not None or rules.jvp is not None:
            return _called(function, rules, args, kwargs)
        return settled(recorded(*args, **kwargs))

    def original(argnum: int, ans: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Function:
        from tapegrad.compat.autograd.core import make_vjp

        if recorded is None:
            _undefined(rules.name, argnum)
        vjp: Function = make_vjp(lambda x: recorded(*subval(args, argnum, x), **kwargs), args[argnum])[0]
        return vjp

    structural = function in _STRUCTURAL
    rules = Rules(_name_of(function), original)
    call.rules = rules  # type: ignore[attr-defined]
    call.fun = function  # type: ignore[attr-defined]
    _LIBRARY[function] = call
    return call


def _name_of(function: Function) -> str:
    return getattr(function, "__name__", repr(function))


def _undefined(name: str, argnum: int, *details: Any) -> NoReturn:
    raise NotImplementedError(f"VJP of {name} wrt argnum {argnum} not defined")


def _holds_any_tensor(values: Iterable[Any]) -> bool:
    """Return whether there is a tensor among these values or in their structures."""
    for value in values:
        kind = type(value)
        if kind is Tensor or (kind not in _PLAIN and any([isinstance(leaf, Value) for leaf in leaves_of(value)])):
            return True
    return False


def _called(function: Function, rules: Rules, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the result of a call with tensors among the arguments, recorded if a tape records one of these."""
    if kwargs and holds_watched(kwargs):
        raise TypeError(
            f"{rules.name}: the rules of a primitive are for its positional arguments, but a tape records one that is "
            "given by keyword: give it by position."
        )
    chosen = [k for k, arg in enumerate(args) if holds_watched(arg)]
    keywords = getval(kwargs) if kwargs else kwargs
    if not chosen:
        return function(*map(getval, args), **keywords)
    return Call(rules.name, _vjp(rules, chosen), _jvp(rules, chosen), args, keywords, chosen).run(function)


def _vjp(rules: Rules, chosen: list[int]) -> Function:
    """Return the vjp rule in the form of `tapegrad.primitive`."""

    def vjp(g: Any, out: Any, *args: Any, **kwargs: Any) -> Any:
        if rules.vjp is None:
            found: Sequence[Any] = [rules.fallback(k, out, args, kwargs)(conjugated(g)) for k in chosen]
        else:
            found = rules.vjp(chosen, out, args, kwargs)(conjugated(g))
        cotangents = tuple([_cotangent(part, args[k]) for k, part in zip(chosen, found, strict=True)])
        return cotangents[0] if len(chosen) == 1 else cotangents

    return vjp


def _cotangent(found: Any, argument: Any) -> Any:
    """Return an argument's cotangent in the tape's convention; `None` if there is none."""
    if found is None:
        return None
    if isinstance(found, SparseObject):
        found = found.dense()
    if isinstance(argument, Value) and not argument.dtype.is_complex:
        return real(found)
    if isinstance(argument, (float, np.ndarray, np.generic)) and not np.iscomplexobj(argument):
        return np.real(found)
    return conjugated(found)


def _jvp(rules: Rules, chosen: list[int]) -> Function | None:
    """Return the jvp rule in the form of `tapegrad.primitive`; `None`: the vjp rule is to be transposed."""
    given = rules.jvp
    if given is None:
        return None

    def jvp(tangents: Any, out: Any, *args: Any, **kwargs: Any) -> Any:
        return given(chosen, (tangents,) if len(chosen) == 1 else tangents, out, args, kwargs)

    return jvp
