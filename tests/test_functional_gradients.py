"""grad, value_and_grad and elementwise_grad: values, structures, forms of results, and what they refuse."""

import collections
import dataclasses
import functools
import inspect
import pickle
import re

import numpy as np
import pytest

import tapegrad as tf

Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass(frozen=True)
class Settings:
    w: object
    label: str
    b: object = None


def cubes(x):
    """Sum of cubes."""
    return np.sum(x**3)


def with_aux(x):
    return np.sum(x**3), {"x": x, "label": "cubes"}


class TestPlain:
    @pytest.mark.parametrize("x", [2.0, np.float64(2.0)])
    def test_float(self, x):
        slope = tf.grad(lambda x: x**3)(x)
        assert slope == 12.0
        assert isinstance(slope, float)

    def test_array(self):
        gradient = tf.grad(cubes)(np.array([1.0, 2.0]))
        np.testing.assert_array_equal(gradient, [3.0, 12.0])
        assert type(gradient) is np.ndarray
        assert gradient.dtype == np.float64

    def test_array_for_compiled_code(self):
        # What a transposition leaves behind must not show: SciPy's compiled code wants this layout.
        gradient = tf.grad(lambda x: np.sum(np.transpose(x) * np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])))(
            np.ones((2, 3))
        )
        assert gradient.flags.c_contiguous
        assert gradient.flags.writeable
        assert gradient.flags.owndata
        np.testing.assert_array_equal(gradient, [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]])

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
    def test_dtype_is_kept(self, dtype):
        gradient = tf.grad(lambda x: np.sum(np.real(x * x)))(np.ones(3, dtype))
        assert gradient.dtype == dtype

    @pytest.mark.parametrize(
        "x", [np.asfortranarray(np.ones((2, 3))), np.ones(4)[::2], np.ones((2, 0)), np.array(2.0)], ids=repr
    )
    def test_layouts(self, x):
        np.testing.assert_array_equal(tf.grad(cubes)(x), 3.0 * x**2)

    def test_array_is_not_changed_by_the_function(self):
        def f(x):
            x[0] = 5.0
            return np.sum(x * x)

        x = np.array([1.0, 2.0])
        with pytest.raises(TypeError, match="Write to a copy"):
            tf.grad(f)(x)
        np.testing.assert_array_equal(x, [1.0, 2.0])
        np.testing.assert_array_equal(tf.grad(lambda x: f(np.copy(x)))(x), [0.0, 4.0])

    def test_no_dependence_is_zero(self):
        np.testing.assert_array_equal(tf.grad(lambda x: 3.0)(np.ones(2)), [0.0, 0.0])
        assert tf.grad(lambda x, y: y, (0, 1))(1.0, 2.0) == (0.0, 1.0)

    def test_result_with_one_element(self):
        np.testing.assert_array_equal(tf.grad(lambda x: x[:1] * x[1])(np.array([2.0, 3.0])), [3.0, 2.0])


class TestTensors:
    @pytest.mark.parametrize("make", [tf.constant, tf.Variable])
    def test_tensors_out(self, make):
        value, gradient = tf.value_and_grad(cubes)(make([1.0, 2.0]))
        assert isinstance(value, tf.Tensor)
        assert isinstance(gradient, tf.Tensor)
        assert gradient.dtype == tf.float32
        assert value.numpy() == 9.0
        np.testing.assert_array_equal(gradient.numpy(), [3.0, 12.0])

    def test_recorded_by_tapes_outside(self):
        x = tf.Variable(2.0)
        with tf.GradientTape() as tape:
            slope = tf.grad(lambda x: x**3)(x)
        assert tape.gradient(slope, x).numpy() == 12.0

    def test_the_same_tensor_in_the_closure_is_a_constant(self):
        x = tf.constant(3.0)
        assert tf.grad(lambda y: y * x)(x).numpy() == 3.0

    def test_a_variable_in_the_closure_is_a_constant(self):
        v = tf.Variable(3.0)
        assert tf.grad(lambda y: y * v * v)(v).numpy() == 9.0

    def test_outer_variable_is_followed_through_plain_arguments(self):
        v = tf.Variable(3.0, dtype=tf.float64)
        with tf.GradientTape() as tape:
            value, slope = tf.value_and_grad(lambda x: x * x * v)(2.0)
        assert isinstance(slope, tf.Tensor)
        assert slope.numpy() == 12.0
        assert tape.gradient([value, slope], v).numpy() == 4.0 + 4.0

    def test_inner_derivative_depends_on_outer_argument(self):
        # d/dy of (d/dx x^2 y at x = 3) is 6.
        assert tf.grad(lambda y: tf.grad(lambda x: x * x * y)(3.0))(2.0) == 6.0

    def test_perturbations_are_not_confused(self):
        assert tf.grad(lambda x: x * tf.grad(lambda y: x + y)(1.0))(1.0) == 1.0


