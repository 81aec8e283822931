"""Functions that state their own gradient."""

import numpy as np
import pytest

import tapegrad as tf


def gradient_of(function, *sources):
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y = function(*sources)
    return tape.gradient(y, list(sources))


@tf.custom_gradient
def log1pexp(x):
    e = tf.exp(x)

    def grad(upstream):
        return upstream * (1 - 1 / (1 + e))

    return tf.math.log(1 + e), grad


def tenfold(x, y):
    """The product, with gradients that are ten times too large."""
    return x * y, lambda dy: (10.0 * dy * y, 10.0 * dy * x)


@pytest.mark.parametrize("decorate", [tf.custom_gradient, tf.custom_gradient()])
def test_bare_and_called(decorate):
    x, y = tf.constant(2.0), tf.constant(3.0)
    decorated = decorate(tenfold)
    assert decorated(x, y).numpy() == 6.0
    assert gradient_of(decorated, x, y) == [30.0, 20.0]
    assert decorated.__wrapped__ is tenfold
    assert decorated.__name__ == "tenfold"
    assert "ten times" in decorated.__doc__


def test_stable_first_and_second_derivative():
    x = tf.Variable(100.0, dtype=tf.float64)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = log1pexp(x)
        first = inner.gradient(y, x)
    assert first.numpy() == 1.0
    assert outer.gradient(first, x).numpy() == pytest.approx(0.0, abs=1e-30)


def test_second_derivative_follows_the_operations_of_grad_fn():
    x = tf.constant(0.5, dtype=tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = log1pexp(x)
        first = inner.gradient(y, x)
    p = 1 / (1 + np.exp(-0.5))
    assert first.numpy() == pytest.approx(p)
    assert outer.gradient(first, x).numpy() == pytest.approx(p * (1 - p))


def test_nested_custom_gradients():
    @tf.custom_gradient
    def cube(x):
        @tf.custom_gradient
        def slope(x):
            return 3 * x**2, lambda dg: dg * 12.0

        return x**3, lambda dy: dy * slope(x)

    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = cube(x)
        first = inner.gradient(y, x)
    assert first.numpy() == 12.0
    assert outer.gradient(first, x).numpy() == 12.0


def test_keywords_are_bound_by_signature():
    decorated = tf.custom_gradient(tenfold)
    for call in (lambda x, y: decorated(x, y=y), lambda x, y: decorated(y=y, x=x)):
        assert gradient_of(call, tf.constant(2.0), tf.constant(3.0)) == [30.0, 20.0]


def test_keyword_only_tensors_are_inputs():
    @tf.custom_gradient
    def f(x, *, y, sign=1.0):
        return x * y, lambda dy: (sign * dy * y, 10.0 * dy * x)

    assert gradient_of(lambda x, y: f(x, y=y), tf.constant(2.0), tf.constant(3.0)) == [3.0, 20.0]
    assert gradient_of(lambda x, y: f(x, y=y, sign=-1.0), tf.constant(2.0), tf.constant(3.0)) == [-3.0, 20.0]


def test_numbers_and_structures_count_as_arguments():
    @tf.custom_gradient
    def f(x, n, more):
        return x * n + more[0], lambda dy: (dy * n, None, dy, None)

    x, y = tf.constant(2.0), tf.constant(3.0)
    assert gradient_of(lambda x, y: f(x, 5, (y, 1.0)), x, y) == [5.0, 1.0]


def test_defaults_do_not_count():
    @tf.custom_gradient
    def f(x, n=5.0):
        return x * n, lambda dy: dy * n

    assert gradient_of(f, tf.constant(2.0)) == [5.0]


@pytest.mark.parametrize("returned", [1, 3])
def test_wrong_number_of_gradients(returned):
    decorated = tf.custom_gradient(lambda x, y: (x * y, lambda dy: (dy,) * returned))
    message = f"custom_gradient function expected to return 2 gradients, but returned {returned} instead."
    with pytest.raises(ValueError, match=message):
        gradient_of(decorated, tf.constant(2.0), tf.constant(3.0))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda dy: tf.ones([2]), r"gradient of shape \(2,\) for input 0 of shape \(3,\)"),
        (lambda dy: tf.ones([2, 3, 2]), r"gradient of shape \(2, 3, 2\) for input 0 of shape \(3,\)"),
        (lambda dy: 1.0, r"gradient of shape \(\) for input 0 of shape \(3,\)"),
    ],
)
def test_wrong_shape(returned, message):
    @tf.custom_gradient
    def named(x):
        return x * 2.0, returned

    with pytest.raises(ValueError, match=f"custom_gradient: grad_fn of .*named returned a {message}"):
        gradient_of(named, tf.constant([1.0, 2.0, 3.0]))


