"""Declaring structural operations: a forward function on arrays, and beside it the derivative rules.

A rule names in its parameters what it needs, and what a node keeps until the reverse sweep follows from these
names:

    _roll = linear(
        "roll",
        forward=lambda a, *, shift, axis: np.roll(a, shift, axis),
        transpose=lambda g, shift, axis: _roll(g, shift=-shift, axis=axis),
    )

The forward function's positional parameters are the operands (a `*name` parameter takes any number of them);
its keyword-only parameters are the operation's parameters, always passed by name. A rule's parameters can be

- `g`: the cotangent of the result; if the forward returns a tuple, `gs`: the tuple of cotangents, `None`
  where there is none;
- an operand's name: its value; `<name>_shape`: its shape. Of a `*name` parameter: the tuple of values or
  shapes;
- `out`, `out_shape`: the result's value or shape (tuples if the forward returns a tuple);
- the name of one of the operation's parameters.

Rules are written in recorded operations, never in bare NumPy.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tapegrad._batching import along_batch
from tapegrad._native import SAVED_KINDS, DeclaredOperation, DeclaredRule, Tensor, Value, array, own, record, silent

__all__ = ["LinearRule", "Operation", "Rule", "TensorLike", "linear", "silent", "structural"]

Operation: TypeAlias = Callable[..., Any]
"""What `structural` makes. Where a rule mentions the operation itself, its type must be written."""

TensorLike: TypeAlias = Value | npt.ArrayLike
"""What an operand can be: a tensor, a variable, an array, a number, or nested lists of them."""


def structural(name: str, forward: Callable[..., Any], **vjps: Callable[..., Any]) -> Operation:
    """Return the recorded operation that computes `forward` and is differentiated by `vjps`.

    Parameters
    ----------
    name
        The name for error messages.
    forward
        `forward(*arrays, **parameters)`, returning an array or a tuple of arrays.
    **vjps
        One function per differentiable operand, keyed by the operand's name; it returns the operand's
        cotangent, or `None` where there is none. That of a `*name` parameter returns one per operand. An
        operand without one is not differentiable.

    Returns
    -------
    callable
        The operation: tensors, arrays, numbers and lists go in as operands by position, parameters by name; a tensor
        comes out, or a tuple of them. Its `rule` is a `Rule`.

    Raises
    ------
    TypeError
        If a rule is given for what is no operand, or names what there is not.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad as tf
    >>> from tapegrad.extend import structural
    >>> outer = structural(
    ...     "outer",
    ...     forward=lambda a, b: np.outer(a, b),
    ...     a=lambda g, b: tf.linalg.matvec(g, b),
    ...     b=lambda g, a: tf.linalg.matvec(tf.transpose(g), a),
    ... )
    >>> tf.grad(lambda a: tf.reduce_sum(outer(a, [3.0, 4.0])))(np.array([1.0, 2.0]))
    array([7., 7.])
    """
    return _operation(Rule(name, forward, vjps), forward)


def _operation(rule: Rule, forward: Callable[..., Any]) -> Operation:
    operation = DeclaredOperation(rule, forward)
    operation.__name__ = operation.__qualname__ = rule.name
    operation.__module__ = getattr(forward, "__module__", __name__)
    operation.__signature__ = rule.signature
    return operation


def linear(
    name: str,
    forward: Callable[..., Any],
    transpose: Callable[..., Any],
    axes: str | Sequence[str] | None = None,
) -> Operation:
    """Return the recorded operation of one operand in which `forward` is linear, with its transpose.

    Parameters
    ----------
    name
        The name for error messages.
    forward
        `forward(array, **parameters)`, returning an array.
    transpose
        The cotangent's way back, a function of `g` and of what else its parameters name.
    axes
        How `forward` is applied to a stack of operands: it names the parameters that number the operand's axes from the
        front, to be counted up by one; with `()` there is none, and `forward` takes leading axes as it is. With `None`
        it is called once for each operand in the stack.

    Returns
    -------
    callable
        The operation, as `structural` makes it. Its `rule` is a `LinearRule`.

    Raises
    ------
    TypeError
        If `transpose` or `axes` name what there is not.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad as tf
    >>> from tapegrad.extend import linear
    >>> mirror = linear(
    ...     "mirror",
    ...     forward=lambda a, *, axis: np.flip(a, axis),
    ...     transpose=lambda g, axis: mirror(g, axis=axis),
    ...     axes="axis",
    ... )
    >>> tf.jacobian(lambda x: mirror(x, axis=0))(np.array([1.0, 2.0]))
    array([[0., 1.],
           [1., 0.]])
    """
    rule = LinearRule(name, forward, transpose, None if axes is None else (axes,) if isinstance(axes, str) else axes)
    operation = rule.operation = _operation(rule, forward)
    return operation


class Rule(DeclaredRule):
    """The reverse rule of one structural operation, in the form that the tape calls.

    `structural` makes it; it is the operation's attribute `rule`.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.extend import structural
    >>> tripled = structural("tripled", forward=lambda a: 3.0 * a, a=lambda g, a_shape: g * 3.0)
    >>> tripled.rule.name, tripled.rule.saved_names, tripled.rule.saves_result
    ('tripled', ['a_shape'], False)
    """

    name: str
    """What messages, summaries and drawings of a tape call the operation."""

    saved_names: list[str]
    """What a node keeps for the rule, in this order: operands, results and their shapes, and parameters, as named."""

    saves_result: bool
    """Whether the result is among them."""

    signature: inspect.Signature
    """The operation's, which is that of `forward`."""

    def __init__(self, name: str, forward: Callable[..., Any], vjps: dict[str, Callable[..., Any]]) -> None:
        self.signature = inspect.signature(forward)
        names, variadic = _operand_names(self.signature)
        unknown = vjps.keys() - set(names)
        if unknown:
            raise TypeError(f"{name}: rules for {sorted(unknown)}, but its operands are {names}.")
        functions = [vjps.get(operand) for operand in names]
        needs = [list(inspect.signature(vjp).parameters) if vjp else [] for vjp in functions]
        saved = sorted({need for each in needs for need in each}.union(self._always_saved()) - {"g", "gs"})
        known = {
            "out",
            "out_shape",
            *self.signature.parameters,
            *[f"{operand}_shape" for operand in names],
        }
        if not known.issuperset(saved):
            raise TypeError(
                f"{name}: its rules name {sorted(set(saved) - known)}; what there is: g, gs, {sorted(known)}."
            )
        items = []
        for need in saved:
            users = [k for k, each in enumerate(needs) if need in each]
            items.append((need, *_source(need, names, variadic), users or None))
        places = {"g": 0, "gs": 1, **{need: 2 + k for k, need in enumerate(saved)}}
        rules = [
            (function, tuple([places[need] for need in each])) if function else None
            for function, each in zip(functions, needs, strict=True)
        ]
        super().__init__(name, items, tuple(rules), variadic)

    def _always_saved(self) -> Sequence[str]:
        """Return the names of what is kept, whether or not one of the functions needs it."""
        return ()


