"""recompute_grad: the same derivatives, of the same variables and random numbers, with less memory."""

import numpy as np
import pytest
from shared import Counted, State, assert_same, first_and_second

import tapegrad as tf


class TestRecompute:
    def test_calls(self):
        f = Counted(lambda x: x**3)
        x = tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = tf.recompute_grad(f)(x)
            assert f.calls == 1
        assert tape.gradient(y, x).numpy() == 27.0
        assert f.calls == 2

    def test_name(self):
        def f(x):
            """Doc."""

        g = tf.recompute_grad(f)
        assert g.__wrapped__ is f
        assert (g.__name__, g.__doc__) == ("f", "Doc.")
        assert tf.checkpoint is tf.recompute_grad

    def test_structures_keywords_and_variables(self):
        v = tf.Variable(2.0, dtype=tf.float64)

        def f(p, *, factor, label):
            assert label == "label"
            return {"s": tf.sin(p.x * v) * factor, "n": p.k}

        x, factor = tf.constant(0.5, tf.float64), tf.constant(3.0, tf.float64)

        def total(f):
            result = f(State(2, x), factor=factor, label="label")
            assert result["n"] == 2
            return result["s"]

        assert_same(
            first_and_second(lambda: total(tf.recompute_grad(f)), x, v, factor),
            first_and_second(lambda: total(f), x, v, factor),
        )

    @pytest.mark.parametrize("order", [1, 2])
    def test_check_grads(self, order):
        @tf.recompute_grad
        def f(x, y):
            return tf.tanh(x @ y), tf.reduce_sum(x, 0)

        tf.testing.check_grads(f, (np.ones((2, 3)) / 3, np.ones((3, 2)) / 2), order)

    def test_jacobian_and_forward_mode(self):
        f = Counted(lambda x: tf.sin(x) * tf.reduce_sum(x))
        x = np.array([0.5, 1.0, 2.0])
        expected = tf.jacobian(f.f)(x)
        f.calls = 0
        np.testing.assert_allclose(tf.jacobian(tf.recompute_grad(f))(x), expected, rtol=1e-14)
        assert f.calls == 2  # one run for all rows
        np.testing.assert_allclose(tf.jvp(tf.recompute_grad(f), (x,), (np.ones(3),))[1], expected.sum(1), rtol=1e-14)
        np.testing.assert_allclose(
            tf.hessian(lambda x: tf.reduce_sum(tf.recompute_grad(f)(x) ** 2))(x),
            tf.hessian(lambda x: tf.reduce_sum(f.f(x) ** 2))(x),
            rtol=1e-13,
        )

    def test_unconnected_arguments_are_zero(self):
        x, y = tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            z = tf.recompute_grad(lambda x, y: x * 2.0)(x, y)
        assert_same(tape.gradient(z, [x, y]), [tf.constant([2.0, 2.0]), tf.constant([0.0, 0.0])])

    def test_argument_given_twice(self):
        x, v = tf.constant(3.0), tf.Variable(3.0)
        f = tf.recompute_grad(lambda a, b: a * a * b)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x, x) + f(v, v)
        assert tape.gradient(y, [x, v]) == [27.0, 27.0]

    def test_values_in_the_closure(self):
        x, w = tf.constant(2.0), tf.constant(5.0)
        nested = {"w": [w]}

        def helper(x):
            return x * nested["w"][0]

        @tf.recompute_grad
        def f(x):
            return helper(x) ** 2

        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = f(x)
        assert tape.gradient(y, [x, w]) == [100.0, 40.0]

    def test_watched_variable_that_is_not_trainable(self):
        v, x = tf.Variable(2.0, trainable=False), tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch([v, x])
            y = tf.recompute_grad(lambda x: x * v)(x)
        assert tape.gradient(y, [x, v]) == [2.0, 3.0]

    def test_variable_assigned_in_between(self):
        v, x = tf.Variable([2.0, 1.0]), tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.recompute_grad(lambda x: tf.reduce_sum(x * x * v))(x)
        v.assign([10.0, 10.0])
        gradient = tape.gradient(y, [x, v])
        assert gradient[0].numpy() == 18.0
        np.testing.assert_array_equal(gradient[1].numpy(), [9.0, 9.0])
        np.testing.assert_array_equal(v.numpy(), [10.0, 10.0])

    def test_random_numbers_are_drawn_again(self):
        tf.random.set_seed(3)

        def dropout(x):
            return x * tf.random.uniform([5], dtype=tf.float64) * tf.random.normal([5], seed=1, dtype=tf.float64)

        x = tf.constant(np.ones(5))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.recompute_grad(dropout)(x)
        before = tf.random.uniform([2]).numpy()
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), y.numpy())
        tf.random.set_seed(3)
        dropout(x)
        np.testing.assert_array_equal(tf.random.uniform([2]).numpy(), before)

    def test_argument_that_is_written_to(self):
        @tf.recompute_grad
        def f(x):
            x[0] = 5.0
            return x * x

        x = tf.constant([1.0, 2.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(tf.identity(x))
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [0.0, 4.0])

    def test_method(self):
        class Layer:
            w = tf.Variable(2.0)

            @tf.recompute_grad
            def __call__(self, x):
                return self.w * x

        with tf.GradientTape() as tape:
            y = Layer()(tf.constant(3.0))
        assert tape.gradient(y, Layer.w).numpy() == 3.0

    def test_plain_results(self):
        assert tf.recompute_grad(lambda x: (x, "label", np.arange(2)))(2.0)[:2] == (2.0, "label")

    def test_not_the_same_each_time(self):
        calls = []

        def f(x):
            calls.append(x)
            return (x,) * len(calls)

        x = tf.Variable(1.0)
        with tf.GradientTape() as tape:
            y = tf.recompute_grad(f)(x)
        with pytest.raises(RuntimeError, match="returned 1 tensors when it was called, but 2 when it was called again"):
            tape.gradient(y, x)

    def test_memory(self):
        def peak(layer):
            x = tf.constant(np.ones(10_000))
            tf.memory.reset_peak()
            start = tf.memory.stats().live
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = x
                for _ in range(20):
                    y = layer(y)
            tape.gradient(y, x)
            return (tf.memory.stats().peak - start) / x.numpy().nbytes

        def layer(x):
            for _ in range(10):
                x = tf.sin(x)
            return x

        plain, checkpointed = peak(layer), peak(tf.recompute_grad(layer))
        assert plain > 200
        assert checkpointed < 20 + 10 + 10  # the ends of the layers, and what is inside one
