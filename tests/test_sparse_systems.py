"""Systems with sparse matrices: solutions, derivatives in right-hand sides and elements, factorizations, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from matrices import Make
from test_sparse_products import DTYPES, FORMATS, WITH_VALUES, gradients, scattered

import tapegrad as tf
from tapegrad.sparse import matmul, solve
from tapegrad.testing import check_grads

SHAPES = ((4,), (4, 1), (4, 3), (2, 4, 3))
STORED = np.eye(4) + np.eye(4, k=1) + np.eye(4, k=-3)


def sparse(make: Make, format: str) -> Any:
    return scipy.sparse.csr_array(STORED * (make(4, 4) + 3.0 * np.eye(4))).asformat(format)


@pytest.fixture
def factorizations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The matrices that have been factorized."""
    seen = []
    splu = scipy.sparse.linalg.splu

    def counted(matrix: Any) -> Any:
        seen.append(matrix)
        return splu(matrix)

    monkeypatch.setattr(scipy.sparse.linalg, "splu", counted)
    return seen


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_constant_matrices(make: Make, format: str, shape: tuple[int, ...]) -> None:
    a, b = sparse(make, format), make(*shape)
    np.testing.assert_allclose(solve(a, b), np.linalg.solve(a.toarray(), b), rtol=1e-12)
    check_grads(lambda b: solve(a, b) ** 2, (b,))


@pytest.mark.parametrize("format", WITH_VALUES)
@pytest.mark.parametrize("shape", SHAPES)
def test_elements(make: Make, format: str, shape: tuple[int, ...]) -> None:
    a, b = sparse(make, format), make(*shape)
    values = a.data * 1.1
    np.testing.assert_allclose(solve(a, b, values=values), np.linalg.solve(1.1 * a.toarray(), b), rtol=1e-12)
    check_grads(lambda v, b: solve(a, b, values=v), (values, b))


def test_gradients_are_those_of_the_dense_system(make: Make) -> None:
    a, b = sparse(make, "csc"), make(4, 2)
    found = gradients(lambda v, b: solve(a, b, values=v), a.data, b)
    expected = gradients(lambda v, b: tf.linalg.solve(scattered(a, v), b), a.data, b)
    for ours, dense in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, dense, rtol=1e-11)


def test_real_matrix_and_complex_right_hand_side_and_the_reverse() -> None:
    rng = np.random.default_rng(6)
    a, b = sparse(lambda *shape: rng.normal(size=shape), "csc"), rng.normal(size=(4, 2))
    check_grads(lambda v, b: solve(a, b, values=v), (a.data, b + 1j * b[::-1]))
    check_grads(lambda v, b: solve(a, b, values=v), (a.data * (1 + 0.5j), b))


@pytest.mark.parametrize("format", WITH_VALUES)
def test_elements_in_one_place_and_in_no_order(format: str) -> None:
    data = np.array([1.0, 4.0, 2.0, 3.0, 5.0])
    if format == "coo":
        a = scipy.sparse.coo_array((data, ([0, 0, 1, 2, 0], [1, 0, 1, 2, 1])), (3, 3))
    else:
        kind = {"csr": scipy.sparse.csr_array, "csc": scipy.sparse.csc_array}[format]
        a = kind((data, [2, 0, 0, 1, 2], [0, 3, 4, 5]), (3, 3))
    before, b = [part.copy() for part in (a.data, a.toarray())], np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(solve(a, b), np.linalg.solve(a.toarray(), b))
    np.testing.assert_allclose(solve(a, b, values=a.data), np.linalg.solve(a.toarray(), b))
    check_grads(lambda v, b: solve(a, b, values=v), (a.data, b))
    np.testing.assert_array_equal(a.data, before[0])
    np.testing.assert_array_equal(a.toarray(), before[1])


def test_solves_what_a_product_gives(make: Make) -> None:
    a, x = sparse(make, "csr"), make(2, 4, 3)
    np.testing.assert_allclose(solve(a, matmul(a, x)), x, rtol=1e-12)
    np.testing.assert_allclose(tf.jacobian(lambda x: solve(a, matmul(a, x)))(x[0, :, 0]), np.eye(4), atol=1e-13)


def test_factorized_once(make: Make, factorizations: list[Any]) -> None:
    a = sparse(make, "csr")
    values, b = tf.constant(a.data), tf.constant(make(4, 2))
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([values, b])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([values, b])
            x = solve(a, b, values=values)
        first = tape.gradient(x, [values, b])
    tape.jacobian(x, values)
    outer.gradient(first, [values, b])
    with tf.autodiff.ForwardAccumulator(values, values) as accumulator:
        x = solve(a, b, values=values)
    accumulator.jvp(x)
    assert len(factorizations) == 2  # one for each solution


