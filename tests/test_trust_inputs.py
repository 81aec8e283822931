"""Inputs of every memory layout, and of extreme sizes."""

import numpy as np
import pytest

import tapegrad as tf
from tapegrad import memory
from tapegrad._native import from_numpy
from tapegrad.testing import check_grads


def unaligned(values):
    """A copy of an array whose elements are at odd addresses."""
    memory = np.zeros(values.nbytes + 1, np.uint8)
    result = memory[1:].view(values.dtype).reshape(values.shape)
    result[...] = values
    assert not result.flags.aligned
    return result


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "every other": lambda a: np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2],
    "backwards": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    "offset": lambda a: np.pad(a, 1)[1:-1, 1:-1],
    "unaligned": unaligned,
    "byte-swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "byte-swapped and unaligned": lambda a: unaligned(a.astype(a.dtype.newbyteorder())),
    "field of a record": lambda a: np.rec.fromarrays([a.astype("i1"), a])["f1"],
    "matrix": lambda a: a.view(np.matrix),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


def program(a, b):
    """A bit of everything, of matrices with the same shape."""
    c = tf.sin(a) * b + tf.reduce_sum(a, axis=0) - tf.reduce_mean(b, axis=1, keepdims=True)
    d = tf.matmul(c, tf.transpose(a)) @ b
    e = tf.concat([d, tf.reshape(tf.transpose(c), d.shape)], axis=1)[::2, 1:-1]
    return tf.reduce_sum(tf.where(e > 0.0, e * e, tf.exp(e)))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("enter", [tf.constant, from_numpy, tf.Variable])
def test_layouts(layout, dtype, enter, rng):
    arrays = [rng.uniform(-1.0, 1.0, (4, 6)).astype(dtype) for _ in range(2)]

    def run(arrange, enter):
        a, b = (enter(arrange(x)) for x in arrays)
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            y = program(a, b)
        return [y.numpy(), *(g.numpy() for g in tape.gradient(y, [a, b]))]

    for found, expected in zip(run(LAYOUTS[layout], enter), run(np.copy, tf.constant), strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=100 * np.finfo(dtype).eps)


def test_program_has_the_right_gradient(rng):
    check_grads(program, tuple(rng.uniform(-1.0, 1.0, (2, 4, 6))), order=2, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4), (1, 0)])
def test_zero_size(shape):
    x = tf.Variable(np.zeros(shape))
    with tf.GradientTape() as outer:
        with tf.GradientTape(persistent=True) as tape:
            y = tf.exp(x) * x + tf.transpose(tf.transpose(x))
            total = tf.reduce_sum(y)
            product = tf.reshape(x, (-1, 1) if x.size else (0, 1)) @ tf.ones((1, 2), dtype=tf.float64)
        gradient = tape.gradient(total, x)
    assert total.numpy() == 0.0
    assert product.shape == (0, 2)
    for g in (gradient, tape.gradient(y, x), tape.gradient(product, x), outer.gradient(gradient, x)):
        assert g.shape == shape
        assert g.dtype == tf.float64


def test_matmul_over_nothing_is_zero():
    a, b = tf.Variable(tf.zeros((3, 0))), tf.Variable(tf.zeros((0, 2)))
    with tf.GradientTape() as tape:
        y = a @ b
    np.testing.assert_array_equal(y.numpy(), np.zeros((3, 2)))
    assert [g.shape for g in tape.gradient(y, [a, b])] == [(3, 0), (0, 2)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_millions_of_elements(dtype):
    x = np.linspace(-1.0, 1.0, 4_000_000, dtype=dtype)
    v = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.tanh(v) * v)
    gradient = tape.gradient(y, v).numpy()
    expected = np.tanh(x) * (1 - x * np.tanh(x)) + x
    assert np.abs(gradient - expected).max() < 8 * np.finfo(dtype).eps
    assert y.numpy() == pytest.approx(np.sum(np.tanh(x) * x), rel=1e-5)
    memory.trim()


def test_broadcast_of_a_huge_shape_takes_no_memory():
    x = from_numpy(np.broadcast_to(np.float64(2.0), (1 << 40,)))
    assert x.shape == (1 << 40,)
    assert x[5].numpy() == 2.0
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x[7] * 3.0
    assert y.numpy() == 6.0


def test_more_memory_than_there_is():
    x = from_numpy(np.broadcast_to(np.float64(2.0), (1 << 50,)))
    with pytest.raises(MemoryError):
        x * 2.0
    column = from_numpy(np.broadcast_to(np.float64(2.0), (1 << 40, 1)))
    with pytest.raises((MemoryError, OverflowError, ValueError)):
        column * from_numpy(np.broadcast_to(np.float64(2.0), (1 << 40,)))


def test_many_dimensions():
    shape = (1, 2) * 12
    x = tf.Variable(np.arange(4096.0).reshape(shape))
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.transpose(x) * x[..., 0, :], axis=tuple(range(0, 24, 3)))
    assert tape.gradient(y, x).shape == shape
    with pytest.raises(ValueError, match="dimensions"):
        tf.reshape(tf.constant(1.0), (1,) * 65)


@pytest.mark.parametrize("order", [1, 2])
def test_integers_and_bools_beside_floats(order, rng):
    n, mask = rng.integers(1, 4, 6), rng.random(6) > 0.5

    def function(x):
        return tf.reduce_sum(tf.where(mask, x * n, x**2) / n + x * tf.cast(mask, tf.float64))

    check_grads(function, (rng.uniform(0.5, 2.0, 6),), order=order)


def test_integers_are_values_without_gradient():
    n = tf.Variable([1, 2, 3])
    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(x * tf.cast(n + 1, tf.float32)) + tf.cast(tf.reduce_sum(n), tf.float32)
    gradients = tape.gradient(y, [n, x])
    assert gradients[0] is None
    assert gradients[1].numpy().tolist() == [2.0, 3.0, 4.0]