def test_broadcasting_is_undone():
    f = tf.custom_gradient(lambda x, y: (x * y, lambda dy: (dy * y, dy * x)))
    x, y = tf.constant([2.0, 3.0]), tf.constant(4.0)
    for gradient, expected in zip(gradient_of(f, x, y), ([4.0, 4.0], 5.0), strict=True):
        np.testing.assert_array_equal(gradient.numpy(), expected)


def test_generator_of_gradients():
    f = tf.custom_gradient(lambda x, y: (x * y, lambda dy: (dy * other for other in (y, x))))
    assert gradient_of(f, tf.constant(2.0), tf.constant(3.0)) == [3.0, 2.0]


def test_function_without_a_signature():
    f = tf.custom_gradient(Pair())
    assert gradient_of(f, tf.constant(2.0)) == [5.0]


class Pair:
    """A callable object that `inspect.signature` knows nothing about."""

    __signature__ = "none"

    def __call__(self, x):
        return x * 2.0, lambda dy: 5.0 * dy


def test_none_is_unconnected():
    decorated = tf.custom_gradient(lambda x, y: (x * y, lambda dy: (None, dy)))
    assert gradient_of(decorated, tf.constant(2.0), tf.constant(3.0)) == [None, 1.0]


@pytest.mark.parametrize("result", [lambda x: x, lambda x: (x,), lambda x: (x, x), lambda x: None])
def test_not_returning_a_pair(result):
    with pytest.raises(TypeError, match="must return a pair"):
        tf.custom_gradient(result)(tf.constant(2.0))


def test_several_results():
    seen = []

    @tf.custom_gradient
    def f(x):
        def grad(da, db):
            seen.append((da.numpy().tolist(), db.numpy().tolist()))
            return da + tf.reduce_sum(db)

        return {"a": x * 2.0, "b": tf.stack([x, x])}, grad

    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        results = f(x)
    assert tape.gradient(results["a"], x).numpy() == 1.0
    assert tape.gradient(results, x).numpy() == 3.0
    assert seen == [(1.0, [0.0, 0.0]), (1.0, [1.0, 1.0])]


def test_result_that_is_the_argument():
    negated = tf.custom_gradient(lambda x: (x, lambda dy: -dy))
    assert gradient_of(lambda x: negated(x) + x, tf.constant(3.0)) == [0.0]
    assert gradient_of(lambda x: negated(negated(x)) * x, tf.constant(3.0)) == [6.0]


def test_numbers_as_gradients():
    f = tf.custom_gradient(lambda x: (x * x, lambda dy: 7.0))
    assert gradient_of(f, tf.constant(3.0)) == [7.0]


def test_method():
    class Scale:
        factor = 3.0

        @tf.custom_gradient
        def __call__(self, x):
            return x * self.factor, lambda dy: -dy * self.factor

        @tf.custom_gradient
        def method(self, x):
            return self(x), lambda dy: dy

    scale = Scale()
    assert scale(tf.constant(2.0)).numpy() == 6.0
    assert gradient_of(scale, tf.constant(2.0)) == [-3.0]
    assert gradient_of(scale.method, tf.constant(2.0)) == [1.0]


