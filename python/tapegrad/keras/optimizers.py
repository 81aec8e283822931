"""Optimizers: rules that turn gradients into steps of variables. Formulas and defaults are Keras's.

Steps are not recorded. Their arithmetic runs in the type of the variable, one operation of the library at a
time.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

from tapegrad import _native as native
from tapegrad._native import Tensor, Value
from tapegrad.variable import Variable

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop"]

_add = native.elementwise["add"]
_divide = native.elementwise["divide"]
_maximum = native.elementwise["maximum"]
_multiply = native.elementwise["multiply"]
_sqrt = native.elementwise["sqrt"]
_square = native.elementwise["square"]
_subtract = native.elementwise["subtract"]


class Optimizer:
    """Base class: `apply_gradients` checks its arguments and asks `_step` for each variable's change.

    Parameters
    ----------
    learning_rate : float
        Also an attribute: a variable that can be assigned between steps.
    name : str, optional
    """

    def __init__(self, learning_rate: float, name: str | None = None) -> None:
        self.name = name or type(self).__name__
        # In float64, so that steps of float64 variables are exact; others are rounded when they are taken.
        self._learning_rate = Variable(learning_rate, trainable=False, name="learning_rate", dtype="float64")
        self.iterations = Variable(0, trainable=False, name="iterations", dtype="int64")
        # By the variable's identity; the variable is kept alive so that no other can take its place.
        self._states: dict[int, tuple[Variable, dict[str, Tensor]]] = {}

    @property
    def learning_rate(self) -> Variable:
        """The step size; it can be set, and also assigned to as a variable."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._learning_rate.assign(value)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """Take one step.

        Parameters
        ----------
        grads_and_vars : iterable of (gradient, variable)
            As of ``zip(gradients, variables)``. A variable whose gradient is None stays as it is, with a
            warning.

        Raises
        ------
        ValueError
            If all gradients are None, or a gradient's shape is not its variable's.
        """
        pairs = list(grads_and_vars)
        connected = [(gradient, variable) for gradient, variable in pairs if gradient is not None]
        if len(connected) < len(pairs):
            missing = [variable.name for gradient, variable in pairs if gradient is None]
            if not connected:
                raise ValueError(f"No gradients provided for any variable: {missing}.")
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss.", stacklevel=2
            )
        with native.pause():
            steps = [(variable, _gradient_of(gradient, variable)) for gradient, variable in connected]
            count = int(self.iterations) + 1
            rate = float(self._learning_rate)
            for variable, gradient in steps:
                held = self._states.get(id(variable))
                if held is None:
                    held = self._states[id(variable)] = (variable, {})
                variable._assign(_add(variable, self._step(gradient, variable, held[1], rate, count)))
            self.iterations._assign(_add(self.iterations, 1))

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        """Restore a copied or unpickled optimizer, whose variables are other objects."""
        vars(self).update(attributes)
        self._states = {id(variable): (variable, state) for variable, state in self._states.values()}

    def _step(
        self, gradient: Tensor, variable: Variable, state: dict[str, Tensor], rate: float, count: int
    ) -> Tensor:
        """What is added to `variable`, whose `state` may be updated; the first step has a `count` of 1."""
        raise NotImplementedError(f"{type(self).__name__} must define `_step`.")


class SGD(Optimizer):
    """Gradient descent: ``variable -= learning_rate * gradient``, optionally with momentum.

    Parameters
    ----------
    learning_rate : float
    momentum : float
        In [0, 1]. If positive, a velocity is added instead:
        ``velocity = momentum * velocity - learning_rate * gradient``.
    nesterov : bool
        Whether the step looks ahead: ``momentum * velocity - learning_rate * gradient``.
    name : str, optional

    Raises
    ------
    ValueError
        If `momentum` is outside [0, 1].

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = x**2
    >>> tf.keras.optimizers.SGD(0.5).apply_gradients([(tape.gradient(y, x), x)])
    >>> float(x)
    0.0
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        if not 0.0 <= momentum <= 1.0:
            raise ValueError(f"`momentum` must be between 0 and 1, got {momentum}.")
        self.momentum = momentum
        self.nesterov = nesterov

    def _step(
        self, gradient: Tensor, variable: Variable, state: dict[str, Tensor], rate: float, count: int
    ) -> Tensor:
        step = _multiply(gradient, -rate)
        if not self.momentum:
            return step
        velocity = state.get("velocity")
        state["velocity"] = step if velocity is None else _add(_multiply(velocity, self.momentum), step)
        if self.nesterov:
            return _add(_multiply(state["velocity"], self.momentum), step)
        return state["velocity"]


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square (Kingma and Ba, 2014).

    Parameters
    ----------
    learning_rate : float
    beta_1, beta_2 : float
        How slowly the two means forget.
    epsilon : float
        Added to the root of the second mean ("epsilon hat" of the paper).
    amsgrad : bool
        Whether the largest second mean so far is used.
    name : str, optional

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(3.0)
    >>> tf.keras.optimizers.Adam(0.1).apply_gradients([(tf.constant(50.0), x)])
    >>> round(float(x), 4)
    2.9
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def _step(
        self, gradient: Tensor, variable: Variable, state: dict[str, Tensor], rate: float, count: int
    ) -> Tensor:
        first = _running_mean(state, "first", gradient, self.beta_1)
        second = _running_mean(state, "second", _square(gradient), self.beta_2)
        if self.amsgrad:
            largest = state.get("largest")
            second = state["largest"] = second if largest is None else _maximum(largest, second)
        scale = rate * math.sqrt(1.0 - self.beta_2**count) / (1.0 - self.beta_1**count)
        return _divide(_multiply(first, -scale), _add(_sqrt(second), self.epsilon))


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of the squared gradient (Hinton, 2012).

    Parameters
    ----------
    learning_rate : float
    rho : float
        How slowly the mean forgets.
    momentum : float
    epsilon : float
        Added to the mean, under the root.
    centered : bool
        Whether the squared running mean of the gradient is subtracted first.
    name : str, optional

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(3.0)
    >>> tf.keras.optimizers.RMSprop(0.1, rho=0.75).apply_gradients([(tf.constant(50.0), x)])
    >>> round(float(x), 4)
    2.8
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def _step(
        self, gradient: Tensor, variable: Variable, state: dict[str, Tensor], rate: float, count: int
    ) -> Tensor:
        scale = _running_mean(state, "square", _square(gradient), self.rho)
        if self.centered:
            scale = _subtract(scale, _square(_running_mean(state, "mean", gradient, self.rho)))
        step = _divide(_multiply(gradient, -rate), _sqrt(_add(scale, self.epsilon)))
        if not self.momentum:
            return step
        velocity = state.get("velocity")
        state["velocity"] = step if velocity is None else _add(_multiply(velocity, self.momentum), step)
        return state["velocity"]


def _running_mean(state: dict[str, Tensor], key: str, value: Tensor, memory: float) -> Tensor:
    """Move the mean kept in `state`, 0 at first, towards `value` by a share of ``1 - memory``."""
    mean = state.get(key)
    if mean is None:
        mean = _multiply(value, 1.0 - memory)
    else:
        mean = _add(mean, _multiply(_subtract(value, mean), 1.0 - memory))
    state[key] = mean
    return mean


def _gradient_of(gradient: Any, variable: Variable) -> Tensor:
    """The gradient as a tensor of the variable's type, if it has its shape."""
    if not isinstance(gradient, Value) or gradient.dtype != variable.dtype:
        gradient = native.cast(gradient, variable.dtype)
    if gradient.shape != variable.shape:
        raise ValueError(
            f"The gradient of variable {variable.name!r} has shape {gradient.shape}, "
            f"but the variable has {variable.shape}."
        )
    result: Tensor = gradient
    return result
