"""The tape, which is native, and what its `gradient` method can be asked for."""

from __future__ import annotations

import enum

from tapegrad._native import GradientTape

__all__ = ["GradientTape", "UnconnectedGradients"]


class UnconnectedGradients(enum.Enum):
    """What `GradientTape.gradient` returns for a source that the target does not depend on.

    Wherever one of these is accepted, so is its value as a string.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x, unrelated = tf.Variable(3.0), tf.Variable([1.0, 2.0])
    >>> with tf.GradientTape() as tape:
    ...     y = x * x
    >>> tape.gradient(y, unrelated, unconnected_gradients=tf.UnconnectedGradients.ZERO).numpy()
    array([0., 0.], dtype=float32)
    """

    NONE = "none"
    """`None`: there is no dependence, which is not the same as a slope of zero."""
    ZERO = "zero"
    """Zeros with the shape and dtype of the source."""
