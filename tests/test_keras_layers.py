"""Layers: values against formulas, names, building, input conversion, `training`, messages."""

from __future__ import annotations

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

layers = tf.keras.layers
RNG = np.random.default_rng(5)


def test_dense_values_and_gradients():
    layer = layers.Dense(2, activation="relu")
    x = RNG.normal(size=(4, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_mean(y**2)
    kernel, bias = (v.numpy() for v in layer.trainable_variables)
    hidden = x @ kernel + bias
    np.testing.assert_allclose(y.numpy(), np.maximum(hidden, 0), rtol=1e-6)
    slope = 2 * np.maximum(hidden, 0) / hidden.size
    kernel_gradient, bias_gradient = tape.gradient(loss, layer.trainable_variables)
    np.testing.assert_allclose(kernel_gradient.numpy(), x.T @ slope, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(bias_gradient.numpy(), slope.sum(axis=0), rtol=1e-5, atol=1e-7)


def test_names_are_numbered():
    first, second = layers.Dense(1), layers.Dense(1)
    stem, _, number = first.name.partition("_")
    assert stem == "dense"
    assert second.name == f"dense_{int(number or 0) + 1}"
    first.build((None, 2))
    assert [v.name for v in first.variables] == [f"{first.name}/kernel:0", f"{first.name}/bias:0"]
    named = layers.Dense(1, use_bias=False, name="scores")
    named(np.ones((1, 2)))
    assert [v.name for v in named.weights] == ["scores/kernel:0"]
    assert layers.MaxPooling2D().name.startswith("max_pooling2d")
    assert layers.BatchNormalization().name.startswith("batch_normalization")


def test_inputs_are_converted():
    layer = layers.Dense(2)
    assert layer([[1.0, 2.0, 3.0]]).shape == (1, 2)
    for x in (
        np.ones((1, 3)),
        np.ones((1, 3), int),
        tf.ones((1, 3), tf.float16),
        tf.Variable(np.ones((1, 3))),
    ):
        assert layer(x).dtype == tf.float32
    assert layer(np.ones((2, 5, 3))).shape == (2, 5, 2)


def test_float64_layers():
    layer = layers.Dense(2, dtype="float64")
    assert layer(np.ones((1, 3))).dtype == tf.float64
    assert layer.kernel.dtype == tf.float64
    kernel = tf.constant(RNG.normal(size=(3, 2)))

    def run(x, k):
        return tf.nn.tanh(tf.matmul(x, k))

    check_grads(run, (RNG.normal(size=(4, 3)), kernel.numpy()), order=2)


def test_structured_inputs():
    class Both(layers.Layer):
        def build(self, input_shape):
            self.shapes = input_shape

        def call(self, inputs):
            left, right = inputs
            return left + right

    layer = Both()
    assert layer([np.ones((2, 1)), tf.ones((2, 3))]).dtype == tf.float32
    assert layer.shapes == [(2, 1), (2, 3)]


def test_glorot_uniform_is_the_default():
    tf.random.set_seed(1)
    layer = layers.Dense(200)
    layer.build((None, 100))
    limit = np.sqrt(6 / 300)
    kernel = layer.kernel.numpy()
    assert np.abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert not layer.bias.numpy().any()


def test_seeds_make_layers_repeatable():
    kernels = []
    for _ in range(2):
        tf.random.set_seed(42)
        layer = layers.Dense(3)
        layer(np.ones((1, 2)))
        kernels.append(layer.kernel.numpy())
    np.testing.assert_array_equal(*kernels)


def test_weights_are_made_once_and_can_be_set():
    layer = layers.Dense(2)
    assert layer.weights == []
    layer(np.ones((1, 3)))
    kernel = layer.kernel
    layer(np.ones((2, 3)))
    assert layer.kernel is kernel
    layer.set_weights([np.ones((3, 2)), np.zeros(2)])
    assert layer([[1.0, 2.0, 3.0]]).numpy().tolist() == [[6.0, 6.0]]
    assert [w.tolist() for w in layer.get_weights()] == [[[1.0, 1.0]] * 3, [0.0, 0.0]]
    with pytest.raises(ValueError, match="1 arrays, but the layer has 2 weights"):
        layer.set_weights([np.ones((3, 2))])


def test_frozen_layers():
    layer = layers.Dense(2)
    layer(np.ones((1, 3)))
    layer.trainable = False
    assert layer.trainable_variables == []
    assert len(layer.non_trainable_variables) == 2


def test_bad_inputs_leave_a_layer_as_it_was():
    layer = layers.Dense(2, name="d")
    with pytest.raises(
        ValueError, match=r'layer "d" .* expected min_ndim=2, found ndim=1. .* received: \(3,\)'
    ):
        layer(np.ones(3))
    assert layer([[1.0, 2.0]]).shape == (1, 2)
    with pytest.raises(ValueError, match=r"axis -1 of input shape to have value 2, but .* shape \(1, 5\)"):
        layer(np.ones((1, 5)))


def test_bad_arguments():
    with pytest.raises(ValueError, match="`units` must be a positive integer, got 0"):
        layers.Dense(0)
    with pytest.raises(ValueError, match="Unknown activation function 'rely'"):
        layers.Dense(2, activation="rely")
    with pytest.raises(ValueError, match="Unknown initializer 'glorot'"):
        layers.Dense(2, kernel_initializer="glorot")
    with pytest.raises(ValueError, match="`rate` must be in the range"):
        layers.Dropout(1.0)
    with pytest.raises(ValueError, match="'valid' or 'same', got 'full'"):
        layers.Conv2D(1, 3, padding="full")
    with pytest.raises(ValueError, match="`strides` must be a positive integer"):
        layers.Conv2D(1, 3, strides=(1, 2, 3))
    with pytest.raises(ValueError, match="must be positive"):
        layers.Embedding(0, 3)


def test_forgotten_super_call():
    class Forgetful(layers.Layer):
        def __init__(self):
            self.factor = 2.0

        def call(self, inputs):
            return inputs * self.factor

    with pytest.raises(RuntimeError, match=r"Forgetful did not run `super\(\).__init__\(\)`"):
        Forgetful()(1.0)


def test_layers_without_call():
    with pytest.raises(NotImplementedError, match="Layer must define `call"):
        layers.Layer()(1.0)


def test_flatten():
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(layers.Flatten()(x).numpy(), x.reshape(2, 12))
    assert layers.Flatten()(np.ones(3)).shape == (3, 1)
    assert layers.Flatten()(np.ones((0, 3, 4))).shape == (0, 12)


def test_dropout_only_in_training():
    layer = layers.Dropout(0.5)
    x = np.ones((10, 10), np.float32)
    assert np.all(layer(x).numpy() == 1)
    assert np.all(layer(x, training=False).numpy() == 1)
    assert set(layer(x, training=True).numpy().ravel()) == {0.0, 2.0}


def test_dropout_with_a_seed():
    x = np.ones((10, 10), np.float32)
    layer = layers.Dropout(0.5, seed=3)
    runs = []
    for _ in range(2):
        tf.random.set_seed(0)
        runs.append([layer(x, training=True).numpy() for _ in range(2)])
    np.testing.assert_array_equal(*runs)
    assert np.any(runs[0][0] != runs[0][1])


def test_embedding():
    layer = layers.Embedding(10, 4)
    ids = np.array([[1, 2], [9, 1]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(ids))
    np.testing.assert_array_equal(layer(ids).numpy(), layer.embeddings.numpy()[ids])
    assert np.abs(layer.embeddings.numpy()).max() <= 0.05
    counts = tf.convert_to_tensor(tape.gradient(loss, layer.embeddings)).numpy()[:, 0]
    assert counts.tolist() == [0, 2, 1, 0, 0, 0, 0, 0, 0, 1]
    np.testing.assert_array_equal(layer(ids.astype(float)).numpy(), layer(ids).numpy())


def test_conv2d_layer():
    layer = layers.Conv2D(4, (3, 2), strides=2, padding="same", activation="tanh", bias_initializer="ones")
    x = RNG.normal(size=(2, 5, 6, 3)).astype(np.float32)
    expected = np.tanh(tf.nn.conv2d(x, tf.zeros((3, 2, 3, 4)), 2, "SAME").numpy() + 1)
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_sum(y)
    assert y.shape == expected.shape == (2, 3, 3, 4)
    reference = tf.nn.conv2d(x, layer.kernel, [1, 2, 2, 1], "SAME") + layer.bias
    np.testing.assert_allclose(y.numpy(), np.tanh(reference.numpy()), rtol=1e-5)
    assert [g.shape for g in tape.gradient(loss, layer.trainable_variables)] == [(3, 2, 3, 4), (4,)]
    with pytest.raises(ValueError, match="expected ndim=4, found ndim=3"):
        layer(np.ones((5, 6, 3)))


def test_max_pooling_layer():
    x = RNG.normal(size=(1, 4, 4, 2)).astype(np.float32)
    expected = x.reshape(1, 2, 2, 2, 2, 2).max(axis=(2, 4))
    np.testing.assert_array_equal(layers.MaxPooling2D()(x).numpy(), expected)
    assert layers.MaxPooling2D(3, strides=1, padding="same")(x).shape == (1, 4, 4, 2)


@pytest.mark.parametrize(("shape", "axis"), [((6, 3), -1), ((4, 5, 3), -1), ((4, 3, 5), 1)])
def test_batch_normalization(shape, axis):
    layer = layers.BatchNormalization(axis=axis, momentum=0.9, dtype="float64")
    x = RNG.normal(2.0, 3.0, size=shape)
    others = tuple(k for k in range(len(shape)) if k != axis % len(shape))
    mean, variance = x.mean(axis=others, keepdims=True), x.var(axis=others, keepdims=True)
    normalized = layer(x, training=True)
    np.testing.assert_allclose(
        normalized.numpy(), (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean.ravel(), rtol=1e-12)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * variance.ravel(), rtol=1e-12)
    moving = [v.numpy().reshape(mean.shape) for v in (layer.moving_mean, layer.moving_variance)]
    expected = (x - moving[0]) / np.sqrt(moving[1] + 1e-3)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-10)
    check_grads(lambda t: layer(t, training=True), (x,), order=2)
    check_grads(lambda t: layer(t), (x,), order=1)


def test_batch_normalization_variables():
    layer = layers.BatchNormalization(name="norm")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(RNG.normal(size=(4, 3)), training=True) ** 2)
    assert [v.name for v in layer.trainable_variables] == ["norm/gamma:0", "norm/beta:0"]
    assert [v.name for v in layer.non_trainable_variables] == ["norm/moving_mean:0", "norm/moving_variance:0"]
    assert set(map(id, tape.watched_variables())) == set(map(id, layer.trainable_variables))
    assert all(g is not None for g in tape.gradient(loss, layer.trainable_variables))
    layer.trainable = False
    before = layer.moving_mean.numpy()
    layer(RNG.normal(size=(4, 3)), training=True)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), before)


def test_batch_normalization_without_scale_and_center():
    layer = layers.BatchNormalization(scale=False, center=False)
    layer(np.ones((2, 3)))
    assert layer.trainable_variables == []
    with pytest.raises(ValueError, match="it has no axis 3"):
        layers.BatchNormalization(axis=3)(np.ones((2, 3)))


def test_training_reaches_inner_layers():
    class Inner(layers.Layer):
        def call(self, inputs, training=None):
            return training

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def call(self, inputs):
            return self.inner(inputs), self.inner(inputs, training=False), self.inner(inputs, training=None)

    assert Outer()(1.0, training=True) == (True, False, True)
    assert Outer()(1.0) == (None, False, None)
    assert Inner()(1.0) is None


def test_training_without_a_default():
    class Strict(layers.Layer):
        def call(self, inputs, training):
            return training

    assert Strict()(1.0) is False
    assert Strict()(1.0, training=True) is True


def test_activations_by_name():
    get = tf.keras.activations.get
    assert get(None)(3.0) == 3.0
    assert get("swish") is tf.nn.silu
    assert float(get("exponential")(tf.constant(0.0))) == 1.0
    with pytest.raises(ValueError, match="Could not interpret activation 3"):
        get(3)
