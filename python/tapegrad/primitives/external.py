"""Functions that are computed outside, with derivatives that are given: `primitive`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from tapegrad._native import Tensor, Value, array, is_watched, record, snapshot, tensor
from tapegrad._ops.creation import zeros_like
from tapegrad._transformed import Transformed, name_of
from tapegrad.checkpointing.replaying import differentiable
from tapegrad.functional.arguments import zeros_like_plain
from tapegrad.functional.structures import leaves_of, map_leaves
from tapegrad.primitives.numerical import difference_along, differences
from tapegrad.primitives.rules import applied, plain, transposed

__all__ = ["Call", "primitive"]

Rule = Callable[..., Any] | Literal["numerical"] | None


def primitive(
    f: Callable[..., Any] | None = None, *, vjp: Rule = None, jvp: Rule = None, nondiff_argnums: Sequence[int] = ()
) -> Callable[..., Any]:
    """Make a function that works on NumPy arrays, such as a solver or a call of a C library, differentiable.

    Parameters
    ----------
    f
        Gets and returns NumPy arrays and numbers, or structures of them. Tensors arrive as arrays of its own, which it
        may write to. Without `f` a decorator is returned.
    vjp
        `vjp(g, out, *args)` returns the cotangents of the arguments: one for each that is differentiated, as a tuple
        if there are several, and `None` where there is no dependence. `g` is the cotangent of the result `out`, a
        structure like it.
    jvp
        `jvp(tangents, out, *args)` returns the tangent of the result. `tangents` has one for each argument that is
        differentiated, as a tuple if there are several. One of the two rules is enough.
    nondiff_argnums
        The positions of arguments that are not differentiated: options, functions. They are passed on as they are.

    Returns
    -------
    callable
        Called with plain arrays it is `f` itself. If there are tensors among its arguments, it returns tensors.
        Arguments given by keyword are bound by `f`'s signature; those that are keyword-only are not differentiated, and
        the rules get them by keyword too.

    Raises
    ------
    TypeError
        If there is neither rule. When a derivative is taken: if a rule would have to be differentiated or transposed,
        and is not made of recorded operations.
    ValueError
        When a derivative is taken, if a rule returns the wrong number of values or the wrong shapes.

    Notes
    -----
    The rules get NumPy arrays, too. Only where they have to be differentiated themselves - for derivatives of higher
    order, or to make the missing rule of the one that is given by transposing it - they get tensors. NumPy's functions
    work on these as well; calls of compiled code do not, and then the derivative is refused with a message. To be
    differentiated a rule must not take numbers out of its arguments by `float(x)`.

    For complex arguments, cotangents follow the tape's convention: that of a holomorphic function is `g * conj(f'(x))`.

    `vjp="numerical"` computes both rules by central differences. It takes two calls of `f` for each element of the
    arguments, is good to about ten digits, and has no derivatives of its own: for functions of a few parameters that
    cannot be done better.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad
    >>> @tapegrad.primitive(vjp=lambda g, out, x: g * out)
    ... def exp(x):
    ...     return np.exp(x)  # or compiled code
    >>> tapegrad.grad(exp)(0.0)
    np.float64(1.0)
    >>> tapegrad.grad(tapegrad.grad(exp))(0.0)
    np.float64(1.0)
    """
    for name, rule in (("vjp", vjp), ("jvp", jvp)):
        if isinstance(rule, str) and rule != "numerical":
            raise ValueError(f'primitive: {name} must be a function or "numerical", not {rule!r}.')
    if vjp is None and jvp is None:
        raise TypeError('primitive: a derivative is needed: vjp= or jvp=, or vjp="numerical" for central differences.')
    if f is None:
        return functools.partial(primitive, vjp=vjp, jvp=jvp, nondiff_argnums=nondiff_argnums)
    return _Primitive(f, vjp, jvp, tuple(nondiff_argnums))


class _Primitive(Transformed):
    """The decorated function."""

    what = "primitive"

    def __init__(self, f: Callable[..., Any], vjp: Rule, jvp: Rule, nondiff: tuple[int, ...]) -> None:
        super().__init__(f)
        self._vjp = vjp
        self._jvp = jvp
        self._nondiff = nondiff

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            bound = inspect.signature(self.__wrapped__).bind(*args, **kwargs)
            args, kwargs = bound.args, bound.kwargs
        if not any([isinstance(leaf, Value) for leaf in leaves_of((args, kwargs))]):
            return self.__wrapped__(*args, **kwargs)
        name = name_of(self.__wrapped__)
        if any([is_watched(leaf) for leaf in leaves_of(kwargs)]):
            raise TypeError(f"{name}: keyword-only arguments are not differentiated, and a tape follows one of these.")
        excluded = {k % len(args) for k in self._nondiff}
        chosen = [k for k in range(len(args)) if k not in excluded]
        call = Call(name, self._vjp, self._jvp, args, map_leaves(plain, kwargs), chosen)
        return call.run(self.__wrapped__)


class Call:
    """One call: its arguments and results, and the rules in the form that the tape calls."""

    opaque = True
    """The rules see one cotangent or tangent at a time."""

    def __init__(
        self, name: str, vjp: Rule, jvp: Rule, args: Sequence[Any], kwargs: dict[str, Any], chosen: list[int]
    ) -> None:
        self.name = name
        self._rules = {"vjp": vjp, "jvp": jvp}
        self._args = [map_leaves(lambda leaf: snapshot(leaf) if isinstance(leaf, Value) else leaf, arg) for arg in args]
        self._kwargs = kwargs
        self._chosen = chosen
        self._leaves = [leaves_of(self._args[k]) for k in chosen]
        self._operands = [leaf for leaves in self._leaves for leaf in leaves if differentiable(leaf)]

    def run(self, function: Callable[..., Any]) -> Any:
        """Return the function's result, recorded."""
        self._function = function
        self._out = map_leaves(_as_output, function(*_mapped(plain, self._args), **self._kwargs))
        self._outputs = [leaf for leaf in leaves_of(self._out) if differentiable(leaf)]
        record(self, tuple(self._operands), tuple(self._outputs), None)
        return self._out

    def vjp(self, saved: None, cotangents: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor | None]:
        """Return the cotangents of the operands."""
        given = [zeros_like(y) if g is None else g for g, y in zip(cotangents, self._outputs, strict=True)]
        if self._rules["vjp"] is None:
            return transposed(self.name, "vjp", self._apply_jvp, self._operands, given, self._others())
        return applied(self.name, self._apply_vjp, given, self._others())

    def jvp(self, saved: None, tangents: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Return the tangents of the results."""
        given = [zeros_like(x) if t is None else t for t, x in zip(tangents, self._operands, strict=True)]
        if self._rules["jvp"] is None and callable(self._rules["vjp"]):
            return transposed(self.name, "jvp", self._apply_vjp, self._outputs, given, self._others())
        return applied(self.name, self._apply_jvp, given, self._others())

    def _others(self) -> list[Tensor]:
        """Return what the rules use beside cotangents or tangents."""
        return [*self._operands, *self._outputs]

    def _apply_vjp(self, cotangents: Sequence[Any], convert: Callable[[Any], Any]) -> Any:
        """Return what the vjp rule makes of these cotangents of the outputs, one value for each operand."""
        rule = self._rules["vjp"]
        if not callable(rule):
            return self._differences(differences, cotangents, convert)
        found = rule(self._filled(self._out, cotangents), *self._converted(convert), **self._kwargs)
        if len(self._chosen) == 1:
            found = (found,)
        if not isinstance(found, tuple | list) or len(found) != len(self._chosen):
            raise ValueError(
                f"{self.name}: the vjp rule must return a tuple of {len(self._chosen)} cotangents, one for each "
                f"differentiated argument, but it returned {found!r}."
            )
        return [
            value
            for k, cotangent, leaves in zip(self._chosen, found, self._leaves, strict=True)
            for value in self._checked("vjp", f"argument {k}", cotangent, leaves)
        ]

    def _apply_jvp(self, tangents: Sequence[Any], convert: Callable[[Any], Any]) -> Any:
        """Return what the jvp rule makes of these tangents of the operands, one value for each output."""
        rule = self._rules["jvp"]
        if not callable(rule):
            return self._differences(difference_along, tangents, convert)
        filled = self._filled([self._args[k] for k in self._chosen], tangents)
        given = filled[0] if len(filled) == 1 else tuple(filled)
        found = rule(given, *self._converted(convert), **self._kwargs)
        return self._checked("jvp", "the result", found, leaves_of(self._out))

    def _converted(self, convert: Callable[[Any], Any]) -> Any:
        """Return the result and the arguments, as the rules get them."""
        return _mapped(convert, (self._out, *self._args))

    def _filled(self, structure: Any, values: Sequence[Any]) -> Any:
        """Return the structure with a derivative in place of each operand, zeros for other numbers, and `None`."""
        rest = iter(values)
        return map_leaves(lambda leaf: next(rest) if differentiable(leaf) else zeros_like_plain(leaf), structure)

    def _checked(self, rule: str, what: str, found: Any, leaves: Sequence[Any]) -> list[Any]:
        """Return the values that a rule found for the differentiable ones of these leaves."""
        values = [None] * len(leaves) if found is None else leaves_of(found)
        if len(values) != len(leaves):
            raise ValueError(
                f"{self.name}: the {rule} rule returned {len(values)} values for {what}, which has {len(leaves)}."
            )
        kept = [(value, leaf) for value, leaf in zip(values, leaves, strict=True) if differentiable(leaf)]
        for value, leaf in kept:
            if value is not None and np.shape(array(value)) != leaf.shape:
                raise ValueError(
                    f"{self.name}: the {rule} rule returned shape {np.shape(array(value))} for {what}, which has shape "
                    f"{leaf.shape}."
                )
        return [value for value, _ in kept]

    def _differences(
        self, method: Callable[..., list[Any]], given: Sequence[Any], convert: Callable[[Any], Any]
    ) -> Any:
        """Return derivatives by central differences, which are not recorded."""
        if convert is not plain:
            raise TypeError("central differences are not made of recorded operations")

        def function(point: list[Any]) -> list[Any]:
            args = list(self._args)
            for k, argument in zip(self._chosen, self._filled_in(point), strict=True):
                args[k] = argument
            result = self._function(*_mapped(plain, args), **self._kwargs)
            return [np.asarray(leaf) for leaf in leaves_of(result) if differentiable(_as_output(leaf))]

        return method(function, [np.asarray(plain(x)) for x in self._operands], [np.asarray(g) for g in given])

    def _filled_in(self, point: list[Any]) -> list[Any]:
        """Return the arguments that are differentiated, with other values for the operands."""
        rest = iter(point)
        args = [self._args[k] for k in self._chosen]
        filled: list[Any] = map_leaves(lambda leaf: next(rest) if differentiable(leaf) else leaf, args)
        return filled


def _mapped(function: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """Return the values, each of which may be a structure, with a function applied to every leaf."""
    return [map_leaves(function, value) for value in values]


def _as_output(leaf: Any) -> Any:
    """Return a number or array as a tensor; the function may go on using its memory."""
    if isinstance(leaf, Value | np.ndarray | np.generic | int | float | complex):
        return tensor(np.asarray(array(leaf)))
    return leaf