class LinearRule(Rule):
    """The rules of an operation that is linear in its operand: its tangent is the operation on the tangent.

    `linear` makes it; it is the operation's attribute `rule`.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.extend import linear
    >>> reverse = linear("reverse", forward=lambda a: a[::-1], transpose=lambda g: reverse(g))
    >>> reverse.rule.operation is reverse
    True
    """

    operation: Operation
    """The operation that the rule belongs to."""

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        transpose: Callable[..., Any],
        axes: Sequence[str] | None,
    ) -> None:
        operand = next(iter(inspect.signature(forward).parameters))
        super().__init__(name, forward, {operand: transpose})
        self._forward = forward
        self._axes = axes
        self._parameters = self._always_saved()
        if axes is not None and not set(axes) <= set(self._parameters):
            raise TypeError(f"{name}: axes are {list(axes)}, but its parameters are {self._parameters}.")

    def _always_saved(self) -> Sequence[str]:
        # All parameters, for the operation is applied again.
        return [p.name for p in self.signature.parameters.values() if p.kind is p.KEYWORD_ONLY]

    def _parameters_in(self, saved: tuple[Any, ...]) -> dict[str, Any]:
        return {name: saved[self.saved_names.index(name)] for name in self._parameters}

    def jvp(self, saved: tuple[Any, ...], tangents: Sequence[Tensor | None]) -> tuple[Tensor]:
        """Return the operation on the tangent."""
        return (self.operation(tangents[0], **self._parameters_in(saved)),)

    def jvp_stacked(self, saved: tuple[Any, ...], tangents: Sequence[Tensor | None], batch: int) -> tuple[Tensor]:
        """Return the operation on each of a stack of tangents."""
        return (_StackedRule(self, saved, batch).apply(tangents[0]),)

    def forward_stacked(self, a: npt.NDArray[Any], saved: tuple[Any, ...]) -> Any:
        """Return the forward function of each of a stack of arrays."""
        parameters = self._parameters_in(saved)
        if self._axes is None:
            return np.stack([self._forward(row, **parameters) for row in a])
        for name in self._axes:
            axis = parameters[name]
            if axis is not None:
                parameters[name] = tuple([k + 1 for k in axis]) if isinstance(axis, tuple) else axis + 1
        return self._forward(a, **parameters)


class _StackedRule:
    """The rules of a linear operation applied to each of a stack of operands."""

    def __init__(self, single: LinearRule, saved: tuple[Any, ...], batch: int) -> None:
        self.name = single.name
        self._single = single
        self._saved = saved
        self._batch = batch

    def apply(self, stack: Any) -> Tensor:
        """Return the stacked results, recorded."""
        result = own(self._single.forward_stacked(array(stack), self._saved))
        recorded: Tensor = record(self, (stack,), result, None)
        return recorded

    def vjp(self, saved: None, cotangents: Sequence[Tensor | None], wanted: Sequence[bool]) -> Sequence[Any]:
        """Return the transpose of each of the stacked cotangents."""
        return along_batch(lambda g: self._single.vjp(self._saved, (g,), (True,)), cotangents, self._batch)

    def jvp(self, saved: None, tangents: Sequence[Tensor | None]) -> tuple[Tensor]:
        """Return the operation on the tangents."""
        return (self.apply(tangents[0]),)


def _operand_names(signature: inspect.Signature) -> tuple[list[str], bool]:
    """Return the names of the positional parameters, and whether the only one is a `*name`."""
    names: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            if names:
                raise TypeError(f"A *{parameter.name} operand must be the only one, beside {names}.")
            return [parameter.name], True
        if parameter.kind is not parameter.KEYWORD_ONLY:
            names.append(parameter.name)
    return names, False


def _source(need: str, names: list[str], variadic: bool) -> tuple[int, int]:
    """Return where a saved value comes from, as `DeclaredRule` takes it: its kind, and the operand's number."""
    if need in ("out", "out_shape"):
        return SAVED_KINDS[need], 0
    if need in names:
        return SAVED_KINDS["operands" if variadic else "operand"], names.index(need)
    operand, _, suffix = need.rpartition("_")
    if suffix == "shape" and operand in names:
        return SAVED_KINDS["operand_shapes" if variadic else "operand_shape"], names.index(operand)
    return SAVED_KINDS["parameter"], 0
