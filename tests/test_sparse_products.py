"""Products of sparse matrices and tensors: values, derivatives in both operands, formats, types, errors."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from matrices import Make

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad.sparse import matmul
from tapegrad.sparse import operands as sparse_operands
from tapegrad.testing import check_grads

FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
WITH_VALUES = ("csr", "csc", "coo")
STORED = np.array([[0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 0, 1], [0, 0, 0, 1], [1, 0, 0, 0]], bool)
RIGHT = ((4,), (4, 1), (4, 3), (2, 4, 3), (2, 2, 4, 1))
LEFT = ((5,), (1, 5), (3, 5), (2, 3, 5))


def sparse(make: Make, format: str, kind: type = scipy.sparse.csr_array) -> Any:
    """A matrix of shape (5, 4) with an empty row and an empty column."""
    return kind(np.where(STORED, make(5, 4), 0)).asformat(format)


def with_duplicates(make: Make, format: str) -> Any:
    """A matrix of shape (3, 4) whose elements are in no order, two of them in one place."""
    data = make(6)
    if format == "coo":
        return scipy.sparse.coo_array((data, ([2, 0, 1, 0, 2, 0], [1, 3, 0, 1, 2, 3])), (3, 4))
    if format == "csr":
        return scipy.sparse.csr_array((data, [3, 1, 3, 0, 2, 1], [0, 3, 4, 6]), (3, 4))
    return scipy.sparse.csc_array((data, [2, 0, 2, 1, 0, 1], [0, 3, 3, 5, 6]), (3, 4))


def scattered(a: Any, values: tf.Tensor) -> tf.Tensor:
    """The dense matrix of the elements, in recorded operations."""
    places = a.tocoo()  # keeps the order of the elements
    return tf.scatter_nd(np.stack([places.row, places.col], 1), values, a.shape)


def gradients(f: Any, *xs: Any) -> list[Any]:
    """The gradients of the squares of what `f` returns, summed."""
    values = [tf.constant(x) for x in xs]
    with tf.GradientTape() as tape:
        tape.watch(values)
        y = tf.reduce_sum(tf.abs(f(*values)) ** 2)
    return [g.numpy() for g in tape.gradient(y, values)]


class TestConstantMatrix:
    @pytest.mark.parametrize("format", FORMATS)
    @pytest.mark.parametrize("shape", RIGHT)
    def test_on_the_left(self, make: Make, format: str, shape: tuple[int, ...]) -> None:
        a, x = sparse(make, format), make(*shape)
        found = matmul(a, x)
        assert isinstance(found, tf.Tensor)
        np.testing.assert_allclose(found, a.toarray() @ x, rtol=1e-13, atol=1e-13)
        check_grads(lambda x: matmul(a, x) ** 2, (x,))

    @pytest.mark.parametrize("format", FORMATS)
    @pytest.mark.parametrize("shape", LEFT)
    def test_on_the_right(self, make: Make, format: str, shape: tuple[int, ...]) -> None:
        a, x = sparse(make, format), make(*shape)
        np.testing.assert_allclose(matmul(x, a), x @ a.toarray(), rtol=1e-13, atol=1e-13)
        check_grads(lambda x: matmul(x, a) ** 2, (x,))

    @pytest.mark.parametrize("format", FORMATS)
    def test_operator(self, make: Make, format: str) -> None:
        a, x = sparse(make, format), make(3, 5)
        np.testing.assert_allclose(tf.constant(x) @ a, x @ a.toarray(), rtol=1e-13, atol=1e-13)
        check_grads(lambda x: tf.convert_to_tensor(x) @ a, (x,))
        with tf.GradientTape() as tape:
            variable = tf.Variable(x)
            y = variable @ a
            with pytest.raises(TypeError, match=r"tapegrad\.sparse\.matmul"):
                a @ variable.T
        np.testing.assert_allclose(tape.gradient(y, variable), np.ones((3, 4)) @ a.toarray().conj().T)

    @pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.csr_array])
    def test_matrices_and_arrays(self, make: Make, kind: type) -> None:
        a, x = sparse(make, "csr", kind), make(4, 2)
        np.testing.assert_allclose(matmul(a, x), a.toarray() @ x)
        np.testing.assert_allclose(matmul(x.T, a.T), x.T @ a.toarray().T)

    def test_real_matrix_and_complex_tensor_and_the_reverse(self) -> None:
        rng = np.random.default_rng(3)
        a, x = scipy.sparse.csr_array(rng.normal(size=(3, 3))), rng.normal(size=(3, 2))
        check_grads(lambda x: matmul(a, x) ** 2, (x + 1j * x[::-1],))
        check_grads(lambda x: matmul(a * (1 + 2j), x) ** 2, (x,))

    def test_gradients_are_those_of_the_dense_product(self, make: Make) -> None:
        a, x, y = sparse(make, "csr"), make(4, 3), make(2, 5)
        dense = tf.constant(a.toarray())
        np.testing.assert_allclose(
            gradients(lambda x: matmul(a, x), x)[0], gradients(lambda x: tf.matmul(dense, x), x)[0]
        )
        np.testing.assert_allclose(
            gradients(lambda y: matmul(y, a), y)[0], gradients(lambda y: tf.matmul(y, dense), y)[0]
        )

    def test_transpose_and_product_agree(self, make: Make) -> None:
        a, x, g = sparse(make, "csr"), tf.constant(make(4, 2)), tf.constant(make(5, 2))
        with tf.GradientTape() as tape, tf.autodiff.ForwardAccumulator(x, x * 0.3) as accumulator:
            tape.watch(x)
            y = matmul(a, x)
        pulled = tape.gradient(y, x, g).numpy()
        pushed = accumulator.jvp(y).numpy()
        np.testing.assert_allclose(np.vdot(g, pushed), np.vdot(pulled, 0.3 * x.numpy()), rtol=1e-13)

    def test_jacobians(self, make: Make) -> None:
        a, x = sparse(make, "csr"), make(4)
        np.testing.assert_allclose(tf.jacobian(lambda x: matmul(a, x))(x), a.toarray().conj())
        hessian = tf.hessian(lambda x: tnp.sum(tnp.abs(matmul(a, x)) ** 2))(x.real)
        np.testing.assert_allclose(hessian, 2 * (a.toarray().conj().T @ a.toarray()).real, atol=1e-13)

    def test_variables_and_lists(self) -> None:
        a = scipy.sparse.eye_array(2).tocsr() * 3
        v = tf.Variable([1.0, 2.0])
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(matmul(a, v))
        assert tape.gradient(y, v).numpy().tolist() == [3.0, 3.0]
        assert matmul(a, [1, 2]).numpy().tolist() == [3.0, 6.0]

    @pytest.mark.parametrize("shape", [(0, 4), (5, 0), (0, 0)])
    def test_nothing_to_multiply(self, shape: tuple[int, int]) -> None:
        a = scipy.sparse.csr_array(shape)
        assert matmul(a, np.ones((shape[1], 2))).numpy().tolist() == [[0.0, 0.0]] * shape[0]
        assert matmul(a, np.ones((3, shape[1], 0))).shape == (3, shape[0], 0)
        assert gradients(lambda x: matmul(a, x), np.ones(shape[1]))[0].tolist() == [0.0] * shape[1]


class TestElements:
    @pytest.mark.parametrize("format", WITH_VALUES)
    @pytest.mark.parametrize("shape", RIGHT)
    def test_on_the_left(self, make: Make, format: str, shape: tuple[int, ...]) -> None:
        a, x, values = sparse(make, format), make(*shape), make(7)
        np.testing.assert_allclose(matmul(a, x, values=values), scattered(a, values).numpy() @ x)
        check_grads(lambda v, x: matmul(a, x, values=v), (values, x))

    @pytest.mark.parametrize("format", WITH_VALUES)
    @pytest.mark.parametrize("shape", LEFT)
    def test_on_the_right(self, make: Make, format: str, shape: tuple[int, ...]) -> None:
        a, x, values = sparse(make, format), make(*shape), make(7)
        np.testing.assert_allclose(matmul(x, a, values=values), x @ scattered(a, values).numpy())
        check_grads(lambda v, x: matmul(x, a, values=v), (values, x))

    @pytest.mark.parametrize("format", WITH_VALUES)
    def test_elements_in_one_place_and_in_no_order(self, make: Make, format: str) -> None:
        a, x = with_duplicates(make, format), make(4, 2)
        before = a.data.copy()
        np.testing.assert_allclose(matmul(a, x, values=a.data), a.toarray() @ x)
        found = gradients(lambda v, x: matmul(a, x, values=v), a.data, x)
        expected = gradients(lambda v, x: tf.matmul(scattered(a, v), x), a.data, x)
        for ours, dense in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, dense)
        np.testing.assert_array_equal(a.data, before)

    @pytest.mark.parametrize("columns", [1, 7, 5000])
    def test_many_elements(self, columns: int) -> None:
        rng = np.random.default_rng(4)
        a = scipy.sparse.random_array((200, 150), density=0.9, random_state=rng).tocsr()
        x, g = rng.normal(size=(150, columns)), rng.normal(size=(200, columns))
        _, pull = tf.vjp(lambda v: matmul(a, x, values=v), a.data)
        rows, places = a.nonzero()
        np.testing.assert_allclose(pull(g), (g @ x.T)[rows, places], rtol=1e-9, atol=1e-9)

    def test_order_three(self) -> None:
        rng = np.random.default_rng(5)
        a = scipy.sparse.csr_array(STORED.astype(float))
        check_grads(lambda v, x: matmul(a, x, values=v) ** 2, (rng.normal(size=7), rng.normal(size=4)), order=3)

    def test_gradient_of_the_elements_of_a_constant(self) -> None:
        a = scipy.sparse.csr_array(np.diag([1.0, 2.0, 3.0]))
        with tf.GradientTape() as tape:
            v = tf.constant([1.0, 1.0, 1.0])
            tape.watch(v)
            y = matmul(a, np.array([1.0, 10.0, 100.0]), values=v)
        assert tape.gradient(y, v).numpy().tolist() == [1.0, 10.0, 100.0]


DTYPES = "?bilfdFD"


class TestTypes:
    @pytest.mark.parametrize("of_a", DTYPES)
    @pytest.mark.parametrize("of_x", DTYPES + "e")
    def test_promotion_is_numpys(self, of_a: str, of_x: str) -> None:
        a, x = scipy.sparse.csr_array(np.eye(3, dtype=of_a)), np.ones(3, of_x)
        assert matmul(a, x).dtype == (a.toarray() @ x).dtype
        assert matmul(x, a).dtype == (x @ a.toarray()).dtype
        assert matmul(a, x, values=a.data).dtype == (a.toarray() @ x).dtype

    @pytest.mark.parametrize("of_values", "efdFD")
    @pytest.mark.parametrize("of_x", "efdFD")
    def test_gradients_have_the_types_of_their_sources(self, of_values: str, of_x: str) -> None:
        a = scipy.sparse.csr_array(STORED.astype(float))
        values, x = np.arange(7.0).astype(of_values), np.ones((4, 2), of_x)
        found = gradients(lambda v, x: tf.cast(matmul(a, x, values=v), tf.complex128), values, x)
        assert [g.dtype for g in found] == [values.dtype, x.dtype]
        dense = scattered(a, tf.constant(values.astype(complex))).numpy()
        np.testing.assert_allclose(found[1], 2 * dense.real.T @ (dense @ x), rtol=1e-3)

    def test_integers_have_no_gradient(self) -> None:
        a, x = scipy.sparse.csr_array(np.eye(2, dtype=int)), tf.constant([1, 2])
        with tf.GradientTape() as tape:
            tape.watch(v := tf.constant([1.0, 1.0]))
            y = matmul(a, x)
        assert y.dtype == np.int64
        assert tape.gradient(tf.cast(y, tf.float64), v) is None


class TestWhatATapeKeeps:
    @pytest.mark.parametrize("format", ["csr", "csc", "coo", "bsr", "dia"])
    def test_later_changes_do_no_harm(self, format: str) -> None:
        a = scipy.sparse.csr_array(np.diag([1.0, 2.0])).asformat(format)
        x = tf.constant(np.ones(2))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = matmul(a, x)
            a.data *= 5
            z = matmul(a, x)
        assert tape.gradient(y, x).numpy().tolist() == [1.0, 2.0]
        assert tape.gradient(z, x).numpy().tolist() == [5.0, 10.0]

    def test_new_places_of_the_elements(self) -> None:
        a = scipy.sparse.csr_array(np.array([[1.0, 0.0], [0.0, 2.0]]))
        x = tf.constant(np.array([1.0, 10.0]))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, v := tf.constant(a.data)])
            y, of_values = matmul(a, x), matmul(a, x, values=v)
            a.indices[:] = [1, 0]
            z = matmul(a, x)
        assert tape.gradient(y, x).numpy().tolist() == [1.0, 2.0]
        assert tape.gradient(of_values, v).numpy().tolist() == [1.0, 10.0]
        assert tape.gradient(z, x).numpy().tolist() == [2.0, 1.0]

    @pytest.mark.parametrize(
        "multiply",
        [
            lambda a, x: matmul(a, x),
            lambda a, x: matmul(x, a),
            lambda a, x: matmul(a, x, values=tf.constant(a.data)),
            lambda a, x: matmul(x, a, values=a.data * x[0]),
        ],
    )
    def test_one_copy_for_all_products_and_none_afterwards(self, multiply: Any) -> None:
        a, x = scipy.sparse.random_array((50, 50), density=0.2, random_state=1).tocsr(), tf.constant(np.ones(50))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = multiply(a, x)
            first = weakref.ref(sparse_operands._structures[id(a)])
            for _ in range(5):
                y = multiply(a, y)
            assert sparse_operands._structures[id(a)] is first()
        gc.disable()  # nothing must wait for it
        try:
            del tape, y
            assert first() is None
        finally:
            gc.enable()

    def test_no_copy_of_what_is_read_only(self) -> None:
        a, x = scipy.sparse.random_array((50, 50), density=0.2, random_state=1).tocsr(), tf.constant(np.ones(50))
        for part in (a.data, a.indices, a.indptr):
            part.flags.writeable = False
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = matmul(a, x)
            kept = sparse_operands._constants[id(a)].matrix
        assert np.shares_memory(kept.data, a.data)
        assert np.shares_memory(kept.indices, a.indices)
        np.testing.assert_allclose(tape.gradient(y, x), a.sum(axis=0))


class TestErrors:
    a = scipy.sparse.csr_array(np.arange(6.0).reshape(2, 3))

    @pytest.mark.parametrize(
        ("operands", "message"),
        [
            ((a, np.ones(2)), r"shapes \(2, 3\) and \(2,\) cannot be multiplied: 2 is not 3"),
            ((a, np.ones((3, 2, 4))), r"shapes \(2, 3\) and \(3, 2, 4\) cannot be multiplied: 2 is not 3"),
            ((np.ones((2, 3)), a), r"shapes \(2, 3\) and \(2, 3\) cannot be multiplied: 3 is not 2"),
            ((a, 3.0), "needs a dimension"),
            ((scipy.sparse.coo_array(np.ones(3)), np.ones(3)), r"two dimensions, not shape \(3,\)"),
            ((a, np.ones(3), np.ones(6)), r"shape of the matrix's .data, \(5,\), but it has \(6,\)"),
        ],
    )
    def test_shapes(self, operands: tuple[Any, ...], message: str) -> None:
        with pytest.raises(ValueError, match=rf"^sparse.matmul: .*{message}"):
            matmul(*operands)

    def test_none_or_both_sparse(self) -> None:
        with pytest.raises(TypeError, match=r"is needed, not ndarray.*tapegrad.linalg.matmul"):
            matmul(np.eye(2), np.ones(2))
        with pytest.raises(TypeError, match=r"both operands are sparse.*toarray"):
            matmul(self.a, self.a.T)

    @pytest.mark.parametrize("format", sorted({*FORMATS} - {*WITH_VALUES}))
    def test_formats_without_values(self, format: str) -> None:
        with pytest.raises(TypeError, match=rf"formats coo, csc, csr, not {format}: convert it by .tocsr\(\)"):
            matmul(self.a.asformat(format), np.ones(3), values=np.ones(5))

    @pytest.mark.parametrize("function", [tf.matmul, np.matmul, tf.linalg.solve])
    def test_dense_functions_name_the_sparse_ones(self, function: Any) -> None:
        with pytest.raises(TypeError, match=r"tapegrad.sparse.matmul, solve with it by tapegrad.sparse.solve"):
            function(scipy.sparse.eye_array(3, format="csr"), tf.constant(np.ones((3, 3))))
