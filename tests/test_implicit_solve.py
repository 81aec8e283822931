"""implicit_solve: roots and fixed points, differentiated in both modes, with and without a matrix."""

import numpy as np
import pytest

import tapegrad as tf

A = np.array([[4.0, 1.0, 0.5], [0.2, 3.0, 1.0], [1.0, 0.3, 5.0]])
B = np.array([1.0, 2.0, 3.0])


def by_columns(matvec, b):
    """A solver that sees the matrix only through its products."""
    return np.linalg.solve(np.stack([matvec(column) for column in np.eye(len(b))], axis=1), b)


def newton(f, x):
    for _ in range(50):
        x = x - np.linalg.solve(tf.jacobian(f)(x), f(x))
    return x


def residual(x, b, p):
    return A @ x + p["c"] * x**3 - b


def solve_residual(b, p):
    assert type(b) is np.ndarray
    return newton(lambda x: residual(x, b, p), np.zeros(3))


@pytest.mark.parametrize("linear_solve", [None, by_columns], ids=["dense", "matrix-free"])
class TestImplicitSolve:
    @pytest.mark.parametrize("mode", ["reverse", "forward"])
    def test_root(self, linear_solve, mode):
        root = tf.implicit_solve(residual, solve_residual, linear_solve=linear_solve)
        np.testing.assert_allclose(residual(root(B, {"c": 0.3}), B, {"c": 0.3}), 0.0, atol=1e-14)
        tf.testing.check_grads(root, (B, {"c": 0.3}), modes=(mode,))

    @pytest.mark.parametrize("mode", ["reverse", "forward"])
    def test_fixed_point(self, linear_solve, mode):
        def iterate(a):
            x = np.float64(1.0)
            for _ in range(200):
                x = np.cos(a * x)
            return x

        point = tf.implicit_solve(lambda x, a: np.cos(a * x), iterate, fixed_point=True, linear_solve=linear_solve)
        tf.testing.check_grads(point, (0.8,), modes=(mode,))
        x = point(0.8)
        assert tf.grad(point)(0.8) == pytest.approx(-x * np.sin(0.8 * x) / (1.0 + 0.8 * np.sin(0.8 * x)), rel=1e-13)

    def test_third_order(self, linear_solve):
        root = tf.implicit_solve(lambda x, a: x * x - a, np.sqrt, linear_solve=linear_solve)
        assert tf.grad(tf.grad(tf.grad(root)))(4.0) == pytest.approx(3.0 / 8.0 * 4.0**-2.5, rel=1e-13)

    def test_jacobian_and_hessian(self, linear_solve):
        root = tf.implicit_solve(residual, solve_residual, linear_solve=linear_solve)
        x = root(B, {"c": 0.3})
        expected = np.linalg.inv(A + np.diag(0.9 * x**2))
        np.testing.assert_allclose(tf.jacobian(root)(B, {"c": 0.3}), expected, rtol=1e-12, atol=1e-14)
        found = tf.hessian(lambda b: np.sum(root(b, {"c": 0.3})))(B)
        np.testing.assert_allclose(found, found.T, rtol=1e-10, atol=1e-13)

    def test_structured_solution(self, linear_solve):
        def equations(x, a):
            return {"sum": x["u"] + x["v"][0] - a, "difference": x["u"] - x["v"] * 2.0}

        def solve(a):
            return {"u": 2.0 * a / 3.0, "v": np.array([a / 3.0])}

        find = tf.implicit_solve(equations, solve, linear_solve=linear_solve)
        found = tf.jacobian(find)(3.0)
        assert found["u"] == pytest.approx(2.0 / 3.0)
        np.testing.assert_allclose(found["v"], [1.0 / 3.0])

    def test_complex(self, linear_solve):
        root = tf.implicit_solve(lambda x, a: x * x - a, np.sqrt, linear_solve=linear_solve)
        a = 3.0 + 4.0j
        assert tf.grad(root)(a) == pytest.approx(np.conj(0.5 / np.sqrt(a)))
        assert tf.jvp(root, (a,), (1j,))[1] == pytest.approx(0.5j / np.sqrt(a))

    def test_variables_and_values_in_the_closure(self, linear_solve):
        v, c = tf.Variable(2.0, dtype=tf.float64), tf.constant(3.0, tf.float64)
        root = tf.implicit_solve(lambda x, a: x * x - a * v * c, lambda a: np.sqrt(a * 6.0), linear_solve=linear_solve)
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(c)
            with tf.GradientTape() as tape:
                tape.watch(c)
                x = root(6.0)
            gradients = tape.gradient(x, [v, c])
        assert x.numpy() == 6.0
        np.testing.assert_allclose([g.numpy() for g in gradients], [18.0 / 12.0, 12.0 / 12.0])
        # d2/dv2 sqrt(18 v) = -18^2 / (4 x^3)
        assert outer.gradient(gradients[0], v).numpy() == pytest.approx(-(18.0**2) / (4.0 * 6.0**3))


class TestImplicitSolveForms:
    def test_plain(self):
        root = tf.implicit_solve(lambda x, a: x * x - a, np.sqrt)
        assert root(4.0) == 2.0
        assert isinstance(root(4.0), float)
        assert isinstance(root(tf.constant(4.0)), tf.Tensor)
        assert root.__wrapped__ is np.sqrt

    def test_solver_may_be_anything(self):
        solve_quadratic = tf.implicit_solve(lambda x, b, c: x * x + b * x + c, lambda b, c: max(np.roots([1.0, b, c])))
        assert tf.grad(solve_quadratic, (0, 1))(-3.0, 2.0) == pytest.approx((-2.0, -1.0))

    def test_unused_parameter(self):
        root = tf.implicit_solve(lambda x, a, b: x - a, lambda a, b: a)
        assert tf.grad(root, (0, 1))(2.0, 3.0) == (1.0, 0.0)
        assert tf.jvp(root, (2.0, 3.0), (0.0, 1.0))[1] == 0.0

    def test_wrong_size(self):
        root = tf.implicit_solve(lambda x, a: np.stack([x - a, x - a]), lambda a: a)
        with pytest.raises(ValueError, match="f must return as many numbers as x has, 1, but it returned 2"):
            tf.grad(root)(2.0)

    def test_singular(self):
        root = tf.implicit_solve(lambda x, a: (x - a) ** 2, lambda a: a)
        with pytest.raises(np.linalg.LinAlgError):
            tf.grad(root)(2.0)
