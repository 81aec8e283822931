"""Slices, grids, order, updates: values as TensorFlow has them, gradients by differences, messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

X = np.random.default_rng(3).permutation(24).reshape(2, 3, 4) / 5.0
V = X[0, 0]
UPDATES = np.array([5.5, -0.3, 1.7])

# Each: the function of X (float64, shape (2, 3, 4)), and what NumPy has for it.
CASES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "slice": (lambda x: tf.slice(x, [0, 1, 2], [2, -1, 1]), lambda x: x[:, 1:, 2:3]),
    "slice of nothing": (lambda x: tf.slice(x, [2, 0, 0], [-1, 0, 4]), lambda x: x[2:, :0]),
    "strided_slice": (lambda x: tf.strided_slice(x, [0, 2], [2, 0], [1, -1]), lambda x: x[0:2, 2:0:-1]),
    "strided_slice, negative": (lambda x: tf.strided_slice(x, [-1], [-3], [-1]), lambda x: x[-1:-3:-1]),
    "strided_slice, open": (
        lambda x: tf.strided_slice(x, [1, 1], [1, 1], begin_mask=1, end_mask=2),
        lambda x: x[:1, 1:],
    ),
    "strided_slice, ellipsis": (
        lambda x: tf.strided_slice(x, [1, 0, 2], [2, 0, 0], ellipsis_mask=2, shrink_axis_mask=4),
        lambda x: x[1:2, ..., 2],
    ),
    "strided_slice, new axis": (lambda x: tf.strided_slice(x, [0, 1], [0, 2], new_axis_mask=1), lambda x: x[None, 1:2]),
    "meshgrid": (lambda x: tf.stack(tf.meshgrid(x[0, 0], x[0, 1])), lambda x: np.stack(np.meshgrid(x[0, 0], x[0, 1]))),
    "meshgrid, ij": (
        lambda x: tf.meshgrid(x[0, 0], x[0, :, 1], x[:, 1, 1], indexing="ij")[1],
        lambda x: np.meshgrid(x[0, 0], x[0, :, 1], x[:, 1, 1], indexing="ij")[1],
    ),
    "reverse_sequence": (
        lambda x: tf.reverse_sequence(x, [2, 3], seq_axis=1, batch_axis=0),
        lambda x: np.stack([x[0][[1, 0, 2]], x[1][::-1]]),
    ),
    "reverse_sequence, axes exchanged": (
        lambda x: tf.reverse_sequence(x, [1, 2, 0, 2], seq_axis=0, batch_axis=2),
        lambda x: np.stack([x[:, :, 0], x[::-1, :, 1], x[:, :, 2], x[::-1, :, 3]], 2),
    ),
    "unique": (lambda x: tf.unique(x[0, 0][[0, 1, 0, 3]]).y, lambda x: x[0, 0][[0, 1, 3]]),
    "dynamic_partition": (
        lambda x: tf.concat(tf.dynamic_partition(x, [[1, 0, 2], [0, 1, 1]], 4), 0),
        lambda x: x.reshape(6, 4)[[1, 3, 0, 4, 5, 2]],
    ),
    "dynamic_stitch": (
        lambda x: tf.dynamic_stitch([[4, 0], [[2, 0, 4]]], [x[:, 0], x[1:]]),
        lambda x: np.stack([x[1, 1], 0 * x[0, 0], x[1, 0], 0 * x[0, 0], x[1, 2]]),
    ),
    "update": (
        lambda x: tf.tensor_scatter_nd_update(x, [[[1, 2]], [[0, 0]]], 2 * x[:, :1]),
        lambda x: np.stack([np.stack([2 * x[1, 0], x[0, 1], x[0, 2]]), np.stack([x[1, 0], x[1, 1], 2 * x[0, 0]])]),
    ),
    "add": (
        lambda x: tf.tensor_scatter_nd_add(x, [[1], [1]], x),
        lambda x: np.stack([x[0], x[1] + x[0] + x[1]]),
    ),
    "subtract": (
        lambda x: tf.tensor_scatter_nd_sub(x, [[1], [1]], 3 * x),
        lambda x: np.stack([x[0], x[1] - 3 * x[0] - 3 * x[1]]),
    ),
    "max": (
        lambda x: tf.tensor_scatter_nd_max(x[0], [[1], [1]], 2 * x[:, 0] - 1),
        lambda x: np.stack([x[0, 0], np.max([x[0, 1], *(2 * x[:, 0] - 1)], axis=0), x[0, 2]]),
    ),
    "min": (
        lambda x: tf.tensor_scatter_nd_min(x[0], [[1], [1]], 2 * x[:, 0] - 1),
        lambda x: np.stack([x[0, 0], np.min([x[0, 1], *(2 * x[:, 0] - 1)], axis=0), x[0, 2]]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str) -> None:
    function, reference = CASES[name]
    np.testing.assert_array_equal(function(tf.constant(X)), reference(X), strict=True)
    check_grads(lambda x: function(x) ** 2, (X,))


def test_only_the_update_that_stays_has_a_gradient() -> None:
    x, updates = tf.constant([1.0, 2.0]), tf.constant([7.0, 9.0])
    with tf.GradientTape() as tape:
        tape.watch([x, updates])
        y = tf.tensor_scatter_nd_update(x, [[0], [0]], updates) * [10.0, 100.0]
    np.testing.assert_array_equal(y, [90.0, 200.0])
    by_x, by_updates = tape.gradient(y, [x, updates])
    np.testing.assert_array_equal(by_x, [0.0, 100.0])
    np.testing.assert_array_equal(by_updates, [0.0, 10.0])


@pytest.mark.parametrize("extremum", [tf.tensor_scatter_nd_max, tf.tensor_scatter_nd_min])
def test_ties_share_the_gradient(extremum: Callable[..., Any]) -> None:
    x, updates = tf.constant([1.0, 2.0, 3.0]), tf.constant([1.0, 1.0, 3.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch([x, updates])
        y = extremum(x, [[0], [0], [2], [1]], updates) * [6.0, 2.0, 2.0]
    by_x, by_updates = tape.gradient(y, [x, updates])
    np.testing.assert_allclose(by_x, [2.0, 1.0, 1.0])
    np.testing.assert_allclose(by_updates, [2.0, 2.0, 1.0, 1.0])


def test_updates_take_the_tensors_type() -> None:
    for update in (tf.tensor_scatter_nd_update, tf.tensor_scatter_nd_add, tf.tensor_scatter_nd_max):
        assert update(np.array([1.0, 2.0]), [[0]], [0.1]).dtype is tf.float64
        assert update([1, 2], [[0]], [5]).dtype is tf.int32
    assert float(tf.tensor_scatter_nd_update(np.zeros(1), [[0]], [0.1])[0]) == 0.1


@pytest.mark.parametrize(
    ("sequence", "values", "side", "expected"),
    [
        ([1.0, 2.0, 2.0, 5.0], [2.0, 0.0, 9.0], "left", [1, 0, 4]),
        ([1.0, 2.0, 2.0, 5.0], [2.0, 0.0, 9.0], "right", [3, 0, 4]),
        ([[1, 2], [3, 4]], [[2, 0, 5], [2, 4, 9]], "left", [[1, 0, 2], [0, 1, 2]]),
        (np.zeros((2, 0)), [[1.0], [2.0]], "left", [[0], [0]]),
    ],
)
def test_searchsorted(sequence: Any, values: Any, side: str, expected: Any) -> None:
    result = tf.searchsorted(sequence, values, side)
    np.testing.assert_array_equal(result, np.array(expected, np.int32), strict=True)
    assert tf.searchsorted(sequence, values, out_type=tf.int64).dtype is tf.int64


def test_distinct_elements() -> None:
    y, idx, count = tf.unique_with_counts(np.array([3.0, 1.0, 3.0, 2.0]), out_idx=tf.int64)
    np.testing.assert_array_equal(y, [3.0, 1.0, 2.0])
    np.testing.assert_array_equal(idx, np.array([0, 1, 0, 2]), strict=True)
    np.testing.assert_array_equal(count, np.array([2, 1, 1]), strict=True)
    assert tf.unique([1, 1])._fields == ("y", "idx")
    assert tf.unique([1, 1]).idx.dtype is tf.int32


@pytest.mark.parametrize(
    ("targets", "rows", "k", "expected"),
    [
        ([1, 0], [[0.1, 0.9, 0.0], [0.3, 0.3, 0.4]], 1, [True, False]),
        ([1, 0], [[0.1, 0.9, 0.0], [0.3, 0.3, 0.3]], 1, [True, True]),
        ([2, 2], [[0.1, 0.9, 0.0], [0.3, 0.3, 0.4]], 3, [True, True]),
        ([0, 5, -1], [[0.3, np.nan], [1.0, 2.0], [1.0, 2.0]], 2, [False, False, False]),
        ([0], [[1.0, np.inf]], 2, [False]),
    ],
)
def test_in_top_k(targets: Any, rows: Any, k: int, expected: list[bool]) -> None:
    assert tf.math.in_top_k(targets, rows, k).numpy().tolist() == expected
    assert tf.nn.in_top_k is tf.math.in_top_k


def test_permutations_and_monotony() -> None:
    np.testing.assert_array_equal(
        tf.math.invert_permutation([2, 0, 3, 1]), np.array([1, 3, 0, 2], np.int32), strict=True
    )
    for values, weakly, strictly in [([1, 1, 2], True, False), ([1, 2], True, True), ([[1, 2], [0, 3]], False, False)]:
        assert bool(tf.math.is_non_decreasing(values)) is weakly
        assert bool(tf.math.is_strictly_increasing(values)) is strictly
    assert bool(tf.math.is_strictly_increasing([]))


def test_sequence_mask() -> None:
    np.testing.assert_array_equal(tf.sequence_mask([1, 3, 0]), np.arange(3) < np.array([[1], [3], [0]]), strict=True)
    assert tf.sequence_mask([[1], [2]], maxlen=tf.constant(4), dtype=tf.float32).shape == (2, 1, 4)
    assert tf.sequence_mask(2).numpy().tolist() == [True, True]
    assert tf.sequence_mask([]).shape == (0, 0)


def test_saturate_cast() -> None:
    huge = tf.constant([1e300, -1e300, 7.5], tf.float64)
    for dtype in (tf.uint8, tf.int32, tf.int64, tf.uint64):
        limits = np.iinfo(dtype.as_numpy_dtype)
        greatest, least, some = (int(n) for n in tf.saturate_cast(huge, dtype).numpy())
        assert limits.max >= greatest > 0.999 * limits.max
        assert (least, some) == (limits.min, 7)
    np.testing.assert_array_equal(tf.saturate_cast(huge, tf.float32)[0], np.finfo(np.float32).max)
    np.testing.assert_array_equal(tf.saturate_cast(tf.constant([-3, 300]), tf.uint8), [0, 255])
    np.testing.assert_array_equal(tf.saturate_cast(tf.constant([1.0], tf.float32), tf.int64), [1])
    np.testing.assert_array_equal(tf.saturate_cast([True], tf.float32), [1.0])
    assert tf.dtypes.saturate_cast is tf.saturate_cast
    check_grads(lambda x: tf.saturate_cast(x, tf.float64) ** 2, (V,))


def test_coordinates_of_numbers() -> None:
    np.testing.assert_array_equal(tf.unravel_index([5, 1], [2, 3]), np.array([[1, 0], [2, 1]], np.int32), strict=True)
    np.testing.assert_array_equal(tf.unravel_index(tf.constant(5, tf.int64), [2, 3]), np.array([1, 2]), strict=True)


def test_identities_are_recorded() -> None:
    x, y = tf.constant(2.0), tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        copies = tf.identity_n([x, y])
        product = copies[0] * copies[1]
    assert [float(g) for g in tape.gradient(product, [x, y, copies[0]])] == [3.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: tf.slice(V, [1], [4]), ValueError, r"begin \[1\] with size \[4\] is out of bounds for .* \(4,\)"),
        (lambda: tf.slice(V, [-1], [1]), ValueError, r"begin \[-1\]"),
        (lambda: tf.slice(X, [1], [1]), ValueError, r"one number per axis of a tensor of shape \(2, 3, 4\)"),
        (lambda: tf.strided_slice(V, [1], [1, 2]), ValueError, "differ in length"),
        (lambda: tf.meshgrid(V, indexing="zz"), ValueError, "must be either 'xy' or 'ij', got 'zz'"),
        (lambda: tf.reverse_sequence(X, [1, 4], 1, 0), ValueError, "are not between 0 and 3"),
        (lambda: tf.reverse_sequence(X, [1], 1, 0), ValueError, "one length is needed for each entry along axis 0"),
        (lambda: tf.reverse_sequence(X, [1, 1]), ValueError, "other than the axis 0 to reverse"),
        (lambda: tf.searchsorted(V, [1.0], side="x"), ValueError, "`side` = 'x'"),
        (lambda: tf.searchsorted(V, 1.0), ValueError, r"shape \(4,\) and values of shape \(\) must agree"),
        (lambda: tf.unique(X), ValueError, r"unique: a vector is needed, not a tensor of shape \(2, 3, 4\)"),
        (lambda: tf.math.in_top_k([1], X, 1), ValueError, "there must be one target per row"),
        (lambda: tf.math.invert_permutation([2, 2, 1]), ValueError, "is not a permutation"),
        (lambda: tf.dynamic_partition(V, [0, 1, 2, 0], 2), ValueError, "are not between 0 and 1"),
        (lambda: tf.dynamic_partition(V, [0, 1], 2), ValueError, r"do not start with the shape \(2,\)"),
        (lambda: tf.dynamic_stitch([[0]], []), ValueError, "1 indices do not fit 0 data"),
        (lambda: tf.dynamic_stitch([[0]], [V]), ValueError, r"do not start with the shape \(1,\)"),
        (lambda: tf.dynamic_stitch([[-1]], [[1.0]]), ValueError, "must not be negative"),
        (
            lambda: tf.tensor_scatter_nd_update(V, [[0], [1]], UPDATES),
            ValueError,
            r"updates of shape \(3,\) do not fit indices of shape \(2, 1\) .* must have shape \(2,\)",
        ),
        (lambda: tf.tensor_scatter_nd_max(V, [[4]], [1.0]), IndexError, "out of bounds"),
        (lambda: tf.tensor_scatter_nd_add(V, [[0, 0]], [1.0]), ValueError, "do not name positions"),
        (lambda: tf.tensor_scatter_nd_min(V, np.zeros((1, 0), int), [V]), ValueError, "have no coordinates"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()
