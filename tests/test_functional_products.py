"""vjp, jvp, jacobian, hessian and hessian_vector_product: agreement with each other, structures, and errors."""

import dataclasses

import numpy as np
import pytest
from shared import rosenbrock

import tapegrad as tf


def mixed(x):
    """A function from 3 to 2 numbers."""
    return np.stack([x[0] * np.sin(x[1]), x[1] * x[2] ** 2])


def mixed_jacobian(x):
    return np.array([[np.sin(x[1]), x[0] * np.cos(x[1]), 0.0], [0.0, x[2] ** 2, 2.0 * x[1] * x[2]]])


def rosenbrock_hessian(x):
    n = len(x)
    result = np.zeros((n, n))
    for k in range(n - 1):
        result[k, k] += 1200.0 * x[k] ** 2 - 400.0 * x[k + 1] + 2.0
        result[k + 1, k + 1] += 200.0
        result[k, k + 1] = result[k + 1, k] = -400.0 * x[k]
    return result


X = np.array([0.5, 1.2, -0.7])


@dataclasses.dataclass
class Pair:
    a: object
    b: object


class TestVjp:
    def test_one_argument_has_a_bare_cotangent(self):
        value, pullback = tf.vjp(mixed, X)
        np.testing.assert_array_equal(value, mixed(X))
        assert type(value) is np.ndarray
        g = np.array([2.0, 3.0])
        for _ in range(2):  # as often as one likes
            found = pullback(g)
            assert type(found) is np.ndarray
            np.testing.assert_allclose(found, g @ mixed_jacobian(X), rtol=1e-15)

    def test_several_arguments_have_a_tuple(self):
        value, pullback = tf.vjp(lambda a, x: a * x, 2.0, X)
        np.testing.assert_array_equal(value, 2.0 * X)
        assert_like(pullback(np.ones(3)), (np.sum(X), np.full(3, 2.0)))

    def test_structures(self):
        value, pullback = tf.vjp(lambda p: {"s": p.a * p.b, "d": [p.a - p.b]}, Pair(3.0, 5.0))
        assert value == {"s": 15.0, "d": [-2.0]}
        assert pullback({"s": 1.0, "d": [10.0]}) == Pair(15.0, -7.0)
        assert pullback({"s": None, "d": [1.0]}) == Pair(1.0, -1.0)

    def test_tensors(self):
        value, pullback = tf.vjp(mixed, tf.constant(X))
        assert isinstance(value, tf.Tensor)
        assert isinstance(pullback(np.ones(2)), tf.Tensor)

    def test_no_dependence(self):
        _, pullback = tf.vjp(lambda x, y: x * 2.0, 1.0, X)
        assert_like(pullback(1.0), (2.0, np.zeros(3)))

    def test_pullback_is_differentiable(self):
        def squared_norm(x):
            _, pullback = tf.vjp(rosenbrock, x)
            return np.sum(pullback(1.0) ** 2)

        gradient = tf.grad(rosenbrock)(X)
        np.testing.assert_allclose(tf.grad(squared_norm)(X), 2.0 * rosenbrock_hessian(X) @ gradient, rtol=1e-13)

    def test_pullback_is_linear_in_its_cotangent(self):
        _, pullback = tf.vjp(mixed, X)
        np.testing.assert_allclose(tf.jacobian(pullback)(np.ones(2)), mixed_jacobian(X).T, rtol=1e-15)

    def test_cotangent_takes_the_dtype(self):
        _, pullback = tf.vjp(lambda x: x * 2, np.ones(2, np.float32))
        assert pullback(np.ones(2)).dtype == np.float32

    @pytest.mark.parametrize(
        ("cotangent", "error", "message"),
        [
            (np.ones(3), ValueError, r"a cotangent has shape \(3,\), but \(2,\) is needed"),
            ([1.0, 2.0], ValueError, "must have the structure of the value, 1 leaves, but it has 2"),
            (np.ones(2) * 1j, TypeError, "a cotangent has dtype complex128, but float64 is needed"),
            (tf.constant([1.0, 1.0]), TypeError, "a cotangent has dtype float32, but float64 is needed"),
        ],
    )
    def test_wrong_cotangent(self, cotangent, error, message):
        _, pullback = tf.vjp(mixed, X)
        with pytest.raises(error, match=f"vjp: .*{message}"):
            pullback(cotangent)

    def test_wrong_arguments(self):
        with pytest.raises(TypeError, match="the arguments to differentiate at come after the function"):
            tf.vjp(mixed)
        with pytest.raises(TypeError, match="vjp: an argument to be differentiated is 3"):
            tf.vjp(lambda x: x, 3)


