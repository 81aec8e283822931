"""Mistakes that mypy finds: each line that ends in a comment `# mistake: code` is refused, and no other line.

The program is not run.
"""

import numpy as np

import tapegrad as tf

x = tf.Variable([1.0, 2.0])
with tf.GradientTape() as tape:
    y = x * x

tape.gradient(y, 3.0)  # mistake: call-overload
tape.gradient(y)  # mistake: call-overload
tape.gradient(y, x, unconnected_gradients="zeros")  # mistake: call-overload
tape.gradients(y, x)  # mistake: attr-defined
tape.gradient(y, x).size()  # mistake: operator
tape.watch(3.0)  # mistake: arg-type
tape.nbytes = 3  # mistake: misc
tf.GradientTape(persistant=True)  # mistake: call-arg
x.assing(3.0)  # mistake: attr-defined
x.name = "y"  # mistake: misc
tf.reduce_sum(x, axes=0)  # mistake: call-arg
tf.reshape(x)  # mistake: call-arg
tf.linalg.solve(x)  # mistake: call-arg
tf.linalg.sovle(x, x)  # mistake: attr-defined
tf.grad(3.0)  # mistake: arg-type
tf.hessian(np.sum, max_bytes="1 MB")  # mistake: arg-type
text: str = tf.reduce_sum(x)  # mistake: assignment


@tf.recompute_grad
def layer(inputs: tf.Tensor, weights: tf.Variable) -> tf.Tensor:
    return inputs * weights


layer(y)  # mistake: call-arg
layer(y, "w")  # mistake: arg-type


@tf.custom_gradient  # mistake: arg-type
def without_rule(inputs: tf.Tensor) -> tf.Tensor:
    return inputs