class TestComposition:
    @pytest.mark.parametrize(("order", "expected"), [(0, 16.0), (1, 32.0), (2, 48.0), (3, 48.0), (4, 24.0), (5, 0.0)])
    def test_orders(self, order, expected):
        f = functools.reduce(lambda f, _: tf.grad(f), range(order), lambda x: x**4)
        assert f(2.0) == expected

    def test_value_of_a_gradient(self):
        assert tf.value_and_grad(tf.grad(lambda x: x**4))(2.0) == (32.0, 48.0)

    def test_elementwise_twice(self):
        second = tf.elementwise_grad(tf.elementwise_grad(np.sin))
        x = np.linspace(0.0, 3.0, 7)
        np.testing.assert_allclose(second(x), -np.sin(x), rtol=1e-14)


class TestArgnums:
    def f(self, x, y, z):
        return x * y**2 * z**3

    @pytest.mark.parametrize(
        ("argnum", "expected"),
        [(0, 4.0), (1, 4.0), (-1, 12.0), ((0, 2), (4.0, 12.0)), ([2, 0], (12.0, 4.0)), ((1,), (4.0,))],
    )
    @pytest.mark.parametrize("name", ["argnum", "argnums"])
    def test_positions(self, argnum, expected, name):
        assert tf.grad(self.f, **{name: argnum})(1.0, 2.0, 1.0) == expected

    def test_others_stay_as_they_are(self):
        def f(x, n, table):
            assert type(n) is int
            assert type(table) is list
            return x**n * table[0]

        assert tf.grad(f)(2.0, 3, [5.0]) == 60.0

    def test_keywords(self):
        def f(x, *, scale):
            return x * x * scale

        assert tf.grad(f)(3.0, scale=2.0) == 12.0
        assert tf.grad(f)(x=3.0, scale=2.0) == 12.0
        assert tf.grad(self.f, 1)(1.0, z=1.0, y=2.0) == 4.0

    @pytest.mark.parametrize(
        ("argnum", "error"), [("x", TypeError), (1.0, TypeError), ((), ValueError), ((0, 0), ValueError)]
    )
    def test_wrong(self, argnum, error):
        with pytest.raises(error, match="argnum must"):
            tf.grad(self.f, argnum)

    def test_absent(self):
        with pytest.raises(TypeError, match=r"grad: .* called with 1 positional arguments, so there is none .* at 1"):
            tf.grad(lambda x: x, 1)(2.0)


