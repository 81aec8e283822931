"""Ufuncs of other packages as recorded operations, each declared with one partial derivative per operand."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import tapegrad._protocols  # noqa: F401 (enters NumPy's own ufuncs into the table)
from tapegrad import _forks
from tapegrad._examples import parameters
from tapegrad._native import UFUNC_OPERATIONS, Loop, Tensor, cast, is_watched, own, tensor
from tapegrad._ops.declare import Operation, Rule, silent, structural
from tapegrad._ops.ufunc_rules import PIECEWISE_CONSTANT, Partial, operand_names, table_names, vjp_of
from tapegrad.dtypes import DType, as_dtype

__all__ = ["as_operand", "enter", "operation_of", "register_ufunc"]

_LOCK = _forks.lock()
_REGISTERED: dict[str, Operation] = {}

_WEAK = frozenset((float, int, complex))  # these types give way to those of other operands


def register_ufunc(
    ufunc: Any,
    partials: Sequence[Any],
    *,
    names: Mapping[str, Any] | None = None,
    holomorphic: bool = False,
    reason: str | None = None,
    replace: bool = False,
) -> Operation:
    """Make a ufunc a recorded operation: from now on tapes follow it when it is applied to tensors.

    Parameters
    ----------
    ufunc
        A ufunc of one output or several: SciPy's, Numba's, your own in C, or one that `np.frompyfunc` made.
    partials
        One partial derivative for each operand; for a ufunc with several outputs, one such sequence for each output.
        A partial is

        - a text in the language of tapegrad's own rules: an expression of the operands `x`, `y`, `z`, `w`, `x4`,
          `x5`, ... and the result `out` (of several: `out0`, `out1`, ...), with numbers, `inf`, `pi`, arithmetic,
          comparisons, `where(condition, a, b)`, the names of NumPy's and tapegrad's elementwise functions and of
          registered ufuncs, this one among them, and those in `names`;
        - a function over recorded operations, whose parameters have such names: `lambda x, out: out * tf.math.log(x)`;
        - a number: a constant slope;
        - `"-"` if the result is piecewise constant in the operand, so that no gradient flows;
        - `None` if there is no rule: a call in which that operand is watched raises a `TypeError`.
    names
        What else the texts may mention: functions over recorded operations, registered ufuncs, constants.
    holomorphic
        Whether the partials are right for complex operands, too. If not, watching an operand of a complex call raises.
    reason
        What the error says about operands whose partial is `None`.
    replace
        Whether this may take the place of an operation that the ufunc has already.

    Returns
    -------
    callable
        The recorded function of the operands. Applying the ufunc itself to tensors does the same.

    Raises
    ------
    TypeError
        If `ufunc` is not an elementwise ufunc, or a partial none of the above.
    ValueError
        If the number of partials is wrong, a text is malformed or mentions unknown names, or the ufunc has an
        operation already.

    Notes
    -----
    Operands are converted to the types of the ufunc's inner loop, and each gets its cotangent in its own type. A
    cotangent that is exactly zero contributes exactly zero. The partials are recorded under an outer tape, so they
    must themselves have the right derivatives; `tapegrad.testing.check_grads` checks two orders.

    Examples
    --------
    >>> import numpy as np
    >>> import tapegrad as tf
    >>> haversine = np.frompyfunc(lambda x: (1.0 - np.cos(x)) / 2.0, 1, 1)
    >>> f = tf.register_ufunc(haversine, partials=["0.5 * sin(x)"])
    >>> tf.testing.check_grads(f, (0.7,))
    >>> x = tf.constant([0.0, np.pi / 2], dtype=tf.float64)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = haversine(x)
    >>> tape.gradient(y, x).numpy()
    array([0. , 0.5])
    """
    inner = _inner_ufunc(ufunc)
    rows = _rows(inner, partials)
    if reason is not None and all(partial is not None for row in rows for partial in row):
        raise ValueError(f"register_ufunc: a reason is given, but no partial of {_name(inner)} is None.")
    own_name = _name(inner)
    meant = {**table_names(), **{name: _recorded(value) for name, value in (names or {}).items()}}
    scope = {**_REGISTERED, **meant}
    operation = operation_of(
        ufunc, rows, scope, {*scope, own_name}, holomorphic=holomorphic, reasons=[reason] * inner.nin
    )
    if own_name not in meant:
        scope[own_name] = operation
    if not enter(ufunc, operation, replace=replace):
        raise ValueError(
            f"register_ufunc: {_name(inner)} has an operation already; pass replace=True to give it another."
        )
    return operation


def enter(ufunc: Any, operation: Operation, *, replace: bool = False) -> bool:
    """Let tensors use an operation in place of a ufunc; return whether it could have the place."""
    inner = _inner_ufunc(ufunc)
    with _LOCK:
        if inner in UFUNC_OPERATIONS and not replace:
            return False
        # An object that holds a ufunc may hand itself to tensors, or leave it to NumPy to hand them the ufunc.
        UFUNC_OPERATIONS[inner] = UFUNC_OPERATIONS[ufunc] = operation
        _REGISTERED[_name(inner)] = operation
        return True


def operation_of(
    ufunc: Any,
    rows: Sequence[Sequence[Partial]],
    scope: dict[str, Any],
    known: Collection[str],
    *,
    holomorphic: bool,
    reasons: Sequence[str | None],
    quiet: bool = False,
) -> Operation:
    """Return the recorded operation of a ufunc, entered nowhere.

    `rows` holds the partials of each output, whose texts are evaluated in `scope` when a sweep comes to them; `known`
    are the names that it will hold by then. `reasons` are those of operands without a rule, and `quiet` says that
    the ufunc never warns about overflow and the like, so that this need not be suppressed.
    """
    inner = _inner_ufunc(ufunc)
    operands = operand_names(inner.nin)
    vjps, refused = {}, {}
    for k, operand in enumerate(operands):
        column = [row[k] for row in rows]
        if None in column:
            refused[k] = reasons[k]
        elif any(partial != PIECEWISE_CONSTANT for partial in column):
            vjps[operand] = vjp_of(column, operands, scope, known, f"{_name(inner)}, operand {operand}")
    names = ", ".join(operands)
    forward = eval(f"lambda {names}: ufunc({names})", {"ufunc": ufunc})
    if not quiet:
        forward = silent(forward)
    if all("O" in loop for loop in inner.types):
        forward = _numbers_from_objects(forward, operands)
    recorded = structural(_name(inner), forward, **vjps)
    operation = _caller(inner, recorded, refused, holomorphic, grows=ufunc is not inner)
    operation.__name__ = operation.__qualname__ = _name(inner)
    operation.__doc__ = _documentation(inner, rows, operands)
    operation.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(operand, inspect.Parameter.POSITIONAL_ONLY) for operand in operands]
    )
    return operation


def as_operand(x: Any) -> Tensor:
    """Return an operand as a tensor in the type that NumPy gives it: float64 for Python's floats."""
    if isinstance(x, float | int | complex | list | tuple):
        try:
            return tensor(np.asarray(x))
        except TypeError:  # tensors on a tape are among them
            return tensor(x)
    return tensor(x)


