"""Layers for images, stored as (batch, height, width, channels)."""

from __future__ import annotations

from typing import Any

from tapegrad import _native as native
from tapegrad import nn
from tapegrad._native import Tensor
from tapegrad.keras import activations, initializers
from tapegrad.keras.activations import Activation
from tapegrad.keras.initializers import InitializerLike
from tapegrad.keras.layers.base import Layer
from tapegrad.keras.layers.requirements import require_rank, require_size

__all__ = ["Conv2D", "MaxPooling2D"]

_add = native.elementwise["add"]


class Conv2D(Layer):
    """``activation(convolution(inputs, kernel) + bias)`` over the two middle axes of images.

    Parameters
    ----------
    filters : int
        The number of output channels.
    kernel_size, strides : int or pair of int
    padding : {"valid", "same"}
    activation : str or callable, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or callable
    **kwargs
        Those of `tf.keras.layers.Layer`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> layer = tf.keras.layers.Conv2D(6, 3, activation="relu")
    >>> layer(tf.zeros((2, 28, 28, 1))).shape
    (2, 26, 26, 6)
    >>> [variable.shape for variable in layer.trainable_variables]
    [(3, 3, 1, 6), (6,)]
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = (1, 1),
        padding: str = "valid",
        activation: str | Activation | None = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if filters <= 0:
            raise ValueError(f"`filters` must be positive, got {filters}.")
        self.filters = filters
        self.kernel_size = _pair(kernel_size, "kernel_size")
        self.strides = _pair(strides, "strides")
        self.padding = _padding(padding)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the kernel, (height, width, input channels, filters), and the bias, (filters,)."""
        require_rank(self, input_shape, 4, 4)
        shape = (*self.kernel_size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias")

    def call(self, inputs: Any) -> Any:
        """Convolve images shaped (batch, height, width, channels)."""
        require_rank(self, inputs.shape, 4, 4)
        require_size(self, inputs.shape, -1, self.kernel.shape[2])
        if inputs.dtype is not self.dtype:
            inputs = native.cast(inputs, self.dtype)
        outputs = nn.conv2d(inputs, self.kernel, self.strides, self.padding.upper())
        if self.bias is not None:
            outputs = _add(outputs, self.bias)
        return self.activation(outputs)


class MaxPooling2D(Layer):
    """The maximum of each window of an image, for each channel.

    Parameters
    ----------
    pool_size : int or pair of int
    strides : int or pair of int, optional
        The pool size by default: windows side by side.
    padding : {"valid", "same"}
    **kwargs
        Those of `tf.keras.layers.Layer`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.layers.MaxPooling2D()(tf.zeros((2, 28, 28, 3))).shape
    (2, 14, 14, 3)
    """

    def __init__(
        self,
        pool_size: int | tuple[int, int] = (2, 2),
        strides: int | tuple[int, int] | None = None,
        padding: str = "valid",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = _pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else _pair(strides, "strides")
        self.padding = _padding(padding)

    def call(self, inputs: Any) -> Tensor:
        """Pool images shaped (batch, height, width, channels)."""
        require_rank(self, inputs.shape, 4, 4)
        return nn.max_pool2d(inputs, self.pool_size, self.strides, self.padding.upper())


def _pair(value: int | tuple[int, int], name: str) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or any(not isinstance(size, int) or size <= 0 for size in pair):
        raise ValueError(f"`{name}` must be a positive integer or a pair of them, got {value!r}.")
    return pair[0], pair[1]


def _padding(value: str) -> str:
    padding = value.lower()
    if padding not in ("valid", "same"):
        raise ValueError(f"`padding` must be 'valid' or 'same', got {value!r}.")
    return padding
