"""Tests of eigenvalues, singular values and their vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matrices import (
    Make,
    gradient,
    hermitian,
    maker,
    slope_of_gradient,
    with_eigenvalues,
    with_singular_values,
)

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad._ops.matrix import spectral
from tapegrad.testing import check_grads

SHAPES = [(3, 3), (5, 3), (3, 5), (4, 3), (3, 4), (12, 2), (2, 12), (2, 4, 3), (1, 1)]


def _unsigned(results: Any) -> list[Any]:
    """The results squared: LAPACK may choose another sign of a vector at the next point, but keeps its phase."""
    return [result * result for result in results]


def _equal(mine: Any, numpys: Any) -> None:
    for one, other in zip(mine, numpys, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize("uplo", ["L", "U", "l"])
@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 3), (1, 1)], ids=str)
def test_eigh(make: Make, shape: tuple[int, ...], uplo: str) -> None:
    a = make(*shape)
    _equal(tnp.linalg.eigh(a, uplo), np.linalg.eigh(a, uplo))
    np.testing.assert_array_equal(tnp.linalg.eigvalsh(a, uplo), np.linalg.eigvalsh(a, uplo), strict=True)
    check_grads(lambda a: _unsigned(tnp.linalg.eigh(hermitian(a), uplo)), (a,))
    check_grads(lambda a: _unsigned(tnp.linalg.eigh(hermitian(a), uplo)[1:]), (a,), order=1)
    check_grads(lambda a: tnp.linalg.eigvalsh(hermitian(a), uplo), (a,))


@pytest.mark.parametrize("function", ["eigh", "eigvalsh"])
def test_gradients_of_hermitian_matrices(make: Make, function: str) -> None:
    a = make(3, 3)

    def greatest(numpy: bool) -> Callable[..., Any]:
        f = getattr(tnp.linalg if numpy else tf.linalg, function)
        return lambda a: (f(a) if function == "eigvalsh" else f(a)[0])[-1]

    ours, tensorflows = gradient(greatest(True), a), gradient(greatest(False), a)
    np.testing.assert_allclose(ours, ours.conj().T, rtol=1e-13, atol=1e-15)
    # TensorFlow's is that with respect to the elements that are read.
    np.testing.assert_allclose(tensorflows, np.tril(ours) + np.tril(ours, -1), rtol=1e-13, atol=1e-15)
    check_grads(greatest(False), (np.tril(a, -1) + np.diag(np.diag(a).real),), order=2)


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 3), (1, 1)], ids=str)
def test_eig(make: Make, shape: tuple[int, ...]) -> None:
    a = make(*shape)
    _equal(tnp.linalg.eig(a), np.linalg.eig(a))
    np.testing.assert_array_equal(tnp.linalg.eigvals(a), np.linalg.eigvals(a), strict=True)
    check_grads(lambda a: _unsigned(tnp.linalg.eig(a)), (a,))
    check_grads(lambda a: _unsigned(tnp.linalg.eig(a)[1:]), (a,), order=1)
    check_grads(tnp.linalg.eigvals, (a,))
    assert tf.linalg.eigvals(a).dtype == tf.complex128
    check_grads(lambda a: _unsigned(tf.linalg.eig(a)), (a,), order=1)


def test_eig_of_real_matrices_with_real_eigenvalues() -> None:
    a = maker("real")(3, 3)
    a = a @ np.diag([1.0, 2.0, 3.0]) @ np.linalg.inv(a)
    assert tnp.linalg.eig(a).eigenvalues.dtype == np.linalg.eig(a).eigenvalues.dtype  # real until NumPy 2.5
    check_grads(lambda a: _unsigned(tnp.linalg.eig(a)), (a,))
    check_grads(tnp.linalg.eigvals, (a,))


def test_eigenvalues_in_another_order() -> None:
    # Of large matrices LAPACK finds eigenvalues in another order without vectors.
    a = np.random.default_rng(0).normal(size=(150, 150)) / 10
    a = next(x for k in range(20) if _orders_differ(x := np.roll(a, k, 0)))
    slope = gradient(lambda a: tf.math.real(tnp.linalg.eigvals(a) ** 3), a)
    np.testing.assert_allclose(slope, 3 * np.linalg.matrix_power(a, 2).T, atol=1e-11)


def _orders_differ(a: Any) -> bool:
    return not np.allclose(np.linalg.eigvals(a), np.linalg.eig(a).eigenvalues)


def test_positions_of_equal_eigenvalues() -> None:
    w = np.array([[1.0, 1.0, 2.0], [1.0, 2.0, 3.0]])
    others = np.array([[2.0, 1.0, 1.0], [3.0, 1.0, 2.0]])
    found = spectral._positions(w, others)
    assert sorted(found[0][:2]) == [1, 2]
    assert found[:, 2].tolist() == [0, 0]
    assert found[1].tolist() == [1, 2, 0]
    assert sorted(spectral._positions(w[0], others[0])) == [0, 1, 2]


def test_equal_eigenvalues(make: Make) -> None:
    a = with_eigenvalues(make, [1.0, 2.0, 2.0, 3.0])
    direction = hermitian(tf.constant(make(4, 4))).numpy()
    # Of the values alone, derivatives are exact.
    squares = lambda a: tf.reduce_sum(tnp.linalg.eigvalsh(a) ** 2)  # noqa: E731
    np.testing.assert_allclose(gradient(squares, a), 2 * a, atol=1e-13)
    total = lambda a: tf.reduce_sum(tnp.linalg.eigvalsh(a))  # noqa: E731
    np.testing.assert_allclose(gradient(total, a), np.eye(4), atol=1e-14)
    assert (slope_of_gradient(total, a, direction) == 0).all()
    check_grads(lambda a: tf.reduce_sum(tnp.linalg.eigvalsh(hermitian(a))), (a,))
    # A linear function of them is exact in the second order, too, if it does not tell equal ones apart.
    check_grads(lambda a: tf.tensordot(tnp.linalg.eigvalsh(hermitian(a)), np.array([2.0, 5.0, 5.0, -1.0]), 1), (a,))
    check_grads(lambda a: tnp.linalg.eigvalsh(hermitian(a))[3], (a,))
    # The slope of the gradient of the squares is 2 * direction, but cannot be known from eigenvalues.
    assert np.isnan(slope_of_gradient(squares, a, direction)).any()
    # Single vectors have no derivative.
    weights = make(4, 4)
    vectors = lambda a: tf.math.real(tnp.linalg.eigh(a).eigenvectors * weights)  # noqa: E731
    assert np.isnan(gradient(vectors, a)).all()
    first = lambda a: tf.math.real(tnp.linalg.eigh(a).eigenvectors[:, 0] * weights[0])  # noqa: E731
    assert np.isfinite(gradient(first, a)).all()


def test_functions_of_eigenvectors_without_phase(make: Make) -> None:
    # Elements that hold the phase can be zero: the eigenvectors of a diagonal matrix are unit vectors.
    a = np.diag([1.0, 2.0, 4.0]).astype(make(1).dtype)
    weights = make(3, 3)

    def exponential(a: Any) -> Any:
        w, v = tnp.linalg.eigh(hermitian(a))
        return tf.math.real(tf.matmul(v * tf.exp(w), v, adjoint_b=True) * weights)

    check_grads(exponential, (a,))


def test_defective_matrices() -> None:
    a = np.array([[1.0, 1.0], [0.0, 1.0]])
    assert np.isnan(gradient(lambda a: tf.math.real(tnp.linalg.eigvals(a)), a)).any() or (
        np.abs(gradient(lambda a: tf.math.real(tnp.linalg.eigvals(a)[0]), a)).max() > 1e10
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_svd(make: Make, shape: tuple[int, ...]) -> None:
    a = make(*shape)
    for full in (False, True):
        _equal(tnp.linalg.svd(a, full), np.linalg.svd(a, full))
    np.testing.assert_array_equal(tnp.linalg.svdvals(a), np.linalg.svdvals(a), strict=True)
    check_grads(lambda a: _unsigned(tnp.linalg.svd(a, full_matrices=False)), (a,))
    check_grads(tnp.linalg.svdvals, (a,))
    for part in range(3):
        check_grads(lambda a, part=part: _unsigned([tnp.linalg.svd(a, full_matrices=False)[part]]), (a,), order=1)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 4, 3), (3, 3)], ids=str)
def test_full_svd(make: Make, shape: tuple[int, ...]) -> None:
    a, count = make(*shape), min(shape[-2:])

    def determined(a: Any) -> list[Any]:
        _, u, v = tf.linalg.svd(a, full_matrices=True)
        spans = [tf.matmul(x[..., count:], x[..., count:], adjoint_b=True) for x in (u, v)]
        return [*_unsigned([u[..., :count], v[..., :count]]), *spans]

    check_grads(determined, (a,))


def test_svd_of_hermitian_matrices(make: Make) -> None:
    a = make(2, 3, 3)
    _equal(tnp.linalg.svd(a, hermitian=True), np.linalg.svd(a, hermitian=True))
    expected = np.linalg.svd(a, compute_uv=False, hermitian=True)
    np.testing.assert_array_equal(tnp.linalg.svd(a, compute_uv=False, hermitian=True), expected, strict=True)
    check_grads(lambda a: _unsigned(tnp.linalg.svd(hermitian(a), hermitian=True)), (a,))
    check_grads(lambda a: tnp.linalg.svd(hermitian(a), compute_uv=False, hermitian=True), (a,))


@pytest.mark.parametrize("shape", [(4, 4), (5, 4), (4, 6)], ids=str)
def test_equal_singular_values(make: Make, shape: tuple[int, int]) -> None:
    a = with_singular_values(make, *shape, [3.0, 2.0, 2.0, 1.0])
    squares = lambda a: tf.reduce_sum(tnp.linalg.svdvals(a) ** 2)  # noqa: E731
    np.testing.assert_allclose(gradient(squares, a), 2 * a, atol=1e-13)
    check_grads(lambda a: tf.reduce_sum(tnp.linalg.svdvals(a)), (a,))
    check_grads(lambda a: tf.tensordot(tnp.linalg.svdvals(a), np.array([2.0, 5.0, 5.0, -1.0]), 1), (a,))
    check_grads(lambda a: tnp.linalg.svdvals(a)[0], (a,))
    weights = make(shape[0], 4)
    vectors = lambda a: tf.math.real(tnp.linalg.svd(a, full_matrices=False).U * weights)  # noqa: E731
    assert np.isnan(gradient(vectors, a)).all()


def test_singular_values_of_zero(make: Make) -> None:
    total = lambda a: tf.reduce_sum(tnp.linalg.svdvals(a))  # noqa: E731
    assert (gradient(total, 0 * make(3, 2)) == 0).all()
    # The vectors of the others have derivatives.
    a = with_singular_values(make, 3, 3, [2.0, 1.0, 0.0])
    check_grads(lambda a: tnp.linalg.svdvals(a)[:2], (a,))


def test_ranks_have_no_gradient() -> None:
    a = tf.constant(np.diag([1.0, 0.5, 0.0]))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(a)
        rank, of_tensorflow = np.linalg.matrix_rank(a), tf.linalg.matrix_rank(a, tol=0.7)
    assert int(rank) == 2
    assert int(of_tensorflow) == 1
    assert of_tensorflow.dtype == tf.int32
    assert tape.gradient(rank, a) is None


@pytest.mark.parametrize("name", ["eigh", "eigvalsh", "eig", "eigvals", "svd", "svdvals"])
def test_empty_spectra(name: str) -> None:
    def last(a: Any) -> Any:
        result = getattr(tnp.linalg, name)(a)
        return result if isinstance(result, tf.Tensor) else list(result)

    assert gradient(lambda a: tf.nest.flatten(last(a)), np.zeros((2, 0, 0))).shape == (2, 0, 0)


def test_bad_calls() -> None:
    with pytest.raises(ValueError, match="UPLO argument must be 'L' or 'U'"):
        tnp.linalg.eigh(np.eye(2), "X")
    with pytest.raises(np.linalg.LinAlgError, match="eig: matrices have at least two axes"):
        tf.linalg.eig([1.0])
