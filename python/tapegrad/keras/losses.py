"""Losses: functions that give one value for each sample, and objects that weight and average them.

The formulas are Keras's. The functions compute along the last axis of their arguments, whose shapes agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tapegrad import _native as native
from tapegrad._native import Tensor, Value
from tapegrad._ops.reductions import sum as sum_
from tapegrad._ops.shaping import expand_dims, squeeze
from tapegrad.keras._loss_functions import (
    binary_crossentropy,
    categorical_crossentropy,
    huber,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from tapegrad.keras.alignment import align_ranks

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "sparse_categorical_crossentropy",
]


_divide = native.elementwise["divide"]
_multiply = native.elementwise["multiply"]


class Loss:
    """Base class: a loss for each sample, weighted and reduced.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "sum", "none"} or None
        The mean over all samples, their sum, or the samples' losses as they are.
    name : str, optional

    Examples
    --------
    >>> import tapegrad as tf
    >>> class Quartic(tf.keras.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return tf.reduce_mean((y_true - y_pred) ** 4, axis=-1)
    >>> float(Quartic()([[0.0, 0.0]], [[1.0, 1.0]]))
    1.0
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = None) -> None:
        if reduction not in ("sum_over_batch_size", "sum", "none", None):
            raise ValueError(f"`reduction` must be 'sum_over_batch_size', 'sum', 'none' or None, got {reduction!r}.")
        self.reduction = reduction
        self.name = name or type(self).__name__

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """The loss of each sample; to be defined by every subclass."""
        raise NotImplementedError(f"{type(self).__name__} must define `call(self, y_true, y_pred)`.")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """The reduced loss.

        Parameters
        ----------
        y_true, y_pred
            What should come out and what did, with the samples along the first axes.
        sample_weight : optional
            A factor for each sample.
        """
        y_true, y_pred = align_ranks(_as_value(y_true), _as_value(y_pred))
        losses = self.call(y_true, y_pred)
        if sample_weight is not None:
            weights = native.cast(sample_weight, losses.dtype)
            if weights.ndim == losses.ndim + 1 and weights.shape[-1] == 1:
                weights = squeeze(weights, axis=-1)
            while 0 < weights.ndim < losses.ndim:
                weights = expand_dims(weights, axis=-1)
            losses = _multiply(losses, weights)
        if self.reduction in ("none", None):
            return losses
        total = sum_(losses) if losses.ndim else losses
        if self.reduction == "sum":
            return total
        return _divide(total, float(max(1, math.prod(losses.shape))))


class _FunctionLoss(Loss):
    """A loss whose `call` is a function of this module with some settings."""

    def __init__(
        self, function: Callable[..., Tensor], reduction: str | None, name: str | None, **settings: Any
    ) -> None:
        super().__init__(reduction, name)
        self._function = function
        self._settings = settings

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """The loss of each sample."""
        return self._function(y_true, y_pred, **self._settings)


class MeanSquaredError(_FunctionLoss):
    """The mean of ``(y_true - y_pred)**2``.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.keras.losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_squared_error") -> None:
        super().__init__(mean_squared_error, reduction, name)


class MeanAbsoluteError(_FunctionLoss):
    """The mean of ``abs(y_true - y_pred)``.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.keras.losses.MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]]))
    1.5
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "mean_absolute_error") -> None:
        super().__init__(mean_absolute_error, reduction, name)


class Huber(_FunctionLoss):
    """Quadratic up to an error of `delta`, linear beyond (Huber, 1964).

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.keras.losses.Huber(delta=1.0)([[0.0, 0.0]], [[1.0, 3.0]]))
    1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
    ) -> None:
        super().__init__(huber, reduction, name, delta=delta)


class BinaryCrossentropy(_FunctionLoss):
    """The cross-entropy of labels in [0, 1] and the probabilities of 1.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logits, which is more accurate, instead of probabilities.
    label_smoothing : float
        How far labels are pulled towards 1/2: 0 leaves them, 1 makes all of them 1/2.
    axis : int
        Along which the first mean is taken.
    reduction, name
        As for `Loss`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    >>> round(float(loss([[1.0, 0.0]], [[0.0, 0.0]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(_FunctionLoss):
    """The cross-entropy of one-hot labels (or other distributions) and predicted distributions.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logits, which is more accurate, instead of probabilities.
    label_smoothing : float
        How far labels are pulled towards the uniform distribution.
    axis : int
        The axis of the classes.
    reduction, name
        As for `Loss`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> loss = tf.keras.losses.CategoricalCrossentropy()
    >>> round(float(loss([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(_FunctionLoss):
    """The cross-entropy of class numbers and predicted distributions over the classes.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logits, which is more accurate, instead of probabilities.
    reduction, name
        As for `Loss`.

    Raises
    ------
    ValueError
        When called with a label that is not a class, or with shapes that do not match.

    Examples
    --------
    >>> import tapegrad as tf
    >>> loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    >>> round(float(loss([1, 0], [[0.0, 0.0], [0.0, 0.0]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(sparse_categorical_crossentropy, reduction, name, from_logits=from_logits)


def _as_value(value: Any) -> Any:
    return value if isinstance(value, Value) else native.tensor(value)
