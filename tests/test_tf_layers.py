"""`tf.keras.layers.Layer` as programs subclass it: variables in Keras's argument forms, losses, structures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf

layers = tf.keras.layers


def square(variable: Any) -> Any:
    return tf.reduce_sum(variable**2)


FORMS: dict[str, Callable[[Any], Any]] = {
    "Keras 3, by name": lambda layer: layer.add_weight(
        shape=(2, 3), initializer="ones", dtype="float64", trainable=False, name="w", autocast=True, aggregation="none"
    ),
    "Keras 3, by position": lambda layer: layer.add_weight((2, 3), "ones", "float64", False, name="w"),
    "Keras 2, by name": lambda layer: layer.add_weight(
        name="w", shape=[2, 3], dtype=tf.float64, initializer=tf.ones_initializer(), trainable=False
    ),
    "Keras 2, by position": lambda layer: layer.add_weight("w", (2, 3), "float64", "ones", None, False),
    "Keras 2, mixed": lambda layer: layer.add_weight(
        "w", shape=tf.TensorShape([2, 3]), dtype="float64", initializer="ones", trainable=False
    ),
    "a function": lambda layer: layer.add_weight(
        shape=[tf.constant(2), 3], initializer=tf.ones, dtype="float64", trainable=False, name="w"
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_add_weight(name: str) -> None:
    layer = layers.Layer(name="layer")
    weight = FORMS[name](layer)
    assert weight.name == "layer/w:0"
    assert not weight.trainable
    np.testing.assert_array_equal(weight, np.ones((2, 3)), strict=True)


def test_defaults_of_add_weight() -> None:
    tf.random.set_seed(1)  # a draw may be the limit rounded to float32, which can be above it
    layer = layers.Layer(name="layer")
    scalar = layer.add_weight()
    assert (scalar.shape, scalar.dtype, scalar.trainable, scalar.name) == ((), tf.float32, True, "layer/variable:0")
    assert layer.add_weight(shape=3, dtype="int32").numpy().tolist() == [0, 0, 0]
    limit = np.sqrt(6 / 300)
    kernel = layer.add_weight((100, 200)).numpy()
    assert 0.9 * limit < np.abs(kernel).max() <= limit
    assert layers.Layer(dtype="float64").add_weight().dtype is tf.float64


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda layer: layer.add_weight((2,), shape=(2,)), TypeError, "each of them once; got 1 values and shape"),
        (
            lambda layer: layer.add_weight("w", name="v"),
            TypeError,
            "name, shape, dtype, initializer, regularizer, trai",
        ),
        (lambda layer: layer.add_weight((2,), "ones", None, True, 5), TypeError, "got 5 values and no others"),
        (lambda layer: layer.add_weight(constraint=abs), ValueError, "`constraint` is not supported"),
        (lambda layer: layer.add_weight(regularizer="l2"), ValueError, "must be a function of the variable, got 'l2'"),
        (lambda layer: layer.add_weight(initializer="one"), ValueError, "Unknown initializer 'one'"),
        (lambda layer: layer.add_weight((None, 2)), TypeError, "An integer is needed, not None"),
        (lambda layer: layer.add_loss(1.0), ValueError, r"takes tensors, got 1.0 of type float"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[Any], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call(layers.Layer())


class Linear(layers.Layer):
    """As in Keras's guides."""

    def __init__(self, units: int = 2, penalty: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.penalty = penalty

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="random_normal", regularizer=square, name="kernel"
        )
        self.bias = self.add_weight("bias", shape=(self.units,), initializer="zeros")
        self.calls = self.add_weight(shape=(), dtype="int32", trainable=False, name="calls")
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        self.calls.assign_add(1)
        outputs = tf.matmul(inputs, self.kernel) + self.bias
        self.add_loss(self.penalty * tf.reduce_sum(outputs))
        return outputs


def test_a_layer_is_built_once_and_lists_its_variables() -> None:
    layer = Linear(3, name="linear")
    assert not layer.built
    assert layer.weights == []
    layer(tf.ones((4, 2)))
    layer(tf.ones((1, 2)))
    assert layer.built
    assert [v.name for v in layer.trainable_weights] == ["linear/kernel:0", "linear/bias:0"]
    assert [v.name for v in layer.non_trainable_weights] == ["linear/calls:0"]
    assert layer.weights == layer.variables == [layer.kernel, layer.bias, layer.calls]
    assert [w.shape for w in layer.get_weights()] == [(2, 3), (3,), ()]
    assert int(layer.calls) == 2
    layer.set_weights([np.ones((2, 3)), np.full(3, 0.5), 0])
    np.testing.assert_array_equal(layer([[1.0, 2.0]]), [[3.5, 3.5, 3.5]])


def test_losses_are_those_of_the_last_call() -> None:
    layer = Linear(1, penalty=0.5)
    layer(tf.ones((1, 2)))
    layer.set_weights([[[1.0], [2.0]], [0.0], 0])
    for rows in (1, 3):
        with tf.GradientTape() as tape:
            layer(tf.ones((rows, 2)))
            total = tf.add_n(layer.losses)
        assert [float(loss) for loss in layer.losses] == [1.5 * rows, 5.0]
        by_kernel, by_bias = tape.gradient(total, layer.trainable_variables)
        np.testing.assert_allclose(by_kernel, [[0.5 * rows + 2.0], [0.5 * rows + 4.0]])
        np.testing.assert_allclose(by_bias, [0.5 * rows])
    layer.trainable = False
    assert [float(loss) for loss in layer.losses] == [4.5]


def test_losses_of_layers_within() -> None:
    class Twice(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Linear(2, penalty=1.0)
            self.skip = True

        def call(self, inputs: Any) -> Any:
            if self.skip:
                return inputs
            self.add_loss([tf.constant(10.0)])
            return self.inner(self.inner(inputs))

    model = Twice()
    model(tf.ones((1, 2)))
    assert model.losses == []
    model.skip = False
    for _ in range(2):
        model(tf.zeros((1, 2)))
    # Its own, one for each call of the inner layer, and the penalty of the kernel.
    assert len(model.losses) == 4
    assert len(model.inner.losses) == 3
    model.skip = True
    model(tf.zeros((1, 2)))
    assert len(model.losses) == 1


def test_a_call_that_fails_does_not_swallow_the_next_losses() -> None:
    class Fails(layers.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(tf.constant(1.0))
            if float(inputs) < 0.0:
                raise ValueError("negative")
            return inputs

    layer = Fails()
    with pytest.raises(ValueError, match="negative"):
        layer(tf.constant(-1.0))
    layer(tf.constant(1.0))
    assert len(layer.losses) == 1


def test_a_layer_of_a_structure() -> None:
    class Weighted(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.shapes = input_shape
            self.weight = self.add_weight(shape=input_shape["x"][1:], initializer="ones")

        def call(self, inputs: Any, scale: float = 1.0) -> Any:
            return {"y": scale * self.weight * inputs["x"], "z": inputs["more"][0]}

    layer = Weighted()
    result = layer({"x": np.ones((2, 3)), "more": [tf.zeros(4)]}, scale=2.0)
    assert layer.shapes == {"x": (2, 3), "more": [(4,)]}
    np.testing.assert_array_equal(result["y"], np.full((2, 3), 2.0, np.float32), strict=True)
