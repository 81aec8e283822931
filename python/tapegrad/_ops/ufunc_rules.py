"""Partial derivatives of elementwise functions, given as texts, functions or numbers, made into rules for a tape.

A text is an expression in the language of the operations table: operands by position, `out` for the result, numbers,
arithmetic, comparisons and calls. What a rule needs follows from the names that it mentions, and with that what a node
saves.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias

from tapegrad import _native
from tapegrad._native import Tensor, Value
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.elementwise import elementwise

__all__ = ["PIECEWISE_CONSTANT", "Partial", "operand_names", "product", "table_names", "vjp_of"]

Partial: TypeAlias = str | float | Callable[..., Any] | None
"""A partial derivative: a rule's text, a constant, a function over recorded operations, or None for a refusal."""

PIECEWISE_CONSTANT = "-"
"""The text of a partial through which no gradient flows."""

_ALLOWED = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.Call,
    ast.Name,
    ast.Constant,
    ast.Load,
    ast.operator,
    ast.unaryop,
    ast.cmpop,
)


def operand_names(count: int) -> list[str]:
    """Return the names under which rules know the operands."""
    return [*"xyzw", *[f"x{k}" for k in range(4, count)]][:count]


def table_names() -> dict[str, Any]:
    """Return what every rule can mention: the recorded elementwise operations, `where`, `inf` and `pi`."""
    return {**vars(elementwise), "where": _native.where, "inf": math.inf, "pi": math.pi}


def vjp_of(
    partials: Sequence[Partial], operands: Sequence[str], scope: dict[str, Any], known: Collection[str], what: str
) -> Callable[..., Any]:
    """Return one operand's rule for `declare.structural`, from the partial derivatives of all outputs.

    Texts are evaluated in `scope` when the rule runs; `known` are the names that it will hold by then. `what` names
    the operand in errors.
    """
    outputs = len(partials)
    values = {name: name for name in operands}
    if outputs == 1:
        values["out"] = "out"
    else:
        values |= {f"out{j}": f"out[{j}]" for j in range(outputs)}
    functions, calls, needs = {}, [], set()
    for j, partial in enumerate(partials):
        function, mentioned = _compiled(partial, values, scope, known, what)
        functions[f"partial{j}"] = function
        calls.append(f"partial{j}({', '.join(values[name] for name in mentioned)})")
        needs |= {values[name].partition("[")[0] for name in mentioned}
    arguments = ", ".join(sorted(needs))
    if outputs == 1:
        source = f"lambda g, {arguments}: product({calls[0]}, g)"
    else:
        source = f"lambda gs, {arguments}: total(gs, {', '.join(f'lambda: {call}' for call in calls)})"
    rule: Callable[..., Any] = eval(source, {**functions, "product": product, "total": _total})
    return rule


def product(partial: Any, g: Any) -> Any:
    """Return a cotangent times a partial derivative; exactly zero where the cotangent is."""
    if isinstance(partial, Value) and partial.dtype.is_complex:
        partial = conjugate(partial)
    return elementwise.multiply_no_nan(partial, g)


def _total(gs: Sequence[Tensor | None], *partials: Callable[[], Any]) -> Any:
    """Return the sum over the outputs whose cotangents are not zero."""
    parts = [product(partial(), g) for partial, g in zip(partials, gs, strict=True) if g is not None]
    total = parts[0]
    for part in parts[1:]:
        total = elementwise.add(total, part)
    return total


def _compiled(
    partial: Partial, values: Collection[str], scope: dict[str, Any], known: Collection[str], what: str
) -> tuple[Callable[..., Any], list[str]]:
    """Return a partial as a function of the values that it needs, and their names."""
    if partial is None or partial == PIECEWISE_CONSTANT:
        return lambda: 0.0, []
    if isinstance(partial, str):
        names = _names_in(partial, what)
        unknown = sorted(names - set(values) - set(known))
        if unknown:
            raise ValueError(
                f"The rule {partial!r} of {what} mentions {', '.join(unknown)}. It can name {', '.join(values)}, "
                "tapegrad's elementwise operations, registered ufuncs, and what is given in names={...}."
            )
        mentioned = [name for name in values if name in names]
        return eval(f"lambda {', '.join(mentioned)}: {partial.strip()}", scope), mentioned
    if isinstance(partial, int | float):
        constant = float(partial)
        return lambda: constant, []
    if not callable(partial):
        raise TypeError(
            f"The partial of {what} must be a text, a number, a function or None, not {type(partial).__name__}."
        )
    parameters = list(inspect.signature(partial).parameters)
    unknown = [name for name in parameters if name not in values]
    if unknown:
        raise ValueError(
            f"The partial of {what} is a function of {', '.join(parameters)}; what there is: {', '.join(values)}."
        )
    return partial, parameters


def _names_in(text: str, what: str) -> set[str]:
    """Return the names that a rule's text mentions, which must be a plain expression."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"The rule {text!r} of {what} is not an expression: {error.msg}.") from None
    names = set()
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED) or (isinstance(node, ast.Call) and node.keywords):
            raise ValueError(
                f"The rule {text!r} of {what} holds {ast.unparse(node)!r}, but rules are made of names, numbers, "
                "arithmetic, comparisons and calls; give a function instead."
            )
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            raise ValueError(
                f"In the rule {text!r} of {what}, write {ast.unparse(node)!r} as a product of two comparisons."
            )
        if isinstance(node, ast.Name):
            names.add(node.id)
    return names
