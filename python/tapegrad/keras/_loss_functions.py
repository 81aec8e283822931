"""Losses as functions that give one value for each sample, along the last axis of arguments whose shapes agree.

The formulas are Keras's.
"""

from __future__ import annotations

from typing import Any

from tapegrad import _native as native
from tapegrad._native import Tensor
from tapegrad._ops import softmax as cross_entropies
from tapegrad._ops.reductions import mean
from tapegrad._ops.reductions import sum as sum_

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "sparse_categorical_crossentropy",
]

# Probabilities are kept this far away from 0 and 1 before their logarithm is taken.
_EPSILON = 1e-7

_add = native.elementwise["add"]
_absolute = native.elementwise["absolute"]
_clip = native.elementwise["clip"]
_divide = native.elementwise["divide"]
_log = native.elementwise["log"]
_multiply = native.elementwise["multiply"]
_negative = native.elementwise["negative"]
_squared_difference = native.elementwise["squared_difference"]
_subtract = native.elementwise["subtract"]


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean((y_true - y_pred)**2)`` along the last axis.

    Parameters
    ----------
    y_true, y_pred
        Labels and predictions, of shapes that broadcast; the result has no last axis.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.losses.mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]]).numpy()
    array([2.5], dtype=float32)
    """
    y_true, y_pred = _operands(y_true, y_pred)
    return mean(_squared_difference(y_pred, y_true), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """``mean(abs(y_true - y_pred))`` along the last axis.

    Parameters
    ----------
    y_true, y_pred
        As for `mean_squared_error`.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.losses.mean_absolute_error([[0.0, 1.0]], [[1.0, 3.0]]).numpy()
    array([1.5], dtype=float32)
    """
    y_true, y_pred = _operands(y_true, y_pred)
    return mean(_absolute(_subtract(y_pred, y_true)), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """The mean of ``error**2 / 2`` along the last axis, with the tangent from an error of `delta` on.

    Parameters
    ----------
    y_true, y_pred
        As for `mean_squared_error`.
    delta
        The error from which on the loss grows linearly.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.losses.huber([[0.0], [0.0]], [[0.5], [3.0]]).numpy()
    array([0.125, 2.5  ], dtype=float32)
    """
    y_true, y_pred = _operands(y_true, y_pred)
    error = _subtract(y_pred, y_true)
    # With c the error clipped to [-delta, delta], c * (error - c/2) is the square inside,
    # and outside its tangent.
    clipped = _clip(error, -float(delta), float(delta))
    return mean(_multiply(clipped, _subtract(error, _multiply(clipped, 0.5))), axis=-1)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The mean along `axis` of the cross-entropy of labels in [0, 1] and probabilities (or their logits).

    Parameters
    ----------
    y_true, y_pred
        Labels in [0, 1], and predictions of the same shape.
    from_logits
        Whether the predictions are logits rather than probabilities.
    label_smoothing
        How far labels are moved towards 0.5: between 0 (not at all) and 1.
    axis
        The axis of the mean.

    Examples
    --------
    >>> import tapegrad as tf
    >>> round(float(tf.keras.losses.binary_crossentropy([1.0, 0.0], [0.8, 0.4])), 4)
    0.367
    """
    y_true, y_pred = _operands(y_true, y_pred)
    if label_smoothing:
        y_true = _add(_multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)
    if from_logits:
        return mean(cross_entropies.sigmoid_cross_entropy(y_true, y_pred), axis=axis)
    p = _clip(y_pred, _EPSILON, 1.0 - _EPSILON)
    likelihood = _add(_multiply(y_true, _log(p)), _multiply(_subtract(1.0, y_true), _log(_subtract(1.0, p))))
    return _negative(mean(likelihood, axis=axis))


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The cross-entropy of the distributions `y_true` and `y_pred` (or its logits) along `axis`.

    Parameters
    ----------
    y_true, y_pred
        The labels' probabilities of each class, and the predictions of them.
    from_logits
        Whether the predictions are logits rather than probabilities.
    label_smoothing
        How far labels are moved towards the uniform distribution: between 0 (not at all) and 1.
    axis
        The axis of the classes.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    y_true, y_pred = _operands(y_true, y_pred)
    if label_smoothing:
        y_true = _add(_multiply(y_true, 1.0 - label_smoothing), label_smoothing / y_true.shape[axis])
    if from_logits:
        return cross_entropies.softmax_cross_entropy(y_true, y_pred, axis=axis)
    p = _clip(_divide(y_pred, sum_(y_pred, axis=axis, keepdims=True)), _EPSILON, 1.0 - _EPSILON)
    return _negative(sum_(_multiply(y_true, _log(p)), axis=axis))


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False) -> Tensor:
    """The cross-entropy of class numbers and probabilities (or their logits) along the last axis.

    Parameters
    ----------
    y_true, y_pred
        The numbers of the classes, and predictions with one more axis.
    from_logits
        Whether the predictions are logits rather than probabilities.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.keras.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).numpy().round(4)
    array([0.6931], dtype=float32)
    """
    y_pred = native.tensor(y_pred)
    classes = native.array(y_true)
    if classes.dtype.kind not in "iu":
        classes = classes.astype("int64")
    if classes.ndim == y_pred.ndim and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if not from_logits:
        y_pred = _log(_clip(y_pred, _EPSILON, 1.0 - _EPSILON))
    return cross_entropies.sparse_softmax_cross_entropy(classes, y_pred)


def _operands(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both as tensors, the labels in the type of the predictions."""
    y_pred = native.tensor(y_pred)
    if not y_pred.dtype.is_floating:
        y_pred = native.cast(y_pred, "float32")
    return native.cast(y_true, y_pred.dtype), y_pred
