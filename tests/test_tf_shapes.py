"""Shapes: what `TensorShape` and `TensorSpec` know, where they are accepted, and the functions about shapes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads

S = tf.TensorShape
X = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("dims", "text", "rank", "size"),
    [
        ([2, 3], "(2, 3)", 2, 6),
        ((), "()", 0, 1),
        (5, "(5,)", 1, 5),
        ([None, 3], "(None, 3)", 2, None),
        (None, "<unknown>", None, None),
        (np.array([2, 3]), "(2, 3)", 2, 6),
        (tf.constant([2, 3]), "(2, 3)", 2, 6),
        ([tf.constant(2), np.int64(3)], "(2, 3)", 2, 6),
        (S([0, None]), "(0, None)", 2, None),
    ],
)
def test_what_a_shape_says(dims: Any, text: str, rank: int | None, size: int | None) -> None:
    shape = S(dims)
    assert str(shape) == text
    assert shape.rank == shape.ndims == rank
    assert shape.num_elements() == size
    assert shape.is_fully_defined() == (size is not None)
    assert shape.dims == (None if rank is None else shape.as_list())
    assert repr(shape) == f"TensorShape({shape.dims})"
    assert pickle.loads(pickle.dumps(shape)) == shape == copy.deepcopy(shape)


def test_shapes_equal_their_sequences() -> None:
    assert S([2, 3]) == (2, 3) == S((2, 3))
    assert S([2, 3]) == [2, 3]
    assert S([2, 3]) != (2, 4)
    assert S([None]) == S([None]) != S([2])
    assert S(None) == None  # noqa: E711
    assert S([2]) != "a"
    assert len({S([2, 3]), S((2, 3)), (2, 3)}) == 1


def test_shapes_are_sequences() -> None:
    shape = S([2, None, 4])
    assert list(shape) == [2, None, 4]
    assert len(shape) == 3
    assert (shape[0], shape[-2], shape[-1]) == (2, None, 4)
    assert shape[1:] == S([None, 4])
    assert S(None)[3] is None
    assert S(None)[1:] == S(None)
    assert S(None)[:2] == S([None, None])
    assert S(None)[3:1] == S([])
    assert [1] + shape + (5,) == S([1, 2, None, 4, 5])
    assert shape.concatenate(None) == S(None)
    assert [bool(S([])), bool(S(None))] == [True, False]


def test_compatible_and_merged_shapes() -> None:
    some, other = S([2, None]), S([None, 3])
    assert some.is_compatible_with([2, 3])
    assert some.is_compatible_with(None)
    assert not some.is_compatible_with([3, 3])
    assert not some.is_compatible_with([2])
    assert some.merge_with(other) == S(None).merge_with(some).merge_with(other) == (2, 3)
    assert S([2, 3]).is_subtype_of(some)
    assert some.is_subtype_of(S(None))
    assert not some.is_subtype_of([2, 3])
    assert not S(None).is_subtype_of(some)
    assert S([2, 3]).most_specific_compatible_shape([2, 4]) == S([2, None])
    assert S([2, 3]).most_specific_compatible_shape([2]) == S(None)
    assert S(None).with_rank(2) == S([None, None])
    assert some.with_rank(2) is some.with_rank_at_least(2) is some.with_rank_at_most(2) is some


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: S([2.0]), TypeError, "Dimension value must be integer or None, got 2.0"),
        (lambda: S("ab"), TypeError, "got 'ab'"),
        (lambda: S([-1]), ValueError, "Dimension -1 must be >= 0"),
        (lambda: S(None).as_list(), ValueError, r"as_list\(\) is not defined on an unknown TensorShape"),
        (lambda: len(S(None)), ValueError, "Cannot take the length of shape with unknown rank"),
        (lambda: list(S(None)), ValueError, "Cannot iterate over a shape with unknown rank"),
        (lambda: S([2])[1], IndexError, "out of range"),
        (lambda: S([2, 3]).merge_with([3, None]), ValueError, r"\(2, 3\) and \(3, None\) are not compatible"),
        (lambda: S([2, 3]).with_rank(3), ValueError, r"Shape \(2, 3\) must have rank 3"),
        (lambda: S([2, 3]).with_rank_at_least(3), ValueError, r"Shape \(2, 3\) must have rank at least 3"),
        (lambda: S([2, 3]).with_rank_at_most(1), ValueError, r"Shape \(2, 3\) must have rank at most 1"),
        (lambda: S([2, 3]).assert_has_rank(1), ValueError, r"Shape \(2, 3\) must have rank 1"),
        (lambda: S([2, 3]).assert_same_rank([1]), ValueError, r"\(2, 3\) and \(1,\) must have the same rank"),
        (lambda: S([2]).assert_is_compatible_with([1]), ValueError, r"Shapes \(2,\) and \[1\] are incompatible"),
        (lambda: S([None]).assert_is_fully_defined(), ValueError, r"Shape \(None,\) is not fully defined"),
    ],
)
def test_what_shapes_refuse(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        call()


def test_shapes_are_accepted_where_shapes_are_given() -> None:
    shape = S([2, 3])
    assert tf.zeros(shape).shape == shape
    assert tf.reshape(tf.range(6), shape).shape == shape
    assert tf.broadcast_to(1.0, shape).shape == shape
    assert tf.fill(shape, 1.0).shape == shape
    assert tf.random.normal(shape).shape == shape
    assert tf.scatter_nd([[0]], [[1.0, 2.0, 3.0]], shape).shape == shape
    with pytest.raises(TypeError, match="An integer is needed, not None"):
        tf.zeros(S([None]))


def test_specifications() -> None:
    spec = tf.TensorSpec([None, 3], tf.int32, "rows")
    assert (spec.shape, spec.dtype, spec.name) == (S([None, 3]), tf.int32, "rows")
    assert repr(spec) == "TensorSpec(shape=(None, 3), dtype=tf.int32, name='rows')"
    assert spec.is_compatible_with(tf.zeros((5, 3), tf.int32))
    assert not spec.is_compatible_with(tf.zeros((5, 3)))
    assert not spec.is_compatible_with(tf.zeros((5, 2), tf.int32))
    assert not spec.is_compatible_with(np.zeros((5, 3), np.int32))
    assert spec.is_compatible_with(tf.TensorSpec([2, None], "int32"))
    assert spec == tf.TensorSpec((None, 3), np.int32, "rows") != tf.TensorSpec((None, 3), np.int32)
    assert len({spec, pickle.loads(pickle.dumps(spec))}) == 1
    assert tf.TensorSpec.from_spec(spec, "other").name == "other"
    assert tf.TensorSpec.from_tensor(tf.constant([1.0]), "x") == tf.TensorSpec([1], name="x")
    assert tf.TensorSpec([2]).is_subtype_of(tf.TensorSpec([None]))
    assert tf.TensorSpec([2]).most_specific_compatible_type(tf.TensorSpec([3])) == tf.TensorSpec([None])
    with pytest.raises(ValueError, match=r"should be a tf.Tensor, but got type <class 'float'>"):
        tf.TensorSpec.from_tensor(1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="No TensorSpec is compatible"):
        spec.most_specific_compatible_type(tf.TensorSpec(None))


def test_sizes_as_tensors() -> None:
    np.testing.assert_array_equal(tf.shape(X), np.array([2, 3], np.int32), strict=True)
    np.testing.assert_array_equal(tf.shape(1.0, tf.int64), np.zeros(0, np.int64), strict=True)
    assert [int(n) for n in (tf.size(X), tf.rank(X))] == [6, 2]
    assert tf.size(X, out_type=tf.int64).dtype is tf.int64
    assert [s.numpy().tolist() for s in tf.shape_n([X, 1.0])] == [[2, 3], []]


def test_ensure_shape() -> None:
    x = tf.constant(X)
    assert tf.ensure_shape(x, [None, 3]) is x
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\(2, 3\) is not compatible with .* \(None, 4\)"):
        tf.ensure_shape(X, [None, 4])
    check_grads(lambda a: tf.ensure_shape(a, (2, None)) ** 2, (X,))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ([2, 1], [3], [2, 3]),
        ([], [4], [4]),
        ([None, 1], [3], [None, 3]),
        ([None], [1], [None]),
        ([None], [None], [None]),
        ([None], [5], [5]),
        (None, [1], None),
    ],
)
def test_broadcast_static_shape(x: Any, y: Any, expected: Any) -> None:
    assert tf.broadcast_static_shape(S(x), S(y)) == S(expected) == tf.broadcast_static_shape(S(y), S(x))


def test_shapes_that_cannot_be_broadcast() -> None:
    with pytest.raises(ValueError, match=r"Received: \(2, 1\) and \(3, 3\)"):
        tf.broadcast_static_shape((2, 1), (3, 3))
    np.testing.assert_array_equal(tf.broadcast_dynamic_shape(tf.constant([2, 1]), [3]), [2, 3])
    with pytest.raises(ValueError, match="cannot be broadcast"):
        tf.broadcast_dynamic_shape([2, 2], [3])
