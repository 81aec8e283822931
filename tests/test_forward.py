"""`ForwardAccumulator`: what it follows, nesting in every order, batches, errors."""

import logging

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.autodiff import ForwardAccumulator

X = np.array([0.3, -1.2, 0.7])
V = np.array([1.0, 0.5, -2.0])


def constant(a):
    return tf.constant(a, dtype=tf.float64)


class TestLookingUp:
    def test_of_results_and_primals(self):
        x = constant(X)
        with ForwardAccumulator(x, constant(V)) as acc:
            y = tf.sin(x) * x
        np.testing.assert_allclose(acc.jvp(y).numpy(), V * (np.cos(X) * X + np.sin(X)), rtol=1e-14)
        np.testing.assert_array_equal(acc.jvp(x).numpy(), V)
        np.testing.assert_allclose(acc.jvp(y).numpy(), V * (np.cos(X) * X + np.sin(X)), rtol=1e-14)

    def test_before_entering(self):
        x = constant(X)
        acc = ForwardAccumulator(x, constant(V))
        np.testing.assert_array_equal(acc.jvp(x).numpy(), V)

    def test_structures(self):
        x, y = constant(X), constant(2.0)
        with ForwardAccumulator({"x": x, "y": y}, {"x": constant(V), "y": constant(1.0)}) as acc:
            z = {"a": x * y, "b": [y * y, y]}
        found = acc.jvp(z)
        np.testing.assert_allclose(found["a"].numpy(), V * 2 + X)
        assert [float(t) for t in found["b"]] == [4.0, 1.0]

    def test_nothing_depends(self):
        x, other = constant(X), constant(X)
        with ForwardAccumulator(x, constant(V)) as acc:
            y, z = other * 2.0, tf.floor(x)
            stopped = tf.stop_gradient(x) * 2.0
        outside = x * x
        for value in (y, z, stopped, outside, other):
            assert acc.jvp(value) is None
        np.testing.assert_array_equal(acc.jvp(y, tf.UnconnectedGradients.ZERO).numpy(), np.zeros(3))
        np.testing.assert_array_equal(acc.jvp(y, "zero").numpy(), np.zeros(3))
        with pytest.raises(ValueError, match="'bogus' is not a valid UnconnectedGradients"):
            acc.jvp(y, "bogus")
        with pytest.raises(TypeError, match="a tensor or a variable is needed"):
            acc.jvp(3.0)

    def test_while_the_program_goes_on(self):
        x = constant(1.5)
        with ForwardAccumulator(x, constant(1.0)) as acc:
            y, slope = x, 1.0
            for _ in range(5):
                slope = slope * np.cos(float(y))
                y = tf.sin(y)
                assert float(acc.jvp(y)) == pytest.approx(slope, rel=1e-14)

    def test_variables(self):
        v = tf.Variable(2.0)
        with ForwardAccumulator(v, tf.constant(1.0)) as acc:
            before = v * v
            v.assign(10.0)
            after = v * v
        assert float(acc.jvp(before)) == 4.0
        assert float(acc.jvp(after)) == 20.0  # the tangent is the variable's, whatever its value

    def test_several_blocks(self):
        x = constant(3.0)
        acc = ForwardAccumulator(x, constant(1.0))
        with acc:
            y = x * x
        not_seen = y * 2.0
        with acc:
            z = y * x
        assert float(acc.jvp(z)) == 27.0
        assert acc.jvp(not_seen) is None

    def test_float32_and_complex(self):
        x = tf.constant([1.0, 2.0])
        z = tf.constant([1 + 2j])
        with ForwardAccumulator([x, z], [np.array([1.0, 0.0]), tf.constant([1j])]) as acc:
            y, w = x * x, z * z
        assert acc.jvp(y).dtype == tf.float32
        np.testing.assert_array_equal(acc.jvp(w).numpy(), [2 * (1 + 2j) * 1j])

    def test_integer_primals_have_no_tangent(self, caplog):
        caplog.set_level(logging.WARNING, "tapegrad")
        n = tf.constant(3)
        acc = ForwardAccumulator(n, tf.constant(1))
        with acc:
            y = n * 2
        assert acc.jvp(y) is None
        assert "must be floating" in caplog.text


