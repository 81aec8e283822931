"""Random programs: all ways to differentiate them agree, with each other and with finite differences."""

import logging

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

UNARY = [
    tf.sin,
    tf.tanh,
    tf.sigmoid,
    tf.nn.softplus,
    lambda x: x * x,
    lambda x: 2.0 - x,
    lambda x: x / 3.0,
    lambda x: 0.1 * x**3,
    lambda x: tf.exp(0.3 * x),
    lambda x: tf.math.log(x * x + 1.0),
    lambda x: 1.0 / (x * x + 1.5),
    lambda x: tf.sqrt(x * x + 0.5),
]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + 1.0),
    lambda a, b: tf.math.hypot(a, b + 0.3),
    lambda a, b: tf.where(tf.stop_gradient(a) > 0.1, a, b),
]
STRUCTURAL = [
    tf.reduce_sum,
    tf.transpose,
    lambda x: tf.reshape(x, (-1,)),
    lambda x: x[..., None],
    lambda x: x[::-1],
    lambda x: x[[0, 0]],
    lambda x: tf.reduce_mean(x, axis=-1, keepdims=True),
    lambda x: tf.reduce_sum(x, axis=0),
    lambda x: tf.concat([x, 2.0 * x], 0),
    lambda x: tf.stack([x, x], 1),
    lambda x: tf.matmul(tf.reshape(x, (1, -1)), tf.reshape(x, (-1, 1))),
    lambda x: tf.cumsum(x, axis=0),
    lambda x: tf.reduce_max(x, axis=-1),
    lambda x: tf.nn.softmax(x),
    lambda x: tf.einsum("...i,...i->...", x, x),
]
# The operations that mix real and complex numbers keep out of the way of branch cuts and poles.
COMPLEX = [
    tf.sin,
    tf.tanh,
    tf.abs,
    tf.math.conj,
    lambda x: x if x.dtype.is_complex else tf.cast(x, tf.complex128),
    lambda x: tf.math.real(x) + 0.5 * tf.math.imag(x) if x.dtype.is_complex else x,
    lambda x: x * (1 + 2j),
    lambda x: x * x,
    lambda x: tf.exp(0.3 * x),
    lambda x: 1.0 / (x * x + 3.5),
    lambda x: tf.math.log(x + 4.0),
    lambda x: tf.sqrt(x + 5.0),
    lambda x: tf.pow(x + 4.0, 1.5),
]
COMPLEX_BINARY = [*BINARY[:3], lambda a, b: a / (b * b + 3.0), lambda a, b: tf.where([True], a, b)]
COMPLEX_STRUCTURAL = [f for k, f in enumerate(STRUCTURAL) if k not in (12, 13)]
SHAPES = [(), (3,), (2, 3), (3, 1), (1, 3)]


def random_program(seed, unary, binary, structural, complex_inputs=False):
    """A function of a few tensors, with two results, and arrays to call it with."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, 1000, (rng.integers(3, 14), 4))
    inputs = []
    for _ in range(rng.integers(1, 4)):
        values = np.asarray(rng.uniform(-1.2, 1.2, SHAPES[rng.integers(len(SHAPES))]))
        inputs.append(values + 1j * values[..., ::-1] if complex_inputs and values.ndim else values)

    def program(*values):
        values = list(values)
        for kind, a, b, op in steps:
            x, y = values[a % len(values)], values[b % len(values)]
            try:
                if kind % 10 < 4:
                    new = unary[op % len(unary)](x)
                elif kind % 10 < 7:
                    new = binary[op % len(binary)](x, y)
                else:
                    new = structural[op % len(structural)](x)
            except (ValueError, IndexError):  # shapes that do not fit
                new = unary[op % len(unary)](x)
            if new.size < 200 and new.ndim < 5:
                values.append(new)
        return values[-1], values[len(values) // 2]

    return program, inputs


@pytest.mark.parametrize("seed", range(60))
def test_all_ways_agree(seed, caplog):
    caplog.set_level(logging.ERROR, "tapegrad")
    program, inputs = random_program(seed, UNARY, BINARY, STRUCTURAL)
    sources = [tf.constant(a) for a in inputs]

    def total():
        return tf.add_n([tf.reduce_sum(tf.tanh(y)) for y in program(*sources)])

    def assert_equal(a, b, rtol):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=rtol, atol=1e-12)

    with tf.GradientTape(persistent=True) as tape, tf.GradientTape() as once:
        tape.watch(sources)
        once.watch(sources)
        y = total()
    first = tape.gradient(y, sources, unconnected_gradients="zero")
    assert_equal(first, tape.gradient(y, sources, unconnected_gradients="zero"), 0)
    assert_equal(first, once.gradient(y, sources, unconnected_gradients="zero"), 0)
    with tf.GradientTape() as outer:
        outer.watch(sources)
        with tf.GradientTape(persistent=True) as inside:
            inside.watch(sources)
            y = total()
            recorded = inside.gradient(y, sources, unconnected_gradients="zero")
            norm = tf.add_n([tf.reduce_sum(g * g) for g in recorded])
    assert_equal(first, recorded, 1e-10)
    second = outer.gradient(norm, sources, unconnected_gradients="zero")
    assert_equal(second, inside.gradient(norm, sources, unconnected_gradients="zero"), 1e-9)


@pytest.mark.parametrize("seed", range(60))
def test_differences(seed):
    program, inputs = random_program(seed, UNARY, BINARY, STRUCTURAL)
    check_grads(lambda *x: [tf.tanh(y) for y in program(*x)], tuple(inputs), atol=1e-5, rtol=1e-4, eps=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_differences_of_complex_programs(seed):
    program, inputs = random_program(seed, COMPLEX, COMPLEX_BINARY, COMPLEX_STRUCTURAL, complex_inputs=True)
    check_grads(program, tuple(inputs), atol=1e-4, rtol=1e-4, eps=1e-6)
