"""The logarithm of a sum of exponentials, safe from overflow."""

from __future__ import annotations

from typing import Any

import tapegrad as tf
from bench.gradbench import wrap
from bench.gradbench.inputs import Json, floats, listed


def _vector(given: Json) -> tf.Tensor:
    return tf.constant(floats(given["x"]))


@wrap.multiple_runs(pre=_vector, post=float)
def primal(x: tf.Tensor) -> tf.Tensor:
    """Return log(sum(exp(x)))."""
    greatest = tf.reduce_max(x)
    return greatest + tf.math.log(tf.reduce_sum(tf.exp(x - greatest)))


@wrap.multiple_runs(pre=_vector, post=listed)
def gradient(x: tf.Tensor) -> Any:
    """Return its gradient."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = primal(x)
    return tape.gradient(y, x)