class TestJvp:
    def test_plain(self):
        direction = np.array([1.0, -2.0, 0.5])
        value, tangent = tf.jvp(mixed, (X,), (direction,))
        assert type(tangent) is np.ndarray
        np.testing.assert_array_equal(value, mixed(X))
        np.testing.assert_allclose(tangent, mixed_jacobian(X) @ direction, rtol=1e-15)

    def test_float(self):
        value, tangent = tf.jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))
        assert (value, tangent) == (6.0, 23.0)
        assert isinstance(tangent, float)

    def test_structures(self):
        value, tangent = tf.jvp(lambda p: {"s": p.a * p.b, "n": 1, "c": 2.5}, (Pair(3.0, 5.0),), (Pair(1.0, 0.0),))
        assert value == {"s": 15.0, "n": 1, "c": 2.5}
        assert tangent == {"s": 5.0, "n": None, "c": 0.0}

    def test_dot_product_with_vjp(self, rng):
        direction, g = rng.standard_normal(3), rng.standard_normal(2)
        _, tangent = tf.jvp(mixed, (X,), (direction,))
        assert g @ tangent == pytest.approx(tf.vjp(mixed, X)[1](g) @ direction, rel=1e-14)

    def test_nested(self):
        def slope(x):
            return tf.jvp(lambda x: x**4, (x,), (1.0,))[1]

        assert tf.jvp(slope, (2.0,), (1.0,)) == (32.0, 48.0)
        assert tf.grad(slope)(2.0) == 48.0
        assert tf.jvp(tf.grad(lambda x: x**4), (2.0,), (1.0,)) == (32.0, 48.0)

    def test_perturbations_are_not_confused(self):
        def inner(x):
            return x * tf.jvp(lambda y: x + y, (1.0,), (1.0,))[1]

        assert tf.jvp(inner, (1.0,), (1.0,))[1] == 1.0

    def test_recorded_by_tapes_outside(self):
        x = tf.Variable(X)
        with tf.GradientTape() as tape:
            _, tangent = tf.jvp(rosenbrock, (x,), (np.ones(3),))
        np.testing.assert_allclose(tape.gradient(tangent, x).numpy(), rosenbrock_hessian(X) @ np.ones(3), rtol=1e-13)

    @pytest.mark.parametrize(
        ("primals", "tangents", "error", "message"),
        [
            (X, (X,), TypeError, "primals must be a tuple"),
            ((X,), X, TypeError, "tangents must be a tuple"),
            ((X,), (np.ones(2),), ValueError, r"a tangent has shape \(2,\), but \(3,\) is needed"),
            ((X,), (X, X), ValueError, "the tangent must have the structure of the arguments, 1 values, but it has 2"),
            ((X,), (1j * X,), TypeError, "a tangent has dtype complex128"),
            ((3,), (1.0,), TypeError, "an argument to be differentiated is 3"),
        ],
    )
    def test_wrong(self, primals, tangents, error, message):
        with pytest.raises(error, match=f"jvp: .*{message}"):
            tf.jvp(mixed, primals, tangents)


