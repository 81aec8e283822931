"""Tests of triangular systems by BLAS and without SciPy, and of the derivative of the Cholesky factor by blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from matrices import Make, found_anew

import tapegrad as tf
from tapegrad._ops.matrix import factor, triangular
from tapegrad.testing import check_grads

STACKS = {
    "one": ((), ()),
    "one matrix, many right-hand sides": ((), (2, 3)),
    "many matrices": ((3,), ()),
    "broadcast": ((2, 1), (3,)),
    "none": ((0,), ()),
}


@pytest.fixture(params=["BLAS", "NumPy"])
def solver(request: pytest.FixtureRequest) -> Iterator[None]:
    """Solve by BLAS, and as where SciPy is not installed."""
    with found_anew(triangular._blas_solver, scipy=request.param == "BLAS"):
        yield


def _by_substitution(a: Any, b: Any) -> Any:
    """Return x with `a @ x == b` for one lower triangular matrix, row by row, in long double precision."""
    x = np.zeros(b.shape, np.result_type(a, b, np.longdouble))
    for i in range(len(a)):
        x[i] = (b[i] - a[i, :i] @ x[:i]) / a[i, i]
    return x


@pytest.mark.usefixtures("solver")
@pytest.mark.parametrize("stacks", STACKS)
@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("n", [3, 40, 150])
def test_solutions(make: Make, n: int, lower: bool, adjoint: bool, stacks: str) -> None:
    leading_a, leading_b = STACKS[stacks]
    a = make(*leading_a, n, n) / np.sqrt(n) + 2.0 * np.eye(n)
    b = make(*leading_b, n, 2)
    x = tf.linalg.triangular_solve(a, b, lower, adjoint).numpy()
    triangle = np.tril(a) if lower else np.triu(a)
    if adjoint:
        triangle = triangle.conj().swapaxes(-1, -2)
    assert x.shape == (*np.broadcast_shapes(leading_a, leading_b), n, 2)
    # A small backward error, element by element: N. Higham, Accuracy and Stability of Numerical Algorithms, 8.5.
    error = np.abs(triangle @ x - b)
    bound = 4 * n * np.finfo(float).eps * (np.abs(triangle) @ np.abs(x) + np.abs(b))
    assert (error <= bound).all()


@pytest.mark.usefixtures("solver")
@pytest.mark.parametrize("dtype", ["f", "d", "F", "D"])
def test_types_and_layouts(dtype: str) -> None:
    rng = np.random.default_rng(5)
    a = (np.tril(rng.normal(size=(70, 70))) / 8 + 2.0 * np.eye(70)).astype(dtype)
    b = rng.normal(size=(70, 3)).astype(dtype)
    expected = _by_substitution(a, b)
    eps = np.finfo(dtype).eps
    for matrix in (a, np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2]):
        for right in (b, np.asfortranarray(b), b[:, ::-1][:, ::-1]):
            x = tf.linalg.triangular_solve(matrix, right)
            assert x.dtype == np.dtype(dtype)
            np.testing.assert_allclose(x, expected, rtol=0, atol=100 * eps * np.abs(expected).max())
    assert tf.linalg.triangular_solve(a, b.astype("D")).dtype == np.complex128


@pytest.mark.usefixtures("solver")
def test_the_other_triangle_is_not_read() -> None:
    a = np.where(np.tri(80, dtype=bool), 0.01, np.nan) + np.eye(80)
    assert np.isfinite(tf.linalg.triangular_solve(a, np.ones((80, 1)))).all()
    assert np.isfinite(tf.linalg.triangular_solve(a, np.ones((80, 1)), adjoint=True)).all()


@pytest.mark.usefixtures("solver")
def test_pivots_without_a_reciprocal() -> None:
    a = np.diag([5e-324, 1.0, 1e-310])
    np.testing.assert_array_equal(tf.linalg.triangular_solve(a, np.diag(a)[:, None]), np.ones((3, 1)))


@pytest.mark.usefixtures("solver")
def test_what_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError, match=r"triangular_solve: Singular matrix \(operand shapes"):
        tf.linalg.triangular_solve(np.tri(70, k=-1), np.ones((70, 1)))
    with pytest.raises(np.linalg.LinAlgError, match="must be square"):
        tf.linalg.triangular_solve(np.ones((3, 4)), np.ones((3, 1)))
    with pytest.raises(ValueError, match="a matrix with 3 rows does not fit right-hand sides with 4"):
        tf.linalg.triangular_solve(np.eye(3), np.ones((4, 1)))


@pytest.mark.usefixtures("solver")
def test_derivatives_of_large_systems(make: Make) -> None:
    a, b = make(70, 70) / 8 + 2.0 * np.eye(70), make(70, 2)
    for lower, adjoint in ((True, False), (False, True)):
        check_grads(lambda a, b, lower=lower, adjoint=adjoint: tf.linalg.triangular_solve(a, b, lower, adjoint), (a, b))


@pytest.mark.usefixtures("solver")
@pytest.mark.parametrize("shape", [(65, 65), (2, 131, 131)], ids=str)
def test_blocks_of_the_cholesky_rule(make: Make, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    a = make(*shape)
    lower = np.linalg.cholesky(a @ a.conj().swapaxes(-1, -2) + shape[-1] * np.eye(shape[-1]))
    g = make(*shape)
    by_blocks = factor._of_lower_factor(tf.constant(g), tf.constant(lower)).numpy()
    monkeypatch.setattr(factor, "_SMALL", shape[-1])
    at_once = factor._of_lower_factor(tf.constant(g), tf.constant(lower)).numpy()
    np.testing.assert_allclose(by_blocks, at_once, rtol=0, atol=1e-14 * np.abs(at_once).max())
    np.testing.assert_allclose(by_blocks, by_blocks.conj().swapaxes(-1, -2), rtol=0, atol=1e-15)


def test_derivatives_of_a_large_cholesky_factor(make: Make) -> None:
    a = make(70, 70)
    matrix = a @ a.conj().T / 70 + np.eye(70)
    check_grads(lambda a: tf.linalg.cholesky((a + tf.linalg.adjoint(a)) * 0.5), (matrix,))
