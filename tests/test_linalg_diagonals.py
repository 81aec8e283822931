"""Tests of TensorFlow's diagonals and bands, against their definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

ALIGNMENTS = ["RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT"]
BANDS = [0, 1, -1, (0, 0), (-1, 1), (0, 1), (-1, 0), (-2, -1), (1, 2), (-2, 2)]
SHAPES = [(3, 3), (3, 4), (4, 3)]


def _table(x: Any, low: int, high: int, align: str, padding: float) -> Any:
    """The diagonals of one matrix, as the documentation of `tf.linalg.diag_part` defines them."""
    rows, columns = x.shape
    longest = min(rows + min(high, 0), columns + min(-low, 0))
    table = np.full((high - low + 1, longest), padding)
    for m in range(high - low + 1):
        d = high - m
        elements = np.diagonal(x, d)
        of_right = {"upper": align.startswith("RIGHT"), "lower": align.endswith("RIGHT")}
        right = of_right["upper"] if d > 0 else of_right["lower"] if d < 0 else any(of_right.values())
        start = longest - len(elements) if right else 0
        table[m, start : start + len(elements)] = elements
    return table


def _limits(k: Any) -> tuple[int, int]:
    return k if isinstance(k, tuple) else (k, k)


@pytest.mark.parametrize("align", ALIGNMENTS)
@pytest.mark.parametrize("k", BANDS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_diagonals(shape: tuple[int, int], k: Any, align: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, *shape))
    low, high = _limits(k)
    expected = np.stack([_table(matrix, low, high, align, 9.0) for matrix in x])
    table = tf.linalg.diag_part(x, k=k, padding_value=9.0, align=align)
    np.testing.assert_array_equal(table, expected if low != high else expected[:, 0], strict=True)
    check_grads(lambda x: tf.linalg.diag_part(x, k=k, align=align), (x,))

    other = rng.normal(size=x.shape)
    offsets = np.arange(shape[1]) - np.arange(shape[0])[:, None]
    inside = (offsets >= low) & (offsets <= high)
    replaced = tf.linalg.set_diag(other, table, k=k, align=align)
    np.testing.assert_array_equal(replaced, np.where(inside, x, other), strict=True)
    check_grads(lambda x, d: tf.linalg.set_diag(x, d, k=k, align=align), (other, table.numpy()))

    made = tf.linalg.diag(table, k=k, num_rows=shape[0], num_cols=shape[1], padding_value=7.0, align=align)
    np.testing.assert_array_equal(made, np.where(inside, x, 7.0), strict=True)
    check_grads(lambda d: tf.linalg.diag(d, k=k, num_rows=shape[0], num_cols=shape[1], align=align), (table.numpy(),))


@pytest.mark.parametrize(
    ("keywords", "shape"),
    [
        ({}, (3, 3)),
        ({"k": 1}, (4, 4)),
        ({"k": -2}, (5, 5)),
        ({"num_rows": 3}, (3, 3)),
        ({"num_rows": 5}, (5, 3)),
        ({"num_cols": 5}, (3, 5)),
        ({"k": 1, "num_rows": 3}, (3, 4)),
        ({"k": 1, "num_cols": 6}, (3, 6)),
        ({"k": -1, "num_rows": 6}, (6, 3)),
    ],
    ids=str,
)
def test_sizes_of_diag(keywords: dict[str, int], shape: tuple[int, int]) -> None:
    made = tf.linalg.diag(tf.constant([1.0, 2.0, 3.0]), **keywords)
    assert made.shape == shape
    np.testing.assert_array_equal(np.diagonal(made.numpy(), keywords.get("k", 0)), [1.0, 2.0, 3.0])
    assert float(tf.reduce_sum(made)) == 6.0


@pytest.mark.parametrize(("lower", "upper"), [(0, 0), (1, 0), (-1, 0), (0, -1), (-1, -1), (1, 2), (5, 1)])
def test_band_part(lower: int, upper: int) -> None:
    x = np.random.default_rng(2).normal(size=(2, 3, 4))
    expected = np.triu(x, -lower if lower >= 0 else -9)
    expected = np.tril(expected, upper if upper >= 0 else 9)
    np.testing.assert_array_equal(tf.linalg.band_part(x, lower, upper), expected)
    check_grads(lambda x: tf.linalg.band_part(x, lower, upper), (x,))


def test_what_lies_outside_a_band_does_not_matter() -> None:
    assert tf.linalg.band_part([[1.0, np.nan], [np.inf, 2.0]], 0, 0).numpy().tolist() == [[1.0, 0.0], [0.0, 2.0]]


def test_trace() -> None:
    x = np.random.default_rng(3).normal(size=(2, 3, 4))
    np.testing.assert_allclose(tf.linalg.trace(x), np.trace(x, axis1=1, axis2=2), rtol=1e-15)
    check_grads(tf.linalg.trace, (x,))
    assert tf.linalg.trace(np.ones((2, 2), np.int32)).dtype == tf.int32


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)], ids=str)
def test_tensor_diag(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(4).normal(size=shape)
    made = tf.linalg.tensor_diag(x)
    assert made.shape == shape * 2
    for index in np.ndindex(made.shape):
        count = len(shape)
        assert made.numpy()[index] == (x[index[:count]] if index[:count] == index[count:] else 0.0)
    np.testing.assert_array_equal(tf.linalg.tensor_diag_part(made), x)
    check_grads(tf.linalg.tensor_diag, (x,))
    check_grads(tf.linalg.tensor_diag_part, (np.random.default_rng(5).normal(size=shape * 2),))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.linalg.diag_part(np.eye(3), k=3), r"diagonals 3 to 3 are not inside matrices of shape \(3, 3\)"),
        (lambda: tf.linalg.diag_part(np.eye(3), k=(1, 0)), "the lowest and the highest"),
        (lambda: tf.linalg.diag_part(np.eye(3), align="LEFT"), "align must be"),
        (lambda: tf.linalg.diag_part(np.ones(3)), r"two axes, but the shape is \(3,\)"),
        (lambda: tf.linalg.set_diag(np.eye(3), np.ones(2)), "have up to 3 elements, not 2"),
        (lambda: tf.linalg.set_diag(np.eye(3), np.ones(3), k=(0, 1)), r"cannot have the shape \(3,\)"),
        (lambda: tf.linalg.diag(np.ones(3), num_rows=2), "do not fit matrices"),
        (lambda: tf.linalg.diag(np.ones(3), num_rows=5, num_cols=6), "do not fit matrices"),
        (lambda: tf.linalg.tensor_diag_part(np.ones((2, 3))), r"some shape twice, not \(2, 3\)"),
    ],
)
def test_bad_calls(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