def _inner_ufunc(ufunc: Any) -> np.ufunc:
    """Return the NumPy ufunc that an object is or, like Numba's, holds; it has to be elementwise."""
    inner = ufunc if isinstance(ufunc, np.ufunc) else getattr(ufunc, "ufunc", None)
    if not isinstance(inner, np.ufunc):
        raise TypeError(
            f"register_ufunc: a ufunc is needed, not {ufunc!r}; tapegrad.custom_gradient gives a derivative to any "
            "function."
        )
    if inner.signature is not None:
        raise TypeError(
            f"register_ufunc: {_name(inner)} has the signature {inner.signature} and is not elementwise; "
            "tapegrad.custom_gradient gives a derivative to any function."
        )
    return inner


def _rows(ufunc: np.ufunc, partials: Any) -> list[list[Partial]]:
    """Return the partials as a list for each output, with one for each operand."""
    if isinstance(partials, str) or not isinstance(partials, Iterable):
        raise TypeError(
            f"register_ufunc: partials must be a sequence with one for each operand of {_name(ufunc)}, "
            f"not {partials!r}."
        )
    parts: list[Any] = [partials] if ufunc.nout == 1 else list(partials)
    if len(parts) != ufunc.nout or any(isinstance(row, str) or not isinstance(row, Iterable) for row in parts):
        raise ValueError(
            f"register_ufunc: {_name(ufunc)} has {ufunc.nout} outputs and needs a sequence of partials for each, "
            f"not {partials!r}."
        )
    rows: list[list[Partial]] = [list(row) for row in parts]
    for row in rows:
        if len(row) != ufunc.nin:
            raise ValueError(
                f"register_ufunc: {_name(ufunc)} has {ufunc.nin} operands, but {len(row)} partials are given: {row}."
            )
    return rows


