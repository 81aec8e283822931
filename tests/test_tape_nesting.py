"""Tapes inside tapes: derivatives of derivatives, and which tape knows what."""

import math

import numpy as np
import pytest

import tapegrad as tf


def derivatives(function, x, order):
    """The derivatives of a function of one number, from order 0, by as many nested tapes."""
    if order == 0:
        return [function(x)]
    with tf.GradientTape() as tape:
        tape.watch(x)
        lower = derivatives(function, x, order - 1)
    gradient = tape.gradient(lower[-1], x)
    assert gradient is not None
    return [*lower, gradient]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (tf.exp, [math.exp(0.5)] * 6),
        (
            tf.sin,
            [math.sin(0.5), math.cos(0.5), -math.sin(0.5), -math.cos(0.5), math.sin(0.5), math.cos(0.5)],
        ),
        (lambda x: x**5, [0.5**5, 5 * 0.5**4, 20 * 0.5**3, 60 * 0.5**2, 60.0, 120.0]),
        (lambda x: 1 / x, [2.0, -4.0, 16.0, -96.0, 768.0, -7680.0]),
        (tf.math.log, [math.log(0.5), 2.0, -4.0, 16.0, -96.0, 768.0]),
    ],
)
def test_five_tapes(function, expected):
    x = tf.constant(0.5, dtype=tf.float64)
    found = derivatives(function, x, 5)
    np.testing.assert_allclose([g.numpy() for g in found], expected, rtol=1e-13)


def test_each_tape_watches_for_itself():
    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x * x
        slope = inner.gradient(y, x)
    assert slope.numpy() == 6.0
    assert outer.gradient(slope, x) is None


def test_inner_gradient_after_the_outer_block_is_not_recorded():
    x = tf.Variable(3.0)
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        y = x * x * x
    slope = inner.gradient(y, x)
    assert slope.numpy() == 27.0
    assert outer.gradient(slope, x) is None


def test_forward_outside_the_outer_block():
    x = tf.Variable(3.0)
    with tf.GradientTape() as inner:
        y = x * x * x
    with tf.GradientTape() as outer:
        slope = inner.gradient(y, x)
    assert slope.numpy() == 27.0
    assert outer.gradient(slope, x) is None


def test_a_persistent_tape_differentiates_itself():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x * x
        first = tape.gradient(y, x)
        second = tape.gradient(first, x)
    third = tape.gradient(second, x)
    assert [g.numpy() for g in (first, second, third)] == [27.0, 18.0, 6.0]


def test_mixed_derivatives():
    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as inner:
            z = x * x * y * y * y
        dx, dy = inner.gradient(z, [x, y])
    assert outer.gradient(dx, [x, y]) == [54.0, 108.0]
    assert outer.gradient(dy, [x, y]) == [108.0, 72.0]


def test_gradients_of_the_inner_and_the_outer_tape_agree():
    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        y = tf.reduce_sum(tf.sin(x) * x)
    np.testing.assert_array_equal(outer.gradient(y, x).numpy(), inner.gradient(y, x).numpy())


def test_reading_a_variable_between_the_tapes():
    x = tf.Variable(3.0)
    with tf.GradientTape() as outer:
        y = x * x
        with tf.GradientTape() as inner:
            z = y * x
        slope = inner.gradient(z, x)  # y is a constant to the inner tape
    assert slope.numpy() == 9.0
    assert outer.gradient(slope, x).numpy() == 6.0


def test_intermediates_of_one_tape_are_sources_of_another():
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        y = x * x
        with tf.GradientTape() as inner:
            inner.watch(y)
            z = y * y * y
        slope = inner.gradient(z, y)
    assert slope.numpy() == 48.0
    assert outer.gradient(slope, [x, y]) == [96.0, 24.0]


def test_unconnected_in_between():
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = 3.0 * x
        slope = inner.gradient(y, x)
    assert slope.numpy() == 3.0
    assert outer.gradient(slope, x) is None


def test_output_gradients_are_differentiable():
    x, seed = tf.constant([1.0, 2.0]), tf.Variable([5.0, 7.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x * x
        product = inner.gradient(y, x, output_gradients=seed)
    np.testing.assert_array_equal(outer.gradient(product, seed).numpy(), [2.0, 4.0])


def test_hessian_vector_product():
    x, v = tf.Variable([1.0, 2.0, 3.0]), tf.constant([1.0, 0.0, 2.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.reduce_prod(x)
        gradient = inner.gradient(y, x)
    product = outer.gradient(gradient, x, output_gradients=v)
    hessian = np.array([[0.0, 3.0, 2.0], [3.0, 0.0, 1.0], [2.0, 1.0, 0.0]])
    np.testing.assert_allclose(product.numpy(), hessian @ v.numpy(), rtol=1e-6)


@pytest.mark.parametrize("persistent", [False, True])
def test_a_tape_may_hold_results_of_dead_tapes(persistent):
    x, total = tf.Variable(2.0), tf.constant(0.0)
    for _ in range(5):
        with tf.GradientTape(persistent=persistent) as tape:
            total = total + x * x
        assert tape.gradient(total, x).numpy() == 4.0
    assert total.numpy() == 20.0


def test_many_tapes_at_once():
    x = tf.Variable(2.0)
    tapes = [tf.GradientTape() for _ in range(10)]
    for tape in tapes:
        tape.__enter__()
    y = x * x
    for tape in tapes[::2]:
        tape.__exit__(None, None, None)
    z = y * y
    for tape in tapes[1::2]:
        tape.__exit__(None, None, None)
    assert [tape.gradient(y, x).numpy() for tape in tapes[::2]] == [4.0] * 5
    assert [tape.gradient(z, x).numpy() for tape in tapes[1::2]] == [32.0] * 5


def test_seed_of_an_unrelated_outer_tape_costs_nothing():
    unrelated = tf.Variable(1.0)
    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        u = unrelated * 2.0
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x * x
        slope = inner.gradient(y, x)
    assert slope.numpy() == 6.0
    assert outer.gradient([u, slope], unrelated).numpy() == 2.0


def test_what_a_cotangent_passes_through_unchanged_is_not_computed_again():
    x = tf.constant([[1.0, 3.0, 2.0], [5.0, 4.0, 1.0]])
    cotangent = tf.constant(2.0)
    with tf.GradientTape() as outer:
        outer.watch(cotangent)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.reduce_max(x + tf.ones(3), 1))
        gradient = tape.gradient(y, x, output_gradients=cotangent)
    np.testing.assert_array_equal(gradient, [[0.0, 2.0, 0.0], [2.0, 0.0, 0.0]])
    # The sum repeats it, the maxima put it at their places, and the addition hands it on.
    assert {node[2] for node in outer._nodes()} == {"watch", "broadcast_to", "reshape", "where"}
    assert outer.gradient(gradient, cotangent).numpy() == 2.0
