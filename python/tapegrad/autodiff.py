"""TensorFlow's `tf.autodiff`: the tape under its other name, and forward-mode differentiation."""

from __future__ import annotations

from types import TracebackType
from typing import Any, overload

import numpy as np

from tapegrad import _native, nest
from tapegrad._native import Tensor, Value, own
from tapegrad.tape import GradientTape, UnconnectedGradients

__all__ = ["ForwardAccumulator", "GradientTape"]


class ForwardAccumulator:
    """Computes Jacobian-vector products as the program runs: forward-mode differentiation.

    Inside the block operations on the primals, and on what comes of them, are followed; `jvp` says how far a
    result moves when the primals move along their tangents. The cost does not grow with the number of
    results, and for few primals with many results it is the cheaper mode.

    Parameters
    ----------
    primals : tensor, variable, or structure of these
        What moves.
    tangents : as `primals`
        The direction in which each of them moves: of its shape, converted to its dtype.
    batched : bool
        Whether tangents have one more axis in front, for many directions at once; `jvp` gives results with
        that axis.

    Raises
    ------
    TypeError
        If a primal is not a tensor or a variable.
    ValueError
        If the structures or shapes do not fit, or a primal is given twice.

    Notes
    -----
    Accumulators can be nested in each other and in tapes. An outer accumulator sees what an inner one computes
    and not the other way round. A gradient computed by a tape inside the accumulator gives a Hessian-vector
    product.

    The operations are kept until the accumulator is gone, and tangents computed when asked for (or at the end of
    the block, if another tape records them).

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.constant([2.0, 3.0])
    >>> with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as acc:
    ...     y = tf.reduce_sum(x**3)
    >>> float(acc.jvp(y))
    12.0

    The product of a Hessian with a vector:

    >>> with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as acc:
    ...     with tf.GradientTape() as tape:
    ...         tape.watch(x)
    ...         y = tf.reduce_sum(x**3)
    ...     gradient = tape.gradient(y, x)
    >>> acc.jvp(gradient).numpy()
    array([12.,  0.], dtype=float32)
    """

    def __init__(self, primals: Any, tangents: Any, *, batched: bool = False) -> None:
        if isinstance(primals, Value) and not isinstance(tangents, (list, tuple, dict)):
            values, given = [primals], [tangents]
        else:
            nest.assert_same_structure(primals, tangents)
            values, given = nest.flatten(primals), nest.flatten(tangents)
        if len(values) > 1 and len({id(value) for value in values}) < len(values):
            twice = next(value for k, value in enumerate(values) if any([value is other for other in values[:k]]))
            raise ValueError(
                f"Tensor {twice!r} was specified as a primal multiple times. This may indicate an error. If it was "
                "intended, please sum the corresponding tangents."
            )
        self._sources: list[Value] = []
        self._directions: list[Tensor] = []
        lengths: set[int] = set()
        for value, tangent in zip(values, given, strict=True):
            direction = _direction(value, tangent, batched)
            if batched:
                lengths.add(direction.shape[0])
            if value.dtype.is_floating or value.dtype.is_complex:
                self._sources.append(value)
                self._directions.append(direction)
        if batched and (len(lengths) != 1 or lengths == {0}):
            raise ValueError(f"Batched tangents must be equally many, and at least one: there are {sorted(lengths)}.")
        self._batch = lengths.pop() if batched else 0
        self._tape = _native.accumulator_tape()
        self._tape._follow(values)
        self._recording = False
        self._push: _native.Push | None = None
        self._answered: dict[int, Tensor | None] | None = None  # by slot; before the first question None

    def __enter__(self) -> ForwardAccumulator:
        if self._recording:
            raise ValueError("Accumulator is already recording.")
        self._tape.__enter__()
        self._recording = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._recording = False
        self._tape.__exit__(kind, error, traceback)
        if kind is None and _native.is_recording():
            self._answered = self._answered or {}
            self._going_push().advance()

    def _going_push(self) -> _native.Push:
        """Return the push that goes on as the tape grows; mostly what is asked first is answered without one."""
        if self._push is None:
            self._push = _native.Push(self._tape, self._batch)
            for source, direction in zip(self._sources, self._directions, strict=True):
                self._push.seed(source, direction)
        return self._push

    @overload
    def jvp(self, primals: Value, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Tensor | Any: ...
    @overload
    def jvp(self, primals: Any, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Any: ...
    def jvp(self, primals: Any, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Any:
        """Return the tangents of results: the Jacobian-vector products.

        Parameters
        ----------
        primals : tensor, variable, or structure of these
            Results (or primals) whose tangents are wanted.
        unconnected_gradients : UnconnectedGradients or its value
            What stands for the tangent of something that does not depend on the primals: None, or zeros.

        Returns
        -------
        Tensor or None, or a structure of these
            Of the shape and dtype of the result; behind the axis of the directions if the tangents are batched.

        Raises
        ------
        TypeError
            If something else than tensors and variables is asked for.
        ValueError
            For an unknown `unconnected_gradients`.
        """
        choice = getattr(unconnected_gradients, "value", unconnected_gradients)
        if choice not in ("none", "zero"):
            raise ValueError(f"{unconnected_gradients!r} is not a valid UnconnectedGradients")

        if self._answered is None:
            self._answered = {} if _native.is_recording() else self._answer_once(
                [primals] if isinstance(primals, Value) else nest.flatten(primals)
            )
        if isinstance(primals, Value):
            return self._tangent(primals, choice == "zero")
        return nest.map_structure(lambda value: self._tangent(value, choice == "zero"), primals)

    def _answer_once(self, values: list[Any]) -> dict[int, Tensor | None]:
        """Return by slot the tangents of all that is asked for first, which is mostly all that ever is.

        Other tangents are let go on the way, so that the memory of a few is used again and again.
        """
        known: dict[int, Value] = {}
        for value in values:
            if isinstance(value, Value) and (slot := self._tape._slot(value)) is not None:
                known[slot] = value
        found = self._tape._push(list(known.values()), self._sources, self._directions, self._batch)
        return dict(zip(known, found, strict=True))

    def _tangent(self, value: Any, zero: bool) -> Tensor | None:
        if not isinstance(value, Value):
            raise TypeError(f"jvp: a tensor or a variable is needed, not {value!r} of type {type(value).__name__!r}.")
        tangent: Tensor | None
        if self._answered and (slot := self._tape._slot(value)) in self._answered:
            tangent = self._answered[slot]
        else:
            push = self._going_push()
            push.advance_alone(value)
            tangent = push.tangent(value)
        if tangent is None and zero:
            shape = (self._batch, *value.shape) if self._batch else value.shape
            tangent = own(np.zeros(shape, value.dtype.as_numpy_dtype))
        return tangent


def _direction(value: Any, tangent: Any, batched: bool) -> Tensor:
    """Return a primal's tangent as a tensor, checked."""
    if not isinstance(value, Value):
        raise TypeError(f"A primal must be a tensor or a variable, not {value!r} of type {type(value).__name__!r}.")
    direction = _native.tensor(tangent)
    own_shape = direction.shape[1:] if batched else direction.shape
    if own_shape != value.shape or (batched and not direction.ndim):
        wanted = f"(n, {', '.join(map(str, value.shape))})" if batched else str(value.shape)
        raise ValueError(
            f"The tangent of a primal of shape {value.shape} must have shape {wanted}, not {direction.shape}."
        )
    if direction.dtype.is_complex and not value.dtype.is_complex:
        raise ValueError(f"The tangent of a {value.dtype.name} primal cannot be {direction.dtype.name}.")
    return direction if direction.dtype is value.dtype else _native.cast(direction, value.dtype)