@pytest.mark.parametrize("dtype", "fdFD")
def test_factors_for_many_calls(make: Make, factorizations: list[Any], dtype: str) -> None:
    a = scipy.sparse.csc_array((sparse(make, "csc").real if dtype in "fd" else sparse(make, "csc")).astype(dtype))
    factors = scipy.sparse.linalg.splu(a)
    b, tolerance = np.ones(4, dtype.lower()), 1e-5 if dtype in "fF" else 1e-12
    expected = np.linalg.solve(a.toarray(), b)
    assert solve(factors, b).dtype == expected.dtype
    np.testing.assert_allclose(solve(factors, b), expected, rtol=tolerance)
    np.testing.assert_allclose(
        tf.jacobian(lambda b: solve(factors, b))(b + 0j), np.linalg.inv(a.toarray()).conj(), atol=10 * tolerance
    )
    assert len(factorizations) == 1  # the one above


@pytest.mark.parametrize("of_a", DTYPES)
@pytest.mark.parametrize("of_b", DTYPES)
def test_promotion_is_numpys(of_a: str, of_b: str) -> None:
    a, b = scipy.sparse.csr_array(np.eye(3, dtype=of_a)), np.ones(3, of_b)
    expected = np.linalg.solve(a.toarray(), b).dtype
    assert solve(a, b).dtype == expected
    assert solve(a, b, values=a.data).dtype == expected


@pytest.mark.parametrize(("of_values", "of_b"), ["ff", "fd", "df", "dF", "Df", "DD", "ee"])
def test_gradients_have_the_types_of_their_sources(of_values: str, of_b: str) -> None:
    a = scipy.sparse.csr_array(np.diag([1.0, 2.0, 4.0]))
    values, b = a.data.astype(of_values), np.ones(3, of_b)
    found = gradients(lambda v, b: tf.cast(solve(a, b, values=v), tf.complex128), values, b)
    assert [g.dtype for g in found] == [values.dtype, b.dtype]
    np.testing.assert_allclose(found[0], -2 / a.data**3)
    np.testing.assert_allclose(found[1], 2 / a.data**2)


def test_nothing_to_solve() -> None:
    assert solve(scipy.sparse.csc_array((0, 0)), np.ones(0)).shape == (0,)
    assert solve(scipy.sparse.eye_array(3), np.ones((2, 3, 0))).shape == (2, 3, 0)


class TestErrors:
    a = scipy.sparse.csc_array(np.diag([1.0, 2.0]))

    @pytest.mark.parametrize("dense", [np.ones((2, 2)), np.zeros((2, 2)), np.array([[1.0, 2.0], [0.0, 0.0]])])
    def test_singular(self, dense: Any) -> None:
        with pytest.raises(np.linalg.LinAlgError, match=r"^sparse.solve: the matrix of shape \(2, 2\) is singular"):
            solve(scipy.sparse.csr_array(dense), np.ones(2))

    def test_singular_elements(self) -> None:
        with pytest.raises(np.linalg.LinAlgError, match="singular"):
            solve(self.a, np.ones(2), values=[1.0, 0.0])
        with pytest.raises(np.linalg.LinAlgError, match="not finite"):
            solve(self.a, np.ones(2), values=[1.0, np.nan])

    @pytest.mark.parametrize(
        ("operands", "message"),
        [
            ((scipy.sparse.csr_array((2, 3)), np.ones(2)), r"a square matrix is needed, not one of shape \(2, 3\)"),
            ((a, np.ones(3)), r"shape \(2, 2\) needs a right-hand side of shape \(2,\) or \(..., 2, k\), not \(3,\)"),
            ((a, np.ones((2, 3, 1))), r"not \(2, 3, 1\)"),
            ((a, 1.0), r"not \(\)"),
            ((a, np.ones(2), np.ones(3)), r"shape of the matrix's .data, \(2,\), but it has \(3,\)"),
        ],
    )
    def test_shapes(self, operands: tuple[Any, ...], message: str) -> None:
        with pytest.raises(ValueError, match=rf"^sparse.solve: .*{message}"):
            solve(*operands)

    def test_types(self) -> None:
        with pytest.raises(TypeError, match=r"is needed, not ndarray.*tapegrad.linalg.solve"):
            solve(np.eye(2), np.ones(2))
        with pytest.raises(TypeError, match="values= needs a matrix in one of the formats"):
            solve(self.a.todia(), np.ones(2), values=np.ones(2))
        with pytest.raises(TypeError, match="needs the matrix, not its factors"):
            solve(scipy.sparse.linalg.splu(self.a), np.ones(2), values=np.ones(2))
