"""Long loops that keep a few of their states: `checkpoint_loop`."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tapegrad import random
from tapegrad._native import (
    GradientTape,
    Tensor,
    Value,
    is_recording,
    is_watched,
    own,
    pause,
    record,
    snapshot,
)
from tapegrad._ops.arguments import as_int
from tapegrad._ops.shaping import identity
from tapegrad.checkpointing.replaying import (
    constant,
    detached,
    differentiable,
    fresh,
    pulled_back,
    pushing,
    run_unrecorded,
)
from tapegrad.checkpointing.schedule import default_snapshots, first_stretch
from tapegrad.functional.structures import leaves_of, map_leaves, pack_as
from tapegrad.variable import Variable

__all__ = ["checkpoint_loop"]


def checkpoint_loop(
    step: Callable[..., Any],
    state: Any,
    n: int,
    *,
    snapshots: int | None = None,
    params: Sequence[Any] = (),
    progress: bool = False,
) -> Any:
    """Apply a function `n` times to a state; a tape keeps only a few of the states that it goes through.

    For the gradient the loop is gone back over from its end: each step is computed again, from the snapshot before it,
    just when it is to be differentiated. The snapshots lie where the fewest steps have to be computed again.

    Parameters
    ----------
    step
        `step(state, *params)` returns the next state. It must compute the same each time.
    state
        A tensor, a number, or a structure of these, dataclasses included; each next one has the same structure. Leaves
        that are not floating or complex are carried along, such as a counter: `lambda s: (s[0] + 1, f(s[0], s[1]))`.
    n
        How many steps.
    snapshots
        How many states may be kept at a time, beside the first. By default about the square root of 2 n: the loop is
        then computed at most three times, counting the first. With 10 snapshots 1000 steps take at most five.
    params
        More arguments for `step`, the same each time; structures too.
    progress
        Whether to show a bar while the gradient is computed; it needs `tqdm`.

    Returns
    -------
    structure like `state`
        The last state. Gradients go to the tensors in `state` and `params`, the trainable variables that `step` reads,
        and the tensors that its code refers to by name; zeros where the last state does not depend on them.

    Raises
    ------
    ValueError
        If `n` or `snapshots` is negative, or a step changes the structure of the state.
    ImportError
        With `progress`, if `tqdm` is not installed.

    Notes
    -----
    Variables and random numbers are as for `recompute_grad`. Forward mode keeps no states at all. A derivative of the
    gradient is right too, but then all steps are recorded.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(1.0, dtype=tf.float64)
    >>> with tf.GradientTape() as tape:
    ...     y = tf.checkpoint_loop(lambda s: s + 0.001 * tf.sin(s), x, 1000, snapshots=5)
    >>> print(f"{float(tape.gradient(y, x)):.4f}")
    1.1017
    """
    count = as_int(n)
    kept = default_snapshots(count) if snapshots is None else as_int(snapshots)
    if count < 0 or kept < 0:
        raise ValueError(f"checkpoint_loop: n and snapshots must not be negative, but they are {count} and {kept}.")
    if progress:
        _bar(0).close()
    return _Loop(step, state, params, count, kept, progress).run() if count else state


class _Snapshot(NamedTuple):
    """The state before a step, and what random numbers come next where any are drawn."""

    number: int
    leaves: list[Any]
    random: random.State | None


class _Loop:
    """One loop: its steps forward, unrecorded, and the rule that goes back over them."""

    name = "checkpoint_loop"

    opaque = True
    """A sweep with one cotangent keeps to the snapshots; recording it, to transpose it, would not."""

    def __init__(
        self, step: Callable[..., Any], state: Any, params: Sequence[Any], n: int, snapshots: int, progress: bool
    ) -> None:
        self._step = step
        self._n = n
        self._free = snapshots
        self._progress = progress
        start = [snapshot(leaf) if isinstance(leaf, Value) else leaf for leaf in leaves_of(state)]
        self._state = pack_as(state, start)
        self._size = len(start)
        self._params = tuple(params)
        self._param_leaves = leaves_of(self._params)
        self._moving = [leaf for leaf in start if differentiable(leaf)]
        self._adjustable = [leaf for leaf in self._param_leaves if isinstance(leaf, Tensor) and differentiable(leaf)]
        self._snapshots: list[_Snapshot] = []

    def run(self) -> Any:
        """Return the last state, recorded as one operation if anything is recorded."""
        if not is_recording():
            return functools.reduce(lambda state, _: self._next(state, self._params), range(self._n), self._state)
        self._operands = [*self._moving, *self._adjustable]
        arguments = [*self._operands, *self._param_leaves]
        last, self._surroundings = run_unrecorded(self._forward, self._step, arguments)
        if not self._surroundings.drawn:
            self._snapshots = [kept._replace(random=None) for kept in self._snapshots]
        self._operands += self._surroundings.sources
        outputs = [constant(leaf) for leaf in leaves_of(last)]
        record(self, tuple(self._operands), tuple([leaf for leaf in outputs if differentiable(leaf)]), None)
        return pack_as(last, outputs)

    def vjp(self, saved: None, cotangents: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor | None]:
        """Return the cotangents of the first state, the parameters, and what the steps found around them."""
        if any([is_watched(value) for value in (*self._operands, *cotangents)]):
            gradients = self._recorded_vjp(cotangents)
        else:
            with pause(), self._surroundings.again(), contextlib.ExitStack() as stack:
                done = stack.enter_context(_bar(self._n)).update if self._progress else None
                gradients = self._gone_back(list(cotangents), done)
        return [
            own(np.zeros(operand.shape, operand.dtype)) if g is None and want else g
            for g, want, operand in zip(gradients, wanted, self._operands, strict=True)
        ]

    def jvp(self, saved: None, tangents: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Return the tangents of the last state."""
        sources = self._fresh_operands()
        with pushing(sources, tangents) as accumulator:
            results = self._all_again(_aliases(sources))
        return [accumulator.jvp(result) for result in results]

    # --- forward

    def _forward(self, reads: GradientTape) -> tuple[Any, list[Variable]]:
        """Return the last state and the variables read; keep the states that going back starts from."""
        kept, free = {0}, self._free
        while free and self._n - max(kept) > 1:
            kept.add(max(kept) + first_stretch(self._n - max(kept), free))
            free -= 1
        noticed: dict[int, Variable] = {}
        state = map_leaves(detached, self._state)
        for number in range(self._n):
            if number in kept:
                self._snapshots.append(_Snapshot(number, _copies(state), random.capture()))
            state = self._next(state, self._params)
            noticed.update({id(variable): variable for variable in reads.watched_variables()})
            reads.reset()
        return state, list(noticed.values())

    def _next(self, state: Any, params: Sequence[Any]) -> Any:
        result = self._step(state, *params)
        leaves = leaves_of(result)
        if len(leaves) != self._size:
            raise ValueError(
                f"checkpoint_loop: a step must return a state of the same structure, but it made {len(leaves)} values "
                f"of {self._size}."
            )
        return result

    def _advanced(self, start: _Snapshot, steps: int) -> _Snapshot:
        """Return the state some steps later."""
        with _drawing(start):
            state = self._unpacked(start)
            for _ in range(steps):
                state = self._next(state, self._params)
            return _Snapshot(start.number + steps, _copies(state), start.random and random.capture())

    def _unpacked(self, start: _Snapshot) -> Any:
        return pack_as(self._state, [detached(leaf) for leaf in start.leaves])

    def _all_again(self, operands: Sequence[Any]) -> list[Tensor]:
        """Return the differentiable leaves of the last state, computed from these operands."""
        state = _replaced(self._state, operands[: len(self._moving)])
        params = _replaced(self._params, operands[len(self._moving) :])
        with self._surroundings.again():
            for _ in range(self._n):
                state = self._next(state, params)
        return [leaf for leaf in leaves_of(state) if differentiable(leaf)]

    def _fresh_operands(self) -> list[Any]:
        """Return the operands, with another object in place of each tensor that is an argument."""
        return fresh(self._operands, len(self._moving) + len(self._adjustable))

    # --- backward

    def _gone_back(self, cotangents: list[Tensor | None], done: Callable[[], Any] | None) -> list[Tensor | None]:
        """Return the cotangents of the operands, with no more snapshots at a time than there may be."""
        # Only the first is kept for a second time, which starts from there.
        pending, stop = self._snapshots, self._n
        self._snapshots = pending[:1]
        around: list[Tensor | None] = [None] * (len(self._operands) - len(self._moving))
        while pending and any([g is not None for g in cotangents]):
            last = pending[-1]
            length, free = stop - last.number, self._free + 1 - len(pending)
            if length > 1 and free:
                pending.append(self._advanced(last, first_stretch(length, free)))
                continue
            if length > 1:
                last = self._advanced(last, length - 1)
            else:
                pending.pop()
            cotangents, found = self._differentiated(last, cotangents)
            around = [_sum(total, g) for total, g in zip(around, found, strict=True)]
            stop -= 1
            if done:
                done()
        return [*cotangents, *around]

    def _differentiated(
        self, start: _Snapshot, cotangents: Sequence[Tensor | None]
    ) -> tuple[list[Tensor | None], list[Tensor | None]]:
        """Carry cotangents back through one step: to the state before it, and to the other operands."""
        moving = [detached(leaf) for leaf in start.leaves if differentiable(leaf)]
        adjustable = [detached(leaf) for leaf in self._adjustable]
        sources = [*moving, *adjustable, *self._surroundings.sources]
        state = _replaced(pack_as(self._state, start.leaves), moving)
        params = _replaced(self._params, adjustable)
        with _drawing(start), GradientTape(False, False) as tape:
            tape.watch(sources)
            result = self._next(_aliases(state), _aliases(params))
        results = [leaf for leaf in leaves_of(result) if differentiable(leaf)]
        gradients = pulled_back(tape, results, sources, cotangents)
        return gradients[: len(moving)], gradients[len(moving) :]

    def _recorded_vjp(self, cotangents: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Do as `vjp` on a tape of all steps, so that the outer tapes can follow."""
        sources = self._fresh_operands()
        with GradientTape(False, False) as tape:
            tape.watch(sources)
            results = self._all_again(_aliases(sources))
        return pulled_back(tape, results, sources, cotangents)


def _replaced(structure: Any, tensors: Sequence[Tensor]) -> Any:
    """Return the structure with these in place of its differentiable tensors."""
    values = iter(tensors)
    return map_leaves(
        lambda leaf: next(values) if isinstance(leaf, Tensor) and differentiable(leaf) else detached(leaf), structure
    )


def _aliases(structure: Any) -> Any:
    """Return the structure with another tensor for each that is watched: a step may write to its arguments."""
    return map_leaves(lambda leaf: identity(leaf) if isinstance(leaf, Tensor) else leaf, structure)


def _copies(state: Any) -> list[Any]:
    return [detached(leaf) for leaf in leaves_of(state)]


def _sum(total: Tensor | None, g: Tensor | None) -> Tensor | None:
    if total is None or g is None:
        return g if total is None else total
    return total + g


@contextlib.contextmanager
def _drawing(start: _Snapshot) -> Iterator[None]:
    """Let random numbers be those that were drawn after a snapshot."""
    with random.replay(start.random) if start.random else contextlib.nullcontext():
        yield


def _bar(steps: int) -> Any:
    """Return a progress bar for so many steps."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("checkpoint_loop: progress=True needs tqdm: pip install tapegrad[progress]") from None
    return tqdm(total=steps, desc="checkpoint_loop", leave=False)
