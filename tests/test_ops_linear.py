"""Tests of matrix products, tensor products and Einstein summation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._ops import einsum as einsum_module
from tapegrad.testing import check_grads

RANDOM = np.random.default_rng(11)


def _normal(*shape: int) -> Any:
    return RANDOM.normal(size=shape)


EQUATIONS: dict[str, tuple[Any, ...]] = {
    "ij,jk->ik": (_normal(2, 3), _normal(3, 4)),
    "ij,jk": (_normal(2, 3), _normal(3, 4)),
    "ij,kj->ki": (_normal(2, 3), _normal(4, 3)),
    "bij,bjk->bik": (_normal(5, 2, 3), _normal(5, 3, 4)),
    "bij,bkj->kbi": (_normal(5, 2, 3), _normal(5, 4, 3)),
    "i,i->": (_normal(3), _normal(3)),
    "i,j->ij": (_normal(3), _normal(2)),
    "i,i->i": (_normal(3), _normal(3)),
    "ij,ij->": (_normal(2, 3), _normal(2, 3)),
    "ij->ji": (_normal(2, 3),),
    "ij->": (_normal(2, 3),),
    "ij->j": (_normal(2, 3),),
    "ii": (_normal(3, 3),),
    "ii->i": (_normal(3, 3),),
    "iji->j": (_normal(2, 3, 2),),
    "iii->i": (_normal(2, 2, 2),),
    "iij,jk->ik": (_normal(2, 2, 3), _normal(3, 4)),
    "ba": (_normal(2, 3),),
    "...ij,...jk->...ik": (_normal(5, 2, 3), _normal(3, 4)),
    "...ij,jk": (_normal(6, 5, 2, 3), _normal(3, 4)),
    "i...,i...->...": (_normal(3, 1, 2), _normal(3, 4, 1)),
    "...,...": (_normal(2, 3), _normal(3)),
    "...ii->...i": (_normal(2, 3, 3),),
    "bxby->bxy": (_normal(2, 3, 2, 4),),
    "ij,j,jk->ik": (_normal(2, 3), _normal(3), _normal(3, 4)),
    "ij,jk,kl,lm->im": (_normal(2, 3), _normal(3, 4), _normal(4, 2), _normal(2, 5)),
    "ij,ik,il->jkl": (_normal(2, 3), _normal(2, 4), _normal(2, 2)),
    "i j , j k -> i k": (_normal(2, 3), _normal(3, 4)),
    "ij,jk->k": (_normal(2, 3), _normal(3, 4)),
    "ij,j->i": (_normal(2, 1), _normal(3)),
    "aij,bjk->abik": (_normal(2, 2, 3), _normal(3, 3, 1)),
    ",i->i": (np.float64(2.0), _normal(3)),
    "->": (np.float64(2.0),),
    "i,j,k->kji": (_normal(2), _normal(3), _normal(4)),
    "ij,kl->": (_normal(2, 3), _normal(3, 2)),
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(equation: str) -> None:
    operands = EQUATIONS[equation]
    expected = np.einsum(equation, *operands)
    result = tf.einsum(equation, *operands)
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-13)
    check_grads(lambda *x: tf.einsum(equation, *x), operands, order=2)


def test_einsum_of_integers_and_complex_numbers() -> None:
    a, b = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(tf.einsum("ij,jk->ik", a, b), a @ b, strict=True)
    z, w = _normal(2, 3) + 1j * _normal(2, 3), _normal(3, 2) + 1j * _normal(3, 2)
    np.testing.assert_allclose(tf.einsum("ij,ji->i", z, w), np.einsum("ij,ji->i", z, w))
    check_grads(lambda z, w: tf.einsum("ij,ji->i", z, w), (z, w), order=2)


def test_einsum_of_empty_axes() -> None:
    np.testing.assert_array_equal(tf.einsum("ij,jk->ik", np.ones((2, 0)), np.ones((0, 3))), np.zeros((2, 3)))
    assert tf.einsum("ij,jk->ik", np.ones((0, 2)), np.ones((2, 3))).shape == (0, 3)


def test_einsum_accepts_tensorflows_keywords() -> None:
    assert float(tf.einsum("i->", [1.0, 2.0], optimize="greedy", name="total")) == 3.0
    with pytest.raises(TypeError, match=r"unknown keyword arguments \['order'\]"):
        tf.einsum("i->", [1.0], order="C")


def test_einsum_plans_once() -> None:
    einsum_module._plan.cache_clear()
    for _ in range(3):
        tf.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((3, 4)))
    assert einsum_module._plan.cache_info().misses == 1


MATMULS = {
    "matrices": ((2, 3), (3, 4)),
    "vector and matrix": ((3,), (3, 4)),
    "matrix and vector": ((2, 3), (3,)),
    "vectors": ((3,), (3,)),
    "stacks": ((5, 2, 3), (5, 3, 4)),
    "broadcast stacks": ((5, 1, 2, 3), (6, 3, 4)),
    "stack and matrix": ((5, 2, 3), (3, 4)),
    "stack and vector": ((5, 2, 3), (3,)),
    "vector and stack": ((3,), (5, 3, 4)),
}


@pytest.mark.parametrize("name", MATMULS)
def test_matmul(name: str) -> None:
    a, b = (_normal(*shape) for shape in MATMULS[name])
    np.testing.assert_allclose(tf.matmul(a, b), a @ b, rtol=1e-14, atol=1e-15)
    check_grads(tf.matmul, (a, b), order=2)


@pytest.mark.parametrize("of_b", ["", "transpose_b", "adjoint_b"])
@pytest.mark.parametrize("of_a", ["", "transpose_a", "adjoint_a"])
def test_matmul_of_turned_matrices(of_a: str, of_b: str) -> None:
    a, b = _normal(2, 3) + 1j * _normal(2, 3), _normal(3, 4) + 1j * _normal(3, 4)
    given_a = {"": a, "transpose_a": a.T, "adjoint_a": a.conj().T}[of_a]
    given_b = {"": b, "transpose_b": b.T, "adjoint_b": b.conj().T}[of_b]
    options = {option: True for option in (of_a, of_b) if option}
    np.testing.assert_allclose(tf.matmul(given_a, given_b, **options), a @ b)
    check_grads(lambda x, y: tf.matmul(x, y, **options), (given_a, given_b), order=1)


@pytest.mark.parametrize(
    ("shape_a", "shape_b", "axes"),
    [
        ((2, 3, 4), (3, 4, 5), 2),
        ((2, 3), (4, 5), 0),
        ((2, 3, 4), (4, 3, 5), [[1, 2], [1, 0]]),
        ((2, 3, 4), (4, 3, 5), [-1, 0]),
        ((3,), (3,), 1),
        ((2, 3), (2, 3), ([0, 1], [0, 1])),
    ],
)
def test_tensordot(shape_a: tuple[int, ...], shape_b: tuple[int, ...], axes: Any) -> None:
    a, b = _normal(*shape_a), _normal(*shape_b)
    np.testing.assert_allclose(tf.tensordot(a, b, axes), np.tensordot(a, b, axes), rtol=1e-14, atol=1e-15)
    check_grads(lambda a, b: tf.tensordot(a, b, axes), (a, b), order=2)


def test_linalg() -> None:
    a, v = _normal(5, 2, 3), _normal(5, 3)
    np.testing.assert_allclose(tf.linalg.matvec(a, v), np.einsum("bij,bj->bi", a, v))
    np.testing.assert_allclose(tf.linalg.matvec(a, v[:, :2], transpose_a=True), np.einsum("bij,bi->bj", a, v[:, :2]))
    np.testing.assert_array_equal(tf.linalg.matrix_transpose(a), a.swapaxes(1, 2))
    z = a[0] + 1j
    np.testing.assert_array_equal(tf.linalg.adjoint(z), z.conj().T)
    np.testing.assert_array_equal(tf.linalg.matrix_transpose(z, conjugate=True), z.conj().T)
    np.testing.assert_array_equal(tf.transpose(z, conjugate=True), z.conj().T)
    check_grads(tf.linalg.matvec, (a, v), order=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: tf.einsum("ij,jk->ik", np.ones((2, 3))),
            "einsum: 'ij,jk->ik' names 2 operands, but 1 are given",
        ),
        (lambda: tf.einsum("ij->i", np.ones(3)), r"einsum: the term 'ij' of 'ij->i' does not fit .* \(3,\)"),
        (
            lambda: tf.einsum("i->i", np.ones((3, 2))),
            r"einsum: the term 'i' of 'i->i' does not fit .* \(3, 2\)",
        ),
        (
            lambda: tf.einsum("ij,jk", np.ones((2, 3)), np.ones((4, 5))),
            r"axis 'j' has sizes 3 and 4; .* \(2, 3\), \(4, 5\)",
        ),
        (lambda: tf.einsum("i->k", np.ones(3)), "the result of 'i->k' has an axis 'k' that no operand has"),
        (lambda: tf.einsum("i->ii", np.ones(3)), "the result of 'i->ii' names an axis twice"),
        (lambda: tf.einsum("i1->i", np.ones((3, 2))), "einsum: 'i1->i' holds '1'"),
        (
            lambda: tf.tensordot(np.ones((2, 3)), np.ones((4, 5)), 1),
            r"tensordot: .* \(2, 3\) and \[0\] of shape \(4, 5\) differ",
        ),
        (lambda: tf.tensordot(np.ones(2), np.ones(2), 2), "tensordot: cannot sum over 2 axes"),
        (lambda: tf.matmul(np.ones((2, 3)), np.ones((4, 5))), r"matmul.*\(2, 3\).*\(4, 5\)"),
        (
            lambda: tf.matmul(np.ones((2, 2)), np.ones((2, 2)), True, adjoint_a=True),
            "only one of transpose_a and adjoint_a",
        ),
        (lambda: tf.linalg.matrix_transpose(np.ones(2)), r"matrix_transpose: .* not shape \(2,\)"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [("i,i->", [(3,), (1,)]), ("i,i->i", [(1,), (3,)]), ("ij,kj->k", [(2, 3), (4, 1)]), ("ii,i->", [(3, 3), (1,)])],
)
def test_einsum_of_numpy_with_axes_that_broadcast(equation: str, shapes: list[tuple[int, ...]]) -> None:
    operands = tuple([np.random.default_rng(k).normal(size=shape) for k, shape in enumerate(shapes)])
    check_grads(lambda *values: np.einsum(equation, *values) ** 2, operands)
