"""`Layer`, what all layers and models share: names, building on the first call, conversion, `training`."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np

from tapegrad import _native as native
from tapegrad import nest
from tapegrad._native import Tensor, Value
from tapegrad.dtypes import DType, as_dtype
from tapegrad.keras import initializers
from tapegrad.keras.initializers import InitializerLike
from tapegrad.module import Module, snake_case
from tapegrad.variable import Variable

__all__ = ["Layer"]

_names_lock = threading.Lock()
_names_used: dict[str, int] = {}


class _Phase(threading.local):
    """Whether the layer that this thread is in was called with `training`; None if nobody told."""

    training: bool | None = None


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

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: InitializerLike = None,
        dtype: Any = None,
        trainable: bool = True,
        *,
        name: str = "variable",
    ) -> Variable:
        """A new variable of this layer, named after both; keep it in an attribute.

        Parameters
        ----------
        shape : sequence of int
        initializer : optional
            A name or an initializer; by default glorot_uniform.
        dtype : optional
            The layer's by default.
        trainable : bool
        name : str
        """
        make = initializers.get("glorot_uniform" if initializer is None else initializer)
        assert make is not None
        kind = self.dtype if dtype is None else as_dtype(dtype)
        return Variable(
            make(tuple(shape), dtype=kind), trainable=trainable, name=f"{self.name}/{name}", dtype=kind
        )

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


def require_rank(layer: Layer, shape: tuple[int, ...], least: int, most: int | None = None) -> None:
    """Raise unless inputs of this shape have between `least` and `most` axes."""
    if len(shape) < least or (most is not None and len(shape) > most):
        expected = f"ndim={least}" if most == least else f"min_ndim={least}"
        raise ValueError(
            f'Input 0 of layer "{layer.name}" is incompatible with the layer: expected {expected}, '
            f"found ndim={len(shape)}. Full shape received: {shape}"
        )


def require_size(layer: Layer, shape: tuple[int, ...], axis: int, size: int) -> None:
    """Raise unless inputs of this shape have the length along `axis` that the layer was built for."""
    if shape[axis] != size:
        raise ValueError(
            f'Input 0 of layer "{layer.name}" is incompatible with the layer: expected axis {axis} of '
            f"input shape to have value {size}, but received input with shape {shape}"
        )


def _shape_of(value: Any) -> Any:
    return getattr(value, "shape", None)


@cache
def _training_parameter(call: Any) -> tuple[bool, bool]:
    """Whether a `call` method takes `training`, and whether it must be given."""
    parameter = inspect.signature(call).parameters.get("training")
    return parameter is not None, parameter is not None and parameter.default is inspect.Parameter.empty
