"""Colors of sparse matrices: that they are allowed, few, and that every entry can be read from the sums by color."""

import time

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from tapegrad.sparse import column_colors, star_colors
from tapegrad.sparse.compression import Compression


def banded(n, width):
    return scipy.sparse.diags_array([1.0] * (2 * width + 1), offsets=range(-width, width + 1), shape=(n, n)).tocsr()


def arrow(n, middle=0):
    dense = np.eye(n)
    dense[middle] = dense[:, middle] = 1
    return scipy.sparse.csr_array(dense)


def grid(n):
    """The pattern of the Laplacian of an n by n grid."""
    line = banded(n, 1) - scipy.sparse.eye_array(n)
    return scipy.sparse.csr_array(
        scipy.sparse.kron(line, np.eye(n)) + scipy.sparse.kron(np.eye(n), line) + np.eye(n * n)
    )


@st.composite
def patterns(draw, square=False):
    rows = draw(st.integers(1, 12))
    columns = rows if square else draw(st.integers(1, 12))
    entries = draw(st.lists(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1)), max_size=40))
    dense = np.zeros((rows, columns), bool)
    for entry in entries:
        dense[entry] = True
    return dense


@given(patterns())
@settings(max_examples=300, deadline=None)
def test_columns_of_one_color_share_no_row(dense):
    colors = column_colors(scipy.sparse.csr_array(dense))
    assert colors.shape == (dense.shape[1],)
    assert set(colors) == set(range(colors.max() + 1))
    for color in set(colors):
        assert dense[:, colors == color].sum(axis=1).max() <= 1


@given(patterns(square=True))
@settings(max_examples=300, deadline=None)
def test_each_entry_of_a_symmetric_matrix_is_alone_in_its_sum_or_its_mirror_is(dense):
    dense = dense | dense.T
    colors = star_colors(scipy.sparse.csr_array(dense))
    assert set(colors) == set(range(colors.max() + 1))
    whole = dense | np.eye(len(dense), dtype=bool)
    sums = np.stack([whole[:, colors == color].sum(axis=1) for color in range(colors.max() + 1)], axis=1)
    for i, j in zip(*np.nonzero(whole), strict=True):
        assert sums[i, colors[j]] == 1 or sums[j, colors[i]] == 1


class Matrix:
    """Stands for a tape through which directions go: the products with a matrix, and how many there were."""

    def __init__(self, dense):
        self.dense = dense
        self.directions = 0

    def pushforward(self, value, source, stack):
        self.directions += len(stack.numpy())
        return stack.numpy() @ self.dense.T

    def pullback(self, value, source, stack):
        self.directions += len(stack.numpy())
        return stack.numpy() @ self.dense


def decompressed(dense, symmetric):
    import tapegrad as tf

    compression = Compression(scipy.sparse.csr_array(dense != 0), symmetric)
    tape = Matrix(dense)
    rows, columns = dense.shape
    found = compression.compute(tape, tf.zeros(rows, tf.float64), tf.zeros(columns, tf.float64))
    return found, tape, compression


@given(patterns(), st.integers(0, 2**16))
@settings(max_examples=200, deadline=None)
def test_any_matrix_comes_back_from_its_sums(dense, seed):
    dense = dense * np.random.default_rng(seed).normal(size=dense.shape)
    found, tape, compression = decompressed(dense, False)
    np.testing.assert_array_equal(found.toarray(), dense)
    assert tape.directions == (compression.count if dense.any() else 0)


@given(patterns(square=True), st.integers(0, 2**16))
@settings(max_examples=200, deadline=None)
def test_any_symmetric_matrix_comes_back_from_its_sums(dense, seed):
    dense = dense * np.random.default_rng(seed).normal(size=dense.shape)
    dense = dense + dense.T
    found, _, _ = decompressed(dense, True)
    np.testing.assert_allclose(found.toarray(), dense, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("pattern", "most"),
    [(banded(50, 0), 1), (banded(50, 1), 3), (banded(50, 3), 7), (arrow(50), 50), (arrow(50)[1:], 2), (grid(12), 8)],
    ids=["diagonal", "tridiagonal", "band of 7", "arrow", "arrow without its row", "Laplacian"],
)
def test_columns_take_few_colors(pattern, most):
    assert column_colors(pattern).max() + 1 <= most


@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        (banded(50, 0), 1),
        (banded(50, 1), 3),
        (banded(50, 3), 7),
        (arrow(50), 2),
        (arrow(50, middle=49), 2),
        (grid(12), 7),
        (scipy.sparse.csr_array(np.ones((6, 6))), 6),
    ],
    ids=["diagonal", "tridiagonal", "band of 7", "arrow", "arrow pointing down", "Laplacian", "full"],
)
def test_symmetric_matrices_take_few_colors(pattern, most):
    assert star_colors(pattern).max() + 1 <= most


@pytest.mark.parametrize("colors", [column_colors, star_colors])
def test_colors_are_the_same_every_time(colors, rng):
    pattern = scipy.sparse.random_array((60, 60), density=0.05, rng=rng)
    pattern = scipy.sparse.csr_array(pattern + pattern.T)
    np.testing.assert_array_equal(colors(pattern), colors(pattern.copy()))


@pytest.mark.parametrize(
    ("rows", "columns", "forward"), [(30, 3, True), (3, 30, False), (5, 5, False)], ids=["tall", "wide", "square"]
)
def test_the_shorter_side_is_taken(rows, columns, forward):
    _, tape, compression = decompressed(np.ones((rows, columns)), False)
    assert compression.forward == forward
    assert tape.directions == min(rows, columns)


@pytest.mark.parametrize("colors", [column_colors, star_colors])
def test_long_arrows_and_bands_take_no_quadratic_time(colors):
    n = 20_000
    hub = scipy.sparse.csr_array((np.ones(n), (np.zeros(n, int), np.arange(n))), shape=(n, n))
    pattern = scipy.sparse.csr_array(banded(n, 2) + hub + (hub.T if colors is star_colors else hub))
    if colors is column_colors:
        pattern = pattern[1:]  # without its full row
    start = time.process_time()
    colors(pattern)
    assert time.process_time() - start < 3.0
