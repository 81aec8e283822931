"""NumPy's sorting, positions and set functions on tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from against_numpy import LAYOUTS, assert_like_numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tapegrad as tf
from tapegrad import numpy as tnp
from tapegrad.testing import check_grads

X = LAYOUTS["float64"]
Z = LAYOUTS["complex128"]
HOLES = np.where(X > 1, np.nan, X)


def weighted_gradient(f: Callable[[Any], Any], x: Any) -> np.ndarray:
    """Return the gradient of the results times 1, 2, 3, ..."""
    source = tf.constant(x, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = f(source)
        weights = np.arange(1.0, y.size + 1).reshape(y.shape)
    gradient: np.ndarray = tape.gradient(y, source, output_gradients=weights).numpy()
    return gradient


# Sorting.


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("axis", [-1, 0, 1, None, 2])
def test_sort_and_partition(layout: str, axis: Any) -> None:
    x = LAYOUTS[layout]
    for kind in (None, "quicksort", "mergesort", "heapsort", "stable"):
        assert_like_numpy(np.sort, x, axis, kind)
    assert_like_numpy(np.sort, x, axis, stable=True)
    assert_like_numpy(np.argsort, x, axis, stable=True)
    for kth in (0, [0, -1]):
        assert_like_numpy(np.partition, x, kth, axis)
    assert_like_numpy(np.argpartition, x, 0, axis)
    assert_like_numpy(np.sort_complex, x)


@pytest.mark.parametrize("axis", [-1, 0, None])
def test_gradients_of_sort_and_partition(axis: Any) -> None:
    for x in (X, Z):
        check_grads(lambda x: np.sort(x, axis), (x,))
        check_grads(lambda x: np.partition(x, 2, axis), (x,))
        check_grads(np.sort_complex, (x,))


@given(
    x=arrays.arrays(
        np.float64, arrays.array_shapes(max_dims=3, max_side=5, min_side=0), elements=st.floats(-3, 3, width=16)
    ),
    data=st.data(),
)
def test_sorts_of_any_shape(x: np.ndarray, data: st.DataObject) -> None:
    axis = data.draw(st.sampled_from([None, *range(x.ndim)]))
    assert_like_numpy(np.sort, x, axis)
    # Each element of the gradient belongs to an element with that place in the order.
    g = weighted_gradient(lambda x: np.sort(x, axis), x)
    places = np.arange(1.0, x.size + 1).reshape(-1 if axis is None else x.shape)
    assert g.shape == x.shape
    np.testing.assert_array_equal(np.sort(g, None), np.sort(places, None))
    restored = np.empty_like(places)
    restored.reshape(-1)[g.reshape(-1).astype(int) - 1] = x.reshape(-1)
    np.testing.assert_array_equal(restored, np.sort(x, axis))


def test_which_of_equal_elements_has_the_derivative() -> None:
    np.testing.assert_array_equal(weighted_gradient(np.sort, [2.0, 1.0, 2.0, 1.0]), [3, 1, 4, 2])
    np.testing.assert_array_equal(weighted_gradient(np.unique, [2.0, 1.0, 2.0, 1.0]), [2, 1, 0, 0])
    g = weighted_gradient(lambda x: np.partition(x, 1), [2.0, 1.0, 2.0, 1.0])
    assert sorted(g[[1, 3]]) == [1, 2]
    assert sorted(g[[0, 2]]) == [3, 4]


def test_nans_are_sorted_to_the_end_with_their_derivatives() -> None:
    assert_like_numpy(np.sort, HOLES)
    assert_like_numpy(np.partition, HOLES, 2)
    np.testing.assert_array_equal(weighted_gradient(np.sort, [np.nan, 2.0, 1.0]), [3, 2, 1])


def test_scalars_and_fields() -> None:
    assert_like_numpy(np.sort, np.array(3.0))
    assert_like_numpy(np.sort, np.array(3.0), None)
    assert_like_numpy(np.partition, np.array(3.0), 0, None)
    assert_like_numpy(np.partition, X, 9)
    assert_like_numpy(np.sort, X, order="f0")
    assert tnp.sort([3.0, 1.0]).dtype is tf.float64
    assert tnp.sort([3, 1]).dtype is tf.int64


# Positions.


@pytest.mark.parametrize("layout", LAYOUTS)
def test_positions(layout: str) -> None:
    x = LAYOUTS[layout]
    for name in ("argmax", "argmin", "nanargmax", "nanargmin"):
        for axis in (None, 0, -1):
            assert_like_numpy(getattr(np, name), x, axis)
            assert_like_numpy(getattr(np, name), x, axis, keepdims=True)
    for name in ("nonzero", "flatnonzero", "argwhere"):
        assert_like_numpy(getattr(np, name), x)
    assert_like_numpy(np.count_nonzero, x, 0, keepdims=True)
    assert_like_numpy(np.searchsorted, np.sort(x, None), x)
    assert_like_numpy(np.searchsorted, x[0], x, "right", sorter=np.argsort(x[0], stable=True))
    assert_like_numpy(np.lexsort, (x[0], x[0][::-1].copy()))


@pytest.mark.parametrize("name", ["argsort", "argmax", "nonzero", "flatnonzero", "argwhere", "isin"])
def test_positions_are_on_no_tape(name: str) -> None:
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(np, name)(x, x) if name == "isin" else getattr(np, name)(x)
    y = y[0] if isinstance(y, tuple) else y
    assert isinstance(y, tf.Tensor)
    assert tape.gradient(y, x) is None


def test_positions_of_holes() -> None:
    assert_like_numpy(np.nanargmax, HOLES, 1)
    assert_like_numpy(np.nanargmin, HOLES)
    assert_like_numpy(np.nanargmin, np.full(3, np.nan))


# Sets.


@pytest.mark.parametrize("layout", LAYOUTS)
def test_unique(layout: str) -> None:
    x = LAYOUTS[layout]
    assert_like_numpy(np.unique, x)
    assert_like_numpy(np.unique, x, True, True, True)
    assert_like_numpy(np.unique, x, return_counts=True)
    assert_like_numpy(np.unique, x, True, True, True, axis=0)
    assert_like_numpy(np.unique, x, axis=1)
    assert_like_numpy(np.unique, x, axis=2)
    for name in ("unique_values", "unique_all", "unique_counts", "unique_inverse"):
        assert_like_numpy(getattr(np, name), x)


def test_unique_nans() -> None:
    for equal_nan in (True, False):
        assert_like_numpy(np.unique, HOLES, True, equal_nan=equal_nan)
    assert_like_numpy(np.unique_all, HOLES)
    g = weighted_gradient(np.unique, [np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(g, [2, 1, 0])


@pytest.mark.parametrize("x", [X, Z], ids=["real", "complex"])
def test_gradients_of_unique(x: np.ndarray) -> None:
    check_grads(np.unique, (x,))
    check_grads(lambda x: np.unique(x, axis=0, return_index=True)[0], (x,))
    # In the order of a hash table they would not be continuous.
    check_grads(lambda x: np.sort(np.unique_all(x).values), (x,))
    check_grads(lambda x: np.sort(np.unique_values(x)), (x,))


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.3.0", reason="unique has no parameter `sorted`")
def test_unsorted_unique() -> None:
    assert_like_numpy(np.unique, X, sorted=False)
    check_grads(lambda x: np.sort(np.unique(x, sorted=False)), (X,))


@pytest.mark.parametrize("name", ["union1d", "intersect1d", "setdiff1d", "setxor1d", "isin"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_sets(name: str, layout: str) -> None:
    x, function = LAYOUTS[layout], getattr(np, name)
    some = np.unique(x)[::2]
    others = [some, some[:0], x[0], x.astype(np.complex64)]
    for other in others:
        assert_like_numpy(function, x, other)
        assert_like_numpy(function, other, x)
    if name == "intersect1d":
        assert_like_numpy(function, x, some, return_indices=True)
    if name != "union1d":
        assert_like_numpy(function, np.unique(x), some, assume_unique=True)


def test_gradients_of_sets() -> None:
    a, b = np.array([3.0, 1.0, 2.0, 1.0]), np.array([2.0, 5.0])
    check_grads(np.union1d, (X[0], X[1]))
    check_grads(np.setxor1d, (X[0], Z[1]))
    check_grads(lambda x: np.setdiff1d(x, X[1]), (X[0],))
    check_grads(lambda x: np.setxor1d(x, X[1], assume_unique=True), (X[0],))
    np.testing.assert_array_equal(weighted_gradient(lambda x: np.intersect1d(x, b), a), [0, 0, 1, 0])
    np.testing.assert_array_equal(weighted_gradient(lambda x: np.setdiff1d(x, b), a), [2, 1, 0, 0])
    np.testing.assert_array_equal(weighted_gradient(lambda x: np.union1d(x, b), a), [3, 1, 2, 0])