class TestErrors:
    def test_reentered(self):
        acc = ForwardAccumulator(constant(1.0), constant(1.0))
        with acc, pytest.raises(ValueError, match=r"Accumulator is already recording\."):
            acc.__enter__()

    def test_primal_twice(self):
        x = constant(1.0)
        with pytest.raises(ValueError, match="was specified as a primal multiple times"):
            ForwardAccumulator([x, x], [constant(1.0), constant(1.0)])

    def test_what_does_not_fit(self):
        x = constant(X)
        with pytest.raises(ValueError, match="nested structure"):
            ForwardAccumulator(x, [1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match=r"must have shape \(3,\), not \(\)"):
            ForwardAccumulator(x, constant(1.0))
        with pytest.raises(TypeError, match="A primal must be a tensor or a variable"):
            ForwardAccumulator(1.0, 1.0)
        with pytest.raises(ValueError, match="cannot be complex128"):
            ForwardAccumulator(x, tf.constant(V * 1j))
        with pytest.raises(ValueError, match=r"must have shape \(n, 3\), not \(3,\)"):
            ForwardAccumulator(x, constant(V), batched=True)

    def test_an_exception_in_the_block_leaves_it_usable(self):
        x = constant(2.0)
        acc = ForwardAccumulator(x, constant(1.0))
        with pytest.raises(ZeroDivisionError), acc:
            y = x * x
            raise ZeroDivisionError
        assert float(acc.jvp(y)) == 4.0
        with acc:
            z = x * x
        assert float(acc.jvp(z)) == 4.0


class TestNesting:
    def test_accumulators(self):
        x = constant(1.1)
        with ForwardAccumulator(x, constant(1.0)) as outer, ForwardAccumulator(x, constant(1.0)) as inner:
            y = x**3.5
        first = inner.jvp(y)
        assert float(first) == pytest.approx(3.5 * 1.1**2.5, rel=1e-14)
        assert float(outer.jvp(first)) == pytest.approx(3.5 * 2.5 * 1.1**1.5, rel=1e-14)
        assert float(outer.jvp(y)) == pytest.approx(3.5 * 1.1**2.5, rel=1e-14)
        assert inner.jvp(outer.jvp(y)) is None

    def test_strictly_also_inside_the_blocks(self):
        x = constant(1.1)
        with ForwardAccumulator(x, constant(1.0)) as outer, ForwardAccumulator(x, constant(1.0)) as inner:
            y = x**3
            assert inner.jvp(outer.jvp(y)) is None
            assert outer.jvp(outer.jvp(y)) is None
            assert float(outer.jvp(inner.jvp(y))) == pytest.approx(6.6)

    def test_three_deep(self):
        x = constant(2.0)
        one = constant(1.0)
        with ForwardAccumulator(x, one) as a, ForwardAccumulator(x, one) as b, ForwardAccumulator(x, one) as c:
            y = x**5
        assert float(a.jvp(b.jvp(c.jvp(y)))) == pytest.approx(60 * 4.0)

    @pytest.mark.parametrize("inside", [False, True])
    def test_over_a_tape_is_a_hessian_vector_product(self, inside):
        x = constant(X)
        with ForwardAccumulator(x, constant(V)) as acc:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.reduce_sum(x**3) * x[0]
            gradient = tape.gradient(y, x)
            if inside:
                product = acc.jvp(gradient)
        if not inside:
            product = acc.jvp(gradient)
        hessian = np.diag(6 * X) * X[0]
        hessian[0] += 3 * X**2
        hessian[:, 0] += 3 * X**2
        np.testing.assert_allclose(product.numpy(), hessian @ V, rtol=1e-12)

    @pytest.mark.parametrize("inside", [False, True])
    def test_a_tape_over_it(self, inside):
        x = constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            with ForwardAccumulator(x, constant(V)) as acc:
                y = tf.reduce_sum(x**3)
            if inside:
                slope = acc.jvp(y)
        if not inside:
            slope = acc.jvp(y)
        np.testing.assert_allclose(tape.gradient(slope, x).numpy(), 6 * X * V, rtol=1e-12)

    def test_tapes_and_accumulators_of_the_third_order(self):
        x = constant(1.3)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with ForwardAccumulator(x, constant(1.0)) as acc:
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    y = x**4
                first = inner.gradient(y, x)
        second = acc.jvp(first)
        assert float(second) == pytest.approx(12 * 1.3**2, rel=1e-12)
        assert float(outer.gradient(second, x)) == pytest.approx(24 * 1.3, rel=1e-12)

    def test_a_persistent_tape_is_not_disturbed(self):
        x = constant(X)
        with tf.GradientTape(persistent=True) as tape, ForwardAccumulator(x, constant(V)) as acc:
            tape.watch(x)
            y = tf.sin(x)
            acc.jvp(y)
        np.testing.assert_allclose(tape.gradient(y, x).numpy(), np.cos(X))


class TestBatches:
    def test_many_directions_at_once(self):
        x = constant(X)
        directions = np.vstack([np.eye(3), V])
        with ForwardAccumulator(x, constant(directions), batched=True) as acc:
            y = tf.tanh(x) * tf.reduce_sum(x)
            z = tf.reduce_sum(y)
        slope = 1 - np.tanh(X) ** 2
        jacobian = np.diag(slope * X.sum()) + np.tanh(X)[:, None]
        np.testing.assert_allclose(acc.jvp(y).numpy(), directions @ jacobian.T, rtol=1e-12)
        np.testing.assert_allclose(acc.jvp(z).numpy(), (directions @ jacobian.T).sum(1), rtol=1e-12)
        np.testing.assert_array_equal(acc.jvp(constant(2.0), "zero").numpy(), np.zeros(4))

    def test_over_a_tape_is_the_hessian(self):
        x = constant(X)
        with ForwardAccumulator(x, constant(np.eye(3)), batched=True) as acc:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.reduce_sum(x**3) * x[0]
            gradient = tape.gradient(y, x)
        hessian = np.diag(6 * X) * X[0]
        hessian[0] += 3 * X**2
        hessian[:, 0] += 3 * X**2
        np.testing.assert_allclose(acc.jvp(gradient).numpy(), hessian, rtol=1e-12)

    def test_unequal_lengths(self):
        with pytest.raises(ValueError, match=r"equally many, and at least one: there are \[2, 3\]"):
            ForwardAccumulator(
                [constant(1.0), constant(2.0)], [constant([1.0, 1.0]), constant([1.0, 1.0, 1.0])], batched=True
            )


class TestRulesInPython:
    def test_a_custom_gradient_is_transposed(self):
        @tf.custom_gradient
        def square(x):
            return x * x, lambda upstream: upstream * 2.0 * x

        x = constant(3.0)
        with ForwardAccumulator(x, constant(1.0)) as acc:
            y = square(x) * x
        assert float(acc.jvp(y)) == 27.0

    def test_one_that_leaves_the_tape_raises(self):
        @tf.custom_gradient
        def square(x):
            return x * x, lambda upstream: tf.constant(2.0 * upstream.numpy() * x.numpy())

        x = constant(3.0)
        with ForwardAccumulator(x, constant(1.0)) as acc:
            y = square(x)
        with pytest.raises(TypeError, match="square: forward mode transposes its gradient function"):
            acc.jvp(y)

    def test_while_the_accumulator_alone_records(self):
        # The rules are recorded on tapes of their own, which come and go on the thread's list.
        x = constant(X)
        with ForwardAccumulator(x, constant(V)) as acc:
            y = tf.math.cumprod(x)
            before = acc.jvp(y).numpy()
            z = y * x
            slope = acc.jvp(z).numpy()
        after = constant(2.0) * x
        tangent = np.cumprod(X) * np.cumsum(V / X)
        np.testing.assert_allclose(before, tangent, rtol=1e-12)
        np.testing.assert_allclose(slope, tangent * X + np.cumprod(X) * V, rtol=1e-12)
        assert acc.jvp(after) is None

    def test_linear_ones_are_applied_to_the_tangent(self):
        x = constant(X)
        with ForwardAccumulator(x, constant(V)) as acc:
            y = tf.cumsum(x)
        np.testing.assert_allclose(acc.jvp(y).numpy(), np.cumsum(V), rtol=1e-14)


def test_a_long_chain_needs_no_recursion():
    x = constant(0.5)
    with ForwardAccumulator(x, constant(1.0)) as acc:
        y = x
        for _ in range(100_000):
            y = y * 1.00001
    assert float(acc.jvp(y)) == pytest.approx(1.00001**100_000, rel=1e-9)


def test_nothing_leaks():
    from tapegrad import memory

    x = constant(np.ones(1000))

    def once():
        with ForwardAccumulator(x, x) as acc:
            y = tf.sin(x) * tf.cumsum(x)
        acc.jvp(y)

    once()
    before = memory.stats().live
    for _ in range(100):
        once()
    assert memory.stats().live <= before + 10_000
