"""Models and Sequential, and complete training steps on them."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

import tapegrad as tf

layers = tf.keras.layers


class TwoLayers(tf.keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.second = layers.Dense(1)
        self.first = layers.Dense(4, activation="tanh")
        self.dropout = layers.Dropout(0.5)
        self.scale = tf.Variable(1.0, name="scale")

    def call(self, inputs, training=False):
        return self.scale * self.second(self.dropout(self.first(inputs), training=training))


def test_variables_of_a_model_are_listed_by_attribute():
    model = TwoLayers()
    assert [v.name for v in model.variables] == ["scale:0"]
    model(np.ones((2, 3)))
    assert [v.shape for v in model.trainable_variables] == [(), (4, 1), (1,), (3, 4), (4,)]
    assert model.layers == [model.second, model.first, model.dropout]
    assert model.count_params() == 1 + 4 + 1 + 12 + 4


def test_layers_in_containers_are_found():
    class Stack(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.parts = [layers.Dense(2), {"last": layers.Dense(1)}]

        def call(self, inputs):
            return self.parts[1]["last"](self.parts[0](inputs))

    model = Stack()
    model(np.ones((1, 3)))
    assert len(model.trainable_variables) == 4
    assert len(model.layers) == 2


def test_get_layer():
    model = TwoLayers()
    assert model.get_layer(index=0) is model.second
    assert model.get_layer(model.first.name) is model.first
    with pytest.raises(ValueError, match="No such layer: nothing"):
        model.get_layer("nothing")
    with pytest.raises(ValueError, match="no layer at index 3"):
        model.get_layer(index=3)
    with pytest.raises(ValueError, match="either a layer name or a layer index"):
        model.get_layer()


def test_sequential_is_built_by_its_first_call():
    model = tf.keras.Sequential([layers.Flatten(), layers.Dense(3, activation="relu"), layers.Dense(2)])
    assert model.variables == []
    assert model(np.ones((5, 2, 2))).shape == (5, 2)
    assert [v.shape for v in model.trainable_variables] == [(4, 3), (3,), (3, 2), (2,)]


def test_sequential_with_an_input_shape_is_built_at_once():
    model = tf.keras.models.Sequential()
    model.add(layers.Conv2D(4, 3, input_shape=(8, 8, 1)))
    assert len(model.variables) == 2
    model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(10))
    assert model.count_params() == 3 * 3 * 4 + 4 + 36 * 10 + 10
    assert model.pop().units == 10
    assert len(model.variables) == 2
    assert len(model.layers) == 3


def test_sequential_messages():
    with pytest.raises(TypeError, match=r"must be an instance of class Layer\. Received: 3 of type int"):
        tf.keras.Sequential([3])
    with pytest.raises(ValueError, match="no layers"):
        tf.keras.Sequential().pop()
    layer = layers.Flatten()
    with pytest.raises(ValueError, match="already in this model"):
        tf.keras.Sequential([layer, layer])


def test_training_reaches_the_layers_of_a_sequential():
    model = tf.keras.Sequential([tf.keras.Sequential([layers.Dropout(0.5)])])
    x = np.ones((20, 20), np.float32)
    assert np.all(model(x).numpy() == 1)
    assert np.any(model(x, training=True).numpy() == 0)
    assert np.all(model(x).numpy() == 1)


def test_the_phase_ends_with_a_failed_call():
    class Fails(layers.Layer):
        def call(self, inputs):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Fails()(1.0, training=True)
    assert np.all(layers.Dropout(0.5)(np.ones(100)).numpy() == 1)


def test_models_can_be_pickled():
    model = tf.keras.Sequential([layers.Dense(3, activation="relu"), layers.BatchNormalization()])
    x = np.ones((2, 4), np.float32)
    expected = model(x).numpy()
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied(x).numpy(), expected)
    assert [v.name for v in copied.variables] == [v.name for v in model.variables]
    copied.variables[0].assign_add(np.ones((4, 3)))
    np.testing.assert_array_equal(model(x).numpy(), expected)


def test_float64_models():
    model = tf.keras.Sequential([layers.Dense(3, dtype="float64")], dtype="float64")
    assert model(np.ones((1, 2))).dtype == tf.float64


def test_train_step():
    tf.random.set_seed(0)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(96, 6)).astype(np.float32)
    labels = np.argmax(images[:, :3] + 0.1 * images[:, 3:], axis=1)
    model = tf.keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(3)])
    loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.Adam(0.02)
    train_loss = tf.keras.metrics.Mean(name="train_loss")
    train_accuracy = tf.keras.metrics.SparseCategoricalAccuracy(name="train_accuracy")

    def train_step(images, labels):
        with tf.GradientTape() as tape:
            predictions = model(images, training=True)
            loss = loss_object(labels, predictions)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        train_loss(loss)
        train_accuracy(labels, predictions)

    losses = []
    for _ in range(60):
        train_loss.reset_state()
        train_accuracy.reset_state()
        for start in range(0, 96, 32):
            train_step(images[start : start + 32], labels[start : start + 32])
        losses.append(float(train_loss.result()))
    assert losses[-1] < 0.15 * losses[0]
    assert float(train_accuracy.result()) > 0.97
    assert int(optimizer.iterations) == 180


def test_models_are_independent_between_threads():
    """`training` given in one thread does not reach the layers that another thread calls."""
    seen = []
    inside, done = threading.Event(), threading.Event()

    class Waits(layers.Layer):
        def call(self, inputs):
            inside.set()
            done.wait(10)
            return inputs

    def other():
        inside.wait(10)
        seen.append(layers.Dropout(0.9)(np.ones(1000)).numpy().min())
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    Waits()(1.0, training=True)
    thread.join()
    assert seen == [1.0]
