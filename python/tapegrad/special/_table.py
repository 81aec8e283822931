"""The table of SciPy's ufuncs: how its lines are read and become operations.

A ufunc has one line, in the manner of the table of elementwise operations:

    name | partials | domains | complex

partials  one rule for each operand, separated by `;`; for ufuncs with several outputs one such list for each output,
          separated by `;;`. `-` says that the result is piecewise constant in the operand, and `!key` that there is no
          rule, for the reason of that key in `REASONS`.
domains   for each operand the interval in which the tests sample it, away from poles; `int` before it: integers.
complex   `holomorphic` if the rules hold for complex operands as well, `-` if not.

An indented line continues the one above. Rules may mention every function of the table, the elementwise operations, and
the functions that stand with the lines, in the same modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import scipy.special

from tapegrad._examples import example
from tapegrad._native import array, is_watched
from tapegrad._ops.registered import enter, operation_of
from tapegrad._ops.ufunc_rules import Partial, table_names

__all__ = ["REASONS", "ROWS", "SCOPE", "Row", "build", "constant", "on_vectors"]

REASONS = {
    "order": "no accurate formula for the slope in the order or degree is known",
    "parameter": "no accurate formula for the slope in this parameter is known",
    "count": "it is a whole number",
    "values": "SciPy's values of the function and of its slope disagree",
    "none": "no accurate formula for the slope is known",
}
"""Why some operands have no rule."""

_BLOCK = 4096

SCOPE: dict[str, Any] = {}
"""What rules can mention; the table of elementwise operations comes last and wins."""


class Row(NamedTuple):
    """One line of the table."""

    name: str
    partials: list[list[Partial]]
    reasons: list[str | None]
    domains: list[tuple[float, float, bool]]
    holomorphic: bool


ROWS: dict[str, Row] = {}


def _parsed(lines: str) -> Iterator[Row]:
    joined: list[str] = []
    for line in lines.strip().splitlines():
        if line.startswith(" "):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line)
    for line in joined:
        name, partials, domains, complex_rule = (part.strip() for part in line.split("|"))
        outputs = [[rule.strip() for rule in output.split(";")] for output in partials.split(";;")]
        yield Row(
            name,
            [[None if rule.startswith("!") else rule for rule in rules] for rules in outputs],
            [REASONS[rule[1:]] if rule.startswith("!") else None for rule in outputs[0]],
            [_domain(text) for text in domains.split(";")],
            complex_rule == "holomorphic",
        )


def _domain(text: str) -> tuple[float, float, bool]:
    *kind, low, high = text.split()
    return float(low), float(high), kind == ["int"]


def build(families: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Callable[..., Any]]:
    """Return the operations of all ufuncs that this SciPy has, by name, and let tensors use them.

    Each family has its lines of the table, and the functions and constants that its rules mention.
    """
    for lines, names in families:
        ROWS.update({row.name: row for row in _parsed(lines)})
        SCOPE.update(names)
    operations: dict[str, Callable[..., Any]] = {}
    made: dict[np.ufunc, Callable[..., Any]] = {}
    known = {*SCOPE, *ROWS, *table_names()}
    for name, row in ROWS.items():
        ufunc = getattr(scipy.special, name, None)
        if not isinstance(ufunc, np.ufunc):
            continue
        if ufunc not in made:  # some have two names
            made[ufunc] = operation_of(
                ufunc, row.partials, SCOPE, known, holomorphic=row.holomorphic, reasons=row.reasons, quiet=True
            )
            made[ufunc].__module__ = "tapegrad.special"  # where pickle finds it
            made[ufunc].__doc__ = f"{made[ufunc].__doc__}{example('special', 'tapegrad.special', name)}"
            enter(ufunc, made[ufunc])
        operations[name] = made[ufunc]
    SCOPE.update(operations)
    SCOPE.update(table_names())
    return operations


def constant(x: Any, function: str, name: str, why: str) -> Any:
    """Return the array of an argument in which a function is not differentiable; raise if it is watched."""
    if is_watched(x):
        raise TypeError(
            f"{function} is not differentiable in {name}, which is watched, in tapegrad: {REASONS[why]}. If it is a "
            "constant here, pass stop_gradient(...) of it."
        )
    return array(x)


def on_vectors(function: Callable[..., Any], *arrays: Any) -> Any:
    """Return a function of float64 vectors of one length for arrays that are broadcast, in their common type.

    It is called for some thousand elements at a time, since a quadrature needs a row of memory for each node.
    """
    dtype = np.result_type(*arrays, np.float16)
    broadcast = np.broadcast_arrays(*arrays)
    vectors = [np.asarray(a, np.float64).reshape(-1) for a in broadcast]
    result = np.empty(vectors[0].shape)
    with np.errstate(all="ignore"):
        for start in range(0, len(result), _BLOCK):
            part = slice(start, start + _BLOCK)
            result[part] = function(*[vector[part] for vector in vectors])
    return result.reshape(broadcast[0].shape).astype(dtype)
