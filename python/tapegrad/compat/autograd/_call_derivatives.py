"""Derivatives made of calls, for traces that see calls: each step on the way back or forward is a call itself.

What is known of one call is the program's rule, if it has defined one, and else what a tape makes of that call alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.compat.autograd._boxes import tapes_only
from tapegrad.compat.autograd._noting import container_take, is_inexact, named_step
from tapegrad.compat.autograd._rules import Rules
from tapegrad.compat.autograd._values import Function, conjugated, getval, is_complex, settled
from tapegrad.compat.autograd._vspaces import SparseObject
from tapegrad.compat.autograd.util import subvals, toposort
from tapegrad.functional import products
from tapegrad.functional.structures import leaves_of, map_leaves, pack_as

__all__ = ["backward", "filled", "nothing", "pulled_back", "pushed_forward"]


def backward(g: Any, end_node: Any) -> Any:
    """Return the cotangent of the value from which a trace started, with `None` where nothing arrives."""
    arrived = {id(end_node): g}
    found = None
    for node in toposort(end_node):
        found = arrived.pop(id(node), None)
        if found is not None and node.parents:
            for parent, part in zip(node.parents, node.vjp(found), strict=True):
                arrived[id(parent)] = _sum(arrived.get(id(parent)), part)
    return found


def filled(found: Any, x: Any) -> Any:
    """Return a derivative with zeros for `None` wherever `x` has numbers that can have one."""
    leaves = leaves_of(x)
    parts = [None] * len(leaves) if found is None else leaves_of(found)
    return pack_as(x, [_zeros(leaf) if part is None else part for part, leaf in zip(parts, leaves, strict=True)])


def _zeros(leaf: Any) -> Any:
    return np.zeros_like(getval(leaf))[()] if is_inexact(leaf) else None


def _sum(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, (list, tuple, dict)):
        return pack_as(a, [_sum(x, y) for x, y in zip(leaves_of(a), leaves_of(b), strict=True)])
    return np.add(a, b)


def pulled_back(
    fun: Any, argnums: Sequence[int], value: Any, args: Sequence[Any], kwargs: dict[str, Any]
) -> Callable[[Any], Sequence[Any]]:
    """Return what takes the cotangent of a call's value to those of its arguments with these numbers."""
    rules = getattr(fun, "rules", None)
    if isinstance(rules, Rules) and rules.vjp is not None:
        rule = rules.vjp

        def by_rule(g: Any) -> Sequence[Any]:
            parts = rule(argnums, value, args, kwargs)(g)
            return [_fitting(part, args[k]) for k, part in zip(argnums, parts, strict=True)]

        return by_rule
    step = _vjp_of(fun, argnums)

    def by_tape(g: Any) -> Sequence[Any]:
        found = step(g, *args, **kwargs)
        return [found] if len(argnums) == 1 else found

    return by_tape


def _fitting(found: Any, argument: Any) -> Any:
    """Return a cotangent that a rule gave: as an array, and real if the argument is."""
    if isinstance(found, SparseObject):
        found = found.dense()
    if found is None or isinstance(found, (list, tuple, dict)):
        return found
    return np.real(found) if is_complex(found) and not is_complex(argument) else found


def pushed_forward(
    fun: Any, argnums: Sequence[int], tangents: Sequence[Any], value: Any, args: Sequence[Any], kwargs: dict[str, Any]
) -> Any:
    """Return the tangent of a call's value for those of its arguments with these numbers."""
    rules = getattr(fun, "rules", None)
    if isinstance(rules, Rules) and rules.jvp is not None:
        return filled(rules.jvp(argnums, tangents, value, args, kwargs), value)
    return _jvp_of(fun, argnums)(*tangents, *args, **kwargs)


def _vjp_of(fun: Any, argnums: Sequence[int]) -> Any:
    """Return the function `vjp(g, *args)` that takes a cotangent back through a call; it is one step for traces."""

    def vjp(g: Any, /, *args: Any, **kwargs: Any) -> Any:
        chosen, places, of_numbers = _of_numbers(fun, argnums, args, kwargs)
        numbers = leaves_of(chosen)
        with tapes_only():
            _, pullback = products.vjp(of_numbers, *[numbers[k] for k in places])
            found = conjugated(pullback(conjugated(g)))
        parts = [found] if len(places) == 1 else found
        cotangents = pack_as(chosen, subvals([None] * len(numbers), zip(places, parts, strict=True)))
        return cotangents[0] if len(argnums) == 1 else cotangents

    return named_step(f"vjp_of_{_name_of(fun)}", vjp)


def _jvp_of(fun: Any, argnums: Sequence[int]) -> Any:
    """Return the function `jvp(*tangents, *args)` that takes tangents forward through a call: one step for traces."""

    def jvp(*operands: Any, **kwargs: Any) -> Any:
        tangents, args = operands[: len(argnums)], operands[len(argnums) :]
        chosen, places, of_numbers = _of_numbers(fun, argnums, args, kwargs)
        numbers, directions = leaves_of(chosen), leaves_of(tangents)
        with tapes_only():
            return products.jvp(of_numbers, [numbers[k] for k in places], [directions[k] for k in places])[1]

    return named_step(f"jvp_of_{_name_of(fun)}", jvp)


def _of_numbers(
    fun: Any, argnums: Sequence[int], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], list[int], Function]:
    """Return the chosen arguments, which of their leaves are floating-point numbers, and `fun` as a function of these.

    Tapes can follow no others.
    """
    chosen = tuple([args[k] for k in argnums])
    leaves = leaves_of(chosen)
    places = [k for k, leaf in enumerate(leaves) if is_inexact(leaf)]
    bare = len(leaves) == len(chosen) and all([leaf is arg for leaf, arg in zip(leaves, chosen, strict=True)])

    def of_numbers(*numbers: Any) -> Any:
        values = subvals(leaves, zip(places, numbers, strict=True))
        packed = values if bare else pack_as(chosen, values)
        return settled(fun(*subvals(args, zip(argnums, packed, strict=True)), **kwargs))

    return chosen, places, of_numbers


def _name_of(fun: Any) -> str:
    return getattr(fun, "__name__", repr(fun))


def _placed(structure: Any, key: Any, g: Any) -> Any:
    """Return a structure with the cotangent of a part in its place, and `None` elsewhere."""
    if isinstance(structure, dict):
        return {k: g if k == key else map_leaves(nothing, part) for k, part in structure.items()}
    parts = [g if k == key else map_leaves(nothing, part) for k, part in enumerate(structure)]
    return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)


def nothing(leaf: Any) -> None:
    """Return `None`, for a leaf that has no derivative."""


container_take.rules = Rules("container_take", nothing)
container_take.rules.vjp = lambda argnums, ans, args, kwargs: lambda g: [_placed(args[0], args[1], g)]
