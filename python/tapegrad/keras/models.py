"""`Model`, to be subclassed, and `Sequential`, a chain of layers. Training loops are the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tapegrad import _native as native
from tapegrad import nest
from tapegrad.keras.layers.base import Layer

__all__ = ["Model", "Sequential"]


class Model(Layer):
    """Layers with a `call` that combines them; its variables are those of every layer in its attributes.

    Parameters
    ----------
    name, dtype, trainable : optional
        As for `tf.keras.layers.Layer`. A float64 model needs ``dtype="float64"`` here and in its layers.

    Examples
    --------
    >>> import tapegrad as tf
    >>> class Classifier(tf.keras.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = tf.keras.layers.Dense(8, activation="relu")
    ...         self.dropout = tf.keras.layers.Dropout(0.5)
    ...         self.scores = tf.keras.layers.Dense(3)
    ...     def call(self, inputs, training=False):
    ...         return self.scores(self.dropout(self.hidden(inputs), training=training))
    >>> model = Classifier()
    >>> model(tf.ones((5, 4)), training=True).shape
    (5, 3)
    >>> len(model.trainable_variables)
    4
    """

    @property
    def layers(self) -> list[Layer]:
        """The layers in the attributes of this model, in the order in which they were set."""
        found: dict[int, Layer] = {}
        for member in self._members():
            for leaf in nest.flatten(member):
                if isinstance(leaf, Layer):
                    found.setdefault(id(leaf), leaf)
        return list(found.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer called `name`, or the one at position `index` of `layers`.

        Raises
        ------
        ValueError
            If there is no such layer, or not exactly one of the arguments is given.
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError("Provide either a layer name or a layer index to get_layer().")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"There is no layer at index {index}: the model has {len(layers)} layers.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in layers]}.")

    def count_params(self) -> int:
        """The number of elements of all variables.

        >>> import tapegrad as tf
        >>> tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))]).count_params()
        8
        """
        return sum(int(np.prod(variable.shape, dtype=np.int64)) for variable in self.variables)


class Sequential(Model):
    """Layers applied one after the other.

    Parameters
    ----------
    layers : sequence of Layer, optional
        More can follow with `add`. If the first one has an `input_shape`, the variables are made at once,
        else at the first call.
    name, dtype, trainable : optional
        As for `tf.keras.layers.Layer`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> model = tf.keras.Sequential([
    ...     tf.keras.layers.Flatten(input_shape=(2, 2)),
    ...     tf.keras.layers.Dense(3, activation="softmax"),
    ... ])
    >>> model(tf.zeros((5, 2, 2))).shape
    (5, 3)
    """

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        *,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self._layers: list[Layer] = []
        for layer in layers or ():
            self._append(layer)
        self._build_early()

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order of application."""
        return list(self._layers)

    def add(self, layer: Layer) -> None:
        """Apply `layer` after the others.

        Raises
        ------
        TypeError
            If `layer` is not a layer.
        """
        self._append(layer)
        self._build_early()

    def pop(self) -> Layer:
        """Remove the last layer and return it.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not self._layers:
            raise ValueError("There are no layers in the model.")
        return self._layers.pop()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The last layer's output; `training` reaches the layers by itself."""
        for layer in self._layers:
            inputs = layer(inputs)
        return inputs

    def _append(self, layer: Layer) -> None:
        if not isinstance(layer, Layer):
            raise TypeError(
                "The added layer must be an instance of class Layer. "
                f"Received: {layer!r} of type {type(layer).__name__}."
            )
        if any(layer is other for other in self._layers):
            raise ValueError(f"Layer {layer.name!r} is already in this model; make a second layer.")
        self._layers.append(layer)

    def _build_early(self) -> None:
        """Run the layers once on zeros if the shape of an input is known, so that all variables exist."""
        shape = self._layers[0]._given_input_shape if self._layers else None
        if shape is None:
            return
        with native.pause():
            self(np.zeros((1, *shape), self.dtype.as_numpy_dtype), training=False)

    def _members(self) -> Iterable[object]:
        return (self._layers, *(value for value in vars(self).values() if value is not self._layers))
