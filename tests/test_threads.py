"""Threads: each has its own stack of tapes, and tapes can be handed over."""

import threading

import numpy as np
import pytest
from shared import at_once

import tapegrad as tf


def test_nested_tapes_in_eight_threads():
    shared = tf.Variable(2.0)

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(60):
            value = rng.uniform(0.5, 2.0)
            x = tf.constant(value, dtype=tf.float64)
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    y = x * x * x * tf.cast(shared, tf.float64)
                first = inner.gradient(y, x)
            second = outer.gradient(first, [x, shared])
            assert first.numpy() == pytest.approx(6 * value**2)
            assert second[0].numpy() == pytest.approx(12 * value)
            assert second[1].numpy() == pytest.approx(3 * value**2)

    at_once([lambda seed=seed: work(seed) for seed in range(8)])


def test_operations_of_another_thread_are_not_recorded():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        (y,) = at_once([lambda: x * x])
        z = y * x
    assert tape.gradient(z, x).numpy() == 9.0
    assert y.numpy() == 9.0


def test_gradient_from_another_thread():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    (gradient,) = at_once([lambda: tape.gradient(y, x)])
    assert gradient.numpy() == 6.0


def test_large_arrays_at_once():
    v = tf.Variable(np.linspace(0.0, 1.0, 200_000))
    expected = np.cos(v.numpy()) * np.exp(np.sin(v.numpy()))

    def work():
        for _ in range(5):
            with tf.GradientTape() as tape:
                y = tf.exp(tf.sin(v))
            np.testing.assert_allclose(tape.gradient(y, v).numpy(), expected, rtol=1e-12)

    at_once([work] * 4)


def test_one_persistent_tape_differentiated_by_many_threads():
    v = tf.Variable(np.linspace(0.0, 1.0, 50_000))
    with tf.GradientTape(persistent=True) as tape:
        y = v
        for _ in range(20):
            y = tf.sin(y) + v
    expected = tape.gradient(y, v).numpy()

    def work():
        for _ in range(5):
            np.testing.assert_array_equal(tape.gradient(y, v).numpy(), expected)

    at_once([work] * 4)


def test_assignments_while_others_read():
    v = tf.Variable(np.zeros(100_000))
    done = threading.Event()

    def write():
        try:
            for k in range(200):
                v.assign(np.full(100_000, float(k)))
        finally:
            done.set()

    def read():
        while not done.is_set():
            with tf.GradientTape() as tape:
                y = v * v
            values = y.numpy()
            assert values.min() == values.max()
            gradient = tape.gradient(y, v).numpy()
            assert gradient.min() == gradient.max()

    at_once([write, read, read])


def test_a_watched_tensor_may_be_used_by_many_threads():
    x = tf.constant(np.ones(1000))
    with tf.GradientTape() as outside:
        outside.watch(x)

        def work():
            for _ in range(100):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = tf.reduce_sum(x * x)
                assert tape.gradient(y, x).numpy()[0] == 2.0

        at_once([work] * 6)
        z = x * 3.0
    assert outside.gradient(z, x).numpy()[0] == 3.0


def test_many_short_threads():
    v = tf.Variable(2.0)

    def work():
        with tf.GradientTape() as tape:
            y = v * v
        return tape.gradient(y, v).numpy()

    for _ in range(50):
        assert at_once([work] * 4) == [4.0] * 4


def test_random_numbers_are_thread_safe():
    at_once([lambda: [tf.random.normal((100,)) for _ in range(200)]] * 4)
