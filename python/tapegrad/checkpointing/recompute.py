"""Functions that keep nothing for their gradient but what they were called with: `recompute_grad`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from tapegrad._native import GradientTape, Tensor, is_recording, record, version
from tapegrad._ops.shaping import identity
from tapegrad._transformed import Transformed
from tapegrad.checkpointing.replaying import (
    Surroundings,
    constant,
    differentiable,
    fresh,
    pulled_back,
    pushing,
    run_unrecorded,
)
from tapegrad.functional.structures import leaves_of, pack_as

__all__ = ["checkpoint", "recompute_grad"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def recompute_grad(f: _Function) -> _Function:
    """Return a function with the values of `f` that is computed again when its gradient is needed.

    A tape keeps the arguments and nothing of what is computed inside, so that a chain of such functions needs memory
    for the largest link instead of for all of them; computing takes about a third longer. `checkpoint` is the same
    function.

    Parameters
    ----------
    f
        It must compute the same each time. Its arguments, positional and by keyword, and its results can be structures
        of tensors, dataclasses included.

    Returns
    -------
    callable
        `f` runs once, unrecorded, when it is called, and once more for each gradient. Gradients go to the arguments
        (zeros where the result does not depend on one), to the trainable variables that `f` reads, and to the tensors
        that its code refers to by name.

    Raises
    ------
    RuntimeError
        When a gradient is taken, if `f` returns another number of tensors the second time.

    Notes
    -----
    The second time, variables have the values that they had the first time, and `tapegrad.random` draws the same
    numbers (TensorFlow draws others). Other side effects happen twice, and NumPy's own generators go on. Tensors that
    `f` finds in attributes of objects, or by other ways than names, get no gradient: pass them as arguments.

    Derivatives of every order are right, and so are Jacobians and forward mode.

    Examples
    --------
    >>> import tapegrad as tf
    >>> @tf.recompute_grad
    ... def layer(x, w):
    ...     return tf.tanh(x * w)
    >>> x, w = tf.constant(0.0), tf.Variable(2.0)
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = layer(layer(x, w), w)
    >>> tape.gradient(y, x).numpy()
    np.float32(4.0)
    """
    return cast(_Function, _Recomputed(f))


checkpoint = recompute_grad


class _Recomputed(Transformed):
    """The decorated function."""

    what = "recompute_grad"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function = self.__wrapped__
        if not is_recording():
            return function(*args, **kwargs)
        structure = (args, kwargs)
        # Aliases: the function may write to its arguments.
        leaves = [version(leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves_of(structure)]
        result, surroundings = run_unrecorded(lambda reads: (function(*args, **kwargs), ()), function, leaves)
        outputs = [constant(leaf) for leaf in leaves_of(result)]
        results = tuple([leaf for leaf in outputs if differentiable(leaf)])
        call = _Call(function, structure, leaves, surroundings)
        record(_rule, tuple(call.sources), results, call)
        return pack_as(result, outputs)


class _Call:
    """What is needed to call the function again, and in what places derivatives are wanted."""

    def __init__(
        self, function: Callable[..., Any], structure: Any, leaves: list[Any], surroundings: Surroundings
    ) -> None:
        self._function = function
        self._structure = structure
        self._leaves = leaves
        self._places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and differentiable(leaf)]
        self.surroundings = surroundings
        self.sources = [*[leaves[k] for k in self._places], *surroundings.sources]

    def fresh_sources(self) -> list[Any]:
        """Return the sources with an object of its own in place of each tensor among the arguments."""
        return fresh(self.sources, len(self._places))

    def results(self, sources: Sequence[Any]) -> list[Any]:
        """Return the differentiable results of another call, with these sources."""
        leaves = list(self._leaves)
        for k, source in zip(self._places, sources, strict=False):
            leaves[k] = identity(source)  # the function may write to its arguments
        args, kwargs = pack_as(self._structure, leaves)
        with self.surroundings.again():
            result = self._function(*args, **kwargs)
        return [leaf for leaf in leaves_of(result) if differentiable(leaf)]


class _Rule:
    """Differentiates a second call of the function, on a tape of its own."""

    name = "recompute_grad"

    def vjp(self, call: _Call, cotangents: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor | None]:
        """Return the cotangents of the sources."""
        sources = call.fresh_sources()
        chosen = [source for source, want in zip(sources, wanted, strict=True) if want]
        with GradientTape(False, False) as tape:
            tape.watch(chosen)
            results = call.results(sources)
        _check_count(results, cotangents)
        gradients = iter(pulled_back(tape, results, chosen, cotangents, "zero"))
        return [next(gradients) if want else None for want in wanted]

    def jvp(self, call: _Call, tangents: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Return the tangents of the results."""
        sources = call.fresh_sources()
        with pushing(sources, tangents) as accumulator:
            results = call.results(sources)
        return [accumulator.jvp(result) for result in results]


_rule = _Rule()


def _check_count(results: Sequence[Any], expected: Sequence[Any]) -> None:
    if len(results) != len(expected):
        raise RuntimeError(
            f"recompute_grad: the function returned {len(expected)} tensors when it was called, but {len(results)} "
            "when it was called again for the gradient. It must compute the same each time."
        )
