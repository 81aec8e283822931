"""Gradients, Jacobians and products within traces that see calls; outside of these, tapes give them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad._native import Tensor, tensor
from tapegrad._transformed import name_of
from tapegrad.compat.autograd import numpy as anp
from tapegrad.compat.autograd._call_derivatives import backward, filled, nothing
from tapegrad.compat.autograd._noting import is_inexact
from tapegrad.compat.autograd._traces import JVPNode, VJPNode, traced
from tapegrad.compat.autograd._values import Function, conjugated, differentiable, getval, is_complex
from tapegrad.compat.autograd.util import subvals
from tapegrad.functional.arguments import Argnums, with_auxiliary
from tapegrad.functional.structures import leaves_of, map_leaves, pack_as

__all__ = ["all_derivatives", "gradient_along", "value_and_gradient"]


def _unary(f: Function, argnums: Argnums, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Function, Any]:
    """Return the function of the chosen arguments alone, and those."""
    chosen = args[argnums] if isinstance(argnums, int) else tuple([args[k] for k in argnums])

    def fun(x: Any) -> Any:
        pairs = [(argnums, x)] if isinstance(argnums, int) else zip(argnums, x, strict=True)
        return f(*subvals(args, pairs), **kwargs)

    return fun, chosen


def value_and_gradient(
    what: str,
    f: Function,
    argnums: Argnums,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    has_aux: bool,
    check: Callable[[Tensor], None],
) -> tuple[Any, Any, Any]:
    """Return the value, the gradient in the tape's convention for complex numbers, and what else `f` returned.

    `check` raises for results that are not what `what` is for.
    """
    fun, x = _unary(f, argnums, args, kwargs)

    def checked(x: Any) -> Any:
        result = fun(x)
        value, aux = with_auxiliary(what, f, result) if has_aux else (result, None)
        if not is_inexact(value) or isinstance(value, (list, tuple, dict)):
            raise TypeError(
                f"{what}: {name_of(f)} must return one floating-point number or array, but it returned {value!r}, of "
                f"type {type(value).__name__}."
            )
        check(tensor(getval(value)))
        return (value, aux) if has_aux else value

    result, node = traced(VJPNode.new_root(), checked, differentiable(what, x))
    value, aux = result if has_aux else (result, None)
    g = np.ones_like(getval(value))[()]
    seed = (g, map_leaves(nothing, aux)) if has_aux else g
    return value, conjugated(filled(None if node is None else backward(seed, node), x)), aux


def all_derivatives(what: str, f: Function, argnums: Argnums, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return the derivative of every element of a result, in autograd's convention for complex numbers."""
    fun, x = _unary(f, argnums, args, kwargs)
    value, node = traced(VJPNode.new_root(), fun, differentiable(what, x))
    leaves = leaves_of(value)
    if not is_inexact(value):
        raise TypeError(f"{what}: {name_of(f)} must return floating-point numbers, but it returned {value!r}.")
    real_point = not any([is_complex(leaf) for leaf in leaves_of(x)])

    def row(k: int, g: Any) -> list[Any]:
        seed = pack_as(value, [g if j == k else None for j in range(len(leaves))])
        return leaves_of(filled(None if node is None else backward(seed, node), x))

    def block(k: int) -> Any:
        shape, dtype = np.shape(leaves[k]), np.result_type(leaves[k])
        units = np.eye(math.prod(shape), dtype=dtype).reshape(-1, *shape)
        rows = [row(k, unit[()]) for unit in units]
        if dtype.kind == "c" and real_point:
            # Cotangents are real where the argument is: these are the real part and, of -i times it, the imaginary.
            imaginary = [row(k, -1j * unit[()]) for unit in units]
            rows = [[_complex(*pair) for pair in zip(*both, strict=True)] for both in zip(rows, imaginary, strict=True)]
        return pack_as(x, [_stacked([row[j] for row in rows], shape, leaf) for j, leaf in enumerate(leaves_of(x))])

    return pack_as(value, [block(k) if is_inexact(leaf) else None for k, leaf in enumerate(leaves)])


def _complex(re: Any, im: Any) -> Any:
    return None if re is None else re + 1j * im


def _stacked(rows: Sequence[Any], shape: tuple[int, ...], like: Any) -> Any:
    """Return the derivatives of all elements of a result of this shape as one array; `None` for what has none."""
    if not is_inexact(like):
        return None
    whole = (*shape, *np.shape(like))
    return anp.reshape(anp.stack(rows), whole) if rows else np.zeros(whole)


def gradient_along(gradient: Function, argnums: Argnums, args: Sequence[Any], kwargs: dict[str, Any], v: Any) -> Any:
    """Return how a gradient changes along a direction: the product of the Hessian and `v`."""
    fun, x = _unary(gradient, argnums, args, kwargs)
    value, node = traced(JVPNode.new_root(v), fun, differentiable("hessian_tensor_product", x))
    return filled(None if node is None else node.g, value)
