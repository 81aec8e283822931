"""Cross-entropies of labels and logits, and the sum of squares."""

from __future__ import annotations

from tapegrad import _native as native
from tapegrad._native import Tensor
from tapegrad._ops import softmax as _softmax
from tapegrad._ops.declare import TensorLike
from tapegrad._ops.reductions import sum as _sum

__all__ = [
    "l2_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
]

_multiply = native.elementwise["multiply"]
_square = native.elementwise["square"]


def sigmoid_cross_entropy_with_logits(
    labels: TensorLike, logits: TensorLike, name: str | None = None
) -> Tensor:
    """The cross-entropy of independent labels in [0, 1] and the probabilities ``sigmoid(logits)``.

    Parameters
    ----------
    labels, logits
        Of the same shape, which is also the result's.
    name : str, optional
        Accepted as in TensorFlow, and not used.

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
    name : str, optional
        Accepted as in TensorFlow, and not used.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.softmax_cross_entropy_with_logits(labels=[[0.0, 1.0]], logits=[[0.0, 0.0]]).numpy()
    array([0.6931472], dtype=float32)
    """
    return _softmax.softmax_cross_entropy(labels, logits, axis=axis)


def sparse_softmax_cross_entropy_with_logits(
    labels: TensorLike, logits: TensorLike, name: str | None = None
) -> Tensor:
    """Minus the log-probability that ``softmax(logits)`` gives to the classes `labels`.

    Parameters
    ----------
    labels
        Integers from 0 to the number of classes (excluded), shaped like `logits` without its last axis; also
        the result's shape.
    logits
        One row of scores for each label.
    name : str, optional
        Accepted as in TensorFlow, and not used.

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

    >>> import tapegrad as tf
    >>> float(tf.nn.l2_loss([3.0, 4.0]))
    12.5
    """
    return _multiply(_sum(_square(t)), 0.5)
