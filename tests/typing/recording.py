"""Types of tapes, tensors and variables. mypy checks the declared types, and the tests run this program, too."""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import tapegrad as tf

x = tf.Variable([1.0, 2.0])
c = tf.constant([3.0, 4.0])

# Tensors and variables
assert_type(x, tf.Variable)
assert_type(c, tf.Tensor)
assert_type(x * 2.0, tf.Tensor)
assert_type(2.0 * x, tf.Tensor)
assert_type(x @ c, tf.Tensor)
assert_type(-x, tf.Tensor)
assert_type(x > 0.0, tf.Tensor)
assert_type(x == c, tf.Tensor)
assert_type(c[0], tf.Tensor)
assert_type(c[:, None], tf.Tensor)
assert_type(x.assign([1.0, 2.0]), tf.Variable)
assert_type(x.read_value(), tf.Tensor)
assert_type(c.numpy(), npt.NDArray[Any])
assert_type(x.numpy(), npt.NDArray[Any])
assert_type(float(c[0]), float)
assert_type(c.shape, tuple[int, ...])
assert_type(c.ndim, int)
assert_type(c.dtype, tf.DType)
assert_type([row for row in c], list[tf.Tensor])  # noqa: C416 (what iterating gives)

# A tape: what comes back has the structure of the sources
with tf.GradientTape(persistent=True) as tape:
    tape.watch([x, c])
    y = tf.reduce_sum(x**2 * c)
    both = {"squares": x * x, "cubes": x * x * x}

assert_type(tape, tf.GradientTape)
assert_type(y, tf.Tensor)
assert_type(tape.gradient(y, x), tf.Tensor | Any)  # None where nothing depends on the source
assert_type(tape.gradient(y, c), tf.Tensor | Any)
assert_type(tape.gradient(y, [x, x]), list[tf.Tensor | Any])
assert_type(tape.gradient(y, [x, c]), list[tf.Tensor | Any])
assert_type(tape.gradient(y, (x, x)), tuple[tf.Tensor | Any, ...])
assert_type(tape.gradient(y, {"x": x, "w": x}), dict[str, tf.Tensor | Any])
assert_type(tape.gradient(both, x), tf.Tensor | Any)
assert_type(tape.gradient([y, y], x, output_gradients=[tf.constant(1.0), None]), tf.Tensor | Any)
assert_type(tape.gradient(y, {"x": [x], "c": c}), dict[str, Any])  # a structure of structures
assert_type(tape.gradient(y, x, unconnected_gradients="zero"), tf.Tensor)
assert_type(tape.gradient(y, [x, c], unconnected_gradients=tf.UnconnectedGradients.ZERO), list[tf.Tensor])
assert_type(tape.jacobian(x * c, x), tf.Tensor | Any)
assert_type(tape.jacobian(y, [x, c]), list[tf.Tensor | Any])
assert_type(tape.watched_variables(), tuple[tf.Variable, ...])
assert_type(tape.nbytes, int)
assert_type(tape.to_dot(), str)

with tf.GradientTape(debug=True) as tape:
    z = tf.reduce_sum(x)
assert_type(tape.explain(z, x).reason, str)

# Forward mode
with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as accumulator:
    z = tf.reduce_sum(x * x)
assert_type(accumulator.jvp(z), tf.Tensor | Any)

# NumPy's arrays go in
assert_type(tf.from_numpy(np.ones(2)), tf.Tensor)
