"""Functions whose derivative the program states itself, or does away with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np

from tapegrad import nest
from tapegrad._native import GradientTape, Tensor, Value, array, observe_end, own, record, tensor
from tapegrad._transformed import Transformed, name_of
from tapegrad.dtypes import DType
from tapegrad.variable import Variable

__all__ = ["custom_gradient", "grad_pass_through", "stop_gradient"]

_P = ParamSpec("_P")
_Result = TypeVar("_Result")


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
    value = input if isinstance(input, Value) else tensor(input)
    result = own(array(value))
    observe_end("stop_gradient", [value], (result,))
    return result


@overload
def custom_gradient(f: Callable[_P, tuple[_Result, Callable[..., Any]]]) -> Callable[_P, _Result]: ...


@overload
def custom_gradient(
    f: None = None,
) -> Callable[[Callable[_P, tuple[_Result, Callable[..., Any]]]], Callable[_P, _Result]]: ...


def custom_gradient(f: Any = None) -> Any:
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

    Parameters
    ----------
    f
        A function of tensors, such as the method `assign` of a variable.

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


class _CustomGradient(Transformed):
    """The decorated function."""

    what = "custom_gradient"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            bound = inspect.signature(self.__wrapped__).bind(*args, **kwargs)
            args, kwargs = bound.args, bound.kwargs
        inputs = nest.flatten(args)
        if kwargs:
            inputs += [leaf for leaf in nest.flatten(kwargs) if isinstance(leaf, Value)]
        # What the function records stays on the tapes: grad_fn may use its intermediate values, and a derivative of the
        # second order then finds its way from these to the arguments. Only the result is cut off, below.
        with GradientTape() as reads:
            pair = self.__wrapped__(*args, **kwargs)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not callable(pair[1]):
            raise TypeError(
                f"@tf.custom_gradient: {name_of(self.__wrapped__)} must return a pair (result, grad_fn), but it "
                f"returned {pair!r}."
            )
        result, grad_fn = pair
        variables = [v for v in reads.watched_variables() if not any([v is leaf for leaf in inputs])]
        if variables and not _accepts_variables(grad_fn):
            raise TypeError(
                "@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses variables: "
                f"{variables}"
            )
        operands = [leaf for leaf in inputs if isinstance(leaf, Value)]
        rule = _Rule(name_of(self.__wrapped__), grad_fn, inputs, variables)
        if type(result) is Tensor:
            output = _detached(result)
            return record(rule, (*operands, *variables), output, [(output.shape, output.dtype)])
        outputs = tuple([_detached(leaf) for leaf in nest.flatten(result)])
        record(rule, (*operands, *variables), outputs, [(y.shape, y.dtype) for y in outputs])
        return nest.pack_sequence_as(result, outputs)


class _Rule:
    """The reverse rule of one call: its operands are the inputs that are tensors, then the variables."""

    opaque = True
    """What the user's function does with a cotangent need not be recorded, nor work on a stack of them."""

    __slots__ = ("_grad_fn", "_shapes", "_variables", "name")

    def __init__(
        self, name: str, grad_fn: Callable[..., Any], inputs: Sequence[Any], variables: list[Variable]
    ) -> None:
        self.name = name
        self._grad_fn = grad_fn
        # For each input its shape, and None for one that is no tensor and needs no gradient.
        self._shapes = [leaf.shape if isinstance(leaf, Value) else None for leaf in inputs]
        self._variables = variables

    def vjp(
        self,
        saved: Sequence[tuple[tuple[int, ...], DType]],
        cotangents: Sequence[Tensor | None],
        wanted: Sequence[bool],
    ) -> list[Tensor | None]:
        """Return the operands' cotangents, which the user's function computes."""
        upstream = [
            own(np.zeros(shape, dtype)) if g is None else g for g, (shape, dtype) in zip(cotangents, saved, strict=True)
        ]
        if not self._variables:
            return self._checked(self._grad_fn(*upstream))
        of_inputs, of_variables = self._grad_fn(*upstream, variables=self._variables)
        of_variables = list(of_variables)
        if len(of_variables) != len(self._variables):
            raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
        return self._checked(of_inputs) + [
            self._fitting(gradient, variable.shape, f"the variable {variable.name!r}")
            for gradient, variable in zip(of_variables, self._variables, strict=True)
        ]

    def _checked(self, of_inputs: Any) -> list[Tensor | None]:
        """Return the gradients of those inputs that are tensors."""
        gradients = nest.flatten(list(of_inputs) if isinstance(of_inputs, Iterator) else of_inputs)
        if len(gradients) != len(self._shapes):
            raise ValueError(
                f"custom_gradient function expected to return {len(self._shapes)} gradients, but returned "
                f"{len(gradients)} instead."
            )
        return [
            self._fitting(gradient, shape, f"input {k}")
            for k, (gradient, shape) in enumerate(zip(gradients, self._shapes, strict=True))
            if shape is not None
        ]

    def _fitting(self, gradient: Any, shape: tuple[int, ...], what: str) -> Tensor | None:
        if gradient is None:
            return None
        result = tensor(gradient)
        if result.shape != shape and not _broadcasts(shape, result.shape):
            raise ValueError(
                f"custom_gradient: grad_fn of {self.name} returned a gradient of shape {result.shape} for {what} of "
                f"shape {shape}. Where the function broadcasts its input, the sum over those axes is its gradient."
            )
        return result


def _detached(leaf: Any) -> Tensor:
    """Return the value of a result without its place on the tapes; it shares the memory."""
    return leaf.__deepcopy__({}) if isinstance(leaf, Tensor) else stop_gradient(leaf)


def _broadcasts(shape: tuple[int, ...], wider: tuple[int, ...]) -> bool:
    """Whether a value of one shape can be broadcast to another."""
    missing = len(wider) - len(shape)
    return missing >= 0 and all([size in (1, wanted) for size, wanted in zip(shape, wider[missing:], strict=True)])


def _accepts_variables(grad_fn: Callable[..., Any]) -> bool:
    parameters = inspect.signature(grad_fn).parameters
    return "variables" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
