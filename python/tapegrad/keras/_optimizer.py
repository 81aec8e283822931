"""What all optimizers share: the learning rate, the state of each variable, whole and sparse gradients."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native as native
from tapegrad._native import Tensor, Value, array
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.indexing import index_add
from tapegrad._ops.writing import set_at
from tapegrad.indexed_slices import IndexedSlices
from tapegrad.variable import Variable

__all__ = ["Optimizer", "State"]

State = dict[str, Tensor]
"""What an optimizer remembers of a variable, or of some of its rows: tensors of their shape."""


class Optimizer:
    """Base class: `apply_gradients` checks its arguments and asks `_step` for each variable's change.

    Parameters
    ----------
    learning_rate : float
        Also an attribute: a variable that can be assigned between steps.
    name : str, optional

    Examples
    --------
    >>> import tapegrad as tf
    >>> isinstance(tf.keras.optimizers.Adam(), tf.keras.optimizers.Optimizer)
    True
    """

    def __init__(self, learning_rate: float, name: str | None = None) -> None:
        self.name = name or type(self).__name__
        # In float64, so that steps of float64 variables are exact; others are rounded when they are taken.
        self._learning_rate = Variable(learning_rate, trainable=False, name="learning_rate", dtype="float64")
        self.iterations = Variable(0, trainable=False, name="iterations", dtype="int64")
        # By the variable's identity; the variable is kept alive so that no other can take its place.
        self._memories: dict[int, _Memory] = {}

    @property
    def learning_rate(self) -> Variable:
        """The step size; it can be set, and also assigned to as a variable."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._learning_rate.assign(value)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """Take one step.

        A gradient can be `IndexedSlices`. The step is that of the whole gradient, and leaves alone the rows that it
        does not change: with plain SGD and Adagrad all but those of the slices; with optimizers that remember past
        gradients all but those that some slices have named so far.

        Parameters
        ----------
        grads_and_vars : iterable of (gradient, variable)
            As of ``zip(gradients, variables)``. A variable whose gradient is None stays as it is, with a
            warning.

        Raises
        ------
        ValueError
            If all gradients are None, or a gradient's shape is not its variable's.
        IndexError
            If slices name a row that their variable does not have.
        """
        pairs = list(grads_and_vars)
        connected = [(gradient, variable) for gradient, variable in pairs if gradient is not None]
        if len(connected) < len(pairs):
            missing = [variable.name for gradient, variable in pairs if gradient is None]
            if not connected:
                raise ValueError(f"No gradients provided for any variable: {missing}.")
            warnings.warn(f"Gradients do not exist for variables {missing} when minimizing the loss.", stacklevel=2)
        with native.pause():
            steps = [(variable, _gradient_of(gradient, variable)) for gradient, variable in connected]
            count = int(self.iterations) + 1
            rate = float(self._learning_rate)
            for variable, gradient in steps:
                memory = self._memory_of(variable)
                if isinstance(gradient, IndexedSlices):
                    self._apply_slices(gradient, memory, rate, count)
                else:
                    self._apply_whole(gradient, memory, rate, count)
            self.iterations._assign(elementwise.add(self.iterations, 1))

    def _memory_of(self, variable: Variable) -> _Memory:
        memory = self._memories.get(id(variable))
        if memory is None:
            memory = self._memories[id(variable)] = _Memory(variable)
        for name, value in self._initial_state.items():
            if name not in memory.state:
                memory.state[name] = native.own(np.full(variable.shape, value, variable.dtype.dtype))
        return memory

    def _apply_whole(self, gradient: Tensor, memory: _Memory, rate: float, count: int) -> None:
        """Step the whole variable."""
        memory.moving = None
        step = self._step(gradient, memory.variable, memory.state, rate, count)
        memory.variable._assign(elementwise.add(memory.variable, step))

    def _apply_slices(self, slices: IndexedSlices, memory: _Memory, rate: float, count: int) -> None:
        """Step the rows that move; if these are most of them, the whole variable."""
        variable = memory.variable
        slices = slices.deduplicated()
        rows, gradient = array(slices.indices), slices.values
        if not self._rests and memory.moving is not None:
            memory.moving = np.union1d(memory.moving, rows)
        moving = rows if self._rests else memory.moving
        if moving is None or moving.size * 2 > variable.shape[0]:
            self._apply_whole(slices.to_dense(), memory, rate, count)
            return
        if moving.size > rows.size:
            gradient = index_add(gradient, (np.searchsorted(moving, rows),), (moving.size, *variable.shape[1:]))
        state = {name: native.take(whole, moving) for name, whole in memory.state.items()}
        old = native.take(variable, moving)
        step = self._step(gradient, old, state, rate, count)
        for name, part in state.items():
            memory.state[name] = set_at(memory.state[name], moving, part)
        variable._assign(set_at(variable, moving, elementwise.add(old, step)))

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        """Restore a copied or unpickled optimizer, whose variables are other objects."""
        vars(self).update(attributes)
        self._memories = {id(memory.variable): memory for memory in self._memories.values()}

    @property
    def _initial_state(self) -> dict[str, float]:
        """The tensors that belong to a variable, each with what it is filled with at first."""
        return {}

    @property
    def _rests(self) -> bool:
        """Whether a gradient of zero changes nothing, neither the variable nor its state."""
        return not self._initial_state

    def _step(self, gradient: Tensor, variable: Value, state: State, rate: float, count: int) -> Tensor:
        """What is added to `variable`, whose `state` may be updated; the first step has a `count` of 1.

        All have the shape of the variable, or of some of its rows.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `_step`.")


class _Memory:
    """What an optimizer knows of a variable: its state, and which rows still move when their gradient is zero."""

    def __init__(self, variable: Variable) -> None:
        self.variable = variable
        self.state: State = {}
        self.moving: npt.NDArray[np.intp] | None = np.zeros(0, np.intp)
        """The rows that have had a gradient, in order; None for all of them."""


def _gradient_of(gradient: Any, variable: Variable) -> Tensor | IndexedSlices:
    """The gradient as a tensor or slices of the variable's type, if it has its shape."""
    if isinstance(gradient, IndexedSlices):
        shape = gradient.shape or (*variable.shape[:1], *gradient.values.shape[1:])
        rows = array(gradient.indices)
        if rows.size and not 0 <= rows.min() <= rows.max() < shape[0]:
            raise IndexError(
                f"The gradient of variable {variable.name!r} of shape {variable.shape} has rows from {rows.min()} to "
                f"{rows.max()}."
            )
        gradient = IndexedSlices(native.cast(gradient.values, variable.dtype), gradient.indices, shape)
    elif not isinstance(gradient, Value) or gradient.dtype != variable.dtype:
        gradient = native.cast(gradient, variable.dtype)
    if gradient.shape != variable.shape:
        raise ValueError(
            f"The gradient of variable {variable.name!r} has shape {gradient.shape}, "
            f"but the variable has {variable.shape}."
        )
    result: Tensor | IndexedSlices = gradient
    return result
