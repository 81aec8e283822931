"""Optimizers: four steps of each against TensorFlow 2.21, state, missing gradients, messages."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tapegrad as tf

optimizers = tf.keras.optimizers

# Both elements of a variable after each of four steps with the gradients (g, g*g - 1).
GRADIENTS = [0.5, -1.0, 2.0, 0.25]
TRAJECTORIES = [
    (
        optimizers.SGD(0.1),
        [[0.95, -1.925], [1.05, -1.925], [0.85, -2.225], [0.825, -2.13125]],
    ),
    (
        optimizers.SGD(0.1, momentum=0.9),
        [[0.95, -1.925], [1.005, -1.8575], [0.8545, -2.09675], [0.69405, -2.218325]],
    ),
    (
        optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        [[0.905, -1.8575], [1.0545, -1.79675], [0.71905, -2.312075], [0.549645, -2.3277425]],
    ),
    (
        optimizers.Adam(0.1),
        [[0.9, -1.9], [0.93661118, -1.83299613], [0.89464581, -1.88242304], [0.85416645, -1.90429842]],
    ),
    (
        optimizers.Adam(0.1, amsgrad=True),
        [[0.9, -1.9], [0.93661118, -1.83302975], [0.89464581, -1.88245666], [0.85416645, -1.90433204]],
    ),
    (
        optimizers.RMSprop(0.1),
        [
            [0.68377286, -1.68377256],
            [0.96948707, -1.68377256],
            [0.68949968, -1.9922874],
            [0.65285659, -1.89553487],
        ],
    ),
    (
        optimizers.RMSprop(0.1, momentum=0.5),
        [
            [0.68377286, -1.68377256],
            [0.81137347, -1.52565885],
            [0.59518635, -1.75511682],
            [0.45044973, -1.77309334],
        ],
    ),
    (
        optimizers.RMSprop(0.1, centered=True),
        [
            [0.6666674, -1.66666698],
            [0.95597601, -1.66666698],
            [0.66955936, -1.98496652],
            [0.63185889, -1.8874433],
        ],
    ),
    (
        optimizers.Adagrad(0.1),
        [[0.91548459, -1.90785574], [1.00155088, -1.90785574], [0.91508334, -2.00436667], [0.90433748, -1.97549167]],
    ),
    (
        optimizers.Adagrad(0.1, initial_accumulator_value=0.5, epsilon=0.01),
        [[0.94264607, -1.92757932], [1.0180239, -1.92757932], [0.93469057, -2.02210561], [0.92432996, -1.99377628]],
    ),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("optimizer", "expected"), TRAJECTORIES)
def test_trajectories(optimizer, expected, dtype):
    variable = tf.Variable([1.0, -2.0], dtype=dtype)
    optimizer.iterations.assign(0)
    for g, values in zip(GRADIENTS, expected, strict=True):
        optimizer.apply_gradients([(tf.constant([g, g * g - 1], dtype=dtype), variable)])
        np.testing.assert_allclose(variable.numpy(), values, rtol=4e-6)
        assert variable.dtype == dtype
    assert int(optimizer.iterations) == 4


def test_each_variable_has_its_own_state():
    optimizer = optimizers.Adam(0.1)
    a, b = tf.Variable(1.0), tf.Variable([1.0, 1.0], dtype="float64")
    for _ in range(3):
        optimizer.apply_gradients([(tf.constant(1.0), a), (tf.constant([1.0, -1.0], tf.float64), b)])
    assert float(a) == pytest.approx(0.7, abs=1e-5)
    np.testing.assert_allclose(b.numpy(), [0.7, 1.3], atol=1e-5)


@pytest.mark.parametrize(
    "optimizer", [optimizers.SGD(0.1, momentum=0.9), optimizers.Adam(0.3), optimizers.RMSprop(0.05)]
)
def test_minimizes_a_quadratic(optimizer):
    x = tf.Variable([3.0, -2.0])
    for _ in range(300):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((x - [1.0, 2.0]) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, [x]), [x], strict=True))
    np.testing.assert_allclose(x.numpy(), [1.0, 2.0], atol=0.05)


def test_copies_are_independent():
    optimizer, x = optimizers.SGD(1.0, momentum=0.5), tf.Variable(0.0)
    optimizer.apply_gradients([(tf.constant(1.0), x)])
    copied, y = copy.deepcopy((optimizer, x))
    assert (int(copied.iterations), float(y)) == (1, -1.0)
    optimizer.apply_gradients([(tf.constant(1.0), x)])
    assert (int(copied.iterations), float(y)) == (1, -1.0)
    copied.apply_gradients([(tf.constant(1.0), y)])
    assert float(x) == float(y) == -2.5


def test_learning_rate_can_change():
    optimizer = optimizers.SGD(1.0)
    x = tf.Variable(0.0)
    optimizer.apply_gradients([(tf.constant(1.0), x)])
    optimizer.learning_rate = 0.5
    optimizer.apply_gradients([(tf.constant(1.0), x)])
    optimizer.learning_rate.assign(0.25)
    optimizer.apply_gradients([(tf.constant(1.0), x)])
    assert float(x) == -1.75
    assert float(optimizer.learning_rate) == 0.25


def test_momentum_can_be_set_later():
    optimizer, x = optimizers.SGD(1.0), tf.Variable(0.0)
    for momentum, expected in ((0.0, -1.0), (0.5, -2.0), (0.5, -3.5)):
        optimizer.momentum = momentum
        optimizer.apply_gradients([(tf.constant(1.0), x)])
        assert float(x) == expected


def test_steps_are_not_recorded():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
        optimizers.SGD(0.5).apply_gradients([(tf.constant(1.0), x)])
    assert float(x) == 1.5
    assert float(tape.gradient(y, x)) == 4.0


def test_gradients_may_be_arrays_and_numbers():
    x = tf.Variable([1.0, 2.0])
    optimizers.SGD(1.0).apply_gradients([(np.array([1.0, 1.0]), x)])
    assert x.numpy().tolist() == [0.0, 1.0]
    assert x.dtype == tf.float32


def test_missing_gradients():
    optimizer = optimizers.SGD(1.0)
    x, y = tf.Variable(1.0, name="x"), tf.Variable(1.0, name="y")
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['y:0'\]"):
        optimizer.apply_gradients([(tf.constant(1.0), x), (None, y)])
    assert (float(x), float(y)) == (0.0, 1.0)
    with pytest.raises(ValueError, match=r"No gradients provided for any variable: \['x:0', 'y:0'\]"):
        optimizer.apply_gradients([(None, x), (None, y)])


def test_messages_leave_everything_as_it_was():
    optimizer = optimizers.Adam(1.0)
    x, y = tf.Variable([1.0, 2.0], name="x"), tf.Variable([1.0, 2.0], name="y")
    with pytest.raises(ValueError, match=r"variable 'y:0' has shape \(\), but the variable has \(2,\)"):
        optimizer.apply_gradients([(tf.ones(2), x), (tf.constant(1.0), y)])
    assert x.numpy().tolist() == [1.0, 2.0]
    assert int(optimizer.iterations) == 0
    with pytest.raises(ValueError, match="`momentum` must be between 0 and 1"):
        optimizers.SGD(momentum=1.5)
    with pytest.raises(ValueError, match="`initial_accumulator_value` must not be negative"):
        optimizers.Adagrad(initial_accumulator_value=-1.0)