def _recorded(meant: Any) -> Any:
    """Return what a name in `names` stands for in a rule: of a ufunc, its recorded operation."""
    if not isinstance(meant, np.ufunc):
        return meant
    if meant not in UFUNC_OPERATIONS:
        raise ValueError(f"register_ufunc: {_name(meant)} in names={{...}} has no operation; register it first.")
    return UFUNC_OPERATIONS[meant]


def _numbers_from_objects(forward: Operation, operands: Sequence[str]) -> Operation:
    """Return the forward function of a ufunc over Python objects, with arrays of numbers as results."""

    def converted(*arrays: npt.NDArray[Any]) -> Any:
        result = forward(*arrays)
        dtype = np.result_type(*[a.dtype if a.dtype.kind in "fc" else np.float64 for a in arrays])
        if type(result) is tuple:
            return tuple([np.asarray(part).astype(dtype) for part in result])
        return np.asarray(result).astype(dtype)

    names = ", ".join(operands)
    named: Operation = eval(f"lambda {names}: converted({names})", {"converted": converted})
    return named


def _name(ufunc: np.ufunc) -> str:
    return ufunc.__name__.removesuffix(" (vectorized)")  # what np.frompyfunc adds


def _caller(
    ufunc: np.ufunc, recorded: Operation, refused: Mapping[int, str | None], holomorphic: bool, *, grows: bool
) -> Operation:
    """Return the function that converts operands to the types of an inner loop, checks them, and records.

    `grows` says that what holds the ufunc may compile more loops when it is called.
    """
    name, count = _name(ufunc), ufunc.nin
    rule: Rule = recorded.rule  # type: ignore[attr-defined]
    plans: dict[tuple[Any, ...], _Plan] = {}

    def operation(*operands: Any, **keywords: Any) -> Any:
        # A tensor's kind is its dtype, that of a Python number its type; anything else has none yet.
        kinds = tuple([x.dtype if type(x) is Tensor else type(x) for x in operands])
        plan = plans.get(kinds)
        if plan is None or keywords:
            if keywords or len(operands) != count:
                raise TypeError(
                    f"{name}() takes {count} operands by position and nothing else, got {len(operands)} and the "
                    f"keywords {list(keywords)}; out=, where= and dtype= are for the ufunc itself."
                )
            operands = tuple([x if type(x) is Tensor or type(x) in _WEAK else as_operand(x) for x in operands])
            kinds = tuple([x.dtype if type(x) is Tensor else type(x) for x in operands])
            plan = plans.get(kinds) or plans.setdefault(kinds, _plan(ufunc, kinds, refused, holomorphic, grows))
        for k, why in plan.refused:
            if is_watched(operands[k]):
                raise TypeError(
                    f"{name} is not differentiable in operand {k}, which is watched, in tapegrad: {why}. If it is a "
                    "constant here, pass stop_gradient(...) of it."
                )
        if plan.types is not None:
            operands = tuple([_as(x, dtype) for x, dtype in zip(operands, plan.types, strict=True)])
        if plan.loop is None:
            return recorded(*operands)
        return rule.follow(operands, plan.loop(*operands))

    return operation


