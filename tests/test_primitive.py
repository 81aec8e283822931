"""primitive: both modes from either rule, higher orders, and refusals instead of wrong numbers."""

import math

import numpy as np
import pytest

import tapegrad as tf

A = np.array([[4.0, 1.0, 0.5], [0.2, 3.0, 1.0], [1.0, 0.3, 5.0]])
B = np.array([1.0, 2.0, 3.0])


def solve_by_compiled_code(a, b):
    """Stand-in for a C library: takes nothing but NumPy arrays."""
    assert type(a) is np.ndarray
    assert type(b) is np.ndarray
    return np.linalg.solve(a, b)


def solve_vjp(g, x, a, b):
    w = np.linalg.solve(np.transpose(a), g)
    return -np.outer(w, x), w


def solve_jvp(tangents, x, a, b):
    da, db = tangents
    return np.linalg.solve(a, db - da @ x)


RULES = {
    "vjp": {"vjp": solve_vjp},
    "jvp": {"jvp": solve_jvp},
    "both": {"vjp": solve_vjp, "jvp": solve_jvp},
}


class TestRules:
    @pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
    @pytest.mark.parametrize("mode", ["reverse", "forward"])
    def test_either_rule_serves_both_modes(self, rules, mode):
        tf.testing.check_grads(tf.primitive(solve_by_compiled_code, **rules), (A, B), order=2, modes=(mode,))

    @pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
    def test_jacobian(self, rules):
        solve = tf.primitive(solve_by_compiled_code, **rules)
        np.testing.assert_allclose(tf.jacobian(solve, 1)(A, B), np.linalg.inv(A), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(
            tf.hessian(lambda b: np.sum(solve(A, b) ** 2))(B), 2.0 * np.linalg.inv(A @ A.T), rtol=1e-12
        )

    def test_third_order(self):
        exp = tf.primitive(lambda x: math.exp(x), vjp=lambda g, out, x: g * out)
        assert tf.grad(tf.grad(tf.grad(exp)))(0.5) == math.exp(0.5)

    def test_rule_that_calls_its_own_primitive(self):
        def vjp(g, x, a, b):
            w = solve(np.transpose(a), g)
            return -np.outer(w, x), w

        solve = tf.primitive(solve_by_compiled_code, vjp=vjp)

        def f(solve):
            return lambda a: np.sum(solve(a, B) ** 2)

        np.testing.assert_allclose(tf.hvp(f(solve))(A, A.T), tf.hvp(f(np.linalg.solve))(A, A.T), rtol=1e-12)
        np.testing.assert_allclose(tf.hessian(f(solve))(A), tf.hessian(f(np.linalg.solve))(A), rtol=1e-12)

    @pytest.mark.parametrize(
        "rules",
        [{"vjp": lambda g, out, z: g * np.conj(2.0 * z)}, {"jvp": lambda t, out, z: 2.0 * z * t}],
        ids=["vjp", "jvp"],
    )
    def test_complex(self, rules):
        square = tf.primitive(lambda z: z * z, **rules)
        z = 1.0 + 2.0j
        assert tf.grad(square)(z) == 2.0 - 4.0j
        assert tf.jvp(square, (z,), (1.0j,))[1] == 1j * 2.0 * z

    def test_float32(self):
        double = tf.primitive(lambda x: 2 * x, vjp=lambda g, out, x: 2 * g)
        gradient = tf.grad(lambda x: np.sum(double(x)))(np.ones(3, np.float32))
        assert gradient.dtype == np.float32

    def test_rules_get_arrays_for_first_derivatives(self):
        seen = []

        def vjp(g, out, x):
            seen.extend([type(g), type(out), type(x)])
            return 2.0 * g * x

        square = tf.primitive(lambda x: x * x, vjp=vjp)
        tf.grad(lambda x: np.sum(square(x)))(B)
        assert set(seen) == {np.ndarray}

    def test_function_may_write_to_its_arguments_and_keep_its_results(self):
        workspace = np.zeros(3)

        @tf.primitive(vjp=lambda g, out, x: 2.0 * g * x)
        def square(x):
            x *= x
            workspace[:] = x
            return workspace

        x = tf.constant(B)
        with tf.GradientTape() as tape:
            tape.watch(x)
            first, second = square(x), square(2.0 * x)
        np.testing.assert_array_equal(first.numpy(), B**2)
        np.testing.assert_array_equal(second.numpy(), 4.0 * B**2)
        np.testing.assert_array_equal(tape.gradient([first, second], x).numpy(), 10.0 * B)


class TestForms:
    def test_plain_arguments_call_the_function_itself(self):
        f = tf.primitive(lambda x: [x, "label"], vjp=lambda g, out, x: g[0])
        assert f(3.0) == [3.0, "label"]

    def test_unwatched_tensors_give_tensors(self):
        f = tf.primitive(lambda x: 2.0 * x, vjp=lambda g, out, x: 2.0 * g)
        assert isinstance(f(tf.constant(3.0)), tf.Tensor)

    def test_structures(self):
        def vjp(g, out, p, n):
            assert n == 2
            assert out["label"] == "label"
            return {"x": n * g["double"] + g["sum"] * np.ones(3), "n": None}

        @tf.primitive(vjp=vjp, nondiff_argnums=(-1,))
        def f(p, n):
            return {"double": n * p["x"], "sum": np.sum(p["x"]), "label": "label", "count": p["n"]}

        def total(p):
            result = f(p, 2)
            return np.sum(result["double"] * np.arange(3.0)) + 10.0 * result["sum"]

        found = tf.grad(lambda x: total({"x": x, "n": 7}))(B)
        np.testing.assert_array_equal(found, [10.0, 12.0, 14.0])

    def test_unused_results_have_zero_cotangents(self):
        f = tf.primitive(lambda x: (x, x * x), vjp=lambda g, out, x: g[0] + 2.0 * x * g[1])
        assert tf.grad(lambda x: f(x)[0])(3.0) == 1.0
        assert tf.grad(lambda x: f(x)[1])(3.0) == 6.0

    def test_none_is_no_dependence(self):
        f = tf.primitive(lambda x, y: x * 1.0, vjp=lambda g, out, x, y: (g, None))
        x, y = tf.Variable(2.0), tf.Variable(3.0)
        with tf.GradientTape() as tape:
            z = f(x, y)
        assert tape.gradient(z, [x, y]) == [1.0, None]

    def test_keywords(self):
        @tf.primitive(vjp=lambda g, out, x, y, *, scale: (g * y * scale, g * x * scale))
        def f(x, y, *, scale=1.0):
            return x * y * scale

        assert tf.grad(lambda x, y: f(y=y, x=x, scale=10.0), (0, 1))(2.0, 3.0) == (30.0, 20.0)
        with pytest.raises(TypeError, match="keyword-only arguments are not differentiated"):
            tf.grad(lambda s: f(2.0, 3.0, scale=s))(1.0)

    def test_method(self):
        class Scale:
            factor = 3.0

            def _vjp(g, out, x):
                return 3.0 * g

            @tf.primitive(vjp=_vjp)
            def __call__(self, x):
                return self.factor * x

        assert tf.grad(Scale())(1.0) == 3.0

    def test_names(self):
        def f(x):
            """Doc."""

        g = tf.primitive(f, vjp=lambda g, out, x: g)
        assert g.__wrapped__ is f
        assert (g.__name__, g.__doc__) == ("f", "Doc.")

    @pytest.mark.parametrize(
        ("vjp", "message"),
        [
            (lambda g, out, x, y: g, "must return a tuple of 2 cotangents, one for each differentiated argument"),
            (lambda g, out, x, y: (g, g, g), "must return a tuple of 2 cotangents"),
            (lambda g, out, x, y: (g[:1], g), r"vjp rule returned shape \(1,\) for argument 0, which has shape \(3,\)"),
            (lambda g, out, x, y: ([g, g], g), "vjp rule returned 2 values for argument 0, which has 1"),
        ],
    )
    def test_wrong_vjp(self, vjp, message):
        f = tf.primitive(lambda x, y: x * y, vjp=vjp)
        with pytest.raises(ValueError, match=message):
            tf.grad(lambda x: np.sum(f(x, x)))(B)

    def test_wrong_jvp(self):
        f = tf.primitive(lambda x: x * x, jvp=lambda t, out, x: t[:1])
        with pytest.raises(ValueError, match=r"jvp rule returned shape \(1,\) for the result, which has shape \(3,\)"):
            tf.jvp(f, (B,), (B,))

    def test_no_rule(self):
        with pytest.raises(TypeError, match='vjp="numerical" for central differences'):
            tf.primitive(np.sin)
        with pytest.raises(ValueError, match="vjp must be a function or \"numerical\", not 'exact'"):
            tf.primitive(np.sin, vjp="exact")

    def test_error_in_a_rule(self):
        f = tf.primitive(lambda x: x, vjp=lambda g, out, x: {}["missing"])
        with pytest.raises(KeyError, match="missing"):
            tf.grad(f)(1.0)
        with pytest.raises(KeyError, match="missing"):
            tf.grad(tf.grad(f))(1.0)


def compiled(x):
    """What compiled code does to its arguments."""
    return np.asarray(memoryview(np.ascontiguousarray(x)))


REFUSED = {
    "compiled code": lambda g, out, x: compiled(g) * 2.0 * x,
    "compiled code for the argument": lambda g, out, x: g * 2.0 * compiled(x),
    "one number taken out": lambda g, out, x: g * 2.0 * np.array([float(a) for a in 1.0 * x]),
    "numbers taken out": lambda g, out, x: np.array([2.0 * float(a) * float(b) for a, b in zip(g, x, strict=True)]),
}


class TestRefusals:
    @pytest.mark.parametrize("vjp", REFUSED.values(), ids=REFUSED)
    def test_second_derivative(self, vjp):
        square = tf.primitive(lambda x: x * x, vjp=vjp)
        np.testing.assert_array_equal(tf.grad(lambda x: np.sum(square(x)))(B), 2.0 * B)
        with pytest.raises(
            TypeError, match="its derivative is to be differentiated, but the rule is not made of recorded"
        ):
            tf.hessian(lambda x: np.sum(square(x)))(B)

    @pytest.mark.parametrize("name", ["compiled code", "numbers taken out"])
    def test_transposition(self, name):
        square = tf.primitive(lambda x: x * x, vjp=REFUSED[name])
        with pytest.raises(TypeError, match="its rule has to be transposed because there is no jvp= rule, but"):
            tf.jvp(square, (B,), (B,))
        square = tf.primitive(lambda x: x * x, jvp=REFUSED[name])
        with pytest.raises(TypeError, match="its rule has to be transposed because there is no vjp= rule, but"):
            tf.grad(lambda x: np.sum(square(x)))(B)

    def test_rule_that_loses_one_part(self):
        f = tf.primitive(lambda x, y: x * y, jvp=lambda t, out, x, y: t[0] * y + float(t[1]) * x)
        assert tf.jvp(f, (2.0, 3.0), (1.0, 1.0))[1] == 5.0
        with pytest.raises(TypeError, match="has to be transposed"):
            tf.grad(f, (0, 1))(2.0, 3.0)

    @pytest.mark.parametrize("rule", ["vjp", "jvp"])
    @pytest.mark.parametrize(
        "mode", [tf.grad, lambda f: lambda x: tf.jvp(f, (x,), (1.0,))[1]], ids=["reverse", "forward"]
    )
    def test_function_of_python_numbers(self, rule, mode):
        # math.exp(x) takes the number out of a tensor without a word: the first derivative is right, and there it ends.
        exp = tf.primitive(np.exp, **{rule: lambda g, out, x: g * math.exp(x)})
        assert mode(exp)(0.5) == math.exp(0.5)
        with pytest.raises(TypeError, match="not made of recorded operations"):
            tf.grad(mode(exp))(0.5)

    def test_branches_are_constant_nearby(self):
        f = tf.primitive(lambda x: abs(x) ** 3, vjp=lambda g, out, x: 3.0 * g * x**2 if x > 0 else -3.0 * g * x**2)
        assert tf.hessian(f)(-2.0) == 12.0

    def test_outer_tapes_that_do_not_ask_are_not_disturbed(self):
        square = tf.primitive(lambda x: x * x, vjp=REFUSED["compiled code"])
        x = tf.Variable(B)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = square(x)
            gradient = inner.gradient(y, x)
            z = tf.reduce_sum(x * tf.stop_gradient(gradient))
        np.testing.assert_array_equal(outer.gradient(z, x).numpy(), 2.0 * B)

    def test_rule_without_dependence_on_the_argument(self):
        # The second derivative of a linear function is zero, and no reason to complain.
        double = tf.primitive(lambda x: 2.0 * x, vjp=lambda g, out, x: 2.0 * g)
        np.testing.assert_array_equal(tf.hessian(lambda x: np.sum(double(x)))(B), np.zeros((3, 3)))


class TestNumerical:
    def test_both_modes(self):
        solve = tf.primitive(solve_by_compiled_code, vjp="numerical")
        exact = tf.primitive(solve_by_compiled_code, vjp=solve_vjp, jvp=solve_jvp)
        for f, g in zip(tf.jacobian(solve, (0, 1))(A, B), tf.jacobian(exact, (0, 1))(A, B), strict=True):
            np.testing.assert_allclose(f, g, rtol=1e-8, atol=1e-9)
        direction = (np.ones((3, 3)), B)
        np.testing.assert_allclose(tf.jvp(solve, (A, B), direction)[1], tf.jvp(exact, (A, B), direction)[1], rtol=1e-8)
        assert np.all(tf.jvp(solve, (A, B), (np.zeros((3, 3)), np.zeros(3)))[1] == 0.0)

    def test_large_and_small_numbers(self):
        cube = tf.primitive(lambda x: x**3, vjp="numerical")
        assert tf.grad(cube)(1e6) == pytest.approx(3e12, rel=1e-9)
        assert tf.grad(cube)(0.0) == pytest.approx(0.0, abs=1e-9)

    def test_complex(self):
        square = tf.primitive(lambda z: z * z, vjp="numerical")
        assert tf.grad(square)(1.0 + 2.0j) == pytest.approx(2.0 - 4.0j, rel=1e-9)

    def test_is_not_differentiated(self):
        with pytest.raises(TypeError, match="not made of recorded operations"):
            tf.grad(tf.grad(tf.primitive(lambda x: x**3, vjp="numerical")))(1.0)
