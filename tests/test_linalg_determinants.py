"""Tests of determinants, whose derivatives are exact at singular matrices too."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest
from matrices import Make, gradient, maker, positive, slope_of_gradient, with_singular_values

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad.testing import check_grads


@pytest.mark.parametrize("shape", [(3, 3), (1, 1), (2, 4, 3, 3)], ids=str)
def test_det(make: Make, shape: tuple[int, ...]) -> None:
    a = make(*shape)
    np.testing.assert_array_equal(tnp.linalg.det(a), np.linalg.det(a), strict=True)
    check_grads(tnp.linalg.det, (a,))


def test_det_of_the_conventions() -> None:
    slope = gradient(tnp.linalg.det, np.array([[1.0, 2.0], [2.0, 4.0]]))
    np.testing.assert_allclose(slope, [[4.0, -2.0], [-2.0, 1.0]], rtol=1e-14)
    slope = gradient(tf.linalg.det, np.array([[1.0, 2.0], [2.0, 4.0]], np.float32))
    np.testing.assert_allclose(slope, [[4.0, -2.0], [-2.0, 1.0]], rtol=1e-6)


SINGULAR = {
    "rank 3": [3.0, 2.0, 0.5, 0.0],
    "rank 2": [3.0, 2.0, 0.0, 0.0],
    "rank 1": [3.0, 0.0, 0.0, 0.0],
    "nearly": [3.0, 2.0, 0.5, 1e-13],
    "ill-conditioned": [3.0, 2.0, 1e-5, 1e-9],
}


@pytest.mark.parametrize("name", SINGULAR)
def test_det_of_singular_matrices(make: Make, name: str) -> None:
    check_grads(tnp.linalg.det, (with_singular_values(make, 4, 4, SINGULAR[name]),), order=3, atol=1e-5)


def _minor(a: Any, rows: list[int], columns: list[int]) -> Any:
    """The determinant without some rows and columns, exactly."""
    kept = [[mp.mpf(float(a[i, j])) for j in range(len(a)) if j not in columns] for i in range(len(a)) if i not in rows]
    return mp.det(mp.matrix(kept)) if kept else mp.mpf(1)


@pytest.mark.parametrize("name", ["rank 3", "rank 2", "rank 1", "ill-conditioned"])
def test_cofactors_of_singular_matrices(name: str) -> None:
    # Integers: the singular values are what they are named for, not rounding errors.
    left = np.array([[1, 2, 0, 1], [0, 1, 3, -1], [2, 1, 1, 1], [1, 0, -1, 2]], float)
    right = np.array([[2, 1, 0, 1], [1, -1, 1, 0], [0, 1, 2, 1], [1, 1, 1, 3]], float)
    scale = {"rank 3": [1, 1, 1, 0], "rank 2": [1, 1, 0, 0], "rank 1": [1, 0, 0, 0]}
    a = (left * np.array(scale.get(name, [1, 1, 2.0**-20, 2.0**-30]), float)) @ right
    with mp.workdps(60):
        first = np.array([[float((-1) ** (i + j) * _minor(a, [i], [j])) for j in range(4)] for i in range(4)])
        # The second derivative in the direction of one element: the cofactors of what it multiplies.
        second = np.zeros((4, 4))
        for i in range(4):
            for j in range(4):
                if i != 1 and j != 2:
                    sign = (-1) ** (1 + 2 + (i - (i > 1)) + (j - (j > 2)))
                    second[i, j] = float(sign * _minor(a, [1, i], [2, j]))
    tolerance = 1e-13 * np.abs(a).max() ** 3
    np.testing.assert_allclose(gradient(tnp.linalg.det, a), first, rtol=1e-12, atol=tolerance)
    unit = np.zeros((4, 4))
    unit[1, 2] = 1.0
    np.testing.assert_allclose(slope_of_gradient(tnp.linalg.det, a, unit), second, rtol=1e-11, atol=tolerance)


def test_det_of_a_stack_of_all_ranks(make: Make) -> None:
    stack = np.stack(
        [with_singular_values(make, 4, 4, values) for values in [[3.0, 2.0, 1.0, 0.5], *SINGULAR.values()]]
    )
    stack = np.concatenate([stack, np.zeros((1, 4, 4))]).reshape(7, 1, 4, 4)
    check_grads(tnp.linalg.det, (stack,))
    alone = np.stack([gradient(tnp.linalg.det, a[0]) for a in stack])
    np.testing.assert_allclose(gradient(tnp.linalg.det, stack)[:, 0], alone, rtol=1e-6, atol=1e-12)


def test_det_of_zeros() -> None:
    # Of order n there is one derivative that is not zero: those of a product of n elements.
    check_grads(tnp.linalg.det, (np.zeros((3, 3)),), order=3)
    check_grads(tnp.linalg.det, (np.zeros((1, 1)),))
    assert gradient(tnp.linalg.det, np.zeros((0, 0))).shape == (0, 0)


def test_det_of_what_is_not_finite() -> None:
    assert np.isnan(gradient(tnp.linalg.det, np.array([[1.0, np.nan], [2.0, 4.0]]))).all()
    slope = gradient(tnp.linalg.det, np.array([[[1.0, np.nan], [2.0, 4.0]], [[1.0, 2.0], [2.0, 4.0]]]))
    assert np.isnan(slope[0]).all()
    np.testing.assert_allclose(slope[1], [[4.0, -2.0], [-2.0, 1.0]], rtol=1e-14)


@pytest.mark.parametrize("shape", [(3, 3), (1, 1), (2, 4, 3, 3)], ids=str)
def test_slogdet(make: Make, shape: tuple[int, ...]) -> None:
    a = make(*shape)
    for mine, numpys in zip(tnp.linalg.slogdet(a), np.linalg.slogdet(a), strict=True):
        np.testing.assert_array_equal(mine, numpys, strict=True)
    check_grads(lambda a: tnp.linalg.slogdet(a).logabsdet, (a,))
    if np.iscomplexobj(a):
        check_grads(tnp.linalg.slogdet, (a,))
        check_grads(lambda a: tnp.linalg.slogdet(a).sign, (a,))


def test_slogdet_of_a_singular_matrix() -> None:
    stack = np.array([[[1.0, 2.0], [2.0, 4.0]], [[2.0, 0.0], [0.0, 1.0]]])
    sign, logabsdet = tnp.linalg.slogdet(stack)
    assert sign.numpy().tolist() == [0.0, 1.0]
    assert logabsdet.numpy()[0] == -np.inf
    slope = gradient(lambda a: tnp.linalg.slogdet(a).logabsdet, stack)
    assert np.isnan(slope[0]).all()
    np.testing.assert_array_equal(slope[1], [[0.5, 0.0], [0.0, 1.0]])
    # Nothing asks about the singular one.
    slope = gradient(lambda a: tf.where([False, True], tnp.linalg.slogdet(a).logabsdet, 0.0), stack)
    np.testing.assert_array_equal(slope[0], np.zeros((2, 2)))


def test_the_sign_of_a_real_determinant_is_constant() -> None:
    a = tf.constant(maker("real")(3, 3))
    with tf.GradientTape() as tape:
        tape.watch(a)
        sign = tf.linalg.slogdet(a).sign
    assert tape.gradient(sign, a) is None


def test_logdet(make: Make) -> None:
    a = make(2, 3, 3)
    matrix = positive(a).numpy()
    np.testing.assert_allclose(tf.linalg.logdet(matrix), np.linalg.slogdet(matrix)[1], rtol=1e-13)
    check_grads(lambda a: tf.linalg.logdet(positive(a)), (a,))


def test_determinants_that_underflow() -> None:
    a = 1e-3 * np.eye(200)
    assert gradient(tnp.linalg.det, a)[0, 0] == 0.0
    np.testing.assert_allclose(gradient(lambda a: tnp.linalg.slogdet(a).logabsdet, a), 1e3 * np.eye(200))
