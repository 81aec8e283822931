"""Tests of derivatives that find the factors of a matrix again: by LAPACK and without SciPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from matrices import Make, found_anew

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad._ops.matrix import factorized
from tapegrad.testing import check_grads


@pytest.fixture(params=["LAPACK", "NumPy"])
def library(request: pytest.FixtureRequest) -> Iterator[None]:
    """Factorize by LAPACK, and as where SciPy is not installed."""
    with found_anew(factorized._lapack, scipy=request.param == "LAPACK"):
        yield


@pytest.fixture
def factorizations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The matrices that have been factorized."""
    seen = []
    compute = factorized._Factors

    def counted(lapack: Any, matrix: Any) -> Any:
        seen.append(matrix)
        return compute(lapack, matrix)

    monkeypatch.setattr(factorized, "_Factors", counted)
    return seen


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("dtype", [None, np.float32])
@pytest.mark.parametrize("n", [1, 5, 70])
def test_inverse_and_adjoint_system(make: Make, n: int, dtype: Any) -> None:
    a, b = make(n, n) + 3.0 * np.eye(n), make(n, 2)
    if dtype:
        kind = np.complex64 if np.iscomplexobj(a) else dtype
        a, b = a.astype(kind), b.astype(kind)
    tolerance = 1e4 * np.finfo(a.dtype).eps
    found = factorized.Factorized(a)
    for layout in (np.ascontiguousarray, np.asfortranarray):
        assert found.solve_adjoint(layout(b)).dtype == a.dtype
        np.testing.assert_allclose(a.conj().T @ found.solve_adjoint(layout(b)), b, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(a @ found.inverse(), np.eye(n), rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(found.matrices, a)


@pytest.mark.usefixtures("library")
def test_derivatives(make: Make) -> None:
    a, b = make(4, 4) + 4.0 * np.eye(4), make(4)
    check_grads(tnp.linalg.solve, (a, b))
    check_grads(lambda a: tnp.linalg.slogdet(a)[1], (a,))
    check_grads(lambda a: tnp.linalg.solve(a, b.real.astype(np.float64)), (a,))  # of another type


@pytest.mark.usefixtures("library")
def test_singular_matrices(make: Make) -> None:
    a = make(3, 3)
    a[2] = 0.0
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        factorized.Factorized(a).solve_adjoint(make(3, 1))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        factorized.Factorized(a).inverse()
    x = tf.constant(a)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.math.real(tnp.linalg.slogdet(x)[1])
    assert np.isnan(tape.gradient(y, x)).all()


@pytest.mark.usefixtures("library")
def test_values_are_numpys(make: Make) -> None:
    a, b = make(40, 40), make(40)
    with tf.GradientTape() as tape:
        x = tf.constant(a)
        tape.watch(x)
        solution, logarithm = tnp.linalg.solve(x, b), tnp.linalg.slogdet(x)[1]
    np.testing.assert_array_equal(solution, np.linalg.solve(a, b))
    np.testing.assert_array_equal(logarithm, np.linalg.slogdet(a)[1])


def test_factorized_once_and_not_for_values(make: Make, factorizations: list[Any]) -> None:
    a, b = tf.constant(make(5, 5)), tf.constant(make(5))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([a, b])
        x = tf.linalg.solve(a, b[:, None])
    assert not factorizations
    tape.gradient(x, [a, b])
    tape.jacobian(x, b)
    assert len(factorizations) == 1
