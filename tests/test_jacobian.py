"""`jacobian`, `batch_jacobian`, `pullback` and `pushforward`: shapes, values, states, errors."""

import numpy as np
import pytest

import tapegrad as tf
from tapegrad import _native, memory

X = np.array([[0.3, -1.2, 0.7], [1.5, 0.4, -0.6]])


def recorded(function, *arrays, persistent=False):
    """Sources, the function's results, and the tape between them."""
    sources = [tf.constant(a) for a in arrays]
    tape = tf.GradientTape(persistent)
    with tape:
        tape.watch(sources)
        results = function(*sources)
    return sources, results, tape


def by_gradients(function, *arrays):
    """The Jacobians from one gradient for each element of the result."""
    sources, result, tape = recorded(function, *arrays, persistent=True)
    rows = []
    for place in np.ndindex(result.shape):
        seed = np.zeros(result.shape, result.dtype.as_numpy_dtype)
        seed[place] = 1
        rows.append(tape.gradient(result, sources, tf.constant(seed), unconnected_gradients="zero"))
    return [np.array([row[k].numpy() for row in rows]).reshape(result.shape + s.shape) for k, s in enumerate(sources)]


FUNCTIONS = {
    "scalar of scalar": (lambda x: tf.sin(x) * x, (np.float64(0.4),)),
    "scalar of matrix": (lambda x: tf.reduce_sum(tf.exp(x) * x), (X,)),
    "vector of scalar": (lambda x: tf.stack([x, x * x, tf.sin(x)]), (np.float64(0.4),)),
    "tall": (lambda x: tf.concat([x, x * x, tf.exp(x), x[::-1]], 0), (X,)),
    "wide": (lambda x: tf.reduce_sum(x * x * x, axis=1), (X,)),
    "square": (lambda x: tf.tanh(x @ tf.transpose(x)), (X,)),
    "two sources": (lambda x, y: x * y + tf.exp(y), (X, X[0])),
    "broadcast": (lambda x, y: tf.where(x > y, x * y, y), (X, np.float64(0.35))),
    "a source without influence": (lambda x, y: x * 2.0, (X, X)),
    "rules in Python": (lambda x: tf.cumsum(tf.math.cumprod(x, axis=1), axis=0), (X,)),
    "softmax": (lambda x: tf.nn.softmax(x) * tf.norm(x), (X,)),
    "matrix and vector": (lambda a, b: a @ b, (X, X[0])),
    "vector and matrix": (lambda a, b: a @ b, (X[:, 0], X)),
    "stacks": (lambda a, b: tf.matmul(a, b, transpose_b=True), (np.stack([X, 2 * X]), X)),
    "gather": (lambda x: tf.gather(x, [2, 0, 2], axis=1), (X,)),
    "number by number": (lambda x: x[0, 0] * x[1, 1] + x[0, 2], (X,)),
    "float32": (lambda x: tf.sin(x) * x, (X.astype(np.float32),)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equals_the_gradients_of_each_element(name):
    function, arrays = FUNCTIONS[name]
    sources, result, tape = recorded(function, *arrays)
    jacobians = tape.jacobian(result, sources, unconnected_gradients="zero")
    for jacobian, source, expected in zip(jacobians, sources, by_gradients(function, *arrays), strict=True):
        assert jacobian.shape == result.shape + source.shape
        assert jacobian.dtype == source.dtype
        np.testing.assert_allclose(jacobian.numpy(), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_recorded_by_an_outer_tape(name):
    function, arrays = FUNCTIONS[name]
    sources = [tf.constant(a) for a in arrays]
    with tf.GradientTape() as outer:
        outer.watch(sources)
        with tf.GradientTape() as tape:
            tape.watch(sources)
            result = function(*sources)
        jacobians = tape.jacobian(result, sources, unconnected_gradients="zero")
        total = tf.add_n([tf.reduce_sum(tf.cast(j * j, tf.float64)) for j in jacobians])
    for jacobian, expected in zip(jacobians, by_gradients(function, *arrays), strict=True):
        np.testing.assert_allclose(jacobian.numpy(), expected, rtol=1e-6, atol=1e-9)

    def squared(*values):
        return sum(float(np.sum(j.astype(np.float64) ** 2)) for j in by_gradients(function, *values))

    if name != "float32":
        for k, gradient in enumerate(outer.gradient(total, sources, unconnected_gradients="zero")):
            direction = np.cos(np.arange(arrays[k].size)).reshape(arrays[k].shape)
            ends = [
                squared(*[a + step * direction if j == k else a for j, a in enumerate(arrays)])
                for step in (1e-5, -1e-5)
            ]
            slope = float(np.sum(gradient.numpy() * direction))
            assert slope == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-6)


def test_one_pass_whatever_the_number_of_rows():
    calls = []

    class Squares:
        def vjp(self, saved, cotangents, wanted):
            calls.append(cotangents[0].shape)
            return [cotangents[0] * saved * 2.0]

    x = tf.constant(np.arange(1.0, 51.0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sin(_native.record(Squares(), (x,), (x * x).numpy(), x))
    jacobian = tape.jacobian(y, x)
    assert calls == [(50,)]  # recorded once, for all rows
    np.testing.assert_allclose(jacobian.numpy(), np.diag(2 * x.numpy() * np.cos(x.numpy() ** 2)), atol=1e-12)


def test_empty_shapes():
    sources, result, tape = recorded(lambda x: x * 2.0, np.zeros(0))
    assert tape.jacobian(result, sources[0]).shape == (0, 0)
    sources, result, tape = recorded(lambda x: tf.reduce_sum(x * 2.0), np.zeros((0, 3)))
    assert tape.jacobian(result, sources[0]).shape == (0, 3)
    sources, result, tape = recorded(lambda x: x[:0] * 2.0, np.ones(3))
    assert tape.jacobian(result, sources[0]).shape == (0, 3)


def test_structures_in_and_out():
    x, y = tf.Variable([1.0, 2.0]), tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        a, b = x * y, x[0] * y
    found = tape.jacobian({"a": a, "b": b}, {"x": x, "y": [y]})
    np.testing.assert_array_equal(found["a"]["x"].numpy(), [[3, 0], [0, 3]])
    np.testing.assert_array_equal(found["a"]["y"][0].numpy(), [1, 2])
    np.testing.assert_array_equal(found["b"]["x"].numpy(), [3, 0])
    assert float(found["b"]["y"][0]) == 1
    assert tape.jacobian(a, [x])[0].shape == (2, 2)


def test_unconnected():
    x, other = tf.Variable([1.0, 2.0]), tf.Variable([[1.0]])
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
    assert tape.jacobian(y, other) is None
    np.testing.assert_array_equal(tape.jacobian(y, other, "zero").numpy(), np.zeros((2, 1, 1)))
    assert tape.jacobian(tf.constant([1, 2]), x) is None
    with pytest.raises(ValueError, match="Unknown value for unconnected_gradients: 'bogus'"):
        tape.jacobian(y, x, "bogus")


def test_of_a_source_itself_is_the_identity():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        _ = x * x
    np.testing.assert_array_equal(tape.jacobian(x, x).numpy(), np.eye(2))


def test_of_a_source_that_the_tape_does_not_know():
    x = tf.constant(np.ones((2, 3)))
    tape = tf.GradientTape(persistent=True)
    with tape:
        pass
    stack = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_array_equal(tape.jacobian(x, x).numpy(), np.eye(6).reshape(2, 3, 2, 3))
    np.testing.assert_array_equal(tape.batch_jacobian(x, x).numpy(), np.stack([np.eye(3), np.eye(3)]))
    np.testing.assert_array_equal(tape.pullback([x, x], x, [stack, stack]).numpy(), 2 * stack)
    np.testing.assert_array_equal(tape.pushforward([x], [x], [stack])[0].numpy(), stack)
    assert tape.jacobian(x, tf.constant(1.0)) is None


def test_consumes_a_tape_that_is_not_persistent():
    sources, result, tape = recorded(lambda x: x * x, X)
    tape.jacobian(result, sources)
    for method in (tape.jacobian, tape.gradient):
        with pytest.raises(RuntimeError, match="can only be used to compute one set of gradients"):
            method(result, sources)
    with pytest.raises(RuntimeError, match="can only be used to compute one set of gradients"):
        tf.GradientTape().jacobian(result, sources)


def test_inside_the_block():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = x * x
        np.testing.assert_array_equal(tape.jacobian(y, x).numpy(), np.diag([2.0, 4.0]))


def test_complex_rows_are_gradients():
    function = lambda z: z * z * (1 + 2j)  # noqa: E731
    z = np.array([1 + 2j, -0.5 + 1j])
    sources, result, tape = recorded(function, z)
    np.testing.assert_allclose(tape.jacobian(result, sources[0]).numpy(), np.diag(np.conj(2 * z * (1 + 2j))))


@pytest.mark.parametrize("max_bytes", [1, 2000, 10**6])
def test_bounded_memory_gives_the_same(max_bytes):
    function = lambda x: tf.sin(x) * tf.reduce_sum(x * x)  # noqa: E731
    x = np.linspace(-1, 1, 200)
    sources, result, tape = recorded(function, x, persistent=True)
    whole = tape.jacobian(result, sources[0]).numpy()
    np.testing.assert_array_equal(tape.jacobian(result, sources[0], max_bytes=max_bytes).numpy(), whole)
    sources, result, tape = recorded(lambda x: tf.concat([function(x), x], 0), x, persistent=True)
    whole = tape.jacobian(result, sources[0]).numpy()
    np.testing.assert_array_equal(tape.jacobian(result, sources[0], max_bytes=max_bytes).numpy(), whole)
    with pytest.raises(ValueError, match="max_bytes must be positive"):
        tape.jacobian(result, sources[0], max_bytes=0)


def test_max_bytes_bounds_the_intermediates():
    x = tf.constant(np.linspace(-1, 1, 400))

    def peak(max_bytes):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(5):
                y = tf.sin(y * x + tf.broadcast_to(tf.reduce_sum(y), (400,)))
        memory.trim()
        memory.reset_peak()
        before = memory.stats().peak
        tape.jacobian(y, x, max_bytes=max_bytes)
        return memory.stats().peak - before

    assert peak(20_000) < 0.5 * peak(None)


def test_progress_bar(capsys):
    sources, result, tape = recorded(lambda x: x * x, X)
    tape.jacobian(result, sources, progress=True)
    assert "6/6" in capsys.readouterr().err


def test_targets_must_be_values():
    sources, result, tape = recorded(lambda x: x * x, X, persistent=True)
    with pytest.raises(TypeError, match="target must be a tensor or a variable"):
        tape.jacobian(3.0, sources)
    with pytest.raises(TypeError, match="received None"):
        tape.jacobian(None, sources)
    assert tape.jacobian(result, sources)[0].shape == (2, 3, 2, 3)


class TestBatchJacobian:
    @pytest.mark.parametrize("columns", [1, 3, 7])
    def test_is_the_diagonal_of_the_jacobian(self, columns):
        w = tf.constant(np.linspace(-1, 1, 3 * columns).reshape(3, columns))
        sources, result, tape = recorded(lambda x: tf.sin(x @ w), np.vstack([X, 2 * X]), persistent=True)
        whole = tape.jacobian(result, sources[0]).numpy()
        found = tape.batch_jacobian(result, sources[0])
        assert found.shape == (4, columns, 3)
        np.testing.assert_allclose(found.numpy(), np.einsum("bibj->bij", whole), rtol=1e-12)

    def test_more_dimensions(self):
        x = np.arange(24.0).reshape(2, 3, 4) / 10
        sources, result, tape = recorded(lambda x: tf.reduce_sum(tf.sin(x), axis=2), x)
        found = tape.batch_jacobian(result, sources[0])
        expected = np.einsum("bij,ik->bikj", np.cos(x), np.eye(3))
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)

    def test_without_influence_gives_zeros(self):
        x, other = tf.Variable(X), tf.Variable(X)
        with tf.GradientTape() as tape:
            y = x * x
        np.testing.assert_array_equal(tape.batch_jacobian(y, other).numpy(), np.zeros((2, 3, 3)))

    def test_under_an_outer_tape(self):
        x = tf.Variable(X)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                y = x**3
            diagonal = tape.batch_jacobian(y, x)
            total = tf.reduce_sum(diagonal)
        np.testing.assert_allclose(outer.gradient(total, x).numpy(), 6 * X, rtol=1e-12)

    def test_max_bytes(self):
        sources, result, tape = recorded(lambda x: tf.sin(x) * tf.reduce_sum(x, 1, keepdims=True), X, persistent=True)
        whole = tape.batch_jacobian(result, sources[0]).numpy()
        np.testing.assert_array_equal(tape.batch_jacobian(result, sources[0], max_bytes=1).numpy(), whole)

    def test_errors(self):
        x = tf.Variable(X)
        with tf.GradientTape(persistent=True) as tape:
            y, sums = x * x, tf.reduce_sum(x, 1)
        with pytest.raises(ValueError, match=r"Shape \(2,\) must have rank at least 2"):
            tape.batch_jacobian(sums, x)
        with pytest.raises(ValueError, match=r"Need first dimension of target shape .* to match\."):
            tape.batch_jacobian(y[:1], x)
        with pytest.raises(TypeError, match="the target must be one tensor or variable, not list"):
            tape.batch_jacobian([y], x)
        with pytest.raises(RuntimeError, match="one set of gradients"):
            tf.GradientTape().batch_jacobian(y, x)


class TestStacks:
    def test_pullback_is_many_gradients(self):
        sources, result, tape = recorded(lambda x, y: tf.sin(x * y), X, X[0], persistent=True)
        seeds = np.stack([X, np.ones_like(X), np.zeros_like(X)])
        found = tape.pullback(result, sources, tf.constant(seeds))
        for k in range(3):
            single = tape.gradient(result, sources, tf.constant(seeds[k]))
            for stacked, one in zip(found, single, strict=True):
                np.testing.assert_allclose(stacked.numpy()[k], one.numpy(), rtol=1e-14)

    def test_pushforward_is_many_tangents(self):
        sources, result, tape = recorded(lambda x, y: tf.sin(x * y), X, X[0], persistent=True)
        tangents = [np.stack([X, 2 * X]), np.stack([X[1], X[0]])]
        found = tape.pushforward(result, sources, [tf.constant(t) for t in tangents])
        for k in range(2):
            slope = np.cos(X * X[0]) * (tangents[0][k] * X[0] + X * tangents[1][k])
            np.testing.assert_allclose(found.numpy()[k], slope, rtol=1e-12)

    def test_none_is_zero(self):
        sources, (a, b), tape = recorded(lambda x: (x * x, x * x * x), X, persistent=True)
        found = tape.pullback([a, b], sources[0], [None, np.ones((1, 2, 3))])
        np.testing.assert_allclose(found.numpy()[0], 3 * X**2)

    def test_errors(self):
        sources, result, tape = recorded(lambda x: x * x, X, persistent=True)
        with pytest.raises(ValueError, match=r"cotangents\[0\] has shape \(2, 3\): .* \(n, 2, 3\)"):
            tape.pullback(result, sources, X)
        with pytest.raises(ValueError, match="There are 2 cotangents for 1 targets"):
            tape.pullback(result, sources, [X[None], X[None]])
        with pytest.raises(ValueError, match="stacks of different lengths"):
            tape.pullback([result, result], sources, [X[None], np.stack([X, X])])
        with pytest.raises(ValueError, match="All tangents are None"):
            tape.pushforward(result, sources, [None])
        assert tape.pullback(result, sources, np.zeros((0, 2, 3)))[0].shape == (0, 2, 3)


def test_hessian_by_jacobian_of_gradient():
    x = tf.Variable(np.array([1.0, 2.0, 3.0]))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.reduce_sum(x**3) * x[0]
        gradient = inner.gradient(y, x)
    hessian = outer.jacobian(gradient, x).numpy()
    np.testing.assert_allclose(hessian, [[12, 12, 27], [12, 12, 0], [27, 0, 18]])
