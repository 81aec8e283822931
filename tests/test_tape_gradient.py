"""The arguments and results of `GradientTape.gradient`."""

import collections

import numpy as np
import pytest

import tapegrad as tf

Pair = collections.namedtuple("Pair", ["first", "second"])


def numbers(gradients):
    return [None if g is None else g.numpy().tolist() for g in gradients]


@pytest.fixture
def recorded():
    """A persistent tape with y = x*x and z = y*x at 3."""
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
        z = y * x
    return tape, x, y, z


def test_target_none(recorded):
    tape, x, _, _ = recorded
    with pytest.raises(TypeError, match="Argument `target` should be a list or nested structure of Tensors, Variables"):
        tape.gradient(None, x)


@pytest.mark.parametrize("bad", [3.0, "text", np.float32(1), np.ones(2), [1.0], [None]])
def test_targets_must_be_tensors(recorded, bad):
    tape, x, y, _ = recorded
    with pytest.raises(TypeError, match="target"):
        tape.gradient(bad, x)
    with pytest.raises(TypeError, match="sources"):
        tape.gradient(y, bad)


def test_source_none(recorded):
    tape, _, y, _ = recorded
    with pytest.raises(TypeError, match="sources"):
        tape.gradient(y, None)


@pytest.mark.parametrize("bad", ["bogus", None, 3])
def test_unknown_unconnected(recorded, bad):
    tape, x, y, _ = recorded
    with pytest.raises(ValueError, match="Unknown value for unconnected_gradients: '?" + str(bad)):
        tape.gradient(y, x, unconnected_gradients=bad)


def test_structures_of_sources(recorded):
    tape, x, y, z = recorded
    assert tape.gradient(z, x).numpy() == 27.0
    assert numbers(tape.gradient(z, [x, y])) == [27.0, 3.0]
    as_tuple = tape.gradient(z, (x, y))
    assert isinstance(as_tuple, tuple)
    assert numbers(as_tuple) == [27.0, 3.0]
    as_pair = tape.gradient(z, Pair(y, x))
    assert isinstance(as_pair, Pair)
    assert as_pair.second.numpy() == 27.0
    nested = tape.gradient(z, {"b": [x, (y,)], "a": z})
    assert list(nested) == ["b", "a"]
    assert nested == {"b": [27.0, (3.0,)], "a": 1.0}
    assert tape.gradient(z, []) == []
    assert tape.gradient(z, {}) == {}


def test_structures_of_targets(recorded):
    tape, x, y, z = recorded
    assert tape.gradient([y, z], x).numpy() == 33.0
    assert tape.gradient({"z": z, "y": y}, x).numpy() == 33.0
    assert tape.gradient([y, y], x).numpy() == 12.0
    assert tape.gradient([], x) is None


def test_target_that_feeds_another(recorded):
    tape, x, y, z = recorded
    assert numbers(tape.gradient([y, z], [x, y])) == [33.0, 4.0]


def test_source_given_twice(recorded):
    tape, x, y, _ = recorded
    assert numbers(tape.gradient(y, [x, x])) == [6.0, 6.0]


def test_intermediate_sources_do_not_block():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        z = y * y
    assert numbers(tape.gradient(z, [x, y, z])) == [108.0, 18.0, 1.0]


@pytest.mark.parametrize("kind", [tf.constant, tf.Variable])
def test_gradient_of_itself(kind):
    x = kind([1.0, 2.0])
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        pass
    np.testing.assert_array_equal(tape.gradient(x, x).numpy(), [1.0, 1.0])


def test_target_is_a_variable():
    x, y = tf.Variable(3.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        _ = x * y
    assert numbers(tape.gradient(x, [x, y])) == [1.0, None]


def test_targets_are_summed():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = tf.stack([x, x * x, x * x * x])
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [1 + 2 + 3, 1 + 4 + 12])


@pytest.mark.parametrize("zero", ["zero", tf.UnconnectedGradients.ZERO])
def test_unconnected_zeros_are_like_the_source(zero):
    x = tf.Variable(1.0)
    sources = [tf.ones((2, 3)), tf.Variable([1.0, 2.0], dtype=tf.float64), tf.constant([1, 2, 3])]
    with tf.GradientTape() as tape:
        y = x * x
    gradients = tape.gradient(y, sources, unconnected_gradients=zero)
    for gradient, source in zip(gradients, sources, strict=True):
        assert gradient.dtype == source.dtype
        assert gradient.shape == source.shape
        assert not gradient.numpy().any()


@pytest.mark.parametrize("none", ["none", tf.UnconnectedGradients.NONE])
def test_unconnected_none(none):
    x, y = tf.Variable(1.0), tf.Variable(1.0)
    with tf.GradientTape() as tape:
        z = x * x
    assert tape.gradient(z, y, unconnected_gradients=none) is None


def test_connected_with_slope_zero_is_zero():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * 0.0
        z = tf.nn.relu(-x)
    assert numbers(tape.gradient(y, [x])) == [0.0]
    assert numbers(tape.gradient(z, [x])) == [0.0]