class TestJacobian:
    def test_plain(self):
        found = tf.jacobian(mixed)(X)
        assert type(found) is np.ndarray
        assert found.flags.c_contiguous
        assert found.flags.writeable
        np.testing.assert_allclose(found, mixed_jacobian(X), rtol=1e-15)

    @pytest.mark.parametrize("shape_out", [(), (2,), (4, 1), (0,)])
    @pytest.mark.parametrize("shape_in", [(), (3,), (2, 2), (0,)])
    def test_shapes(self, shape_in, shape_out, rng):
        weights = rng.standard_normal(shape_out + shape_in)

        def linear(x):
            return np.sum(weights * x, axis=tuple(range(len(shape_out), weights.ndim)))

        found = tf.jacobian(linear)(np.zeros(shape_in))
        assert np.shape(found) == shape_out + shape_in
        np.testing.assert_array_equal(found, weights)

    def test_structures(self):
        found = tf.jacobian(lambda p, x: [p["a"] * x, x[:1]], (0, 1))({"a": 2.0}, X[:2])
        assert_like(found[0][0], {"a": X[:2]})
        np.testing.assert_array_equal(found[0][1], 2.0 * np.eye(2))
        assert_like(found[1][0], {"a": np.array([0.0])})
        np.testing.assert_array_equal(found[1][1], [[1.0, 0.0]])

    def test_aux(self):
        found, aux = tf.jacobian(lambda x: (2.0 * x, {"n": 1, "x": x}), has_aux=True)(X)
        np.testing.assert_array_equal(found, 2.0 * np.eye(3))
        assert type(aux["x"]) is np.ndarray

    def test_tensors(self):
        assert isinstance(tf.jacobian(mixed)(tf.constant(X)), tf.Tensor)

    @pytest.mark.parametrize("inner", [tf.grad, tf.jacobian])
    def test_composition_gives_the_hessian(self, inner):
        np.testing.assert_allclose(tf.jacobian(inner(rosenbrock))(X), rosenbrock_hessian(X), rtol=1e-13)

    def test_gradient_of_a_jacobian(self):
        # sum of (2 x_i)^2
        found = tf.grad(lambda x: np.sum(tf.jacobian(lambda x: x * x)(x) ** 2))(X)
        np.testing.assert_allclose(found, 8.0 * X, rtol=1e-14)

    def test_options(self):
        np.testing.assert_allclose(tf.jacobian(mixed, max_bytes=1)(X), mixed_jacobian(X), rtol=1e-15)

    def test_holomorphic_is_conjugated(self):
        z = np.array([1.0 + 2.0j, 0.5j])
        np.testing.assert_allclose(tf.jacobian(lambda z: z * z)(z), np.diag(np.conj(2.0 * z)), rtol=1e-15)

    def test_complex_results_of_real_arguments(self):
        found = tf.jacobian(lambda x: np.exp(1j * x))(X)
        np.testing.assert_allclose(found, np.diag(1j * np.exp(1j * X)), rtol=1e-15)

    def test_constant_results(self):
        found = tf.jacobian(lambda x: (x, 2.5, "label"))(1.0)
        assert found == (1.0, 0.0, None)

    @pytest.mark.parametrize(
        ("f", "x", "message"),
        [
            (np.argmax, X, "returned int64"),
            (lambda x: None, X, "must return floating-point numbers, but it returned None"),
            (mixed, np.arange(3), "an argument to be differentiated has dtype int64"),
        ],
    )
    def test_wrong(self, f, x, message):
        with pytest.raises(TypeError, match=f"jacobian: .*{message}"):
            tf.jacobian(f)(x)


class TestHessian:
    @pytest.mark.parametrize("n", [2, 5])
    def test_rosenbrock(self, n):
        x = np.linspace(-1.0, 1.0, n)
        found = tf.hessian(rosenbrock)(x)
        assert type(found) is np.ndarray
        np.testing.assert_allclose(found, rosenbrock_hessian(x), rtol=1e-13, atol=1e-12)

    def test_scalar(self):
        assert tf.hessian(lambda x: x**3)(2.0) == 12.0

    def test_structures(self):
        found = tf.hessian(lambda p: p["a"] ** 2 * np.sum(p["b"]))({"a": 3.0, "b": np.ones(2)})
        assert found["a"]["a"] == 4.0
        np.testing.assert_array_equal(found["a"]["b"], [6.0, 6.0])
        np.testing.assert_array_equal(found["b"]["a"], [6.0, 6.0])
        np.testing.assert_array_equal(found["b"]["b"], np.zeros((2, 2)))

    def test_argnums(self):
        found = tf.hessian(lambda x, y: x**2 * y, (0, 1))(3.0, 5.0)
        assert found == ((10.0, 6.0), (6.0, 0.0))

    def test_third_order(self):
        found = tf.jacobian(tf.hessian(lambda x: np.sum(x**3)))(X)
        expected = np.zeros((3, 3, 3))
        expected[np.arange(3), np.arange(3), np.arange(3)] = 6.0
        np.testing.assert_allclose(found, expected, atol=1e-14)

    def test_complex(self):
        with pytest.raises(TypeError, match="hessian: the arguments must be real"):
            tf.hessian(np.abs)(1.0 + 1.0j)

    def test_not_scalar(self):
        with pytest.raises(TypeError, match=r"must return a scalar, but its result has shape \(2,\)"):
            tf.hessian(mixed)(X)


