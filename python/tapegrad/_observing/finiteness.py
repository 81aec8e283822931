"""Looking for NaNs and infinities: in the results of operations, and in the cotangents that their rules return."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad._native import GradientTape, Tensor, Value, array
from tapegrad._observing.sites import Site
from tapegrad.dtypes import DType

__all__ = ["AnomalyError", "check_cotangents", "check_results", "elements", "sweeping"]


class AnomalyError(ArithmeticError):
    """A NaN or an infinity has appeared inside `detect_anomaly()`.

    Attributes
    ----------
    op : str
        The operation that it appeared in.
    where : Site or None
        The line that called the operation, with the attributes `file`, `line` and `function`.
    phase : str
        "forward" if the operation's result is not finite, "backward" if it is what its derivative rule returns.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(0.0)
    >>> try:
    ...     with tf.detect_anomaly(), tf.GradientTape() as tape:
    ...         y = tf.sqrt(x)
    ...         g = tape.gradient(y, x)
    ... except tf.AnomalyError as error:
    ...     print(error.op, error.phase)
    sqrt backward
    """

    def __init__(self, message: str, op: str, where: Site | None, phase: str) -> None:
        super().__init__(message)
        self.op = op
        self.where = where
        self.phase = phase


class _Sweeps(threading.local):
    """How many checked sweeps are under way on the thread."""

    count = 0


_sweeps = _Sweeps()


@contextlib.contextmanager
def sweeping() -> Iterator[None]:
    """Leave what rules compute to `check_cotangents`: inside a rule an infinity may be one that a select drops."""
    _sweeps.count += 1
    try:
        yield
    finally:
        _sweeps.count -= 1


def check_results(name: str, operands: Sequence[Value | None], results: Sequence[Value], where: Site | None) -> None:
    """Raise AnomalyError if a result is not finite."""
    if _sweeps.count:
        return
    for k, result in enumerate(results):
        bad = _unsound(array(result))
        if bad is not None:
            which = f" in result {k}" if len(results) > 1 else ""
            raise AnomalyError(f"{name} gave {bad}{which}{_at(where)}\n{_described(operands)}", name, where, "forward")


def check_cotangents(
    tape: GradientTape, slot: int, cotangents: Sequence[Tensor | None], contributions: Sequence[Any]
) -> None:
    """Hear what the rule of a node made of its cotangents; raise AnomalyError if that is not finite."""
    observer = tape.observer
    if observer is not None and observer.flow is not None:
        observer.flow.passed(slot, cotangents, contributions)
        return
    for k, contribution in enumerate(contributions):
        bad = None if contribution is None else _unsound(elements(contribution))
        if bad is None:
            continue
        node = tape._nodes(slot, 1)[0]
        shape, dtype = _origin(tape, node[3][k])
        where = None if observer is None else observer.sites.get(slot)
        given = [_unsound(array(g)) for g in cotangents if g is not None]
        before = next((f"the cotangent of the result already held {what}" for what in given if what is not None), None)
        raise AnomalyError(
            f"the derivative of {node[2]} with respect to its operand {k} gave {bad}{_at(where)}\n"
            f"  the operand: shape {shape}, {dtype.name}; {before or 'the cotangent of the result was finite'}"
            + ("" if where else "\n  its line is not known: the tape was entered outside detect_anomaly()"),
            node[2],
            where,
            "backward",
        )


def _origin(tape: GradientTape, slot: int | None) -> tuple[tuple[int, ...], DType]:
    """Return shape and dtype of an operand that is on the tape."""
    return next(
        outputs[slot - first]
        for first, _, _, _, outputs, _ in tape._nodes()
        if slot is not None and first <= slot < first + len(outputs)
    )


def elements(contribution: Any) -> npt.NDArray[Any]:
    """Return the numbers of a cotangent, which may be a tensor or slices of one."""
    return array(contribution if isinstance(contribution, Value) else contribution.values)


def _unsound(values: npt.NDArray[Any]) -> str | None:
    """Describe the elements that are not finite; None if there are none."""
    if values.dtype.kind not in "fc":
        return None
    bad = ~np.isfinite(values)
    count = np.count_nonzero(bad)
    if not count:
        return None
    first = np.unravel_index(int(np.argmax(bad)), values.shape)
    what = str(values[first])
    if not values.ndim:
        return what
    place = ", ".join([str(int(i)) for i in first])
    return f"{what} at [{place}] ({count} of {values.size} elements are not finite)"


def _described(operands: Sequence[Value | None]) -> str:
    lines = []
    for k, value in enumerate(operands):
        if value is None:
            lines.append(f"  operand {k}: a constant")
            continue
        bad = _unsound(array(value))
        state = "finite" if bad is None else f"already {bad}"
        lines.append(f"  operand {k}: shape {value.shape}, {value.dtype.name}, {state}")
    return "\n".join(lines)


def _at(where: Site | None) -> str:
    return "" if where is None else f", at {where}" + (f"\n    {where.source}" if where.source else "")
