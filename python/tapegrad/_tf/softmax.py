"""TensorFlow's names for normalised exponentials, which are both in `tf.nn` and in `tf.math`."""

from __future__ import annotations

from tapegrad._native import Tensor
from tapegrad._ops import softmax as operations
from tapegrad._ops.declare import TensorLike

__all__ = ["log_softmax", "softmax"]


def softmax(logits: TensorLike, axis: int | None = None, name: str | None = None) -> Tensor:
    """Return `exp(logits)` scaled to a sum of 1 along `axis`, the last one by default.

    Parameters
    ----------
    logits
        A real tensor.
    axis
        The axis over which the result sums to 1; `None` is the last one.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.softmax([1000.0, 1000.0]).numpy()
    array([0.5, 0.5], dtype=float32)
    """
    result: Tensor = operations.softmax(logits, axis=-1 if axis is None else axis)
    return result


def log_softmax(logits: TensorLike, axis: int | None = None, name: str | None = None) -> Tensor:
    """Return the logarithm of `softmax`, accurate also where that is tiny.

    Parameters
    ----------
    logits
        A real tensor.
    axis
        The axis over which the result's exponentials sum to 1; `None` is the last one.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.log_softmax([0.0, -1000.0]).numpy()
    array([    0., -1000.], dtype=float32)
    """
    result: Tensor = operations.log_softmax(logits, axis=-1 if axis is None else axis)
    return result
