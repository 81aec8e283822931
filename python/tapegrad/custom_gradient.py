"""Functions whose derivative the program states itself, or does away with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from tapegrad import nest
from tapegrad._native import GradientTape, Tensor, Value, array, own, record, tensor
from tapegrad.variable import Variable

__all__ = ["custom_gradient", "grad_pass_through", "stop_gradient"]


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """Return the value of `input` as a constant: no gradient flows through it.

    Parameters
    ----------
    input
        A tensor, or anything that becomes one.
    name
        Without effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = tf.stop_gradient(x * x) * x
    >>> tape.gradient(y, x).numpy()
    np.float32(9.0)
    """
    return own(array(input if isinstance(input, Value) else tensor(input)))


@overload
def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]: ...


@overload
def custom_gradient(f: None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...


def custom_gradient(f: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Decorate a function that returns its result and, beside it, the function that computes its gradient.

    Parameters
    ----------
    f
        `f(*args)` returns `(y, grad_fn)`, where `y` is a tensor or a structure of tensors.
        `grad_fn(*upstream)` gets one tensor per tensor in `y` (zeros where nothing flows back) and returns
        one gradient per argument of `f`, or `None` where there is none. Arguments that are structures count
        as their leaves; numbers count too. If `f` reads trainable variables that are not arguments, `grad_fn`
        also gets them, as the list `variables`, and returns two sequences: the gradients of the arguments,
        and those of the variables.

    Raises
    ------
    TypeError
        When the decorated function is called, if it does not return a pair, or reads variables and its
        `grad_fn` has no parameter `variables`.
    ValueError
        When a tape computes a gradient, if `grad_fn` returns the wrong number of gradients.

    Notes
    -----
    Arguments given by keyword are bound by `f`'s signature: `f(x, y=y)` is `f(x, y)`. Tensors in keyword-only
    parameters count after the others.

    For derivatives of derivatives, what `grad_fn` computes is recorded and differentiated in its turn.

    Examples
    --------
    >>> import tapegrad as tf
    >>> @tf.custom_gradient
    ... def log1pexp(x):
    ...     e = tf.exp(x)
    ...     def grad(upstream):
    ...         return upstream * (1 - 1 / (1 + e))
    ...     return tf.math.log(1 + e), grad
    >>> x = tf.Variable(100.0, dtype=tf.float64)
    >>> with tf.GradientTape() as tape:
    ...     y = log1pexp(x)
    >>> tape.gradient(y, x).numpy()
    np.float64(1.0)
    """
    return _CustomGradient if f is None else _CustomGradient(f)


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the values of `f` and the gradient of the identity.

    The function takes as many positional arguments as `f` has results; variables that `f` reads, and keyword
    arguments, get no gradient.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x, z = tf.Variable(1.0), tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = tf.grad_pass_through(x.assign)(z**2)
    >>> float(x), float(tape.gradient(y, z))
    (9.0, 6.0)
    """

    @functools.wraps(f)
    def passing(*args: Any, **kwargs: Any) -> Any:
        def with_identity(*args: Any) -> tuple[Any, Callable[..., Any]]:
            def identity(*upstream: Tensor, variables: Sequence[Variable] = ()) -> Any:
                return (upstream, [None] * len(variables)) if variables else upstream

            return f(*args, **kwargs), identity

        return _CustomGradient(with_identity)(*args)

    return passing


class _CustomGradient:
    """The decorated function; on a class it is a method, whose `self` does not count as an argument."""

    def __init__(self, f: Callable[..., Any]) -> None:
        functools.update_wrapper(self, f)
        self._function = f
        self._signature = inspect.signature(f)

    def __get__(self, instance: object, owner: type | None = None) -> _CustomGradient:
        bind: Any = getattr(self._function, "__get__", None)
        return self if instance is None or bind is None else _CustomGradient(bind(instance, owner))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            bound = self._signature.bind(*args, **kwargs)
            args, kwargs = bound.args, bound.kwargs
        inputs = nest.flatten(args)
        inputs += [leaf for leaf in nest.flatten(kwargs) if isinstance(leaf, Value)]
        # What the function records stays on the tapes: grad_fn may use its intermediate values, and a
        # derivative of the second order then finds its way from these to the arguments. Only the result is
        # cut off, below.
        with GradientTape() as reads:
            pair = self._function(*args, **kwargs)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not callable(pair[1]):
            raise TypeError(
                f"@tf.custom_gradient: {self._name()} must return a pair (result, grad_fn), but it "
                f"returned {pair!r}."
            )
        result, grad_fn = pair
        variables = [v for v in reads.watched_variables() if not any(v is leaf for leaf in inputs)]
        if variables and not _accepts_variables(grad_fn):
            raise TypeError(
                "@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function "
                f"uses variables: {variables}"
            )
        outputs = tuple([stop_gradient(leaf) for leaf in nest.flatten(result)])
        tracked = [k for k, leaf in enumerate(inputs) if isinstance(leaf, Value)]
        rule = _Rule(self._name(), grad_fn, len(inputs), tracked, variables)
        record(
            rule, (*[inputs[k] for k in tracked], *variables), outputs, [(y.shape, y.dtype) for y in outputs]
        )
        return nest.pack_sequence_as(result, outputs)

    def _name(self) -> str:
        return getattr(self._function, "__qualname__", repr(self._function))


class _Rule:
    """The reverse rule of one call: its operands are the inputs that are tensors, then the variables."""

    def __init__(
        self,
        name: str,
        grad_fn: Callable[..., Any],
        inputs: int,
        tracked: Sequence[int],
        variables: list[Variable],
    ) -> None:
        self.name = name
        self._grad_fn = grad_fn
        self._inputs = inputs
        self._tracked = tracked
        self._variables = variables

    def vjp(
        self,
        saved: Sequence[tuple[tuple[int, ...], Any]],
        cotangents: Sequence[Tensor | None],
        wanted: Sequence[bool],
    ) -> list[Tensor | None]:
        """Return the operands' cotangents, which the user's function computes."""
        upstream = [
            own(np.zeros(shape, dtype)) if g is None else g
            for g, (shape, dtype) in zip(cotangents, saved, strict=True)
        ]
        of_variables: Sequence[Any] = ()
        if self._variables:
            of_inputs, of_variables = self._grad_fn(*upstream, variables=self._variables)
            if len(of_variables) != len(self._variables):
                raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
        else:
            of_inputs = self._grad_fn(*upstream)
        gradients = nest.flatten(of_inputs)
        if len(gradients) != self._inputs:
            raise ValueError(
                f"custom_gradient function expected to return {self._inputs} gradients, but returned "
                f"{len(gradients)} instead."
            )
        return [
            None if g is None else tensor(g) for g in (*[gradients[k] for k in self._tracked], *of_variables)
        ]


def _accepts_variables(grad_fn: Callable[..., Any]) -> bool:
    parameters = inspect.signature(grad_fn).parameters
    return "variables" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
