"""`Layer`, what all layers and models share: names, building on the first call, conversion, `training`."""

from __future__ import annotations

import inspect
import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, overload

import numpy as np

from tapegrad import _forks, nest
from tapegrad import _native as native
from tapegrad._native import Tensor, Value
from tapegrad._ops.arguments import as_shape
from tapegrad.dtypes import DType, as_dtype
from tapegrad.keras import initializers
from tapegrad.keras.initializers import InitializerLike
from tapegrad.module import Module, snake_case
from tapegrad.variable import Variable

__all__ = ["Layer"]

# The order of what `add_weight` takes by position.
_KERAS_3 = ("shape", "initializer", "dtype", "trainable")
_KERAS_2 = ("name", "shape", "dtype", "initializer", "regularizer", "trainable")

_numbers = itertools.count(1)  # of outermost calls
_names_lock = _forks.lock()
_names_used: dict[str, int] = {}


class _Phase(threading.local):
    """What layers called in the layer that this thread is in want to know."""

    training: bool | None = None
    """Whether the outer layer was called with `training`; None if nobody told."""
    number: int = 0
    """The number of the outermost call; 0 outside of calls."""


_phase = _Phase()


class Layer(Module):
    """A callable with variables, to be subclassed: `build` makes the variables, `call` computes.

    Parameters
    ----------
    trainable : bool
        Whether `trainable_variables` lists the variables of this layer and of the layers in it.
    name : str, optional
        By default the class's name in snake case, numbered from the second layer of a process on.
    dtype : optional
        The type of the variables; inputs of another floating-point type are cast to it. float32 by default.
    input_shape : sequence of int, optional
        The shape of one input, without the batch axis: a `Sequential` that starts with this layer is built at
        once.

    Examples
    --------
    >>> import tapegrad as tf
    >>> class Scale(tf.keras.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(name="factor", shape=input_shape[-1:], initializer="ones")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> Scale()([[1.0, 2.0]]).numpy()
    array([[1., 2.]], dtype=float32)
    """

    built: bool = False
    trainable: bool = True
    _number: int = 0  # of the last outermost call in which this layer was called
    _losses: tuple[Tensor, ...] = ()
    _losses_of: int = 0  # the outermost call that the losses belong to

    def __init__(
        self,
        *,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        input_shape: Sequence[int] | None = None,
    ) -> None:
        # A layer's name need not be an identifier, so that Module's check of it does not apply.
        self._name = unique_name(snake_case(type(self).__name__)) if name is None else name
        self.trainable = trainable
        self._dtype = as_dtype("float32" if dtype is None else dtype)
        self._given_input_shape = None if input_shape is None else tuple(input_shape)

    @property
    def dtype(self) -> DType:
        """The type of the layer's variables, and of its computation."""
        return self._dtype

    @property
    def weights(self) -> list[Variable]:
        """All variables, in the order in which they were made, then those of the layers in this one."""
        return list(self.variables)

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`."""
        return list(super().variables)

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training should change, in the order of `weights`."""
        return list(super().trainable_variables)

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The other variables, in the order of `weights`."""
        return list(super().non_trainable_variables)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The same as `trainable_variables`."""
        return self.trainable_variables

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The same as `non_trainable_variables`."""
        return self.non_trainable_variables

    def build(self, input_shape: Any) -> None:
        """Make the variables; called once, with the shape (or shapes) of the first inputs."""

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; to be defined by every subclass."""
        raise NotImplementedError(f"{type(self).__name__} must define `call(self, inputs)`.")

    @overload
    def add_weight(
        self,
        shape: Any = (),
        initializer: InitializerLike = None,
        dtype: Any = None,
        trainable: bool = True,
        *,
        regularizer: Callable[[Variable], Any] | None = None,
        constraint: None = None,
        name: str | None = None,
        **options: Any,
    ) -> Variable: ...
    @overload
    def add_weight(
        self,
        name: str,
        shape: Any = (),
        dtype: Any = None,
        initializer: InitializerLike = None,
        regularizer: Callable[[Variable], Any] | None = None,
        trainable: bool = True,
        constraint: None = None,
        **options: Any,
    ) -> Variable: ...
    def add_weight(self, *args: Any, **kwargs: Any) -> Variable:
        """A new variable of this layer, named after both; keep it in an attribute.

        The parameters can be given by position in the order of Keras 3, which is that below, or, if the first is a
        name, in that of Keras 2: `name`, `shape`, `dtype`, `initializer`, `regularizer`, `trainable`.

        Parameters
        ----------
        shape : int or sequence of int
            ``()`` by default.
        initializer : optional
            A name, an initializer, or a function of shape and dtype; by default ``"glorot_uniform"``, and
            ``"zeros"`` for types that are not floating.
        dtype : optional
            The layer's by default.
        trainable : bool
            True by default.
        regularizer : optional
            A function of the variable, whose result is listed in `losses` while the variable is trainable.
        constraint : None
            Constraints are not supported: apply them to the variable after the optimizer's step.
        name : str, optional
            ``"variable"`` by default.
        **options
            What else Keras takes here (`autocast`, `aggregation` ...) has no effect.

        Examples
        --------
        >>> import tapegrad as tf
        >>> layer = tf.keras.layers.Layer(name="scale")
        >>> layer.factor = layer.add_weight("factor", shape=(2,), initializer="ones")
        >>> layer.factor
        <tf.Variable 'scale/factor:0' shape=(2,) dtype=float32, numpy=array([1., 1.], dtype=float32)>
        """
        order = _KERAS_2 if args and isinstance(args[0], str) else _KERAS_3
        settings = dict(zip(order, args, strict=False))
        if len(args) > len(order) or settings.keys() & kwargs.keys():
            raise TypeError(
                f"add_weight() takes {', '.join(order)} by position, each of them once; got {len(args)} values and "
                f"{', '.join(kwargs) or 'no others'}."
            )
        return self._new_weight(**settings, **kwargs)

    def _new_weight(
        self,
        shape: Any = (),
        initializer: InitializerLike = None,
        dtype: Any = None,
        trainable: bool | None = True,
        regularizer: Callable[[Variable], Any] | None = None,
        constraint: None = None,
        name: str | None = None,
        **options: Any,
    ) -> Variable:
        if constraint is not None:
            raise ValueError("`constraint` is not supported: apply it to the variable after the optimizer's step.")
        if regularizer is not None and not callable(regularizer):
            raise ValueError(f"`regularizer` must be a function of the variable, got {regularizer!r}.")
        kind = self.dtype if dtype is None else as_dtype(dtype)
        inexact = kind.is_floating or kind.is_complex
        make = initializers.get(initializer or ("glorot_uniform" if inexact else "zeros"))
        assert make is not None
        variable = Variable(
            make(() if shape is None else as_shape(shape), dtype=kind),
            trainable=trainable,
            name=f"{self.name}/{name or 'variable'}",
            dtype=kind,
        )
        if regularizer is not None:
            variable.regularizer = regularizer  # type: ignore[attr-defined]
        return variable

    def add_loss(self, loss: Any) -> None:
        """Add a tensor, or several, to `losses`; to be called in `call`, with what depends on the inputs.

        Raises
        ------
        ValueError
            If it is something else.

        Examples
        --------
        >>> import tapegrad as tf
        >>> class Penalty(tf.keras.layers.Layer):
        ...     def call(self, inputs):
        ...         self.add_loss(0.1 * tf.reduce_sum(inputs))
        ...         return inputs
        >>> layer = Penalty()
        >>> x = layer(tf.ones((2, 3)))
        >>> [round(float(loss), 2) for loss in layer.losses]
        [0.6]
        """
        losses = nest.flatten(loss)
        for value in losses:
            if not isinstance(value, Value):
                raise ValueError(f"`add_loss()` takes tensors, got {value!r} of type {type(value).__name__}.")
        if self._losses_of != _phase.number:
            self._losses, self._losses_of = (), _phase.number
        self._losses += tuple(losses)

    @property
    def losses(self) -> list[Tensor]:
        """What `add_loss` was given during the last call of this layer, and the penalties of regularized variables."""
        layers = [self, *[module for module in self.submodules if isinstance(module, Layer)]]
        losses = [loss for layer in layers if layer._losses_of == self._number for loss in layer._losses]
        penalties = [(variable, getattr(variable, "regularizer", None)) for variable in self.trainable_variables]
        return losses + [penalty(variable) for variable, penalty in penalties if penalty is not None]

    def get_weights(self) -> list[Any]:
        """The values of `weights`, as NumPy arrays."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign `weights`, one value for each of the layer's variables.

        Raises
        ------
        ValueError
            If the number of values or the shape of one is wrong.
        """
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(
                f"You called `set_weights(weights)` on layer {self.name!r} with {len(weights)} arrays, "
                f"but the layer has {len(variables)} weights."
            )
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    def __call__(self, inputs: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Convert `inputs`, build the layer if this is its first call, and return what `call` computes.

        Parameters
        ----------
        inputs
            A tensor, an array, numbers in lists, or a structure of these.
        training : bool, optional
            Reaches this layer and every layer called in it that is not told otherwise.
        """
        if type(inputs) is not Tensor or inputs.dtype is not self._dtype:
            inputs = self._convert(inputs)
        if not self.built:
            self._build_from(inputs)
        if _phase.number:
            self._number = _phase.number
            return self._run(inputs, args, training, kwargs)
        _phase.number = self._number = next(_numbers)
        try:
            return self._run(inputs, args, training, kwargs)
        finally:
            _phase.number = 0

    def _run(self, inputs: Any, args: tuple[Any, ...], training: bool | None, kwargs: dict[str, Any]) -> Any:
        """Return what `call` computes, with `training` for the layers that it calls."""
        outer = _phase.training
        mode = outer if training is None else training
        accepted, required = _training_parameter(type(self).call)
        if required or (accepted and mode is not None):
            kwargs["training"] = bool(mode)
        if mode is outer:
            return self.call(inputs, *args, **kwargs)
        _phase.training = mode
        try:
            return self.call(inputs, *args, **kwargs)
        finally:
            _phase.training = outer

    def _build_from(self, inputs: Any) -> None:
        with native.pause():
            self.build(inputs.shape if isinstance(inputs, Value) else nest.map_structure(_shape_of, inputs))
        self.built = True

    def _convert(self, inputs: Any) -> Any:
        """Tensors in place of arrays and numbers, in the layer's floating-point type."""
        if "_dtype" not in vars(self):
            raise RuntimeError(
                f"The constructor of {type(self).__name__} did not run `super().__init__()`; "
                "call it before setting attributes."
            )
        if isinstance(inputs, Value):
            return self._cast(inputs)
        if isinstance(inputs, (list, tuple)) and not any(
            isinstance(leaf, (Value, np.ndarray)) or leaf is None for leaf in nest.flatten(inputs)
        ):
            return self._cast(native.tensor(inputs))
        return nest.map_structure(self._cast, inputs)

    def _cast(self, value: Any) -> Any:
        if not isinstance(value, Value):
            if not isinstance(value, (np.ndarray, np.generic, int, float, complex)):
                return value
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                return native.own(value.astype(self._dtype.as_numpy_dtype))
            value = native.tensor(value)
        kind = value.dtype
        if kind is self._dtype or not kind.is_floating:
            return value
        return native.cast(value, self._dtype)

    def _members(self) -> Iterable[object]:
        return vars(self).values()

    def _frozen(self) -> bool:
        return not self.trainable


def unique_name(base: str) -> str:
    """`base` at its first use in this process, then ``base_1``, ``base_2`` and so on."""
    with _names_lock:
        number = _names_used.get(base, 0)
        _names_used[base] = number + 1
    return f"{base}_{number}" if number else base


def _shape_of(value: Any) -> Any:
    return getattr(value, "shape", None)


@cache
def _training_parameter(call: Any) -> tuple[bool, bool]:
    """Whether a `call` method takes `training`, and whether it must be given."""
    parameter = inspect.signature(call).parameters.get("training")
    return parameter is not None, parameter is not None and parameter.default is inspect.Parameter.empty