class _Plan(NamedTuple):
    """What to do with operands of certain kinds."""

    types: list[DType] | None
    """The types to convert them to; None if they have these."""
    refused: list[tuple[int, str]]
    """The numbers of those that must not be watched, and why."""
    loop: Loop | None
    """What computes the result; None if only the ufunc can."""


def _plan(
    ufunc: np.ufunc, kinds: tuple[Any, ...], refused: Mapping[int, str | None], holomorphic: bool, grows: bool
) -> _Plan:
    """Return what to do with operands of these kinds: NumPy chooses the inner loop and with it the types."""
    given = [kind if kind in _WEAK else np.dtype(kind.as_numpy_dtype) for kind in kinds]
    try:
        chosen = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))
    except TypeError:
        if ufunc.types and not grows:
            raise
        chosen = ()  # its loops are compiled when they are needed
    found = list(chosen[: ufunc.nin])
    if not found or any(dtype.hasobject for dtype in found):
        common = np.result_type(*[0 if kind is int else 0.0 if kind is float else kind for kind in given])
        found = [common if kind in _WEAK else kind for kind in given]
    reasons = {k: why or "it has no rule" for k, why in refused.items()}
    if not holomorphic and any(dtype.kind == "c" for dtype in found):
        reasons = dict.fromkeys(range(ufunc.nin), "complex values have no rule")
    # A dtype equals the Python type that names it, and so weak operands have to be asked for by themselves.
    as_given = _WEAK.isdisjoint(kinds) and found == given
    types = None if as_given else [as_dtype(dtype) for dtype in found]
    return _Plan(types, list(reasons.items()), _loop(ufunc, chosen))


def _loop(ufunc: np.ufunc, chosen: Sequence[Any]) -> Loop | None:
    """Return the inner loop for these types, if the core can run it: those of operands and result are the same."""
    if not chosen or any(dtype != chosen[0] for dtype in chosen):
        return None
    try:
        return Loop(ufunc, chosen[0])
    except TypeError:
        return None


def _as(x: Any, dtype: DType) -> Tensor:
    if type(x) is Tensor:
        return x if x.dtype is dtype else cast(x, dtype)
    return own(np.asarray(x, dtype.as_numpy_dtype))


def _documentation(ufunc: np.ufunc, rows: Sequence[Sequence[Partial]], operands: Sequence[str]) -> str:
    """Return a docstring: what the ufunc's own says it computes, and the derivatives."""
    paragraphs = [part.strip() for part in (ufunc.__doc__ or "").split("\n\n")]
    summary = next((" ".join(part.split()) for part in paragraphs if part and "(" not in part.split()[0]), _name(ufunc))
    summary = re.sub(":math:`([^`]*)`", r"`\1`", summary)
    lines = []
    for j, row in enumerate(rows):
        of = f"out{j}" if len(rows) > 1 else "out"
        for operand, partial in zip(operands, row, strict=True):
            if partial is None:
                lines.append(f"not differentiable in {operand}")
            elif partial == PIECEWISE_CONSTANT:
                lines.append(f"{of} is piecewise constant in {operand}")
            elif callable(partial):
                lines.append(f"d {of}/d{operand} by {getattr(partial, '__name__', 'a function')}")
            else:
                lines.append(f"d {of}/d{operand} = {' '.join(str(partial).split())}")
    rules = "\n".join([f"    {line}" for line in lines])
    end = "" if summary.endswith(".") else "."
    order = ", in the order of the ufunc's operands" if operands[1:] else ""
    return (
        f"{summary}{end}\n\nElementwise; values and types are the ufunc's. Derivatives::\n\n{rules}"
        f"{parameters(operands, order, named=False)}\n\nRaises\n------\nTypeError\n"
        "    If a tape watches an operand in which there is no derivative, or keywords are given."
    )
