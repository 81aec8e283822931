"""The checker of gradients finds what is wrong, and says where."""

import numpy as np
import pytest
from optable import DIFFERENTIABLE, identify

import tapegrad as tf
from tapegrad.testing import check_grads


def scaled(function, factor):
    """The function with the gradient of each operand multiplied by a factor; the values stay."""

    @tf.custom_gradient
    def wrong(*operands):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(operands)
            y = function(*operands)

        def grad(upstream):
            gradients = tape.gradient(y, operands, output_gradients=upstream, unconnected_gradients="zero")
            return [factor * g for g in gradients]

        return tf.stop_gradient(y), grad

    return wrong


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if op.name != "sign"], ids=identify)
def test_every_operation_if_wrong_by_a_thousandth(op, rng):
    arrays = tuple(op.sample(rng, (3, 4)))
    if op.name == "clip":
        arrays = (np.array([0.25, -3.0, 3.0]), np.full(3, -1.0), np.full(3, 1.0))
    check_grads(scaled(op.function, 1.0), arrays, order=1, atol=1e-5)
    for factor in (1.001, 0.999):
        with pytest.raises(AssertionError, match="mode reverse, order 1, seed 0"):
            check_grads(scaled(op.function, factor), arrays, order=1, atol=1e-5)


def test_one_wrong_element():
    @tf.custom_gradient
    def square(x):
        return x * x, lambda dy: dy * 2.0 * x * [[1.0, 1.0, 1.0], [1.0, 1.001, 1.0]]

    with pytest.raises(AssertionError) as caught:
        check_grads(square, (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),))
    message = str(caught.value)
    assert "index (1, 1)" in message
    assert "argument 0" in message


def test_message_has_both_numbers():
    doubled = tf.custom_gradient(lambda x: (2.0 * x, lambda dy: 3.0 * dy))
    with pytest.raises(AssertionError) as caught:
        check_grads(doubled, (1.0,), seed=5)
    text = str(caught.value)
    assert "seed 5" in text
    analytic, numeric = text.rsplit(": ", 1)[1].split(" by the gradient, ")
    assert abs(float(analytic) / float(numeric.split()[0]) - 1.5) < 1e-6


def test_argument_is_named():
    @tf.custom_gradient
    def product(x, y):
        return x * y, lambda dy: (dy * y, dy * x * 1.001)

    with pytest.raises(AssertionError, match="argument 1"):
        check_grads(product, (2.0, 3.0))


@pytest.mark.parametrize("order", [2, 3])
def test_wrong_second_derivative(order):
    @tf.custom_gradient
    def cube(x):
        @tf.custom_gradient
        def slope(x):
            return 3.0 * x * x, lambda dy: 1.001 * dy * 6.0 * x

        return x * x * x, lambda dy: dy * slope(x)

    check_grads(cube, (2.0,), order=1)
    with pytest.raises(AssertionError, match="order 2"):
        check_grads(cube, (2.0,), order=order)


def test_missing_second_derivative():
    @tf.custom_gradient
    def square(x):
        return x * x, lambda dy: dy * 2.0 * tf.stop_gradient(x)

    with pytest.raises(AssertionError, match="order 2"):
        check_grads(square, (2.0,))


def test_missing_gradient():
    with pytest.raises(AssertionError, match="order 1"):
        check_grads(lambda x: x * tf.stop_gradient(x), (2.0,))


def test_wrong_conjugation():
    check_grads(tf.custom_gradient(lambda z: (z * z, lambda dy: dy * 2.0 * tf.math.conj(z))), (2 + 1j,))
    with pytest.raises(AssertionError, match="order 1"):
        check_grads(tf.custom_gradient(lambda z: (z * z, lambda dy: dy * 2.0 * z)), (2 + 1j,))


def test_nan_is_wrong():
    with pytest.raises(AssertionError, match="nan"):
        check_grads(tf.custom_gradient(lambda x: (x * x, lambda dy: dy * np.nan)), (2.0,))


def test_structures():
    def function(pair, options):
        a, b = pair["a"], pair["b"]
        return {"sum": a * tf.reduce_sum(b) * options[0], "parts": [tf.sin(a), options[1] * 2]}

    check_grads(function, ({"a": 2.0, "b": np.ones((2, 2))}, (tf.Variable(3.0), 7)), order=3)


def test_one_argument_needs_no_tuple():
    check_grads(tf.sin, 0.5)
    check_grads(tf.reduce_sum, np.ones((2, 3), np.float32))


def test_variables_are_not_changed():
    v = tf.Variable([1.0, 2.0])
    check_grads(lambda v: v * v, (v,))
    assert v.numpy().tolist() == [1.0, 2.0]
    assert v.dtype == tf.float32


def test_integer_arguments_and_results_are_passed_on():
    check_grads(lambda x, n: (x**n, n + 1), (np.array([1.5, 2.0]), 3))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (1, 1, 1)])
def test_empty_and_single(shape):
    check_grads(lambda x: x * x, (np.ones(shape),))


def test_what_cannot_be_checked():
    with pytest.raises(TypeError, match="none of the arguments"):
        check_grads(lambda n: n, (3,))
    with pytest.raises(TypeError, match="none of the results"):
        check_grads(lambda x: x > 0.0, (3.0,))
    with pytest.raises(ValueError, match="at least 1"):
        check_grads(tf.sin, (3.0,), order=0)
    with pytest.raises(ValueError, match="Unknown mode 'sideways'"):
        check_grads(tf.sin, (3.0,), modes=("reverse", "sideways"))


def test_errors_of_the_function_reach_the_caller():
    def failing(x):
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        check_grads(failing, (1.0,))