class TestHessianVectorProduct:
    def test_is_hvp(self):
        assert tf.hvp is tf.hessian_vector_product

    def test_plain(self, rng):
        x, v = rng.standard_normal(6), rng.standard_normal(6)
        found = tf.hvp(rosenbrock)(x, v)
        assert type(found) is np.ndarray
        np.testing.assert_allclose(found, rosenbrock_hessian(x) @ v, rtol=1e-13)

    def test_more_arguments(self):
        product = tf.hvp(lambda k, x: k * np.sum(x**3), 1)
        np.testing.assert_allclose(product(2.0, X, np.ones(3)), 12.0 * X, rtol=1e-15)

    def test_several_arguments(self):
        product = tf.hvp(lambda x, y: x**2 * y, (0, 1))
        assert product(3.0, 5.0, (1.0, 0.0)) == (10.0, 6.0)

    def test_structure(self):
        product = tf.hvp(lambda p: p["a"] ** 2 * p["b"])
        assert product({"a": 3.0, "b": 5.0}, {"a": 0.0, "b": 1.0}) == {"a": 6.0, "b": 0.0}

    def test_differentiable(self):
        found = tf.jacobian(lambda v: tf.hvp(rosenbrock)(X, v))(np.ones(3))
        np.testing.assert_allclose(found, rosenbrock_hessian(X), rtol=1e-13)
        np.testing.assert_allclose(tf.grad(lambda x: tf.hvp(lambda x: x**4)(x, 1.0))(2.0), 48.0)

    @pytest.mark.parametrize(
        ("args", "error", "message"),
        [
            ((X,), TypeError, "with the arguments of rosenbrock and, after them, the vector"),
            ((X, np.ones(2)), ValueError, r"a vector has shape \(2,\), but \(3,\) is needed"),
        ],
    )
    def test_wrong(self, args, error, message):
        with pytest.raises(error, match=f"hessian_vector_product: .*{message}"):
            tf.hvp(rosenbrock)(*args)

    def test_not_scalar(self):
        with pytest.raises(TypeError, match=r"must return a scalar, but its result has shape \(2,\)"):
            tf.hvp(mixed)(X, X)


class TestFlatten:
    STRUCTURE = {"b": [np.ones((2, 2)), "label", None], "a": Pair(5.0, np.zeros(0))}  # noqa: RUF012

    def test_there_and_back(self):
        vector, unflatten = tf.flatten(self.STRUCTURE)
        np.testing.assert_array_equal(vector, [5.0, 1.0, 1.0, 1.0, 1.0])
        found = unflatten(2.0 * vector)
        assert found["b"][1:] == ["label", None]
        assert_like(found["b"][0], np.full((2, 2), 2.0))
        assert found["a"].a == 10.0
        assert found["a"].b.shape == (0,)

    def test_dtypes(self):
        vector, unflatten = tf.flatten([np.float32(1.0), 2.0 + 1.0j])
        assert vector.dtype == np.complex128
        found = unflatten(vector * 1j)
        assert found[0].dtype == np.float32
        assert found[0] == 0.0
        assert found[1] == -1.0 + 2.0j

    def test_empty(self):
        vector, unflatten = tf.flatten({})
        assert vector.shape == (0,)
        assert unflatten(vector) == {}

    def test_recorded_both_ways(self):
        def f(p):
            vector, unflatten = tf.flatten(p)
            q = unflatten(vector * np.arange(1.0, 4.0))
            return q["a"] * np.sum(q["b"])

        assert_like(tf.grad(f)({"a": 2.0, "b": np.ones(2)}), {"a": 5.0, "b": np.array([4.0, 6.0])})

    def test_tensor_of_plain_structure(self):
        _, unflatten = tf.flatten({"a": 2.0, "b": np.ones(2)})
        assert_like(tf.grad(lambda v: np.sum(unflatten(v)["b"]))(np.ones(3)), np.array([0.0, 1.0, 1.0]))

    def test_wrong_length(self):
        _, unflatten = tf.flatten([1.0, 2.0])
        with pytest.raises(ValueError, match=r"a vector of shape \(2,\) is needed, but this one has shape \(3,\)"):
            unflatten(np.ones(3))

    def test_integers(self):
        with pytest.raises(TypeError, match=r"flatten: .* is 3, of type int"):
            tf.flatten([1.0, 3])


def assert_like(found, expected):
    """Same structure, no tensors, equal values."""
    tf.nest.assert_same_structure(found, expected)
    for a, b in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        assert not isinstance(a, tf.Tensor)
        np.testing.assert_allclose(a, b, rtol=1e-15)
