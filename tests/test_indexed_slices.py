"""`IndexedSlices`: conversion, arithmetic, clipping; gradients through the rows, and gradients that are rows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad import functional
from tapegrad.indexed_slices import combined
from tapegrad.testing import check_grads

ROWS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
DENSE = np.array([[3.0, 4.0], [0.0, 0.0], [6.0, 8.0], [0.0, 0.0]])
OTHER = np.arange(8.0).reshape(4, 2)


def slices(values: Any = ROWS, indices: Any = (2, 0, 2), shape: Any = (4, 2)) -> tf.IndexedSlices:
    return tf.IndexedSlices(values, list(indices), shape)


def number_of_rows(x: Any) -> int:
    assert isinstance(x, tf.IndexedSlices)
    return x.values.shape[0]


class TestProperties:
    def test_parts(self) -> None:
        s = slices()
        np.testing.assert_array_equal(s.values, ROWS)
        assert s.indices.numpy().tolist() == [2, 0, 2]
        assert s.dense_shape.numpy().tolist() == [4, 2]
        assert s.shape == (4, 2)
        assert s.dtype is tf.float64
        assert tf.nest.flatten([s, s]) == [s, s]

    def test_without_a_shape(self) -> None:
        s = tf.IndexedSlices(ROWS, [2, 0, 2])
        assert s.shape is None
        assert s.dense_shape is None
        assert (-s).shape is None
        with pytest.raises(ValueError, match="without a dense_shape"):
            s.to_dense()

    def test_text(self) -> None:
        text = "IndexedSlices(indices=[1], values=[[2. 3.]], dense_shape=(3, 2))"
        assert str(tf.IndexedSlices([[2.0, 3.0]], [1], [3, 2])) == text

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
    def test_copies(self, duplicate: Callable[[Any], Any]) -> None:
        np.testing.assert_array_equal(duplicate(slices()).to_dense(), DENSE)

    @pytest.mark.parametrize(
        ("arguments", "kind", "message"),
        [
            ((ROWS, [0.0, 1.0, 2.0]), TypeError, "the indices must be integers, not float"),
            ((ROWS, [0, 1]), ValueError, r"indices of shape \(2,\) do not number the rows of values of shape \(3, 2\)"),
            ((ROWS, 1), ValueError, r"indices of shape \(\)"),
            ((ROWS, [0, 1, 2], [4, 3]), ValueError, r"values of shape \(3, 2\) are no rows .* \(4, 3\)"),
        ],
    )
    def test_what_does_not_fit(self, arguments: Any, kind: type[Exception], message: str) -> None:
        with pytest.raises(kind, match=message):
            tf.IndexedSlices(*arguments)


class TestConversion:
    @pytest.mark.parametrize(
        "convert", [tf.convert_to_tensor, lambda s: s.to_dense(), np.asarray, tf.identity, lambda s: tf.constant(s)]
    )
    def test_repeated_rows_add_up(self, convert: Callable[[Any], Any]) -> None:
        np.testing.assert_array_equal(convert(slices()), DENSE)

    def test_gradients_flow_to_the_rows(self) -> None:
        weights = np.arange(8.0).reshape(4, 2)
        check_grads(lambda rows: slices(rows * rows).to_dense() * weights, (ROWS,), order=2)
        check_grads(lambda rows: slices(rows * rows).deduplicated().values ** 2, (ROWS,), order=2)

    def test_a_watched_value_does_not_become_an_array(self) -> None:
        rows = tf.constant(ROWS)
        with tf.GradientTape() as tape:
            tape.watch(rows)
            with pytest.raises(TypeError, match="a tape records this value"):
                np.asarray(slices(rows))

    def test_dtype_and_copy_of_an_array(self) -> None:
        assert np.asarray(slices(), np.float32).dtype == np.float32
        with pytest.raises(ValueError, match="by a copy only"):
            np.asarray(slices(), copy=False)

    def test_deduplicated(self) -> None:
        s = slices().deduplicated()
        assert s.indices.numpy().tolist() == [0, 2]
        np.testing.assert_array_equal(s.values, DENSE[[0, 2]])
        assert s.deduplicated() is s

    def test_no_rows(self) -> None:
        s = tf.IndexedSlices(np.zeros((0, 2)), np.zeros(0, int), [4, 2])
        np.testing.assert_array_equal(s.to_dense(), np.zeros((4, 2)))
        assert number_of_rows(s.deduplicated()) == 0


ARITHMETIC: list[tuple[Callable[[Any], Any], int | None]] = [
    (lambda s: -s, 3),
    (lambda s: s * 2.0, 3),
    (lambda s: 2.0 * s, 3),
    (lambda s: s * np.float64(2.0), 3),
    (lambda s: np.float64(2.0) * s, 3),
    (lambda s: tf.constant(2.0, tf.float64) * s, None),
    (lambda s: s * tf.constant(2.0, tf.float64), 3),
    (lambda s: s / 4.0, 3),
    (lambda s: s + s, 6),
    (lambda s: s - s, 6),
    (lambda s: s + tf.constant(OTHER), None),
    (lambda s: tf.constant(OTHER) + s, None),
    (lambda s: s - OTHER, None),
    (lambda s: OTHER - s, None),
    (lambda s: s * OTHER, None),
    (lambda s: OTHER * s, None),
    (lambda s: s / (OTHER + 1.0), None),
    (lambda s: s * s, None),
    (lambda s: s + 1.0, None),
    (lambda s: 1.0 - s, None),
    (lambda s: tf.reduce_sum(s), None),
    (lambda s: tf.square(s), None),
    (lambda s: tf.add(s, s), None),
]


@pytest.mark.parametrize(("function", "rows"), ARITHMETIC)
def test_arithmetic(function: Callable[[Any], Any], rows: int | None) -> None:
    result = function(slices())
    expected = function(tf.constant(DENSE))
    if rows is None:
        assert isinstance(result, tf.Tensor)
    else:
        assert number_of_rows(result) == rows
    np.testing.assert_array_equal(tf.convert_to_tensor(result), expected, strict=True)


@pytest.mark.parametrize("a", [slices(), tf.constant(OTHER)])
@pytest.mark.parametrize("b", [slices(), tf.IndexedSlices(ROWS, [1, 1, 3]), tf.constant(OTHER)])
def test_combined(a: Any, b: Any) -> None:
    total = combined(a, b)
    assert isinstance(total, tf.Tensor) == (isinstance(a, tf.Tensor) or isinstance(b, tf.Tensor))
    parts = [tf.IndexedSlices(x.values, x.indices, (4, 2)) if isinstance(x, tf.IndexedSlices) else x for x in (a, b)]
    expected = np.asarray(tf.convert_to_tensor(parts[0])) + np.asarray(tf.convert_to_tensor(parts[1]))
    np.testing.assert_array_equal(tf.convert_to_tensor(total), expected, strict=True)


def test_combined_promotes_and_differentiates() -> None:
    narrow = tf.IndexedSlices(tf.ones((1, 2)), [1], (4, 2))
    assert combined(narrow, tf.constant(OTHER)).dtype is tf.float64
    assert combined(slices(), tf.ones((4, 2))).dtype is tf.float64
    with pytest.raises(ValueError, match=r"shape \(4, 2\) cannot be added to shape \(3, 2\)"):
        combined(slices(), tf.ones((3, 2), tf.float64))
    check_grads(lambda rows, dense: combined(slices(rows), dense) ** 2, (ROWS, OTHER), order=2)


class TestClipping:
    """Norms are those of the whole tensor, in which repeated rows are summed."""

    @pytest.mark.parametrize("clip", [1.0, 100.0])
    @pytest.mark.parametrize("axes", [None, 0, 1, (0, 1)])
    def test_by_norm(self, clip: float, axes: Any) -> None:
        result = tf.clip_by_norm(slices(), clip, axes)
        assert number_of_rows(result) == 2
        np.testing.assert_allclose(result.to_dense(), tf.clip_by_norm(tf.constant(DENSE), clip, axes), rtol=1e-15)

    def test_by_the_norm_of_all(self) -> None:
        clipped, norm = tf.clip_by_global_norm([slices(), None, tf.constant(OTHER)], 2.0)
        expected, expected_norm = tf.clip_by_global_norm([tf.constant(DENSE), None, tf.constant(OTHER)], 2.0)
        assert float(norm) == float(expected_norm) == pytest.approx(np.sqrt((DENSE**2).sum() + (OTHER**2).sum()))
        assert number_of_rows(clipped[0]) == 3
        assert clipped[1] is None
        for k in (0, 2):
            np.testing.assert_allclose(tf.convert_to_tensor(clipped[k]), expected[k], rtol=1e-15)

    def test_scalar_mul(self) -> None:
        result = tf.math.scalar_mul(2.0, slices())
        assert number_of_rows(result) == 3
        np.testing.assert_array_equal(result.to_dense(), 2.0 * DENSE)


READS: dict[str, Callable[[Any], Any]] = {
    "gather": lambda v: tf.gather(v, [2, 0, 2]),
    "gather along axis 0": lambda v: tf.gather(v, [2, -4, 2], axis=-2),
    "gather_nd": lambda v: tf.gather_nd(v, [[2], [0], [2]]),
    "embedding_lookup": lambda v: tf.nn.embedding_lookup(v, [2, 0, 2]),
    "sparse_read": lambda v: tf.Variable.sparse_read(v, [2, 0, 2]),
}


class TestGradients:
    """The gradient of a source of which nothing but rows is used lists these rows."""

    @pytest.mark.parametrize("name", READS)
    @pytest.mark.parametrize("make", [tf.Variable, tf.constant])
    def test_reads_of_rows(self, make: Callable[[Any], Any], name: str) -> None:
        v = make(OTHER)
        with tf.GradientTape() as tape:
            tape.watch(v)
            y = tf.reduce_sum(READS[name](v) * ROWS)
        gradient = tape.gradient(y, v)
        assert number_of_rows(gradient) == 3
        assert gradient.indices.numpy().tolist() == [2, 0, 2]
        assert gradient.shape == (4, 2)
        np.testing.assert_array_equal(gradient.values, ROWS)

    @pytest.mark.parametrize(("indices", "rows"), [(1, 1), ([[1, 2], [0, 0]], 4), (np.zeros((0,), int), 0)])
    def test_indices_of_any_shape(self, indices: Any, rows: int) -> None:
        v = tf.Variable(OTHER)
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.gather(v, indices) ** 2)
        gradient = tape.gradient(y, v)
        assert number_of_rows(gradient) == rows
        expected = np.zeros_like(OTHER)
        np.add.at(expected, indices, 2 * OTHER[indices])
        np.testing.assert_array_equal(gradient.to_dense(), expected)

    def test_several_reads(self) -> None:
        v = tf.Variable(OTHER)
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.gather(v, [1])) + tf.reduce_sum(tf.gather(v, [2, 1]) * 3.0)
        gradient = tape.gradient(y, v)
        assert number_of_rows(gradient) == 3
        np.testing.assert_array_equal(gradient.to_dense(), [[0.0, 0.0], [4.0, 4.0], [3.0, 3.0], [0.0, 0.0]])

    @pytest.mark.parametrize(
        "use", [lambda v: v[1:] * 1.0, lambda v: v * 1.0, lambda v: v[[2, 1]], lambda v: tf.gather(v, [0], axis=1)]
    )
    def test_other_uses_make_it_whole(self, use: Callable[[Any], Any]) -> None:
        v = tf.Variable(OTHER)
        with tf.GradientTape(persistent=True) as tape:
            used = tf.reduce_sum(use(v))
            y = tf.reduce_sum(tf.gather(v, [2, 0, 2]) * ROWS) + used
        expected = np.asarray(tape.gradient(used, v)) + DENSE
        gradient = tape.gradient(y, v)
        assert isinstance(gradient, tf.Tensor)
        np.testing.assert_array_equal(gradient, expected)

    def test_what_is_computed_before_the_read(self) -> None:
        v = tf.Variable(OTHER)
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.gather(v * v, [2, 0, 2]))
        np.testing.assert_array_equal(tape.gradient(y, v), 2 * OTHER * [[1.0], [0.0], [2.0], [0.0]])

    def test_of_rows_that_do_not_matter(self) -> None:
        v = tf.Variable(OTHER)
        with tf.GradientTape(persistent=True) as tape:
            unused = tf.gather(v, [1])
            y = tf.reduce_sum(tf.stop_gradient(unused))
        assert tape.gradient(y, v) is None
        zeros = tape.gradient(y, v, unconnected_gradients="zero")
        np.testing.assert_array_equal(tf.convert_to_tensor(zeros), np.zeros((4, 2)))

    def test_recorded_by_an_outer_tape(self) -> None:
        v = tf.Variable(OTHER + 1.0)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = tf.reduce_sum(tf.gather(v, [2, 0, 2]) ** 3)
            first = inner.gradient(y, v)
            assert number_of_rows(first) == 3
            total = tf.reduce_sum(tf.convert_to_tensor(first) * OTHER)
        expected = 6 * (OTHER + 1.0) * OTHER * [[1.0], [0.0], [2.0], [0.0]]
        np.testing.assert_array_equal(tf.convert_to_tensor(outer.gradient(total, v)), expected)

    @pytest.mark.parametrize("before", [lambda x: x, lambda x: x * x])
    def test_all_orders_and_modes(self, before: Callable[[Any], Any]) -> None:
        check_grads(lambda x: tf.gather(before(x), [[2, 0], [2, 2]]) ** 2, (OTHER,), order=3)

    def test_jacobians_are_whole(self) -> None:
        v = tf.Variable(OTHER)
        with tf.GradientTape() as tape:
            y = tf.gather(v, [3, 3]) * 2.0
        expected = np.zeros((2, 2, 4, 2))
        expected[:, [0, 1], 3, [0, 1]] = 2.0
        np.testing.assert_array_equal(tape.jacobian(y, v), expected)

    def test_functions_of_functions_are_whole(self) -> None:
        f = lambda x: tf.reduce_sum(tf.gather(x, [2, 0, 2]) ** 2)  # noqa: E731
        expected = 2 * OTHER * [[1.0], [0.0], [2.0], [0.0]]
        np.testing.assert_array_equal(functional.grad(f)(OTHER), expected)
        np.testing.assert_array_equal(functional.vjp(f, OTHER)[1](1.0), expected)
