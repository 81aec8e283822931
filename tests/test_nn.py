"""`tf.nn`: values against formulas, gradients of both orders, edge points, messages."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import tapegrad as tf
from tapegrad.testing import check_grads

RNG = np.random.default_rng(7)
POINTS = np.array([-7.0, -1.0, -0.25, 0.5, 3.0, 8.0])


def _softmax(x):
    return special.softmax(x, axis=-1)


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "gelu": lambda x: x * special.ndtr(x),
    "silu": lambda x: x * special.expit(x),
    "swish": lambda x: x * special.expit(x),
    "sigmoid": special.expit,
    "log_sigmoid": special.log_expit,
    "softplus": lambda x: np.logaddexp(0, x),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanh": np.tanh,
    "softmax": _softmax,
    "log_softmax": lambda x: special.log_softmax(x, axis=-1),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_values_and_gradients(name):
    function = getattr(tf.nn, name)
    np.testing.assert_allclose(function(POINTS).numpy(), ACTIVATIONS[name](POINTS), rtol=1e-13, atol=1e-15)
    single = function(POINTS.astype(np.float32))
    assert single.dtype == tf.float32
    np.testing.assert_allclose(single.numpy(), ACTIVATIONS[name](POINTS), rtol=3e-6, atol=1e-7)
    check_grads(function, (RNG.normal(size=(3, 4)) + 0.01,), order=2)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_of_numbers_and_lists_are_float32(name):
    result = getattr(tf.nn, name)([-1.0, 2.0])
    assert result.dtype == tf.float32
    assert result.shape == (2,)


def test_gradients_at_kinks():
    for name, slope in {"relu": 0.0, "relu6": 0.0, "leaky_relu": 0.2, "elu": 1.0}.items():
        x = tf.Variable(0.0)
        with tf.GradientTape() as tape:
            y = getattr(tf.nn, name)(x)
        assert float(tape.gradient(y, x)) == pytest.approx(slope)


def test_variants_of_activations():
    x = POINTS
    approximate = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    np.testing.assert_allclose(tf.nn.gelu(x, approximate=True).numpy(), approximate, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(tf.nn.silu(x, beta=2.0).numpy(), x * special.expit(2 * x), rtol=1e-13)
    np.testing.assert_allclose(tf.nn.leaky_relu(x, alpha=0.5).numpy(), np.where(x > 0, x, 0.5 * x))
    np.testing.assert_allclose(
        tf.nn.softmax(x.reshape(2, 3), axis=0).numpy(), special.softmax(x.reshape(2, 3), axis=0), rtol=1e-13
    )
    check_grads(lambda t: tf.nn.silu(t, beta=2.0), (x,), order=2)
    check_grads(lambda t: tf.nn.softmax(t, axis=0), (x.reshape(2, 3),), order=2)
    check_grads(lambda t: tf.nn.log_softmax(t, axis=0), (x.reshape(2, 3),), order=2)


def test_softmax_of_large_logits():
    assert tf.nn.softmax([1000.0, 1000.0, -np.inf]).numpy().tolist() == [0.5, 0.5, 0.0]
    np.testing.assert_allclose(tf.nn.log_softmax([0.0, -1000.0]).numpy(), [0.0, -1000.0])


def test_cross_entropies_agree_with_their_definitions():
    logits, labels = RNG.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    hot = np.eye(3)[labels]
    expected = -special.log_softmax(logits, axis=-1)[np.arange(5), labels]
    sparse = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    np.testing.assert_allclose(sparse.numpy(), expected, rtol=1e-13)
    dense = tf.nn.softmax_cross_entropy_with_logits(labels=hot, logits=logits)
    np.testing.assert_allclose(dense.numpy(), expected, rtol=1e-13)
    binary = tf.nn.sigmoid_cross_entropy_with_logits(labels=hot, logits=logits)
    p = special.expit(logits)
    np.testing.assert_allclose(binary.numpy(), -hot * np.log(p) - (1 - hot) * np.log1p(-p), rtol=1e-12)


def test_cross_entropy_gradients():
    logits, labels = RNG.normal(size=(2, 3, 4)), RNG.integers(0, 4, size=(2, 3))
    targets = RNG.dirichlet(np.ones(4), size=(2, 3))
    check_grads(lambda z: tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z), (logits,), order=2)
    check_grads(tf.nn.softmax_cross_entropy_with_logits, (targets, logits), order=2)
    check_grads(tf.nn.sigmoid_cross_entropy_with_logits, (targets, logits), order=2)


def test_sparse_cross_entropy_gradient_is_softmax_minus_one_hot():
    logits, labels = RNG.normal(size=(4, 3)), np.array([2, 0, 1, 1])
    z = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z))
    expected = _softmax(logits) - np.eye(3)[labels]
    np.testing.assert_allclose(tape.gradient(loss, z).numpy(), expected, rtol=1e-12, atol=1e-15)


def test_sparse_cross_entropy_keeps_its_labels():
    labels = np.array([0, 1])
    z = tf.Variable(RNG.normal(size=(2, 3)))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z))
        labels[:] = 2
        gradient = tape.gradient(loss, z)
    expected = _softmax(z.numpy()) - np.eye(3)[[0, 1]]
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-12)
    assert outer.gradient(gradient, z).shape == (2, 3)


def test_second_gradient_of_a_persistent_tape():
    z = tf.Variable(RNG.normal(size=(2, 3)))
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1], z)
    np.testing.assert_array_equal(tape.gradient(loss, z).numpy(), tape.gradient(loss, z).numpy())


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_cross_entropies_are_stable(dtype):
    logits = np.array([[30000.0, -30000.0], [-30000.0, 30000.0]], dtype)
    sparse = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 1], logits=logits)
    assert sparse.dtype == dtype
    assert sparse.numpy().tolist() == [0.0, 0.0]
    binary = tf.nn.sigmoid_cross_entropy_with_logits(labels=np.array([[1.0, 0.0], [0.0, 1.0]]), logits=logits)
    assert binary.dtype == dtype
    assert binary.numpy().tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_sigmoid_cross_entropy_gradient_at_zero():
    z = tf.Variable([0.0, 0.0])
    with tf.GradientTape() as tape:
        loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=[0.0, 1.0], logits=z)
    assert tape.gradient(loss, z).numpy().tolist() == [0.5, -0.5]


def test_impossible_classes_with_label_zero():
    z = tf.Variable([[0.0, -np.inf, 0.0]])
    with tf.GradientTape() as tape:
        loss = tf.nn.softmax_cross_entropy_with_logits(labels=[[1.0, 0.0, 0.0]], logits=z)
    assert float(loss[0]) == pytest.approx(np.log(2))
    np.testing.assert_allclose(tape.gradient(loss, z).numpy(), [[-0.5, 0.0, 0.5]])


def test_cross_entropy_messages():
    sparse = tf.nn.sparse_softmax_cross_entropy_with_logits
    with pytest.raises(ValueError, match=r"labels.shape=\(3,\) and logits.shape=\(2, 4\)"):
        sparse(labels=[1, 2, 3], logits=np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"label value of 4 which is outside the valid range of \[0, 4\)"):
        sparse(labels=[1, 4], logits=np.zeros((2, 4)))
    with pytest.raises(ValueError, match="label value of -1"):
        sparse(labels=[1, -1], logits=np.zeros((2, 4)))
    with pytest.raises(TypeError, match="labels must be integers"):
        sparse(labels=[1.0, 2.0], logits=np.zeros((2, 4)))
    with pytest.raises(TypeError, match="logits must be floating point, got int"):
        sparse(labels=[1, 2], logits=np.zeros((2, 4), int))
    with pytest.raises(ValueError, match=r"must have the same shape, received \(\(2,\) vs \(3,\)\)"):
        tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0, 0.0, 1.0], logits=[0.0, 1.0])


def test_l2_loss():
    assert float(tf.nn.l2_loss([3.0, 4.0])) == 12.5
    check_grads(tf.nn.l2_loss, (RNG.normal(size=(2, 3)),), order=2)


def test_dropout():
    tf.random.set_seed(3)
    x = tf.Variable(tf.ones((200, 50)))
    with tf.GradientTape() as tape:
        y = tf.nn.dropout(x, rate=0.2)
    values = y.numpy()
    assert set(np.unique(values)) == {np.float32(0), np.float32(1.25)}
    assert np.mean(values == 0) == pytest.approx(0.2, abs=0.02)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), values)
    rows = tf.nn.dropout(x, rate=0.5, noise_shape=(200, 1)).numpy()
    assert np.all(rows == rows[:, :1])
    assert np.all(tf.nn.dropout(x, rate=0.0).numpy() == 1)


def test_dropout_drops_infinities():
    tf.random.set_seed(1)
    values = tf.nn.dropout(np.full(100, np.inf), rate=0.5).numpy()
    assert set(values.tolist()) == {0.0, np.inf}


def test_dropout_messages():
    with pytest.raises(ValueError, match=r"rate=1\.5"):
        tf.nn.dropout([1.0], rate=1.5)
    with pytest.raises(ValueError, match="must be floating point"):
        tf.nn.dropout([1], rate=0.5)


def test_embedding_lookup():
    table, ids = RNG.normal(size=(5, 3)), np.array([[0, 4], [4, 1]])
    np.testing.assert_array_equal(tf.nn.embedding_lookup(table, ids).numpy(), table[ids])
    check_grads(lambda t: tf.nn.embedding_lookup(t, ids), (table,), order=2)
    limited = tf.nn.embedding_lookup(table, ids, max_norm=0.5).numpy()
    assert np.all(np.linalg.norm(limited, axis=-1) <= 0.5 + 1e-12)


def _conv2d(x, w, stride):
    rows = (x.shape[1] - w.shape[0]) // stride + 1
    columns = (x.shape[2] - w.shape[1]) // stride + 1
    out = np.empty((x.shape[0], rows, columns, w.shape[3]))
    for i in range(rows):
        for j in range(columns):
            window = x[:, i * stride : i * stride + w.shape[0], j * stride : j * stride + w.shape[1]]
            out[:, i, j] = np.tensordot(window, w, axes=3)
    return out


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
def test_conv2d(stride, data_format):
    x, w = RNG.normal(size=(2, 5, 6, 3)), RNG.normal(size=(3, 2, 3, 4))
    expected = _conv2d(x, w, stride)
    strides = [1, stride, stride, 1]
    if data_format == "NCHW":
        x, expected, strides = x.transpose(0, 3, 1, 2), expected.transpose(0, 3, 1, 2), [1, 1, stride, stride]
    for steps in (stride, strides):
        result = tf.nn.conv2d(x, w, strides=steps, padding="VALID", data_format=data_format)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12, atol=1e-13)
    check_grads(lambda a, b: tf.nn.conv2d(a, b, strides, "SAME", data_format=data_format), (x, w), order=2)


def test_conv2d_same_padding_is_a_padded_valid_one():
    x, w = RNG.normal(size=(1, 5, 5, 2)), RNG.normal(size=(3, 3, 2, 2))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    same = tf.nn.conv2d(x, w, strides=2, padding="SAME")
    np.testing.assert_allclose(same.numpy(), _conv2d(padded, w, 2), rtol=1e-12, atol=1e-13)
    explicit = tf.nn.conv2d(x, w, strides=2, padding=[[0, 0], [1, 1], [1, 1], [0, 0]])
    np.testing.assert_allclose(explicit.numpy(), same.numpy(), rtol=1e-14)


def test_pooling():
    x = RNG.normal(size=(2, 4, 6, 3))
    blocks = x.reshape(2, 2, 2, 3, 2, 3)
    np.testing.assert_array_equal(tf.nn.max_pool2d(x, 2, 2, "VALID").numpy(), blocks.max(axis=(2, 4)))
    np.testing.assert_allclose(
        tf.nn.avg_pool2d(x, 2, 2, "VALID").numpy(), blocks.mean(axis=(2, 4)), rtol=1e-13
    )
    channels_first = tf.nn.max_pool(x.transpose(0, 3, 1, 2), 2, 2, "VALID", data_format="NCHW")
    np.testing.assert_array_equal(channels_first.numpy(), blocks.max(axis=(2, 4)).transpose(0, 3, 1, 2))
    for pool in (tf.nn.max_pool, tf.nn.avg_pool):
        check_grads(lambda a, pool=pool: pool(a, 3, 2, "SAME"), (x,), order=2)


def test_data_format_message():
    with pytest.raises(ValueError, match="'NHWC' or 'NCHW', got 'CHWN'"):
        tf.nn.conv2d(np.ones((1, 2, 2, 1)), np.ones((1, 1, 1, 1)), 1, "VALID", data_format="CHWN")
