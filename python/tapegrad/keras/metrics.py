"""Metrics: running means over the batches of an epoch. They are no part of any gradient.

Sums are kept as Python floats, so that long epochs lose no accuracy in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native as native
from tapegrad._native import Tensor
from tapegrad.dtypes import as_dtype
from tapegrad.keras.alignment import align_ranks

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "Mean",
    "Metric",
    "SparseCategoricalAccuracy",
]


class Metric:
    """Base class of what takes in batches, tells a value at any time, and can start again.

    Parameters
    ----------
    name : str
    dtype : optional
        The type of the result, float32 by default.

    Examples
    --------
    >>> import tapegrad as tf
    >>> class Largest(tf.keras.metrics.Metric):
    ...     def __init__(self):
    ...         super().__init__("largest")
    ...         self.reset_state()
    ...     def reset_state(self):
    ...         self.value = float("-inf")
    ...     def update_state(self, values):
    ...         self.value = max(self.value, max(values))
    ...     def result(self):
    ...         return tf.constant(self.value)
    >>> largest = Largest()
    >>> float(largest([1.0, 3.0])), float(largest([2.0]))
    (3.0, 3.0)
    """

    def __init__(self, name: str, dtype: Any = None) -> None:
        self.name = name
        self.dtype = as_dtype("float32" if dtype is None else dtype)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in a batch; to be defined by every subclass."""
        raise NotImplementedError(f"{type(self).__name__} must define `update_state`.")

    def result(self) -> Tensor:
        """The value so far; to be defined by every subclass."""
        raise NotImplementedError(f"{type(self).__name__} must define `result`.")

    def reset_state(self) -> None:
        """Forget all batches; to be defined by every subclass."""
        raise NotImplementedError(f"{type(self).__name__} must define `reset_state`.")

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Take in a batch and return the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()


class _RunningMean(Metric):
    """A metric whose value is the weighted mean of all numbers taken in; 0 before there are any."""

    def __init__(self, name: str, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self._total = 0.0
        self._count = 0.0

    def result(self) -> Tensor:
        """The mean so far, as a scalar tensor."""
        mean = self._total / self._count if self._count else 0.0
        return native.tensor(mean, dtype=self.dtype)

    def reset_state(self) -> None:
        """Forget all batches."""
        self._total = self._count = 0.0

    def _take(self, numbers: npt.NDArray[Any], sample_weight: Any) -> None:
        if sample_weight is None:
            self._total += float(numbers.sum(dtype=np.float64))
            self._count += numbers.size
            return
        weights = _weights(sample_weight, numbers)
        self._total += float((numbers * weights).sum())
        self._count += float(weights.sum())


class Mean(_RunningMean):
    """The weighted mean of all values seen; 0 before there are any.

    Examples
    --------
    >>> import tapegrad as tf
    >>> mean = tf.keras.metrics.Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.update_state(5.0)
    >>> mean.result().numpy()
    np.float32(3.0)
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in `values`, an array of any shape, each with its weight (1 by default)."""
        self._take(native.array(values), sample_weight)


class _Matches(_RunningMean):
    """The share of samples for which `matches(y_true, y_pred)` is true."""

    def __init__(self, matches: Callable[[Any, Any], Any], name: str, dtype: Any) -> None:
        super().__init__(name, dtype)
        self._matches = matches

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch of labels and predictions, each with its weight (1 by default)."""
        self._take(self._matches(native.array(y_true), native.array(y_pred)), sample_weight)


class Accuracy(_Matches):
    """How often a prediction equals its label.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.keras.metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
    0.75
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(_equal, name, dtype)


class BinaryAccuracy(_Matches):
    """How often a prediction is on the same side of `threshold` as its label, 0 or 1.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.keras.metrics.BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1.0], [0.0], [0.6]]))
    0.75
    """

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(partial(_same_side, threshold=threshold), name, dtype)
        self.threshold = threshold


class CategoricalAccuracy(_Matches):
    """How often the largest prediction is at the place of the largest label (the 1 of a one-hot row).

    Examples
    --------
    >>> import tapegrad as tf
    >>> labels = [[0, 0, 1], [0, 1, 0]]
    >>> float(tf.keras.metrics.CategoricalAccuracy()(labels, [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]))
    0.5
    """

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(_same_largest, name, dtype)


class SparseCategoricalAccuracy(_Matches):
    """How often the largest prediction is at the place that the label, a class number, tells.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.keras.metrics.SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]]))
    0.5
    """

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(_largest_is, name, dtype)


def _equal(y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any]) -> Any:
    y_true, y_pred = align_ranks(y_true, y_pred)
    _check_shapes(y_true.shape, y_pred.shape)
    return y_true == y_pred


def _same_side(y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any], threshold: float) -> Any:
    return _equal(y_true, y_pred > threshold).mean(axis=-1)


def _same_largest(y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any]) -> Any:
    _check_shapes(y_true.shape, y_pred.shape)
    return y_true.argmax(axis=-1) == y_pred.argmax(axis=-1)


def _largest_is(y_true: npt.NDArray[Any], y_pred: npt.NDArray[Any]) -> Any:
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    _check_shapes(y_true.shape, y_pred.shape[:-1])
    return y_true == y_pred.argmax(axis=-1)


def _check_shapes(labels: tuple[int, ...], predictions: tuple[int, ...]) -> None:
    if labels != predictions:
        raise ValueError(f"The shapes of labels and predictions do not match: {labels} and {predictions}.")


def _weights(sample_weight: Any, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One weight for each value; per-sample weights get trailing axes, as many as `values` have more."""
    weights = native.array(sample_weight).astype(np.float64)
    if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim if weights.ndim else 0))
    return np.broadcast_to(weights, values.shape)
