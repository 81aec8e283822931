"""Cross-entropies of labels and logits, and the sum of squares."""

from __future__ import annotations

import numpy as np

from tapegrad import _native as native
from tapegrad._native import Tensor
from tapegrad._ops import softmax as _softmax
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.reductions import sum as _sum

__all__ = [
    "l2_loss",
    "log_poisson_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]

_exp = native.elementwise["exp"]
_log = native.elementwise["log"]
_multiply = native.elementwise["multiply"]
_softplus = native.elementwise["softplus"]
_square = native.elementwise["square"]


def sigmoid_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike, name: str | None = None) -> Tensor:
    """The cross-entropy of independent labels in [0, 1] and the probabilities ``sigmoid(logits)``.

    Parameters
    ----------
    labels, logits
        Of the same shape, which is also the result's.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0, 1.0], logits=[0.0, -1000.0]).numpy()
    array([6.931472e-01, 1.000000e+03], dtype=float32)
    """
    return _softmax.sigmoid_cross_entropy(labels, logits)


def softmax_cross_entropy_with_logits(
    labels: TensorLike, logits: TensorLike, axis: int = -1, name: str | None = None
) -> Tensor:
    """The cross-entropy of the distributions `labels` and ``softmax(logits)`` along `axis`.

    Parameters
    ----------
    labels, logits
        Of shapes that broadcast; the result has their shape without `axis`.
    axis : int
        The axis of the classes.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.softmax_cross_entropy_with_logits(labels=[[0.0, 1.0]], logits=[[0.0, 0.0]]).numpy()
    array([0.6931472], dtype=float32)
    """
    return _softmax.softmax_cross_entropy(labels, logits, axis=axis)


def sparse_softmax_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike, name: str | None = None) -> Tensor:
    """Minus the log-probability that ``softmax(logits)`` gives to the classes `labels`.

    Parameters
    ----------
    labels
        Integers from 0 to the number of classes (excluded), shaped like `logits` without its last axis; also
        the result's shape.
    logits
        One row of scores for each label.
    name
        Has no effect.

    Raises
    ------
    TypeError
        If the labels are not integers or the logits not floating point.
    ValueError
        If the shapes do not match, or a label is not a class.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=[[0.0, 0.0]]).numpy()
    array([0.6931472], dtype=float32)
    """
    return _softmax.sparse_softmax_cross_entropy(labels, logits)


def l2_loss(t: TensorLike, name: str | None = None) -> Tensor:
    """``sum(t**2) / 2``.

    Parameters
    ----------
    t
        A tensor.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> float(tf.nn.l2_loss([3.0, 4.0]))
    12.5
    """
    return _multiply(_sum(_square(t)), 0.5)


def weighted_cross_entropy_with_logits(
    labels: TensorLike, logits: TensorLike, pos_weight: TensorLike, name: str | None = None
) -> Tensor:
    """`sigmoid_cross_entropy_with_logits` in which the positive labels count `pos_weight` times.

    Parameters
    ----------
    labels, logits
        Of the same shape.
    pos_weight
        The weight, which is broadcast with them.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.weighted_cross_entropy_with_logits([1.0, 0.0], [0.0, 0.0], pos_weight=2.0).numpy().round(4)
    array([1.3863, 0.6931], dtype=float32)
    """
    labels, logits = as_tensor(labels), as_tensor(logits)
    if labels.shape != logits.shape:
        raise ValueError(
            f"`logits` and `labels` must have the same shape, received ({logits.shape} vs {labels.shape})."
        )
    # Of log(1 + exp(-x)) the positive labels count pos_weight times, and the negative ones have x beside it.
    weights = 1.0 - labels + _multiply(pos_weight, labels)
    return (1.0 - labels) * logits + weights * _softplus(-logits)


def log_poisson_loss(
    targets: TensorLike, log_input: TensorLike, compute_full_loss: bool = False, name: str | None = None
) -> Tensor:
    """Minus the log-likelihood of counts under Poisson distributions, given the logarithms of their means.

    Parameters
    ----------
    targets
        The counts.
    log_input
        The logarithms of the means, of the same shape.
    compute_full_loss : bool
        Whether to add Stirling's approximation of ``log(targets!)`` where a count is above 1.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.log_poisson_loss([1.0, 5.0], [2.0, 3.0]).numpy().round(4)
    array([5.3891, 5.0855], dtype=float32)
    """
    targets, log_input = as_tensor(targets), as_tensor(log_input)
    if targets.shape != log_input.shape:
        raise ValueError(
            f"`log_input` and `targets` must have the same shape, received ({log_input.shape} vs {targets.shape})."
        )
    loss = _exp(log_input) - log_input * targets
    if compute_full_loss:
        stirling = targets * _log(targets) - targets + 0.5 * _log(2.0 * np.pi * targets)
        loss += native.where((targets >= 0.0) & (targets <= 1.0), 0.0, stirling)
    return loss
