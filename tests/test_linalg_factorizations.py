"""Tests of Cholesky and QR factorizations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matrices import Make, gradient, maker, positive

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad.testing import check_grads

SHAPES = [(3, 3), (5, 3), (3, 5), (2, 4, 3), (1, 1)]


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (1, 1)], ids=str)
def test_cholesky(make: Make, shape: tuple[int, ...], upper: bool) -> None:
    a = make(*shape)
    matrix = positive(a).numpy()
    result = tnp.linalg.cholesky(matrix, upper=upper)
    np.testing.assert_array_equal(result, np.linalg.cholesky(matrix, upper=upper), strict=True)
    check_grads(lambda a: tnp.linalg.cholesky(positive(a), upper=upper), (a,))


@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_reads_one_triangle_and_has_hermitian_gradients(make: Make, upper: bool) -> None:
    matrix = positive(make(3, 3)).numpy()
    spoilt = np.triu(matrix) if upper else np.tril(matrix)
    f = lambda a: tf.math.real(tnp.linalg.cholesky(a, upper=upper))  # noqa: E731
    np.testing.assert_array_equal(f(spoilt), f(matrix))
    slope = gradient(f, spoilt)
    np.testing.assert_allclose(slope, slope.conj().T, rtol=1e-13)
    np.testing.assert_array_equal(slope, gradient(f, matrix))
    # What stands in the other triangle of the cotangent does not matter: it is a constant zero there.
    weights = np.full((3, 3), 7.0)
    kept = np.triu(weights) if upper else np.tril(weights)
    np.testing.assert_array_equal(gradient(lambda a: f(a) * weights, matrix), gradient(lambda a: f(a) * kept, matrix))


def test_cholesky_in_closed_form() -> None:
    slope = gradient(lambda a: tf.linalg.cholesky(a)[1, 1], np.array([[4.0, 2.0], [2.0, 5.0]]))
    np.testing.assert_allclose(slope, [[0.0625, -0.125], [-0.125, 0.25]], rtol=1e-15)


def test_cholesky_of_what_is_not_positive() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="Matrix is not positive definite"):
        tf.linalg.cholesky(tf.constant([[1.0, 2.0], [2.0, 1.0]]))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_qr(make: Make, shape: tuple[int, ...]) -> None:
    a = make(*shape)
    for mine, numpys in zip(tnp.linalg.qr(a), np.linalg.qr(a), strict=True):
        np.testing.assert_array_equal(mine, numpys, strict=True)
    np.testing.assert_array_equal(tnp.linalg.qr(a, "r"), np.linalg.qr(a, "r"), strict=True)
    check_grads(tnp.linalg.qr, (a,))
    check_grads(lambda a: tnp.linalg.qr(a).Q, (a,))
    check_grads(lambda a: tnp.linalg.qr(a).R, (a,))
    check_grads(lambda a: tnp.linalg.qr(a, "r"), (a,))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_complete_qr(make: Make, shape: tuple[int, ...]) -> None:
    a = make(*shape)
    for mine, numpys in zip(tnp.linalg.qr(a, "complete"), np.linalg.qr(a, "complete"), strict=True):
        np.testing.assert_array_equal(mine, numpys, strict=True)
    count = min(shape[-2:])

    def determined(a: Any) -> list[Any]:
        q, r = tf.linalg.qr(a, full_matrices=True)
        rest = q[..., count:]
        return [q[..., :count], tf.matmul(rest, rest, adjoint_b=True), r]

    check_grads(determined, (a,))


def test_raw_qr() -> None:
    a = maker("real")(4, 3)
    for mine, numpys in zip(tnp.linalg.qr(a, "raw"), np.linalg.qr(a, "raw"), strict=True):
        np.testing.assert_array_equal(mine, numpys, strict=True)
    x = tf.constant(a)
    with tf.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(TypeError, match="mode='raw' has no derivative rule"):
            np.linalg.qr(x, "raw")
    with pytest.raises(ValueError, match="not 'economy'"):
        np.linalg.qr(x, "economy")


def test_qr_of_dependent_columns() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        gradient(lambda a: tf.linalg.qr(a)[1], np.array([[1.0, 0.0], [0.0, 0.0]]))


def test_empty_factorizations() -> None:
    assert gradient(lambda a: tf.linalg.qr(a)[1], np.zeros((3, 0))).shape == (3, 0)
    assert gradient(tf.linalg.cholesky, np.zeros((0, 0))).shape == (0, 0)