class TestVariables:
    def test_must_be_accepted(self):
        v = tf.Variable(2.0)
        f = tf.custom_gradient(lambda x: (x * v, lambda dy: dy))
        message = "grad_fn must accept keyword argument 'variables', since function uses variables: "
        with pytest.raises(TypeError, match=message):
            f(tf.constant(1.0))

    @pytest.mark.parametrize("star", [False, True])
    def test_get_their_gradients(self, star):
        v, w = tf.Variable(2.0), tf.Variable(5.0)

        @tf.custom_gradient
        def f(x):
            def with_name(dy, variables):
                assert variables[0] is v
                assert variables[1] is w
                return dy * v * w, [10.0 * dy * x * w, None]

            def with_star(dy, **kwargs):
                return with_name(dy, kwargs["variables"])

            return x * w * v, with_star if star else with_name

        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert tape.gradient(y, [x, v, w]) == [10.0, 150.0, None]

    def test_wrong_number(self):
        v = tf.Variable(2.0)
        f = tf.custom_gradient(lambda x: (x * v, lambda dy, variables: (dy, [])))
        with pytest.raises(ValueError, match=r"Must return gradient for each variable from @custom_gradient grad_fn\."):
            gradient_of(f, tf.constant(1.0))

    def test_passed_as_arguments_count_as_these(self):
        v = tf.Variable(2.0)
        f = tf.custom_gradient(lambda x, u: (x * u, lambda dy: (dy * u, 7.0 * dy)))
        with tf.GradientTape() as tape:
            y = f(tf.constant(3.0), v)
        assert tape.gradient(y, v).numpy() == 7.0

    def test_not_trainable_ones_are_constants(self):
        v = tf.Variable(2.0, trainable=False)
        f = tf.custom_gradient(lambda x: (x * v, lambda dy: dy))
        assert gradient_of(f, tf.constant(1.0)) == [1.0]


def test_no_gradient_without_a_tape():
    assert log1pexp(tf.constant(0.0)).numpy() == pytest.approx(np.log(2))


def test_error_inside_leaves_the_tape_usable():
    @tf.custom_gradient
    def failing(x):
        raise KeyError(x)

    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        with pytest.raises(KeyError):
            failing(x)
        y = x * x
    assert tape.gradient(y, x).numpy() == 6.0


def test_error_in_grad_fn_reaches_the_caller():
    def grad(dy):
        raise KeyError("grad")

    f = tf.custom_gradient(lambda x: (x * x, grad))
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = f(x)
        z = x * x
    with pytest.raises(KeyError, match="grad"):
        tape.gradient(y, x)
    assert tape.gradient(z, x).numpy() == 6.0


class TestOtherModes:
    def test_forward_mode_transposes_grad_fn(self):
        x = tf.constant([2.0, 3.0])
        with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 10.0])) as accumulator:
            y = tf.custom_gradient(lambda x: (x**2, lambda dy: 7.0 * dy))(x)
        np.testing.assert_array_equal(accumulator.jvp(y).numpy(), [7.0, 70.0])

    def test_jacobian(self):
        f = tf.custom_gradient(lambda x, y: (x * y, lambda dy: (dy * y, 7.0 * dy)))
        x, y = tf.constant([2.0, 3.0]), tf.constant([4.0, 5.0])
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            z = f(x, y)
        found = tape.jacobian(z, [x, y])
        np.testing.assert_array_equal(found[0].numpy(), np.diag([4.0, 5.0]))
        np.testing.assert_array_equal(found[1].numpy(), 7.0 * np.eye(2))

    def test_gradient_in_numpy_is_not_transposed(self):
        def grad(dy):
            return np.array(2.0 * dy.numpy())

        f = tf.custom_gradient(lambda x: (x * 2.0, grad))
        assert gradient_of(f, tf.constant(3.0)) == [2.0]
        x = tf.constant(3.0)
        with pytest.raises(TypeError, match="forward mode transposes its gradient function"):
            with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as accumulator:
                y = f(x)
            accumulator.jvp(y)


class TestPassThrough:
    def test_assignment(self):
        x, z = tf.Variable(1.0), tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = tf.grad_pass_through(x.assign)(z**2)
        assert x.numpy() == 9.0
        assert y.numpy() == 9.0
        assert tape.gradient(y, [z, x]) == [6.0, None]

    def test_rounding(self):
        x = tf.constant([0.4, 0.6])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.grad_pass_through(tf.round)(x) * [2.0, 3.0]
        np.testing.assert_array_equal(y.numpy(), [0.0, 3.0])
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [2.0, 3.0])

    def test_variables_inside_get_nothing(self):
        v, x = tf.Variable(2.0), tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = tf.grad_pass_through(lambda x: x * v)(x)
        assert y.numpy() == 6.0
        assert tape.gradient(y, [x, v]) == [1.0, None]

    def test_keywords_are_passed_on(self):
        x = tf.Variable(3.0)
        with tf.GradientTape() as tape:
            y = tf.grad_pass_through(lambda x, scale: x * scale)(x, scale=5.0)
        assert y.numpy() == 15.0
        assert tape.gradient(y, x).numpy() == 1.0
