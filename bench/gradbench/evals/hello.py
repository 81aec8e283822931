"""The square of a number, and its derivative."""

from __future__ import annotations

from typing import Any

import tapegrad as tf
from bench.gradbench import wrap


def _number(given: float) -> tf.Tensor:
    return tf.constant(given, tf.float64)


@wrap.function(pre=_number, post=float)
def square(x: tf.Tensor) -> tf.Tensor:
    """Return `x` squared."""
    return x * x


@wrap.function(pre=_number, post=float)
def double(x: tf.Tensor) -> Any:
    """Return the derivative of the square."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = square(x)
    return tape.gradient(y, x)
