"""Types of functions: TensorFlow's names, functions of functions, derivatives of the program's own, Keras."""

from collections.abc import Callable
from typing import Any, assert_type

import numpy as np

import tapegrad as tf

x = tf.constant([[1.0, 2.0], [3.0, 5.0]])
v = tf.Variable([1.0, 2.0])

# TensorFlow's names
assert_type(tf.sin(x), tf.Tensor)
assert_type(tf.add(x, 1.0), tf.Tensor)
assert_type(tf.math.log(x), tf.Tensor)
assert_type(tf.math.reduce_std(x), tf.Tensor)
assert_type(tf.reduce_sum(v, axis=0), tf.Tensor)
assert_type(tf.reshape(x, (4,)), tf.Tensor)
assert_type(tf.matmul(x, x), tf.Tensor)
assert_type(tf.where(x > 0.0, x, 0.0), tf.Tensor)
assert_type(tf.concat([x, x], axis=0), tf.Tensor)
assert_type(tf.stack([v, v]), tf.Tensor)
assert_type(tf.unstack(x), list[tf.Tensor])
assert_type(tf.split(x, 2), list[tf.Tensor])
assert_type(tf.cast(x, tf.float64), tf.Tensor)
assert_type(tf.stop_gradient(x), tf.Tensor)
assert_type(tf.cond(True, lambda: x, lambda: 1.0), tf.Tensor | float)
assert_type(tf.linalg.solve(x, x), tf.Tensor)
assert_type(tf.linalg.eigh(x), tuple[tf.Tensor, tf.Tensor])
assert_type(tf.linalg.svd(x), tuple[tf.Tensor, tf.Tensor, tf.Tensor])
assert_type(tf.linalg.svd(x, compute_uv=False), tf.Tensor)
assert_type(tf.nn.relu(x), tf.Tensor)
assert_type(tf.random.normal((2, 2)), tf.Tensor)


# Functions of functions: arrays give arrays and tensors give tensors, so their results are Any
def cost(p: Any, scale: float = 1.0) -> Any:
    return scale * np.sum(p**2)


point = np.array([1.0, 2.0])
assert_type(tf.grad(cost), Callable[..., Any])
assert_type(tf.grad(cost)(point), Any)
assert_type(tf.value_and_grad(cost)(point, 2.0), tuple[Any, Any])
assert_type(tf.jvp(cost, (point,), (point,)), tuple[Any, Any])
assert_type(tf.vjp(cost, point), tuple[Any, Callable[[Any], Any]])
assert_type(tf.hessian(cost)(point), Any)
assert_type(tf.flatten({"p": point}), tuple[Any, Callable[[Any], Any]])
slopes: np.ndarray = tf.grad(cost)(point)


# Decorators keep the signature
@tf.recompute_grad
def layer(inputs: tf.Tensor, weights: tf.Variable) -> tf.Tensor:
    return tf.tanh(inputs * weights)


@tf.custom_gradient
def clipped_exp(inputs: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    y = tf.exp(inputs)
    return y, lambda upstream: upstream * tf.minimum(y, 10.0)


@tf.function
def doubled(inputs: tf.Tensor) -> tf.Tensor:
    return 2.0 * inputs


assert_type(layer(x, v), tf.Tensor)
assert_type(clipped_exp(x), tf.Tensor)
assert_type(doubled(x), tf.Tensor)

# Keras
layers = tf.keras.layers
model = tf.keras.Sequential([layers.Dense(3, activation="relu"), layers.Dense(1)])
model(x)
assert_type(model.trainable_variables, list[tf.Variable])
assert_type(tf.keras.losses.MeanSquaredError()(x, x), tf.Tensor)
assert_type(tf.keras.metrics.Mean()(x), tf.Tensor)
