"""Optimizers: rules that turn gradients into steps of variables. Formulas and defaults are Keras's.

Steps are not recorded. Their arithmetic runs in the type of the variable, one operation of the library at a
time.
"""

from __future__ import annotations

import math

from tapegrad._native import Tensor, Value
from tapegrad._ops.elementwise import elementwise
from tapegrad.keras._optimizer import Optimizer, State

__all__ = ["SGD", "Adagrad", "Adam", "Optimizer", "RMSprop"]


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

    @property
    def _initial_state(self) -> dict[str, float]:
        return {"velocity": 0.0} if self.momentum else {}

    def _step(self, gradient: Tensor, variable: Value, state: State, rate: float, count: int) -> Tensor:
        step = elementwise.multiply(gradient, -rate)
        if not self.momentum:
            return step
        velocity = _with_momentum(state, step, self.momentum)
        return elementwise.add(elementwise.multiply(velocity, self.momentum), step) if self.nesterov else velocity


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

    @property
    def _initial_state(self) -> dict[str, float]:
        return {"first": 0.0, "second": 0.0, **({"largest": 0.0} if self.amsgrad else {})}

    def _step(self, gradient: Tensor, variable: Value, state: State, rate: float, count: int) -> Tensor:
        first = _running_mean(state, "first", gradient, self.beta_1)
        second = _running_mean(state, "second", elementwise.square(gradient), self.beta_2)
        if self.amsgrad:
            second = state["largest"] = elementwise.maximum(state["largest"], second)
        scale = rate * math.sqrt(1.0 - self.beta_2**count) / (1.0 - self.beta_1**count)
        return elementwise.divide(
            elementwise.multiply(first, -scale), elementwise.add(elementwise.sqrt(second), self.epsilon)
        )


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

    @property
    def _initial_state(self) -> dict[str, float]:
        kept = {"square": True, "mean": self.centered, "velocity": bool(self.momentum)}
        return {name: 0.0 for name, needed in kept.items() if needed}

    def _step(self, gradient: Tensor, variable: Value, state: State, rate: float, count: int) -> Tensor:
        scale = _running_mean(state, "square", elementwise.square(gradient), self.rho)
        if self.centered:
            scale = elementwise.subtract(scale, elementwise.square(_running_mean(state, "mean", gradient, self.rho)))
        step = elementwise.divide(
            elementwise.multiply(gradient, -rate), elementwise.sqrt(elementwise.add(scale, self.epsilon))
        )
        return _with_momentum(state, step, self.momentum) if self.momentum else step


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far (Duchi, Hazan and Singer, 2011).

    Each row of a table has its own sum, so that rows which are seldom used take large steps.

    Parameters
    ----------
    learning_rate : float
    initial_accumulator_value : float
        What the sums start from; not negative.
    epsilon : float
        Added to the sum, under the root.
    name : str, optional

    Raises
    ------
    ValueError
        If `initial_accumulator_value` is negative.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(3.0)
    >>> tf.keras.optimizers.Adagrad(0.1).apply_gradients([(tf.constant(50.0), x)])
    >>> round(float(x), 4)
    2.9
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        if initial_accumulator_value < 0.0:
            raise ValueError(f"`initial_accumulator_value` must not be negative, got {initial_accumulator_value}.")
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    @property
    def _initial_state(self) -> dict[str, float]:
        return {"sum": self.initial_accumulator_value}

    @property
    def _rests(self) -> bool:
        return True

    def _step(self, gradient: Tensor, variable: Value, state: State, rate: float, count: int) -> Tensor:
        state["sum"] = elementwise.add(state["sum"], elementwise.square(gradient))
        root = elementwise.sqrt(elementwise.add(state["sum"], self.epsilon))
        return elementwise.divide(elementwise.multiply(gradient, -rate), root)


def _running_mean(state: State, key: str, value: Tensor, memory: float) -> Tensor:
    """Move the mean kept in `state`, 0 at first, towards `value` by a share of ``1 - memory``."""
    mean = state[key]
    mean = state[key] = elementwise.add(mean, elementwise.multiply(elementwise.subtract(value, mean), 1.0 - memory))
    return mean


def _with_momentum(state: State, step: Tensor, momentum: float) -> Tensor:
    """Slow the velocity down, add `step` to it, and return it."""
    state["velocity"] = elementwise.add(elementwise.multiply(state["velocity"], momentum), step)
    return state["velocity"]
