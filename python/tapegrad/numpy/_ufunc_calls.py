"""Calls of ufuncs on tensors: what NumPy's `__array_ufunc__` protocol hands over, beyond plain calls."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad import _native
from tapegrad._native import UFUNC_OPERATIONS, Tensor, array, unrecorded
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.shaping import expand_dims, moveaxis
from tapegrad.numpy._arguments import delivered, holds_watched, operand
from tapegrad.numpy._ufunc_methods import METHODS
from tapegrad.numpy._unrecorded import computed, no_rule

__all__ = ["PIECEWISE_CONSTANT", "apply", "placed"]

_STEPS = {name for name, _, _, partials, *_ in _native.op_table() if not any(partials)}

_NAMES = {
    "bitwise_count",
    "isnat",
    "spacing",
    *[
        name
        for name, operation in vars(elementwise).items()
        if operation.__name__ in _STEPS or operation.__name__ not in _native.elementwise
    ],
}

PIECEWISE_CONSTANT = frozenset([ufunc for name in _NAMES if isinstance(ufunc := getattr(np, name, None), np.ufunc)])
"""The ufuncs whose results no tape follows."""

_NEVER_COMPUTED = {(np.add, "reduce"), (np.power, "reduce"), (np.arctan2, "reduce")}
"""What the recorded operation does faster than NumPy, or right where NumPy is wrong; see `folding`."""


def apply(ufunc: np.ufunc, method: str, operands: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Return `getattr(ufunc, method)(*operands, **keywords)` for operands among which are tensors.

    Raises
    ------
    TypeError
        If a tape watches an operand, and the ufunc has no derivative rule or its result is to be written to an array.
    """
    if method == "at":
        return _at(ufunc, operands)
    out = keywords.get("out")
    old = out if "where" in keywords else None  # where the mask is false, `out` keeps its elements
    is_watched = holds_watched(operands, keywords.get("initial"), old)
    if ufunc in PIECEWISE_CONSTANT or not (is_watched or (ufunc, method) in _NEVER_COMPUTED):
        return computed(getattr(ufunc, method) if method != "__call__" else ufunc, operands, keywords)
    operation = UFUNC_OPERATIONS.get(ufunc)
    if operation is None:
        raise no_rule(_name_of(ufunc), "tapegrad.register_ufunc")
    if method == "__call__":
        # A list is an array, whose type counts; in an operator it would give way to that of the tensor beside it.
        values = [operand(x) if isinstance(x, (list, tuple)) else x for x in operands]
        return _call(ufunc, operation, values, **keywords)
    return METHODS[method](ufunc, operation, *operands, **keywords)


def _name_of(ufunc: np.ufunc) -> str:
    """Return the name under which users know a ufunc; it does not tell its module."""
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), ufunc.__name__, None) is ufunc:
            return f"{module}.{ufunc.__name__}"
    return f"the ufunc {ufunc.__name__}"


def _at(ufunc: np.ufunc, operands: Sequence[Any]) -> None:
    """Apply `ufunc.at`, which writes to its first operand."""
    target = operands[0]
    if not isinstance(target, Tensor) and holds_watched(operands):
        raise TypeError(
            f"numpy.{ufunc.__name__}.at: a tape watches an operand, and written into a numpy.ndarray it would leave "
            "the tape: make the array a tensor first, x = tapegrad.numpy.array(x)."
        )
    if isinstance(target, Tensor):
        METHODS["at"](ufunc, UFUNC_OPERATIONS.get(ufunc), *operands)
    else:
        ufunc.at(*unrecorded(operands))


def _call(
    ufunc: np.ufunc,
    operation: Callable[..., Any],
    operands: Sequence[Any],
    *,
    out: Any = None,
    where: Any = True,
    casting: Any = "same_kind",
    order: str = "K",
    dtype: Any = None,
    subok: bool = True,
    signature: Any = None,
    **axes: Any,
) -> Any:
    """Return a call with keywords, recorded. The memory layout `order` is not a tensor's to choose."""
    if dtype is not None or signature is not None:
        operands = _as_loop(ufunc, operands, dtype, signature, casting)
    result: Any
    if axes:
        result = _along(ufunc, operation, operands, **axes)
    else:
        result = operation(*operands)
    if isinstance(result, tuple):
        outs = (None,) * len(result) if out is None else out
        return tuple([placed(part, where, target, casting) for part, target in zip(result, outs, strict=True)])
    return placed(result, where, out[0] if type(out) is tuple else out, casting)


def placed(result: Tensor, where: Any, out: Any, casting: Any) -> Any:
    """Return a result in its place `out`, with what was there where the mask is false (zeros if nothing was)."""
    if out is not None and out.shape != result.shape:
        result = _native.broadcast_to(result, out.shape)
    if where is not True:
        mask = array(where)
        shape = np.broadcast_shapes(mask.shape, result.shape)
        old = np.zeros(shape, result.dtype.dtype) if out is None else _native.cast(operand(out), result.dtype)
        result = _native.where(np.broadcast_to(mask, shape), result, old)
    return delivered(result, out, casting)


def _as_loop(ufunc: np.ufunc, operands: Sequence[Any], dtype: Any, signature: Any, casting: Any) -> list[Tensor]:
    """Return the operands in the types of the inner loop that `dtype` or `signature` chooses."""
    wanted: Any
    if signature is None:
        wanted = (None,) * ufunc.nin + (np.dtype(dtype),) * ufunc.nout
    elif isinstance(signature, tuple):
        wanted = tuple([kind if kind is None else np.dtype(kind) for kind in signature])
        if len(wanted) == 1:
            wanted = (None,) * ufunc.nin + wanted * ufunc.nout
    else:
        kinds = [np.dtype(letter) for letter in str(signature).replace("->", "")]
        wanted = tuple(kinds) if len(kinds) == ufunc.nargs else (None,) * ufunc.nin + (kinds[0],) * ufunc.nout
    given = tuple([type(x) if type(x) in (int, float, complex) else operand(x).dtype.dtype for x in operands])
    loop = ufunc.resolve_dtypes((*given, *(None,) * ufunc.nout), signature=wanted, casting=casting)
    return [_native.cast(operand(x), kind) for x, kind in zip(operands, loop, strict=False)]


def _along(
    ufunc: np.ufunc,
    operation: Callable[..., Any],
    operands: Sequence[Any],
    *,
    axis: Any = None,
    axes: Any = None,
    keepdims: bool = False,
) -> Tensor:
    """Return a generalised ufunc (matmul, vecdot, matvec, vecmat) along axes other than the last ones."""
    tensors = [operand(x) for x in operands]
    # The number of axes that each operand, and the result, is a vector or matrix in: "(m,n),(n)->(m)".
    *cores, result_axes = [
        len([name for name in core.split(",") if name]) for core in re.findall(r"\(([^)]*)\)", ufunc.signature or "")
    ]
    if axis is not None:
        axes = [axis] * len(tensors)
    if axes is None:
        axes = [tuple(range(-count, 0)) for count in cores]
    places = [(place,) if isinstance(place, int) else tuple(place) for place in axes]
    last = [tuple(range(-count, 0)) for count in cores]
    tensors = [moveaxis(x, place, end) for x, place, end in zip(tensors, places, last, strict=False)]
    result: Tensor = operation(*tensors)
    if keepdims:
        return expand_dims(result, places[0])
    if len(places) > len(tensors) and result_axes:
        result = moveaxis(result, tuple(range(-result_axes, 0)), places[-1])
    return result
