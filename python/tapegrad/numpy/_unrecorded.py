"""Functions that NumPy itself computes for tensors: piecewise constant ones, questions, and those without a rule."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._examples import example
from tapegrad._native import IMPLEMENTATIONS, Tensor, array, compute, rebind, unrecorded, wrapped
from tapegrad._ops.writing import check_writable
from tapegrad._protocols import CONSTANT, UNRELATED
from tapegrad.numpy._arguments import holds_watched

__all__ = ["computed", "constant", "question", "registered", "without_rule"]


def computed(function: Callable[..., Any], args: Any, keywords: dict[str, Any]) -> Any:
    """Return what NumPy computes for the tensors' values, as tensors; a tensor `out` gets its next version."""
    out = keywords.get("out")
    if out is None:
        return compute(function, args, keywords)
    targets = out if isinstance(out, tuple) else (out,)
    buffers = [_buffer(target) for target in targets]
    with np.errstate(all="ignore"):
        result = function(*unrecorded(args), **unrecorded({**keywords, "out": _alike(buffers, out)}))
    for target, buffer in zip(targets, buffers, strict=True):
        if isinstance(target, Tensor):
            rebind(target, _native.own(buffer))
    parts = [wrapped(part) for part in (result if isinstance(result, tuple) else (result,))]
    return _alike([part if target is None else target for part, target in zip(parts, targets, strict=True)], result)


def _buffer(target: Any) -> Any:
    """Return what NumPy can write to in place of `target`."""
    if not isinstance(target, Tensor):
        return target
    check_writable(target)
    return np.array(array(target))


def _alike(parts: list[Any], model: Any) -> Any:
    """Return one part, or a tuple of them as `model` is."""
    return tuple(parts) if isinstance(model, tuple) else parts[0]


def without_rule(function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """Compute a function that has no derivative rule, or raise the TypeError that says so for a watched value."""
    if holds_watched(args, keywords):
        raise no_rule(f"{function.__module__}.{function.__name__}", "tapegrad.primitive")
    return computed(function, args, keywords)


def no_rule(name: str, remedy: str) -> TypeError:
    """Return the error for a function without a derivative rule that is applied to a watched value."""
    return TypeError(
        f"{name} has no derivative rule in tapegrad. For a constant, apply it to tapegrad.stop_gradient(x) or "
        f"x.numpy(); to give it a rule, use {remedy}."
    )


def constant(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's piecewise constant function for tensors, and register it."""
    try:
        parameters = list(inspect.signature(function).parameters)
    except ValueError:  # older NumPys do not tell those of functions written in C, none of which has `out`
        parameters = []
    place = parameters.index("out") if "out" in parameters else None

    def piecewise_constant(*args: Any, **keywords: Any) -> Any:
        if place is not None and len(args) > place:
            keywords, args = {**keywords, "out": args[place]}, args[:place] + args[place + 1 :]
        return computed(function, args, keywords)

    CONSTANT.add(function)
    description = "of tensors too. Piecewise constant: what it returns is on no tape."
    return registered(function, piecewise_constant, description)


def question(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return NumPy's function that asks about an array or prints it, and register it."""

    def answer(*args: Any, **keywords: Any) -> Any:
        return function(*unrecorded(args), **unrecorded(keywords))

    UNRELATED.add(function)
    return registered(function, answer, "of tensors too. What it returns is NumPy's own.")


def registered(function: Callable[..., Any], replacement: Any, description: str) -> Callable[..., Any]:
    """Return the replacement under the function's name and with its signature, registered for tensors."""
    replacement.__name__ = replacement.__qualname__ = function.__name__
    replacement.__wrapped__ = function
    replacement.__doc__ = f"NumPy's `{function.__name__}`, {description}" + example(
        "numpy", "tapegrad.numpy", function.__name__
    )
    IMPLEMENTATIONS[function] = replacement
    result: Callable[..., Any] = replacement
    return result
