"""Batch normalization."""

from __future__ import annotations

from typing import Any

from tapegrad import _native as native
from tapegrad._native import Tensor
from tapegrad._ops.reductions import mean
from tapegrad.keras import initializers
from tapegrad.keras.initializers import InitializerLike
from tapegrad.keras.layers.base import Layer
from tapegrad.keras.layers.requirements import require_size

__all__ = ["BatchNormalization"]

_add = native.elementwise["add"]
_divide = native.elementwise["divide"]
_multiply = native.elementwise["multiply"]
_sqrt = native.elementwise["sqrt"]
_square = native.elementwise["square"]
_subtract = native.elementwise["subtract"]


class BatchNormalization(Layer):
    """Batch normalization, for each channel (Ioffe and Szegedy, 2015).

    The result is ``gamma * (inputs - mean) / sqrt(variance + epsilon) + beta``. In training the mean and the
    (biased) variance are the batch's, and the moving ones take a step of ``1 - momentum`` towards them; else,
    or if the layer is frozen, they are the moving ones.

    Parameters
    ----------
    axis : int
        The axis of the channels.
    momentum, epsilon : float
    center, scale : bool
        Whether there is a `beta`, and a `gamma`.
    beta_initializer, gamma_initializer : str or callable
    moving_mean_initializer, moving_variance_initializer : str or callable
    **kwargs
        Those of `tf.keras.layers.Layer`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> layer = tf.keras.layers.BatchNormalization()
    >>> layer([[1.0], [3.0]], training=True).numpy().round(2).tolist()
    [[-1.0], [1.0]]
    >>> layer.moving_mean.numpy().round(2)
    array([0.02], dtype=float32)
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        moving_mean_initializer: InitializerLike = "zeros",
        moving_variance_initializer: InitializerLike = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make `gamma`, `beta` and the moving statistics, one element for each channel."""
        if not -len(input_shape) <= self.axis < len(input_shape):
            raise ValueError(
                f'Input 0 of layer "{self.name}" is incompatible with the layer: it has no axis {self.axis}. '
                f"Full shape received: {input_shape}"
            )
        shape = (input_shape[self.axis],)
        if self.scale:
            self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma")
        if self.center:
            self.beta = self.add_weight(shape, self.beta_initializer, name="beta")
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def call(self, inputs: Any, training: bool = False) -> Tensor:
        """Normalize `inputs` over every axis but `axis`."""
        channels = self.moving_mean.shape[0]
        require_size(self, inputs.shape, self.axis, channels)
        axis = self.axis % inputs.ndim
        last = axis == inputs.ndim - 1
        shape = tuple(channels if i == axis else 1 for i in range(inputs.ndim))

        def spread(value: Any) -> Any:
            return value if last else native.reshape(value, shape)

        if training and self.trainable:
            others = tuple(i for i in range(inputs.ndim) if i != axis)
            average = mean(inputs, axis=others)
            centered = _subtract(inputs, spread(average))
            variance = mean(_square(centered), axis=others)
            self._follow(average, variance)
        else:
            centered = _subtract(inputs, spread(self.moving_mean))
            variance = native.tensor(self.moving_variance)
        # The channels' factor is worked out before it meets the inputs, which are far larger.
        factor = _sqrt(_add(variance, self.epsilon))
        factor = _divide(1.0 if self.gamma is None else self.gamma, factor)
        outputs = _multiply(centered, spread(factor))
        return outputs if self.beta is None else _add(outputs, spread(self.beta))

    def _follow(self, average: Tensor, variance: Tensor) -> None:
        """Move the moving statistics towards a batch's; no part of the gradient."""
        with native.pause():
            for moving, batch in ((self.moving_mean, average), (self.moving_variance, variance)):
                moving.assign_add(_multiply(_subtract(batch, moving), 1.0 - self.momentum))