class TestStructures:
    CASES = (
        {"b": [2.0, 3.0], "a": np.array([1.0])},
        [1.0, (2.0, {"c": 3.0})],
        Point(1.0, np.array([2.0, 3.0])),
        Settings(np.array([1.0, 2.0]), "name", 3.0),
    )

    @pytest.mark.parametrize("argument", CASES, ids=lambda a: type(a).__name__)
    def test_like_the_argument(self, argument):
        def f(structure):
            return sum(np.sum(leaf**2) for leaf in tf.nest.flatten(structure) if not isinstance(leaf, str))

        gradient = tf.grad(f)(argument)
        assert type(gradient) is type(argument)
        for g, leaf in zip(tf.nest.flatten(gradient), tf.nest.flatten(argument), strict=True):
            if isinstance(leaf, str):
                assert g is None
            else:
                np.testing.assert_array_equal(g, 2 * np.asarray(leaf))
                assert not isinstance(g, tf.Tensor)

    def test_several_arguments(self):
        gradient = tf.grad(lambda p, x: p["a"] * x[0] * x[1], (0, 1))({"a": 2.0}, [3.0, 5.0])
        assert gradient == ({"a": 15.0}, [10.0, 6.0])

    def test_one_tensor_makes_all_tensors(self):
        gradient = tf.grad(lambda p: p[0] * p[1])([tf.constant(2.0), 3.0])
        assert all(isinstance(g, tf.Tensor) for g in gradient)

    def test_nothing_to_differentiate(self):
        with pytest.raises(TypeError, match=r"grad: there is nothing to differentiate in \{'a': None\}"):
            tf.grad(lambda p: 1.0)({"a": None})


class TestAux:
    def test_grad(self):
        gradient, aux = tf.grad(with_aux, has_aux=True)(np.array([1.0, 2.0]))
        np.testing.assert_array_equal(gradient, [3.0, 12.0])
        assert type(aux["x"]) is np.ndarray
        assert aux["label"] == "cubes"

    def test_value_and_grad(self):
        (value, aux), gradient = tf.value_and_grad(with_aux, has_aux=True)(tf.constant([1.0, 2.0]))
        assert value.numpy() == 9.0
        assert isinstance(aux["x"], tf.Tensor)
        np.testing.assert_array_equal(gradient.numpy(), [3.0, 12.0])

    def test_forgotten(self):
        with pytest.raises(TypeError, match=r"returned a pair: for \(value, auxiliary data\), pass has_aux=True"):
            tf.grad(with_aux)(np.ones(2))

    def test_missing(self):
        with pytest.raises(TypeError, match=r"with has_aux=True, cubes must return a pair"):
            tf.grad(cubes, has_aux=True)(np.ones(2))


class TestComplex:
    Z = 2.0 + 1.0j

    def test_holomorphic_is_conjugated(self):
        assert tf.grad(lambda z: z * z)(self.Z) == 4.0 - 2.0j

    def test_real_valued(self):
        assert tf.grad(lambda z: np.real(z * np.conj(z)))(self.Z) == 4.0 + 2.0j
        assert tf.grad(np.abs)(self.Z) == pytest.approx(self.Z / abs(self.Z))

    def test_complex_result_of_a_real_argument(self):
        with pytest.raises(TypeError, match=r"returned complex128 for real arguments. Differentiate its parts"):
            tf.grad(lambda x: np.exp(1j * x))(0.3)

    def test_complex_inside(self):
        assert tf.grad(lambda x: np.abs(np.exp(1j * x) * x))(0.3) == pytest.approx(1.0)


