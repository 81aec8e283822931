"""Reductions over segments: each is what NumPy gives for the rows of the segment alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

RNG = np.random.default_rng(8)
# Rows of 9 segments: several of some sizes, an empty one within (3), and only one row of the last.
SORTED = np.array([0, 0, 0, 1, 2, 2, 4, 4, 4, 5, 5, 6, 7, 7, 7, 7, 8])
SHUFFLED = RNG.permutation(SORTED)
DATA = RNG.normal(size=(17, 2))
LOWEST, GREATEST = np.finfo(np.float64).min, np.finfo(np.float64).max

# Each: the name in tf.math, the reduction of a segment's rows, and the result for an empty segment.
Reduction = Callable[[Any], Any]
SORTED_CASES: list[tuple[str, Reduction, float]] = [
    ("segment_sum", lambda rows: np.sum(rows, 0), 0),
    ("segment_mean", lambda rows: np.mean(rows, 0), 0),
    ("segment_prod", lambda rows: np.prod(rows, 0), 1),
    ("segment_max", lambda rows: np.max(rows, 0), 0),
    ("segment_min", lambda rows: np.min(rows, 0), 0),
]
UNSORTED_CASES: list[tuple[str, Reduction, float]] = [
    ("unsorted_segment_sum", lambda rows: np.sum(rows, 0), 0),
    ("unsorted_segment_mean", lambda rows: np.mean(rows, 0), 0),
    ("unsorted_segment_sqrt_n", lambda rows: np.sum(rows, 0) / np.sqrt(len(rows)), 0),
    ("unsorted_segment_prod", lambda rows: np.prod(rows, 0), 1),
    ("unsorted_segment_max", lambda rows: np.max(rows, 0), LOWEST),
    ("unsorted_segment_min", lambda rows: np.min(rows, 0), GREATEST),
]


def expected(reduction: Reduction, data: Any, ids: Any, count: int, empty: float) -> Any:
    return np.stack([reduction(data[ids == k]) if k in ids else np.full(data.shape[1:], empty) for k in range(count)])


def finite(x: Any) -> Any:
    """Without the limits of the type, whose squares overflow."""
    return tf.where(tf.abs(x) < 1e9, x, 0.0)


@pytest.mark.parametrize(("name", "reduction", "empty"), SORTED_CASES, ids=lambda x: x if isinstance(x, str) else "")
def test_sorted_segments(name: str, reduction: Reduction, empty: float) -> None:
    function = getattr(tf.math, name)
    result = function(DATA, SORTED)
    np.testing.assert_allclose(result, expected(reduction, DATA, SORTED, 9, empty), rtol=1e-14, strict=True)
    check_grads(lambda x: function(x, SORTED) ** 2, (DATA,))
    assert function(np.zeros((0, 2)), np.zeros(0, int)).shape == (0, 2)


@pytest.mark.parametrize(("name", "reduction", "empty"), UNSORTED_CASES, ids=lambda x: x if isinstance(x, str) else "")
def test_unsorted_segments(name: str, reduction: Reduction, empty: float) -> None:
    function = getattr(tf.math, name)
    result = function(DATA, SHUFFLED, 11)
    np.testing.assert_allclose(result, expected(reduction, DATA, SHUFFLED, 11, empty), rtol=1e-14, strict=True)
    check_grads(lambda x: finite(function(x, SHUFFLED, 11)) ** 2, (DATA,))
    # Negative ids are left out; ids can have the shape of several leading axes.
    ids = np.where(SHUFFLED == 0, -1, SHUFFLED)[:16].reshape(4, 4)
    data = DATA[:16].reshape(4, 4, 2)
    reference = expected(reduction, DATA[:16], ids.ravel(), 9, empty)
    np.testing.assert_allclose(function(data, ids, tf.constant(9)), reference, rtol=1e-14, strict=True)
    check_grads(lambda x: finite(function(x, ids, 9)) ** 2, (data,))


def test_products_are_differentiated_at_zeros() -> None:
    data = tf.constant([0.0, 3.0, 0.0, 0.0, 5.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(data)
        y = tf.math.segment_prod(data, [0, 0, 1, 1, 1, 2])
    np.testing.assert_array_equal(y, [0.0, 0.0, 2.0])
    np.testing.assert_array_equal(tape.gradient(y, data), [3.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    check_grads(lambda x: tf.math.segment_prod(x, [0, 0, 0, 1]), (np.array([0.0, 3.0, 0.0, 2.0]),))


@pytest.mark.parametrize("name", ["segment_max", "segment_min"])
def test_ties_share_the_gradient(name: str) -> None:
    data = tf.constant([3.0, 3.0, 3.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(data)
        y = getattr(tf.math, name)(data, [0, 0, 1, 2])
    np.testing.assert_array_equal(tape.gradient(y, data), [0.5, 0.5, 1.0, 1.0])


def test_a_nan_stays_in_its_segment() -> None:
    data = tf.constant([np.nan, 1.0, 2.0, 3.0])
    for function in (tf.math.segment_sum, tf.math.segment_prod, tf.math.segment_max):
        with tf.GradientTape() as tape:
            tape.watch(data)
            y = function(data, [0, 0, 1, 1])
        assert np.isnan(y.numpy()).tolist() == [True, False]
        assert np.isfinite(tape.gradient(y, data).numpy()[2:]).all()


def test_integers() -> None:
    data = tf.constant([1, 2, 4])
    for name, values in [("sum", [3, 4]), ("mean", [1, 4]), ("prod", [2, 4]), ("max", [2, 4]), ("min", [1, 4])]:
        result = getattr(tf.math, f"segment_{name}")(data, [0, 0, 1])
        np.testing.assert_array_equal(result, np.array(values, np.int32), strict=True)
    assert tf.math.unsorted_segment_max(data, [0, 0, 0], 2).numpy().tolist() == [4, np.iinfo(np.int32).min]
    assert tf.math.unsorted_segment_min(data, [0, 0, 0], 2).numpy().tolist() == [1, np.iinfo(np.int32).max]
    assert tf.math.unsorted_segment_mean(data, [0, 0, 1], 2).numpy().tolist() == [1.5, 4.0]


def test_float32_stays_float32() -> None:
    data = tf.constant([1.0, 2.0, 4.0])
    for name, _, _ in UNSORTED_CASES:
        assert getattr(tf.math, name)(data, [0, 0, 1], 3).dtype is tf.float32


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: tf.math.segment_sum([1.0, 2.0], [0]), ValueError, r"are \(1,\) and \(2,\)"),
        (
            lambda: tf.math.segment_sum([1.0, 2.0], [1, 0]),
            ValueError,
            "must be sorted and not negative: .* tf.math.unsorted_segment_sum",
        ),
        (lambda: tf.math.segment_sum([1.0, 2.0], [-1, 0]), ValueError, "not negative"),
        (lambda: tf.math.segment_sum([1.0, 2.0], [0.0, 1.0]), TypeError, "segment_ids: the indices must be integers"),
        (lambda: tf.math.segment_sum(DATA, [[0, 1]] * 17), ValueError, "should be a vector"),
        (lambda: tf.math.unsorted_segment_sum(DATA, [0, 1], 2), ValueError, r"\(17, 2\) does not start with"),
        (lambda: tf.math.unsorted_segment_sum([1.0, 2.0], [0, 2], 2), ValueError, r"2 is out of range \[0, 2\)"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()
