"""Gradient descent of three kinds, as in `autograd.misc.optimizers`, for parameters in any structure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.compat.autograd._values import Function
from tapegrad.compat.autograd.misc.flatten import flatten

__all__ = ["adam", "rmsprop", "sgd", "unflatten_optimizer"]


def unflatten_optimizer(optimize: Function) -> Function:
    """Make an optimizer for vectors one for structures: `optimizer(grad, x0, callback=None, ...)`.

    Examples
    --------
    >>> import numpy as np
    >>> from tapegrad.compat.autograd.misc.optimizers import unflatten_optimizer
    >>> @unflatten_optimizer
    ... def one_step(grad, x, callback=None, step_size=0.1):
    ...     return x - step_size * grad(x, 0)
    >>> one_step(lambda p, i: {"a": 2.0 * p["a"]}, {"a": np.array([1.0])})
    {'a': array([0.8])}
    """

    @functools.wraps(optimize)
    def of_structure(grad: Function, x0: Any, callback: Function | None = None, *args: Any, **kwargs: Any) -> Any:
        start, unflatten = flatten(x0)

        def gradient(x: Any, i: int) -> Any:
            return flatten(grad(unflatten(x), i))[0]

        def report(x: Any, i: int, g: Any) -> None:
            if callback is not None:
                callback(unflatten(x), i, unflatten(g))

        return unflatten(optimize(gradient, start, report, *args, **kwargs))

    return of_structure


def _descent(grad: Function, x: Any, callback: Function | None, num_iters: int, step: Callable[[Any, int], Any]) -> Any:
    """Return where a number of steps lead: each adds what `step` makes of the gradient."""
    for i in range(num_iters):
        g = grad(x, i)
        if callback is not None:
            callback(x, i, g)
        x = x + step(g, i)
    return x


@unflatten_optimizer
def sgd(
    grad: Function,
    x: Any,
    callback: Function | None = None,
    num_iters: int = 200,
    step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:
    """Return where gradient descent with momentum leads.

    Parameters
    ----------
    grad
        `grad(x, i)` returns the gradient in step `i`.
    x
        The start: floating-point numbers in any structure.
    callback
        Called before each step: `callback(x, i, g)`.
    num_iters, step_size, mass
        The number of steps; the factor of the velocity; how much of it stays from one step to the next.

    Examples
    --------
    >>> from tapegrad.compat.autograd.misc.optimizers import sgd
    >>> round(float(sgd(lambda x, i: 2.0 * (x - 3.0), 0.0)), 3)
    3.0
    """
    velocity = np.zeros_like(x)

    def step(g: Any, i: int) -> Any:
        nonlocal velocity
        velocity = mass * velocity - (1.0 - mass) * g
        return step_size * velocity

    return _descent(grad, x, callback, num_iters, step)


@unflatten_optimizer
def rmsprop(
    grad: Function,
    x: Any,
    callback: Function | None = None,
    num_iters: int = 100,
    step_size: float = 0.1,
    gamma: float = 0.9,
    eps: float = 1e-8,
) -> Any:
    """Return where steps along the gradient over its running root mean square lead.

    Parameters
    ----------
    grad, x, callback, num_iters, step_size
        As for `sgd`.
    gamma, eps
        How much of the mean square stays from one step to the next; what is added to the root.

    Examples
    --------
    >>> from tapegrad.compat.autograd.misc.optimizers import rmsprop
    >>> round(float(rmsprop(lambda x, i: 2.0 * (x - 3.0), 0.0, num_iters=500, step_size=0.01)), 1)
    3.0
    """
    mean_square = np.ones_like(x)

    def step(g: Any, i: int) -> Any:
        nonlocal mean_square
        mean_square = gamma * mean_square + (1.0 - gamma) * g**2
        return -step_size * g / (np.sqrt(mean_square) + eps)

    return _descent(grad, x, callback, num_iters, step)


@unflatten_optimizer
def adam(
    grad: Function,
    x: Any,
    callback: Function | None = None,
    num_iters: int = 100,
    step_size: float = 0.001,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Return where the steps of Adam (Kingma and Ba, 2014, algorithm 1) lead.

    Parameters
    ----------
    grad, x, callback, num_iters, step_size
        As for `sgd`.
    b1, b2, eps
        How much of the means of the gradient and of its square stays from one step to the next; what is added to the
        root of the latter.

    Examples
    --------
    >>> from tapegrad.compat.autograd.misc.optimizers import adam
    >>> round(float(adam(lambda x, i: 2.0 * (x - 3.0), 0.0, num_iters=500, step_size=0.1)), 3)
    3.0
    """
    mean, mean_square = np.zeros_like(x), np.zeros_like(x)

    def step(g: Any, i: int) -> Any:
        nonlocal mean, mean_square
        mean = b1 * mean + (1.0 - b1) * g
        mean_square = b2 * mean_square + (1.0 - b2) * g**2
        unbiased, unbiased_square = mean / (1.0 - b1 ** (i + 1)), mean_square / (1.0 - b2 ** (i + 1))
        return -step_size * unbiased / (np.sqrt(unbiased_square) + eps)

    return _descent(grad, x, callback, num_iters, step)
