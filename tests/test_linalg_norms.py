"""Tests of norms and condition numbers: values, gradients, and slopes at kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matrices import Make, gradient, maker, slope_of_gradient, with_singular_values

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad.testing import check_grads

VECTOR_ORDERS = [None, 1, 2, 3, 1.5, 0.5, -1, -2, -0.5, np.inf, -np.inf]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


@pytest.mark.parametrize("ord", VECTOR_ORDERS, ids=str)
def test_norms_of_vectors(make: Make, ord: Any) -> None:
    x = make(3, 4)
    for axis in (0, -1):
        for keepdims in (False, True):
            expected = np.linalg.norm(x, ord, axis, keepdims)
            np.testing.assert_array_equal(tnp.linalg.norm(x, ord, axis, keepdims), expected, strict=True)
        check_grads(lambda x, axis=axis: tnp.linalg.norm(x, ord, axis), (x,))
    np.testing.assert_array_equal(tnp.linalg.norm(x[0], ord), np.linalg.norm(x[0], ord))
    check_grads(lambda x: tnp.linalg.norm(x, ord, keepdims=True), (x[0],))


@pytest.mark.parametrize("axis", [None, 1, (0, 2), (2, 1, 0), (1,)], ids=str)
@pytest.mark.parametrize("ord", [1, 2, 3, np.inf], ids=str)
def test_vector_norm(make: Make, ord: Any, axis: Any) -> None:
    x = make(2, 3, 2)
    for keepdims in (False, True):
        expected = np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
        result = tnp.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
        np.testing.assert_array_equal(result, expected)
        assert result.shape == expected.shape
    check_grads(lambda x: tnp.linalg.vector_norm(x, axis=axis, ord=ord), (x,))


@pytest.mark.parametrize("ord", MATRIX_ORDERS, ids=str)
def test_norms_of_matrices(make: Make, ord: Any) -> None:
    x = make(2, 3, 4)
    for axis in ((0, 1), (1, 2), (2, 0)):
        for keepdims in (False, True):
            expected = np.linalg.norm(x, ord, axis, keepdims)
            np.testing.assert_array_equal(tnp.linalg.norm(x, ord, axis, keepdims), expected, strict=True)
        check_grads(lambda x, axis=axis: tnp.linalg.norm(x, ord, axis), (x,))
    np.testing.assert_array_equal(tnp.linalg.norm(x[0], ord), np.linalg.norm(x[0], ord))
    if ord is not None:
        np.testing.assert_array_equal(tnp.linalg.matrix_norm(x, ord=ord), np.linalg.matrix_norm(x, ord=ord))


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.int64])
def test_types_of_norms(dtype: Any) -> None:
    x = np.arange(1, 7).reshape(2, 3).astype(dtype)
    for ord, axis in [(None, None), (1, 0), (3, 1), ("nuc", (0, 1)), (np.inf, (0, 1))]:
        np.testing.assert_array_equal(tnp.linalg.norm(x, ord, axis), np.linalg.norm(x, ord, axis), strict=True)


def test_number_of_elements_that_are_not_zero() -> None:
    x = tf.constant([0.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        count = np.linalg.norm(x, 0)
    assert float(count) == 2.0
    assert tape.gradient(count, x) is None


ROOT = np.sqrt(0.5)
KINKS: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    **{
        f"{ord}-norm at zero": (lambda x, ord=ord: np.linalg.norm(x, ord), [0.0, 0.0], [0.0, 0.0])
        for ord in VECTOR_ORDERS
    },
    **{
        f"{ord}-norm of a matrix at zero": (lambda x, ord=ord: np.linalg.norm(x, ord, (0, 1)), np.zeros((2, 3)), 0)
        for ord in MATRIX_ORDERS
    },
    "3-norm, one zero": (lambda x: np.linalg.norm(x, 3), [0.0, -2.0], [0.0, -1.0]),
    "1/2-norm, one zero": (lambda x: np.linalg.norm(x, 0.5), [0.0, -2.0], [0.0, -1.0]),
    "-1-norm, one zero": (lambda x: np.linalg.norm(x, -1), [0.0, -2.0], [0.0, 0.0]),
    "inf-norm of a tie": (lambda x: np.linalg.norm(x, np.inf), [2.0, -2.0, 1.0], [0.5, -0.5, 0.0]),
    "-inf-norm of a tie": (lambda x: np.linalg.norm(x, -np.inf), [2.0, -1.0, 1.0], [0.0, -0.5, 0.5]),
    "1-norm of a matrix, tie": (lambda x: np.linalg.norm(x, 1), [[1.0, 2.0], [2.0, -1.0]], [[0.5, 0.5], [0.5, -0.5]]),
    "2-norm of a matrix, tie": (lambda x: np.linalg.norm(x, 2), [[2.0, 0.0], [0.0, -2.0]], [[0.5, 0.0], [0.0, -0.5]]),
    "-2-norm of a matrix, tie": (lambda x: np.linalg.norm(x, -2), [[2.0, 0.0], [0.0, 2.0]], [[0.5, 0.0], [0.0, 0.5]]),
    "-2-norm of a singular matrix": (lambda x: np.linalg.norm(x, -2), [[1.0, 2.0], [2.0, 4.0]], 0),
    "nuclear norm, rank 1": (
        lambda x: np.linalg.norm(x, "nuc"),
        [[1.0, 2.0], [2.0, 4.0]],
        [[0.2, 0.4], [0.4, 0.8]],
    ),
}


@pytest.mark.parametrize("name", KINKS)
def test_slopes_at_kinks(name: str) -> None:
    f, x, expected = KINKS[name]
    x = np.asarray(x)
    for kind in (np.float64, np.complex128):
        slope = gradient(f, x.astype(kind))
        np.testing.assert_allclose(slope, np.broadcast_to(np.asarray(expected, kind), x.shape), atol=1e-14)


def test_second_derivatives_of_singular_norms_at_equal_values(make: Make) -> None:
    check_grads(lambda x: tnp.linalg.norm(x, "nuc"), (with_singular_values(make, 4, 3, [2.0, 2.0, 1.0]),))
    check_grads(lambda x: tnp.linalg.norm(x, "nuc") ** 2, (with_singular_values(make, 3, 3, [2.0, 2.0, 2.0]),))
    check_grads(lambda x: tnp.linalg.norm(x, 2), (with_singular_values(make, 3, 4, [2.0, 1.0, 1.0]),))
    check_grads(lambda x: tnp.linalg.norm(x, -2), (with_singular_values(make, 3, 3, [2.0, 2.0, 1.0]),))


def test_second_derivative_of_the_norm_at_zero() -> None:
    assert (slope_of_gradient(np.linalg.norm, np.zeros(3), np.ones(3)) == 0).all()


@pytest.mark.parametrize("p", [*MATRIX_ORDERS], ids=str)
def test_cond(make: Make, p: Any) -> None:
    x = make(2, 3, 3)
    np.testing.assert_array_equal(tnp.linalg.cond(x, p), np.linalg.cond(x, p), strict=True)
    check_grads(lambda x: tnp.linalg.cond(x, p), (x,))


def test_cond_of_rectangles() -> None:
    x = maker("real")(4, 2)
    np.testing.assert_array_equal(tnp.linalg.cond(x), np.linalg.cond(x))
    check_grads(tnp.linalg.cond, (x,))


@pytest.mark.parametrize("p", MATRIX_ORDERS, ids=str)
def test_cond_of_singular_matrices(p: Any) -> None:
    stack = np.stack([np.diag([1.0, 0.0]), np.diag([1.0, 2.0]), np.zeros((2, 2)), np.diag([1.0, np.nan])])
    if p in (None, 2, -2):
        stack = stack[:3]  # LAPACK finds no singular values of nan
    if p == "nuc":
        stack = stack[1:2]  # nor does NumPy, of what stands for an inverse
    np.testing.assert_array_equal(tnp.linalg.cond(stack, p), np.linalg.cond(stack, p))
    slopes = gradient(lambda x: tnp.linalg.cond(x, p), stack)
    assert np.isfinite(slopes[min(1, len(stack) - 1)]).all()
    if p not in (-2, "nuc"):
        assert not np.isfinite(slopes[0]).all()


ORDERS_OF_TENSORFLOW = [
    ("euclidean", None), ("euclidean", 0), ("euclidean", (0, 2)), ("euclidean", (0, 1, 2)), ("fro", (1, 2)),
    (1, None), (1, 1), (1, (0, 1)), (2, None), (2, -1), (2, (1, 2)), (np.inf, None), (np.inf, 0), (np.inf, (2, 0)),
    (3, None), (2.5, 1),
]  # fmt: skip


@pytest.mark.parametrize(("ord", "axis"), ORDERS_OF_TENSORFLOW, ids=str)
def test_norm_of_tensorflow(ord: Any, axis: Any) -> None:
    x = maker("real")(2, 3, 4)
    whole = axis is None or axis == (0, 1, 2)
    p = None if isinstance(ord, str) else ord
    expected = np.linalg.norm(x.reshape(-1), p) if whole else np.linalg.norm(x, p, axis)
    result = tf.linalg.norm(x, ord, axis)
    np.testing.assert_allclose(result, expected, rtol=1e-14)
    assert result.shape == np.shape(expected)
    kept = tf.linalg.norm(x, ord, axis, keepdims=True)
    assert kept.ndim == 3
    np.testing.assert_array_equal(tf.reshape(kept, result.shape), result)
    check_grads(lambda x: tf.linalg.norm(x, ord, axis), (x,))


def test_normalize_and_global_norm() -> None:
    x, y = maker("complex")(3, 4), maker("real")(2)
    direction, length = tf.linalg.normalize(x, axis=1)
    np.testing.assert_allclose(length, np.linalg.norm(x, axis=1, keepdims=True), rtol=1e-15)
    np.testing.assert_allclose(direction, x / np.linalg.norm(x, axis=1, keepdims=True), rtol=1e-15)
    check_grads(lambda x: tf.linalg.normalize(x, ord=1), (y,))
    both = np.concatenate([x.real.ravel(), y])
    total = tf.linalg.global_norm([tf.constant(x.real), None, tf.constant(y)])
    np.testing.assert_allclose(total, np.linalg.norm(both), rtol=1e-15)
    check_grads(lambda x, y: tf.linalg.global_norm([x, None, y]), (x.real, y))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tnp.linalg.norm([1.0], "fro"), "the order 'fro' is not one for vectors"),
        (lambda: tnp.linalg.norm(np.eye(2), 3), "the order 3 is not one for matrices"),
        (lambda: tnp.linalg.norm(np.eye(2), 1, (0, 0)), "a matrix has two different axes"),
        (lambda: tnp.linalg.norm(np.ones((2, 2, 2)), 1), r"are one or two, not \(0, 1, 2\)"),
        (lambda: tf.linalg.norm([1.0], -1), "unknown order -1 for vectors"),
        (lambda: tf.linalg.norm(np.eye(2), 3, (0, 1)), "unknown order 3 for a pair of axes"),
        (lambda: tf.linalg.norm(np.ones((2, 2, 2)), 1, (0, 1, 2)), "over one axis or a pair"),
        (lambda: tnp.linalg.cond(np.ones((0, 0))), "cond is not defined on empty arrays"),
    ],
)
def test_bad_calls(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