class TestErrors:
    @pytest.mark.parametrize("f", [lambda x: x, lambda x: np.outer(x, x)], ids=["vector", "matrix"])
    def test_not_scalar(self, f):
        shape = np.shape(f(np.ones(3)))
        with pytest.raises(TypeError, match=re.escape(f"must return a scalar, but its result has shape {shape}")) as e:
            tf.grad(f)(np.ones(3))
        assert "jacobian" in str(e.value)
        assert "elementwise_grad" in str(e.value)

    @pytest.mark.parametrize(
        ("x", "message"),
        [
            (3, r"is 3, of type int, .* pass it as a float, 3\.0"),
            (True, r"is True, of type bool"),
            (np.arange(3), r"has dtype int64 and shape \(3,\).* x\.astype\(float\)"),
            (tf.constant([1, 2]), r"has dtype int32 and shape \(2,\)"),
        ],
    )
    def test_integers(self, x, message):
        with pytest.raises(TypeError, match=f"grad: an argument to be differentiated {message}"):
            tf.grad(lambda x: x * 1.0)(x)

    def test_integers_in_structures(self):
        with pytest.raises(TypeError, match="is 3, of type int"):
            tf.grad(lambda p: p["a"])({"a": 1.0, "n": 3})

    def test_integer_result(self):
        with pytest.raises(TypeError, match="returned int64, which has no derivative"):
            tf.grad(lambda x: np.argmax(x))(np.ones(3))

    @pytest.mark.parametrize(
        ("result", "message"),
        [(None, r"None: is there a `return`\?"), ([1.0], r"\[1.0\], of type list"), ("a", "type str")],
    )
    def test_no_number(self, result, message):
        with pytest.raises(
            TypeError, match=f"must return one floating-point number or array, but it returned .*{message}"
        ):
            tf.grad(lambda x: result)(1.0)

    @pytest.mark.parametrize(
        "transform", [tf.grad, tf.value_and_grad, tf.elementwise_grad, tf.jacobian, tf.hessian, tf.hvp]
    )
    def test_not_a_function(self, transform):
        with pytest.raises(TypeError, match=r"a function is needed, not 3\.0 of type float"):
            transform(3.0)

    def test_error_inside(self):
        def f(x):
            raise KeyError("inside")

        with pytest.raises(KeyError, match="inside"):
            tf.grad(f)(1.0)
        assert tf.grad(lambda x: x * x)(1.0) == 2.0


@tf.value_and_grad
def decorated(x):
    """Square."""
    return x * x


@tf.custom_gradient
def custom(x):
    return x * x, lambda g: 10.0 * g


@tf.recompute_grad
def recomputed(x):
    return x * x


@tf.primitive(vjp=lambda g, out, x: 2.0 * g * x)
def external(x):
    return x * x


class Model:
    def __init__(self, w):
        self.w = w

    @tf.grad
    def slope(self, x):
        return self.w * x * x

    ufunc = tf.elementwise_grad(np.exp)


class TestFunctionObjects:
    TRANSFORMS = (tf.grad, tf.value_and_grad, tf.elementwise_grad, tf.jacobian, tf.hessian)

    @pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: t.__name__)
    def test_names(self, transform):
        f = transform(cubes)
        assert f.__name__ == "cubes"
        assert f.__doc__ == "Sum of cubes."
        assert f.__wrapped__ is cubes
        assert str(inspect.signature(f)) == "(x)"
        assert "of cubes" in repr(f)

    @pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: t.__name__)
    def test_pickle(self, transform):
        f = transform(cubes)
        again = pickle.loads(pickle.dumps(f))
        x = np.array([1.0, 2.0])
        for expected, found in zip(tf.nest.flatten(f(x)), tf.nest.flatten(again(x)), strict=True):
            np.testing.assert_array_equal(found, expected)

    def test_pickle_keeps_the_options(self):
        f = pickle.loads(pickle.dumps(tf.grad(with_aux, has_aux=True)))
        assert f(np.ones(1))[1]["label"] == "cubes"

    def test_pickle_of_a_composition(self):
        assert pickle.loads(pickle.dumps(tf.grad(tf.grad(cubes))))(2.0) == 12.0

    @pytest.mark.parametrize("f", [decorated, custom, recomputed, external], ids=repr)
    def test_pickle_of_a_decorated_function(self, f):
        assert pickle.loads(pickle.dumps(f)) is f
        assert decorated(3.0) == (9.0, 6.0)

    def test_method(self):
        assert Model(2.0).slope(3.0) == 12.0
        assert Model.slope.__name__ == "slope"
        assert Model(1.0).ufunc(0.0) == 1.0

    def test_partial_and_callable_objects(self):
        class Callable:
            def __call__(self, x):
                return x**2

        assert tf.grad(functools.partial(lambda a, x: a * x, 3.0))(1.0) == 3.0
        assert tf.grad(Callable())(3.0) == 6.0
        assert tf.grad(np.sin)(0.0) == 1.0
