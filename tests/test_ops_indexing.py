"""Tests of indexing, gathering, scattering and sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._ops import indexing, sorting
from tapegrad.testing import check_grads

X = np.random.default_rng(5).permutation(60).reshape(3, 4, 5) / 7.0
MASK = X > 4.0

KEYS: dict[str, Any] = {
    "integer": 1,
    "integers": (1, -1, 2),
    "slices": (slice(None), slice(3, 0, -1), slice(1, None, 2)),
    "newaxis and ellipsis": (None, ..., 0, None),
    "integer array": np.array([2, 0, 2]),
    "list": [2, 0, 2],
    "two arrays": (np.array([0, 2, 0]), np.array([1, 3, 1])),
    "arrays broadcast": (np.array([[0], [2]]), slice(None), np.array([1, 1, 4])),
    "array between slices": (slice(None), [1, 1, 0], slice(1, 3)),
    "array and integer": (0, [1, 2, 1]),
    "array and newaxis": (None, [1, 2], ..., None),
    "mask": MASK,
    "mask of some axes": MASK[:, :, 0],
    "mask and slice": (slice(None), np.array([True, False, True, True]), slice(1, 2)),
    "mask and array": (np.array([True, False, True]), [0, 1]),
    "boolean scalar": True,
    "empty list": [],
    "NumPy integer": np.int64(2),
    "uint8 array": np.array([1, 2], np.uint8),
}


@pytest.mark.parametrize("name", KEYS)
def test_values_and_gradients(name: str) -> None:
    key = KEYS[name]
    np.testing.assert_array_equal(tf.constant(X)[key], X[key], strict=True)
    check_grads(lambda x: x[key] * x[key], (X,), order=2)


def test_tensors_are_keys() -> None:
    x = tf.constant(X)
    np.testing.assert_array_equal(x[tf.constant([2, 0])], X[[2, 0]])
    np.testing.assert_array_equal(x[x > 4.0], X[MASK])
    np.testing.assert_array_equal(x[tf.constant(1), ..., tf.constant([0, 0])], X[1, ..., [0, 0]])
    np.testing.assert_array_equal(x[: tf.constant(2), tf.constant(1) :], X[:2, 1:])


@pytest.mark.parametrize("key", ["a", 1.0, [0.5], (0, 2.0), np.array([1.0])])
def test_bad_keys(key: Any) -> None:
    with pytest.raises(TypeError, match=r"Only integers, slices"):
        tf.constant(X)[key]


@pytest.mark.parametrize("key", [3, (0, 4), [0, 3], (0, 0, 0, 0), (slice(None), [4]), np.array([True, False])])
def test_keys_out_of_range(key: Any) -> None:
    with pytest.raises(IndexError):
        tf.constant(X)[key]


CASES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "gather": (lambda x: tf.gather(x, [2, 0, 2]), lambda x: x[[2, 0, 2]]),
    "gather by a scalar": (lambda x: tf.gather(x, 1), lambda x: x[1]),
    "gather along an axis": (
        lambda x: tf.gather(x, [[1, 0], [3, -1]], axis=1),
        lambda x: np.take(x, [[1, 0], [3, -1]], 1),
    ),
    "gather with a batch axis": (
        lambda x: tf.gather(x, [[1], [0], [3]], batch_dims=1),
        lambda x: np.stack([x[k][i] for k, i in enumerate([[1], [0], [3]])]),
    ),
    "gather with a batch axis, further axis": (
        lambda x: tf.gather(x, [[1, 0], [0, 0], [3, 4]], axis=2, batch_dims=1),
        lambda x: np.stack([x[k][:, i] for k, i in enumerate([[1, 0], [0, 0], [3, 4]])]),
    ),
    "gather with two batch axes": (
        lambda x: tf.gather(x, np.arange(24).reshape(3, 4, 2) % 5, batch_dims=-1),
        lambda x: np.take_along_axis(x, np.arange(24).reshape(3, 4, 2) % 5, 2),
    ),
    "gather_nd": (lambda x: tf.gather_nd(x, [[0, 1], [2, 3], [0, 1]]), lambda x: x[[0, 2, 0], [1, 3, 1]]),
    "gather_nd of elements": (lambda x: tf.gather_nd(x, [[[0, 1, 2]]]), lambda x: x[[[0]], [[1]], [[2]]]),
    "gather_nd with a batch axis": (
        lambda x: tf.gather_nd(x, [[[1, 2]], [[0, 0]], [[3, 4]]], batch_dims=1),
        lambda x: np.stack([x[0, [1], [2]], x[1, [0], [0]], x[2, [3], [4]]]),
    ),
    "gather_nd of nothing": (lambda x: tf.gather_nd(x, np.zeros((2, 0), int)), lambda x: np.stack([x, x])),
    "take": (lambda x: indexing.take(x, [[59, 3]]), lambda x: np.take(x, [[59, 3]])),
    "take_along_axis": (
        lambda x: indexing.take_along_axis(x, np.argsort(X, 1)[:, :2], 1),
        lambda x: np.take_along_axis(x, np.argsort(X, 1)[:, :2], 1),
    ),
    "boolean_mask": (lambda x: tf.boolean_mask(x, MASK), lambda x: x[MASK]),
    "boolean_mask along an axis": (
        lambda x: tf.boolean_mask(x, [True, False, True, True], axis=1),
        lambda x: x[:, [True, False, True, True]],
    ),
    "sort": (tf.sort, np.sort),
    "sort along an axis": (lambda x: tf.sort(x, 0), lambda x: np.sort(x, 0)),
    "sort, descending": (lambda x: tf.sort(x, direction="DESCENDING"), lambda x: np.sort(x)[..., ::-1]),
    "top_k": (lambda x: tf.math.top_k(x, 3).values, lambda x: np.sort(x)[..., :-4:-1]),
    "scatter_nd": (
        lambda x: tf.scatter_nd([[1], [0], [1]], x, (4, 4, 5)),
        lambda x: np.stack([x[1], x[0] + x[2], 0 * x[0], 0 * x[0]]),
    ),
    "scatter_nd of all": (
        lambda x: tf.scatter_nd(np.zeros((3, 0), int), x, (4, 5)),
        lambda x: x[0] + x[1] + x[2],
    ),
    "where": (lambda x: tf.where(MASK, x, 2 * x), lambda x: np.where(MASK, x, 2 * x)),
}


@pytest.mark.parametrize("name", CASES)
def test_functions(name: str) -> None:
    f, reference = CASES[name]
    np.testing.assert_allclose(f(tf.constant(X)), reference(X), rtol=1e-15)
    check_grads(lambda x: f(x) * f(x), (X,), order=2)


def test_integers_stay_integers() -> None:
    x = tf.constant(np.arange(6, dtype=np.int32).reshape(2, 3))
    assert tf.sort(x).dtype is tf.int32
    assert x[[1, 0]].dtype is tf.int32
    assert tf.scatter_nd([[1]], [5], [3]).numpy().tolist() == [0, 5, 0]


def test_repeated_positions_add_up() -> None:
    updates = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(updates)
        y = tf.scatter_nd([[0], [2], [0]], updates, [4])
        z = y * [1.0, 10.0, 100.0, 1000.0]
    np.testing.assert_array_equal(y, [4.0, 0.0, 2.0, 0.0])
    np.testing.assert_array_equal(tape.gradient(z, updates), [1.0, 100.0, 1.0])


def test_index_add_broadcasts() -> None:
    result = indexing.index_add(2.0, ([0, 0, 1],), (3,))
    np.testing.assert_array_equal(result, [4.0, 2.0, 0.0])
    check_grads(lambda u: indexing.index_add(u * u, (slice(None), [0, 0, 1]), (2, 4)), (X[0, 0, :3],), order=2)


def test_where_without_alternatives() -> None:
    np.testing.assert_array_equal(
        tf.where([[True, False], [True, True]]), np.array([[0, 0], [1, 0], [1, 1]]), strict=True
    )
    with pytest.raises(ValueError, match="where: give both x and y"):
        tf.where([True], 1.0)


def test_one_hot() -> None:
    np.testing.assert_array_equal(
        tf.one_hot([0, 2, -1, 3], 3),
        np.array([[1, 0, 0], [0, 0, 1], [0] * 3, [0] * 3], np.float32),
        strict=True,
    )
    np.testing.assert_array_equal(tf.one_hot([[0], [1]], 2, axis=0), [[[1], [0]], [[0], [1]]])
    np.testing.assert_array_equal(
        tf.one_hot([1], 2, on_value=5, off_value=-1), np.array([[-1, 5]], np.int32), strict=True
    )
    assert tf.one_hot([1], 2, dtype=tf.bool).dtype is tf.bool
    assert tf.one_hot(1, 3, axis=-1).numpy().tolist() == [0.0, 1.0, 0.0]
    check_grads(lambda on, off: tf.one_hot([1, 0], 3, on * off, off), (np.float64(2.0), np.float64(3.0)), order=2)


def test_order_of_equal_elements() -> None:
    x = tf.constant([1, 3, 3, 2, 3])
    np.testing.assert_array_equal(tf.argsort(x, stable=True), np.array([0, 3, 1, 2, 4], np.int32), strict=True)
    np.testing.assert_array_equal(tf.argsort(x, direction="DESCENDING"), [1, 2, 4, 3, 0])
    values, indices = tf.math.top_k(x, 4)
    np.testing.assert_array_equal(values, [3, 3, 3, 2])
    np.testing.assert_array_equal(indices, np.array([1, 2, 4, 3], np.int32), strict=True)
    assert isinstance(tf.math.top_k(x), sorting.TopK)


def test_sort_of_unsigned_and_nan() -> None:
    np.testing.assert_array_equal(tf.sort(np.array([3, 0, 200], np.uint8), direction="DESCENDING"), [200, 3, 0])
    np.testing.assert_array_equal(tf.sort([np.nan, 1.0, 2.0], direction="DESCENDING"), [np.nan, 2.0, 1.0])


def test_great_scatters_are_right() -> None:
    # Rows of a table, many times the same one: the gradient of a lookup.
    random = np.random.default_rng(1)
    table, rows = random.normal(size=(11, 4)), random.integers(0, 11, (50, 3))
    weights = random.normal(size=(50, 3, 4))
    x = tf.constant(table)
    expected = np.zeros_like(table)
    np.add.at(expected, rows, weights)
    for look_up in (lambda: tf.gather(x, rows), lambda: x[rows], lambda: tf.gather_nd(x, rows[..., None])):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = look_up() * weights
        np.testing.assert_allclose(tape.gradient(y, x), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: tf.gather(X, [0.5]), TypeError, "gather: the indices must be integers, not float"),
        (lambda: tf.gather(X, [3]), IndexError, "3"),
        (
            lambda: tf.gather(X, [[0]], batch_dims=1),
            ValueError,
            r"gather: params of shape \(3, 4, 5\) and indices of shape \(1, 1\)",
        ),
        (lambda: tf.gather_nd(X, [[0, 0, 0, 0]]), ValueError, r"gather_nd: indices of shape \(1, 4\)"),
        (
            lambda: tf.scatter_nd([[0], [1]], [1.0], [3]),
            ValueError,
            r"scatter_nd: updates of shape \(1,\) .* \(2, 1\)",
        ),
        (
            lambda: tf.boolean_mask(X, [True, False]),
            ValueError,
            r"boolean_mask: a mask of shape \(2,\) .* \(3, 4, 5\)",
        ),
        (lambda: tf.boolean_mask(X, [1, 0, 1]), ValueError, "boolean_mask: the mask must be a boolean array"),
        (lambda: tf.math.top_k(X, 6), ValueError, r"top_k: a tensor of shape \(3, 4, 5\) has no 6 elements"),
        (lambda: tf.math.top_k(1.0), ValueError, "top_k: a tensor with at least one dimension"),
        (
            lambda: tf.sort(X, direction="UP"),
            ValueError,
            "sort: direction is 'ASCENDING' or 'DESCENDING', not 'UP'",
        ),
        (lambda: indexing.take_along_axis(X, [0]), ValueError, r"take_along_axis: indices of shape \(1,\)"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.complex128])
@pytest.mark.parametrize("indices", [[2, 0, 2], [-1, 1, 2], [[0, 3], [-4, 3], [1, 1]], [], 3], ids=str)
def test_rows_are_added_as_numpy_adds_them(indices: Any, dtype: Any) -> None:
    places = np.array(indices, np.int64)
    rows = np.random.default_rng(8).normal(size=(*places.shape, 5)).astype(dtype)
    expected = np.zeros((4, 5), dtype)
    np.add.at(expected, places, rows)
    np.testing.assert_array_equal(indexing.index_add(rows, (places,), (4, 5)), expected, strict=True)
    if dtype is np.float64 and places.size:
        check_grads(lambda x: indexing.index_add(x, (places,), (4, 5)) ** 2, (rows,))


def test_rows_outside() -> None:
    with pytest.raises(IndexError, match=r"scatter_add: index 4 is out of bounds for axis 0 of shape \(4, 5\)"):
        indexing.index_add(np.ones((1, 5)), (np.array([4]),), (4, 5))
    with pytest.raises(IndexError, match="index -5 is out of bounds"):
        indexing.index_add(np.ones((1, 5)), (np.array([-5]),), (4, 5))


def test_unsigned_positions() -> None:
    x = tf.constant([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(np.take(x, np.array([2, 0], np.uint64)), [3.0, 1.0])
    # As int64 it would be -1, which counts from the end.
    with pytest.raises(IndexError, match="take: index 18446744073709551615 is out of bounds for axis 0"):
        np.take(x, np.array([0, 2**64 - 1], np.uint64))


def test_positions_of_the_caller_are_left_alone() -> None:
    places = np.array([-1, 0])
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = np.take(x, places)
    places[:] = 1
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 0.0, 1.0])
