"""Layers of any network: dense, flatten, dropout, embedding, activation."""

from __future__ import annotations

import math
from typing import Any

from tapegrad import _native as native
from tapegrad import nn
from tapegrad._native import Tensor
from tapegrad.keras import activations, initializers
from tapegrad.keras.activations import Activation as ActivationFunction
from tapegrad.keras.initializers import InitializerLike
from tapegrad.keras.layers.base import Layer
from tapegrad.keras.layers.requirements import require_rank, require_size

__all__ = ["Activation", "Dense", "Dropout", "Embedding", "Flatten"]

_add = native.elementwise["add"]


class Dense(Layer):
    """``activation(inputs @ kernel + bias)``.

    Parameters
    ----------
    units : int
        The length of the last axis of the output.
    activation : str or callable, optional
        A name of `tf.keras.activations` or a function; none by default.
    use_bias : bool
    kernel_initializer, bias_initializer : str or callable
    **kwargs
        Those of `tf.keras.layers.Layer`.

    Raises
    ------
    ValueError
        If `units` is not positive, or the inputs have no batch axis or another last axis than the first ones.

    Examples
    --------
    >>> import tapegrad as tf
    >>> layer = tf.keras.layers.Dense(2, activation="relu")
    >>> with tf.GradientTape() as tape:
    ...     loss = tf.reduce_mean(layer([[1.0, 2.0, 3.0]]) ** 2)
    >>> [gradient.shape for gradient in tape.gradient(loss, layer.trainable_variables)]
    [(3, 2), (2,)]
    """

    def __init__(
        self,
        units: int,
        activation: str | ActivationFunction | None = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if int(units) != units or units <= 0:
            raise ValueError(f"`units` must be a positive integer, got {units!r}.")
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the kernel, shaped (last axis of the inputs, units), and the bias, shaped (units,)."""
        require_rank(self, input_shape, 2)
        self.kernel = self.add_weight((input_shape[-1], self.units), self.kernel_initializer, name="kernel")
        if self.use_bias:
            self.bias = self.add_weight((self.units,), self.bias_initializer, name="bias")

    def call(self, inputs: Any) -> Any:
        """Transform the last axis of `inputs`, which have two axes or more."""
        require_rank(self, inputs.shape, 2)
        require_size(self, inputs.shape, -1, self.kernel.shape[0])
        if inputs.dtype is not self.dtype:
            inputs = native.cast(inputs, self.dtype)
        outputs = native.matmul(inputs, self.kernel)
        if self.bias is not None:
            outputs = _add(outputs, self.bias)
        return outputs if self.activation is activations.linear else self.activation(outputs)


class Flatten(Layer):
    """Each input as one row: everything behind the batch axis in one axis.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.layers.Flatten()(tf.zeros((5, 2, 3))).shape
    (5, 6)
    """

    def call(self, inputs: Any) -> Tensor:
        """Reshape `inputs` of one axis or more."""
        require_rank(self, inputs.shape, 1)
        return native.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))


class Dropout(Layer):
    """In training, zero a share `rate` of the elements at random and scale up the others; else the identity.

    Parameters
    ----------
    rate : float
        In [0, 1).
    noise_shape : tuple of int, optional
        The shape of the mask, which is broadcast against the inputs.
    seed : int, optional
    **kwargs
        Those of `tf.keras.layers.Layer`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> layer = tf.keras.layers.Dropout(0.5)
    >>> layer(tf.ones((2, 2))).numpy().tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    >>> set(layer(tf.ones((20, 20)), training=True).numpy().ravel().tolist()) == {0.0, 2.0}
    True
    """

    def __init__(
        self, rate: float, noise_shape: tuple[int, ...] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be in the range [0, 1), got {rate}.")
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop elements of `inputs` if `training`."""
        if not training or self.rate == 0:
            return inputs
        return nn.dropout(inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed)


class Embedding(Layer):
    """A table of vectors, looked up by number.

    Parameters
    ----------
    input_dim : int
        The number of vectors; indices are below it.
    output_dim : int
        The length of a vector.
    embeddings_initializer : str or callable
        Uniform in [-0.05, 0.05) by default.
    **kwargs
        Those of `tf.keras.layers.Layer`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.layers.Embedding(10, 4)([[1, 2, 2], [0, 9, 1]]).shape
    (2, 3, 4)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: InitializerLike = "uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if input_dim <= 0 or output_dim <= 0:
            raise ValueError(
                f"`input_dim` and `output_dim` must be positive, got {input_dim} and {output_dim}."
            )
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings: Any = None

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the table, shaped (input_dim, output_dim)."""
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim), self.embeddings_initializer, name="embeddings"
        )

    def call(self, inputs: Any) -> Tensor:
        """The vectors of `inputs`, which are integers (or floats that are cast to them)."""
        if not inputs.dtype.is_integer:
            inputs = native.cast(inputs, "int32")
        return nn.embedding_lookup(self.embeddings, inputs)


class Activation(Layer):
    """An activation function as a layer.

    Parameters
    ----------
    activation : str or callable
        A name of `tf.keras.activations` or a function.
    **kwargs
        Those of `tf.keras.layers.Layer`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.layers.Activation("relu")([-1.0, 2.0]).numpy()
    array([0., 2.], dtype=float32)
    """

    def __init__(self, activation: str | ActivationFunction, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """Apply the function to `inputs`."""
        return self.activation(inputs)
