"""Tests of powers, products and functions of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.linalg
from matrices import Make, gradient, maker, positive, with_eigenvalues

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad.testing import check_grads


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 7, -1, -2, -3])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3)], ids=str)
def test_matrix_power(make: Make, shape: tuple[int, ...], n: int) -> None:
    a = make(*shape) + 2 * np.eye(3)
    np.testing.assert_array_equal(tnp.linalg.matrix_power(a, n), np.linalg.matrix_power(a, n), strict=True)
    if n:
        check_grads(lambda a: tnp.linalg.matrix_power(a, n), (a,))


def test_matrix_power_of_integers() -> None:
    a = np.array([[1, 1], [0, 1]])
    for n in (0, 5):
        np.testing.assert_array_equal(tnp.linalg.matrix_power(a, n), np.linalg.matrix_power(a, n), strict=True)
    with pytest.raises(np.linalg.LinAlgError, match=r"square matrices are needed, not shape \(2, 3\)"):
        tnp.linalg.matrix_power(np.ones((2, 3)), 2)


CHAIN = [(4,), (4, 3), (3, 7), (7, 2), (2, 2), (2,)]


@pytest.mark.parametrize(("first", "last"), [(0, 2), (1, 3), (0, 3), (1, 4), (1, 5), (0, 5), (2, 6), (0, 6), (4, 6)])
def test_multi_dot(make: Make, first: int, last: int) -> None:
    arrays = [make(*shape) for shape in CHAIN[first:last]]
    np.testing.assert_array_equal(tnp.linalg.multi_dot(arrays), np.linalg.multi_dot(arrays), strict=True)
    check_grads(lambda *x: tnp.linalg.multi_dot(x), tuple(arrays))


def test_multi_dot_takes_the_cheapest_order() -> None:
    # 10 * 100 * 5 + 10 * 5 * 50 multiplications instead of ten times as many.
    arrays = [np.ones(shape) for shape in ((10, 100), (100, 5), (5, 50), (50, 3))]
    x = tf.constant(arrays[0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = np.linalg.multi_dot([x, *arrays[1:]])
    np.testing.assert_array_equal(tape.gradient(y, x), np.full((10, 100), 5 * 50 * 3.0))
    with pytest.raises(ValueError, match="at least two"):
        tnp.linalg.multi_dot([np.eye(2)])
    with pytest.raises(np.linalg.LinAlgError, match="3-dimensional array given"):
        tnp.linalg.multi_dot([np.eye(2), np.ones((1, 2, 2)), np.eye(2)])


def test_cross(make: Make) -> None:
    a, b = make(2, 3), make(4, 1, 3)
    np.testing.assert_array_equal(tf.linalg.cross(a, b), np.cross(a, b), strict=True)
    moved = tnp.linalg.cross(a.T, b[:, 0, :].T[:, :1], axis=0)
    np.testing.assert_array_equal(moved, np.linalg.cross(a.T, b[:, 0, :].T[:, :1], axis=0), strict=True)
    check_grads(tf.linalg.cross, (a, b))
    with pytest.raises(ValueError, match="vectors of three elements are needed, but they have 2 and 3"):
        tf.linalg.cross([1.0, 2.0], [1.0, 2.0, 3.0])


MATRICES: dict[str, Callable[[Make], Any]] = {
    "small": lambda make: 1e-3 * make(4, 4),
    "moderate": lambda make: make(5, 5),
    "great": lambda make: 20 * make(4, 4),
    "stack": lambda make: make(3, 1, 4, 4) * np.array([1e-8, 1.0, 30.0])[:, None, None, None],
    "zero": lambda make: np.zeros((3, 3)),
    "nilpotent": lambda make: np.triu(make(4, 4), 1),
    "far from normal": lambda make: np.array([[1.0, 1e6], [0.0, -1.0]]) * make(1) / abs(make(1)),
    "cancelling": lambda make: np.array([[-49.0, 24.0], [-64.0, 31.0]]),
    "numbers": lambda make: make(5, 1, 1),
}


def _exact(f: Callable[[Any], Any], a: Any) -> Any:
    with mp.workdps(80):
        return np.array(f(mp.matrix(a.tolist())).tolist()).astype(complex)


@pytest.mark.parametrize("name", MATRICES)
def test_expm(make: Make, name: str) -> None:
    a = MATRICES[name](make)
    result = tf.linalg.expm(a).numpy()
    for mine, matrix in zip(result.reshape(-1, *a.shape[-2:]), a.reshape(-1, *a.shape[-2:]), strict=True):
        exact = _exact(mp.expm, matrix)
        # Relative to the norm, up to the condition of the problem.
        scale = max(np.abs(exact).max(), 1.0) * max(1.0, np.linalg.norm(matrix, 1))
        np.testing.assert_allclose(mine, exact, atol=2e-15 * scale, rtol=1e-12)


def test_expm_as_accurate_as_scipy() -> None:
    rng = np.random.default_rng(3)
    for size in (2, 5, 20):
        a = rng.normal(size=(size, size)) * rng.uniform(0.1, 5)
        exact = _exact(mp.expm, a)
        ours, scipys = (np.abs(x - exact).max() for x in (tf.linalg.expm(a), scipy.linalg.expm(a)))
        assert ours <= 10 * scipys + 1e-15 * np.abs(exact).max()


@pytest.mark.parametrize("name", ["small", "moderate", "zero", "nilpotent", "numbers"])
def test_gradients_of_expm(make: Make, name: str) -> None:
    check_grads(tf.linalg.expm, (MATRICES[name](make),))


def test_expm_of_stacks_and_third_order(make: Make) -> None:
    check_grads(tf.linalg.expm, (make(2, 2, 2) * np.array([0.1, 3.0])[:, None, None],), order=3)


def test_gradient_of_expm_is_exact() -> None:
    a = maker("real")(3, 3)
    weights = maker("real")(2, 3, 3)[1]
    slope = gradient(lambda a: tf.linalg.expm(a) * weights, a)
    blocks = np.block([[a.T, weights], [np.zeros((3, 3)), a.T]])
    np.testing.assert_allclose(slope, _exact(mp.expm, blocks)[:3, 3:].real, rtol=1e-14)
    # However great the cotangent is.
    scaled = gradient(lambda a: tf.linalg.expm(a) * (1e30 * weights), a)
    np.testing.assert_allclose(scaled, 1e30 * slope, rtol=1e-13)


ROOTS: dict[str, Callable[[Make], Any]] = {
    "positive definite": lambda make: positive(make(4, 4)).numpy(),
    "identity": lambda make: np.eye(3) + 0 * make(1),
    "equal eigenvalues": lambda make: with_eigenvalues(make, [2.0, 2.0, 5.0]),
    "right half plane": lambda make: make(4, 4) / 4 + 2 * np.eye(4),
    "defective": lambda make: np.array([[4.0, 4.0, 1.0], [0.0, 4.0, 4.0], [0.0, 0.0, 4.0]]) + 0 * make(1),
    "stack": lambda make: make(2, 1, 3, 3) / 3 + 3 * np.eye(3),
    "rotation": lambda make: np.array([[0.0, -2.0], [2.0, 0.0]]) + 0 * make(1),
}


@pytest.mark.parametrize("name", ROOTS)
def test_sqrtm(make: Make, name: str) -> None:
    a = ROOTS[name](make)
    root = tf.linalg.sqrtm(a)
    np.testing.assert_allclose(root @ root, a, atol=1e-14 * np.abs(a).max())
    assert (np.linalg.eigvals(root.numpy()).real > 0).all()
    assert root.dtype == a.dtype
    check_grads(tf.linalg.sqrtm, (a,))


@pytest.mark.parametrize("size", [2, 5, 20])
def test_sqrtm_as_accurate_as_scipy(size: int) -> None:
    rng = np.random.default_rng(size)
    exact = rng.normal(size=(size, size)) / np.sqrt(size) + 2 * np.eye(size)
    with mp.workdps(60):
        a = np.array((mp.matrix(exact.tolist()) ** 2).tolist()).astype(float)
    ours, scipys = (np.abs(x - exact).max() for x in (tf.linalg.sqrtm(a), scipy.linalg.sqrtm(a)))
    assert ours <= 10 * scipys + 1e-15


def test_sqrtm_of_singular_matrices() -> None:
    a = np.array([[2.0, 2.0], [2.0, 2.0]])
    np.testing.assert_allclose(tf.linalg.sqrtm(a), [[1.0, 1.0], [1.0, 1.0]], rtol=1e-15)
    np.testing.assert_array_equal(tf.linalg.sqrtm(np.diag([4.0, 0.0])), np.diag([2.0, 0.0]))
    # Where the cotangent does not ask about the zero, there is a derivative.
    slope = gradient(lambda a: tf.linalg.sqrtm(a)[0, 0], np.diag([4.0, 0.0]))
    np.testing.assert_array_equal(slope, np.diag([0.25, 0.0]))
    assert not np.isfinite(gradient(lambda a: tf.linalg.sqrtm(a)[1, 1], np.diag([4.0, 0.0]))[1, 1])


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (np.diag([1.0, -1.0]), "a negative eigenvalue has no principal square root"),
        (np.array([[1.0, 2.0], [0.0, -1.0]]), "an eigenvalue is 0 or on the negative real axis"),
        (np.array([[1.0, 2.0], [0.0, 0.0]]), "an eigenvalue is 0"),
        (np.ones((2, 3)), r"square matrices are needed, not shape \(2, 3\)"),
        (np.array([[0.0, 1.0], [0.0, 0.0]]), "an eigenvalue is 0"),
        (np.array([[1.0, 5.0, 0.0], [-5.0, 1.0, 0.0], [0.0, 0.0, -3.0]]), "an eigenvalue is 0 or on the negative"),
    ],
)
def test_matrices_without_a_root(a: Any, message: str) -> None:
    with pytest.raises(np.linalg.LinAlgError, match=message):
        tf.linalg.sqrtm(a)


@pytest.mark.parametrize("function", [tf.linalg.expm, tf.linalg.sqrtm])
def test_types_of_functions(function: Callable[[Any], Any]) -> None:
    for dtype in (np.float32, np.complex64, np.float64):
        a = tf.constant(np.array([[2.0, 1.0], [0.5, 3.0]], dtype))
        with tf.GradientTape() as tape:
            tape.watch(a)
            y = function(a)
        assert y.dtype == dtype
        assert tape.gradient(y, a).dtype == dtype
        np.testing.assert_allclose(y, function(a.numpy().astype(np.complex128)), rtol=1e-6)
    assert function(np.zeros((0, 0))).shape == (0, 0)
    assert np.isnan(function(np.array([[np.nan, 1.0], [0.0, 1.0]]))).any() if function is tf.linalg.expm else True
