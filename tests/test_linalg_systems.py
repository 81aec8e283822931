"""Tests of inverses, linear systems, least squares and pseudoinverses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matrices import Make, gradient, hermitian, maker, with_singular_values

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad.testing import check_grads

SYSTEMS = {
    "vector": ((3, 3), (3,)),
    "matrix": ((3, 3), (3, 2)),
    "stacks": ((2, 3, 3), (2, 3, 2)),
    "one matrix": ((3, 3), (4, 3, 2)),
    "one right-hand side": ((2, 3, 3), (3, 2)),
    "broadcast stacks": ((2, 1, 3, 3), (4, 3, 2)),
    "stack and vector": ((2, 3, 3), (3,)),
    "numbers": ((1, 1), (1,)),
}


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 3, 3), (1, 1)], ids=str)
def test_inv(make: Make, shape: tuple[int, ...]) -> None:
    a = make(*shape)
    np.testing.assert_array_equal(tnp.linalg.inv(a), np.linalg.inv(a), strict=True)
    check_grads(tnp.linalg.inv, (a,))


@pytest.mark.parametrize("name", SYSTEMS)
def test_solve(make: Make, name: str) -> None:
    a, b = (make(*shape) for shape in SYSTEMS[name])
    a += 3 * np.eye(a.shape[-1])
    np.testing.assert_array_equal(tnp.linalg.solve(a, b), np.linalg.solve(a, b), strict=True)
    check_grads(tnp.linalg.solve, (a, b))
    check_grads(lambda b: tnp.linalg.solve(a, b), (b,))
    check_grads(lambda a: tnp.linalg.solve(a, b), (a,))


def test_solve_of_real_and_complex() -> None:
    a, b = maker("real")(3, 3), maker("complex")(3, 2)
    check_grads(tnp.linalg.solve, (a, b))
    check_grads(tnp.linalg.solve, (b[:2, :2], a[:2]))


def test_solve_factorizes_once_for_a_jacobian(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = make(5, 5), tf.constant(make(5))
    with tf.GradientTape() as tape:
        tape.watch(b)
        x = tf.linalg.solve(a, b)
    calls = []
    solve = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda *args: calls.append(args) or solve(*args))
    jacobian = tape.jacobian(x, b)
    assert len(calls) <= 2
    assert all(a.ndim == 2 for a, _ in calls)
    np.testing.assert_allclose(jacobian, np.linalg.inv(a).conj(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("lower", [False, True])
def test_triangular_solve(make: Make, lower: bool, adjoint: bool) -> None:
    a, b = make(2, 4, 4) + 3 * np.eye(4), make(4, 2)
    triangle = np.tril(a) if lower else np.triu(a)
    expected = np.linalg.solve(triangle.conj().swapaxes(-1, -2) if adjoint else triangle, b)
    result = tf.linalg.triangular_solve(a, b, lower=lower, adjoint=adjoint)
    np.testing.assert_allclose(result, expected, rtol=1e-12)
    check_grads(lambda a, b: tf.linalg.triangular_solve(a, b, lower, adjoint), (a, b))
    check_grads(lambda b: tf.linalg.triangular_solve(a, b, lower, adjoint), (b,))
    slope = gradient(lambda a: tf.math.real(tf.linalg.triangular_solve(a, b, lower, adjoint)), a)
    np.testing.assert_array_equal(slope, np.tril(slope) if lower else np.triu(slope))


def test_triangular_solve_is_substitution() -> None:
    # Elimination with row exchanges would lose the small right-hand side.
    a = np.array([[1e-20, 0.0], [1.0, 1.0]])
    x = tf.linalg.triangular_solve(a, np.array([[1e-20], [2.0]])).numpy()
    np.testing.assert_array_equal(x, [[1.0], [1.0]])


def test_cholesky_solve(make: Make) -> None:
    a, b = make(2, 3, 3), make(3, 2)
    matrix = a @ a.conj().swapaxes(-1, -2) + np.eye(3)
    factor = np.linalg.cholesky(matrix)
    np.testing.assert_allclose(tf.linalg.cholesky_solve(factor, b), np.linalg.solve(matrix, b), rtol=1e-11)
    check_grads(tf.linalg.cholesky_solve, (factor, b))


@pytest.mark.parametrize(
    ("a_shape", "b_shape", "axes"),
    [
        ((2, 3, 6), (2, 3), None),
        ((6, 2, 3), (2, 3), (0,)),
        ((2, 3, 3, 2), (2, 3), None),
        ((3, 2, 3, 2), (2, 3), (0,)),
        ((4, 4), (4,), None),
    ],
)
def test_tensorsolve(make: Make, a_shape: tuple[int, ...], b_shape: tuple[int, ...], axes: Any) -> None:
    a, b = make(*a_shape), make(*b_shape)
    np.testing.assert_array_equal(tnp.linalg.tensorsolve(a, b, axes), np.linalg.tensorsolve(a, b, axes), strict=True)
    check_grads(lambda a, b: tnp.linalg.tensorsolve(a, b, axes), (a, b))


@pytest.mark.parametrize(("shape", "ind"), [((4, 2, 2), 1), ((2, 3, 6), 2), ((2, 3, 3, 2), 2)])
def test_tensorinv(shape: tuple[int, ...], ind: int) -> None:
    a = maker("real")(*shape)
    np.testing.assert_array_equal(tnp.linalg.tensorinv(a, ind), np.linalg.tensorinv(a, ind), strict=True)
    check_grads(lambda a: tnp.linalg.tensorinv(a, ind), (a,))


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (2, 4, 3)], ids=str)
def test_pinv(make: Make, shape: tuple[int, ...]) -> None:
    a = make(*shape)
    np.testing.assert_array_equal(tnp.linalg.pinv(a), np.linalg.pinv(a), strict=True)
    check_grads(tnp.linalg.pinv, (a,))


def test_pinv_of_less_than_full_rank(make: Make) -> None:
    a, b = make(5, 2), make(2, 4)
    check_grads(lambda a, b: tnp.linalg.pinv(tf.matmul(a, b), rcond=1e-10), (a, b))


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)], ids=str)
def test_pinv_that_drops_singular_values(make: Make, shape: tuple[int, int]) -> None:
    values = [3.0, 2.0, 0.7, 0.5][: min(shape)]
    a = with_singular_values(make, *shape, values)
    np.testing.assert_array_equal(tnp.linalg.pinv(a, 0.4), np.linalg.pinv(a, 0.4), strict=True)
    check_grads(lambda a: tnp.linalg.pinv(a, rcond=0.4), (a,))
    # Each matrix of a stack has its own rank.
    stack = np.stack([a, with_singular_values(make, *shape, [2.0] * min(shape))])
    cutoffs = np.array([0.4, 0.1])
    np.testing.assert_array_equal(tnp.linalg.pinv(stack, cutoffs), np.linalg.pinv(stack, cutoffs), strict=True)
    check_grads(lambda a: tnp.linalg.pinv(a, rcond=cutoffs), (stack,), order=1)


def test_pinv_of_equal_singular_values(make: Make) -> None:
    check_grads(tnp.linalg.pinv, (with_singular_values(make, 4, 3, [2.0, 2.0, 2.0]),))


def test_pinv_of_hermitian_matrices(make: Make) -> None:
    a = make(3, 3)
    read = np.tril(a) + np.tril(a, -1).conj().T
    np.testing.assert_array_equal(tnp.linalg.pinv(a, hermitian=True), np.linalg.pinv(a, hermitian=True), strict=True)
    check_grads(lambda a: tnp.linalg.pinv(hermitian(a), hermitian=True), (read,))
    slope = gradient(lambda a: tf.math.real(tnp.linalg.pinv(a, hermitian=True)), a)
    np.testing.assert_allclose(slope, slope.conj().T, rtol=1e-14)


@pytest.mark.parametrize("keywords", [{}, {"rtol": None}, {"rtol": 0.3}, {"rcond": 0.3}], ids=str)
def test_cutoffs_of_pinv(keywords: dict[str, Any]) -> None:
    a = with_singular_values(maker("real"), 4, 3, [1.0, 0.5, 0.1])
    np.testing.assert_array_equal(tnp.linalg.pinv(a, **keywords), np.linalg.pinv(a, **keywords), strict=True)


LSTSQ = {
    "tall": ((5, 3), (5, 2)),
    "tall, vector": ((5, 3), (5,)),
    "square": ((3, 3), (3, 2)),
    "wide": ((3, 5), (3, 2)),
    "wide, vector": ((3, 5), (3,)),
}


@pytest.mark.parametrize("rcond", [None, -1, 0.45])
@pytest.mark.parametrize("name", LSTSQ)
def test_lstsq(make: Make, name: str, rcond: Any) -> None:
    shape, of_b = LSTSQ[name]
    a, b = with_singular_values(make, *shape, [2.0, 1.1, 0.8]), make(*of_b)
    found, expected = tnp.linalg.lstsq(a, b, rcond), np.linalg.lstsq(a, b, rcond)
    for mine, numpys in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, numpys)
        assert np.shape(mine) == np.shape(numpys)

    def differentiable(a: Any, b: Any) -> list[Any]:
        x, residuals, _, s = tnp.linalg.lstsq(a, b, rcond)
        return [x, residuals, s] if residuals.size else [x, s]

    check_grads(differentiable, (a, b))
    check_grads(lambda b: differentiable(a, b), (b,))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)], ids=str)
def test_lstsq_of_tensorflow(make: Make, shape: tuple[int, int]) -> None:
    a, b = make(*shape), make(shape[0], 2)
    np.testing.assert_allclose(tf.linalg.lstsq(a, b), np.linalg.lstsq(a, b)[0], rtol=1e-11)
    ridge = np.linalg.solve(a.conj().T @ a + 0.5 * np.eye(shape[1]), a.conj().T @ b)
    np.testing.assert_allclose(tf.linalg.lstsq(a, b, l2_regularizer=0.5), ridge, rtol=1e-11)
    np.testing.assert_allclose(tf.linalg.lstsq(a, b, 0.5, fast=False), np.linalg.lstsq(a, b)[0], rtol=1e-11)
    stacked = tf.linalg.lstsq(np.stack([a, 2 * a]), b, 0.5)
    np.testing.assert_allclose(stacked[0], ridge, rtol=1e-11)
    check_grads(lambda a, b, weight: tf.linalg.lstsq(a, b, weight), (a, b, 0.5))
    check_grads(tf.linalg.lstsq, (a, b))


@pytest.mark.parametrize("adjoint", [False, True])
def test_adjoints_of_tensorflow(adjoint: bool) -> None:
    a, b = maker("complex")(3, 3), maker("complex")(3, 2)
    given = a.conj().T if adjoint else a
    np.testing.assert_allclose(tf.linalg.solve(given, b, adjoint=adjoint), np.linalg.solve(a, b), rtol=1e-12)
    np.testing.assert_allclose(tf.linalg.inv(given, adjoint=adjoint), np.linalg.inv(a), rtol=1e-12)
    check_grads(lambda a, b: tf.linalg.solve(a, b, adjoint=adjoint), (a, b))


SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tnp.linalg.inv(SINGULAR), r"inv: Singular matrix \(operand shapes: \(2, 2\)\)"),
        (lambda: tnp.linalg.solve(SINGULAR, np.ones(2)), "Singular matrix"),
        (lambda: tf.linalg.solve(tf.constant(SINGULAR), np.ones((2, 1))), "Singular matrix"),
        (lambda: tf.linalg.triangular_solve(np.zeros((2, 2)), np.ones((2, 1))), "Singular matrix"),
        (lambda: tnp.linalg.inv(np.ones((2, 3))), "must be square"),
        (lambda: tnp.linalg.inv(np.ones(3)), r"inv: matrices have at least two axes, but the shape is \(3,\)"),
        (lambda: tnp.linalg.tensorsolve(np.ones((2, 3)), np.ones(2)), r"tensorsolve: a of shape \(2, 3\)"),
        (lambda: tnp.linalg.lstsq(np.ones((3, 2)), np.ones(2)), "Incompatible dimensions"),
    ],
)
def test_what_numpy_refuses(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(np.linalg.LinAlgError, match=message):
        call()


def test_other_bad_calls() -> None:
    with pytest.raises(ValueError, match="ind must be positive, not 0"):
        tnp.linalg.tensorinv(np.ones((2, 2)), 0)
    with pytest.raises(ValueError, match="can't be both set"):
        tnp.linalg.pinv(np.eye(2), rcond=0.1, rtol=0.1)


def test_empty_systems() -> None:
    a, b = np.zeros((0, 0)), np.zeros((0, 2))
    for f, xs in ((tnp.linalg.inv, (a,)), (tnp.linalg.solve, (a, b)), (tnp.linalg.pinv, (np.zeros((0, 3)),))):
        assert gradient(f, *xs).shape == xs[0].shape
    assert gradient(tnp.linalg.solve, np.zeros((0, 3, 3)), np.zeros((3, 2))).shape == (0, 3, 3)