class TestOutputGradients:
    @pytest.fixture
    def vector(self):
        x = tf.constant([2.0, 3.0])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x * x
        return tape, x, y

    @pytest.mark.parametrize(
        "seed",
        [
            tf.constant([10.0, 1.0]),
            np.array([10.0, 1.0], np.float32),
            tf.Variable([10.0, 1.0]),
            [tf.constant([10.0, 1.0])],
        ],
    )
    def test_kinds(self, vector, seed):
        tape, x, y = vector
        np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=seed).numpy(), [40.0, 6.0])

    @pytest.mark.parametrize("seed", [[10.0, 1.0], [[10.0, 1.0]]])
    def test_lists_are_structures(self, vector, seed):
        tape, x, y = vector
        with pytest.raises(ValueError, match="A Python list counts as a structure"):
            tape.gradient(y, x, output_gradients=seed)

    def test_none_means_ones(self, vector):
        tape, x, y = vector
        np.testing.assert_array_equal(tape.gradient([y, y], x, output_gradients=[None, y]).numpy(), [20.0, 60.0])

    def test_several_targets(self, vector):
        tape, x, y = vector
        seeds = {"a": tf.constant([1.0, 0.0]), "b": tf.constant([0.0, 5.0])}
        gradient = tape.gradient({"b": x, "a": y}, x, output_gradients=seeds)
        np.testing.assert_array_equal(gradient.numpy(), [4.0, 5.0])

    def test_number(self, vector):
        tape, x, y = vector
        with pytest.raises(ValueError, match="output_gradients"):
            tape.gradient([y, y], x, output_gradients=[y])
        with pytest.raises(ValueError, match="output_gradients"):
            tape.gradient([y], x, output_gradients=[y, y])

    def test_shape(self, vector):
        tape, x, y = vector
        with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)|\(2,\).*\(3,\)"):
            tape.gradient(y, x, output_gradients=tf.ones(3))

    def test_dtype(self, vector):
        tape, x, y = vector
        with pytest.raises((TypeError, ValueError), match="float64"):
            tape.gradient(y, x, output_gradients=tf.ones(2, dtype=tf.float64))

    def test_seed_is_not_kept(self, vector):
        tape, _, y = vector
        seed = np.ones(2, np.float32)
        gradient = tape.gradient(y, y, output_gradients=seed)
        seed[:] = 7.0
        np.testing.assert_array_equal(gradient.numpy(), [1.0, 1.0])


def test_gradients_are_distinct_arrays():
    x, z = tf.Variable([1.0, 2.0]), tf.Variable([3.0, 4.0])
    with tf.GradientTape() as tape:
        y = x + z
    dx, dz = tape.gradient(y, [x, z])
    assert dx is not dz
    values = dx.numpy()
    values[:] = 9.0
    np.testing.assert_array_equal(dz.numpy(), [1.0, 1.0])


def test_gradient_has_shape_and_dtype_of_the_source():
    x = tf.Variable(np.ones((3, 1), np.float16))
    with tf.GradientTape() as tape:
        y = x * np.ones((2, 3, 4), np.float64)
    gradient = tape.gradient(y, x)
    assert gradient.shape == (3, 1)
    assert gradient.dtype == tf.float16
    np.testing.assert_array_equal(gradient.numpy(), np.full((3, 1), 8.0))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda z: z * z, 4 - 2j),
        (tf.abs, (2 + 1j) / np.sqrt(5)),
        (tf.math.real, 1),
        (tf.math.imag, 1j),
        (tf.math.conj, 1),
        (tf.exp, np.conj(np.exp(2 + 1j))),
        (lambda z: 1 / z, np.conj(-1 / (2 + 1j) ** 2)),
        (lambda z: z * tf.math.conj(z), 2 * (2 + 1j)),
    ],
)
@pytest.mark.parametrize("dtype", [tf.complex64, tf.complex128])
def test_complex_gradients_are_conjugated(function, expected, dtype):
    z = tf.constant(2 + 1j, dtype=dtype)
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = function(z)
    gradient = tape.gradient(y, z)
    assert gradient.dtype == dtype
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-6)


def test_stop_gradient():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        alone = tf.stop_gradient(x)
        product = tf.stop_gradient(x) * x
    assert alone.numpy() == 3.0
    assert tape.gradient(alone, x) is None
    assert tape.gradient(product, x).numpy() == 3.0


def test_sweep_ignores_what_the_target_does_not_need():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
        _ = tf.math.log(x - 2.0)  # an infinite slope beside the path
    assert tape.gradient(y, x).numpy() == 4.0


def test_zero_cotangent_contributes_zero():
    x = tf.Variable([0.0, 4.0])
    with tf.GradientTape(persistent=True) as tape:
        root = tf.sqrt(x) * [0.0, 1.0]
        chosen = tf.where(x > 0.0, tf.math.log(x), 0.0)
    np.testing.assert_array_equal(tape.gradient(root, x).numpy(), [0.0, 0.25])
    np.testing.assert_array_equal(tape.gradient(chosen, x).numpy(), [0.0, 0.25])
