"""Tests of the element types."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.dtypes import DTYPES


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_each_type_matches_numpys(dtype: tf.DType) -> None:
    numpy = np.dtype(dtype.name)
    assert np.dtype(dtype) == numpy
    assert np.zeros(2, dtype).dtype == numpy
    for spelling in (numpy, numpy.type, dtype.name, numpy.str):
        assert dtype == spelling
        assert tf.as_dtype(spelling) is dtype
    assert numpy == dtype
    assert numpy.type == dtype
    assert (dtype.itemsize, dtype.size, dtype.as_numpy_dtype) == (numpy.itemsize, numpy.itemsize, numpy.type)
    assert [dtype.is_bool, dtype.is_integer, dtype.is_floating, dtype.is_complex] == [
        numpy.kind in kinds for kinds in ("b", "iu", "f", "c")
    ]
    assert repr(dtype) == f"tf.{dtype.name}"
    assert str(dtype) == f"<dtype: '{dtype.name}'>"
    assert getattr(tf, dtype.name) is getattr(tf.dtypes, dtype.name) is dtype


def test_types_are_distinct_keys() -> None:
    assert len(set(DTYPES)) == len(DTYPES) == 14
    assert tf.float32 != tf.float64
    assert tf.float32 != "nothing"
    assert tf.float32 != None  # noqa: E711  (np.dtype(None) is float64)
    assert tf.float64 != None  # noqa: E711


def test_pythons_types_and_other_names() -> None:
    assert [tf.as_dtype(kind) for kind in (bool, int, float, complex)] == [
        tf.bool,
        tf.int32,
        tf.float32,
        tf.complex128,
    ]
    assert (tf.half, tf.double) == (tf.float16, tf.float64)
    assert [tf.as_dtype(name) for name in ("half", "float", "double")] == [tf.float16, tf.float32, tf.float64]
    assert tf.as_dtype(">f4") is tf.float32


def test_limits() -> None:
    assert tf.int8.min == -128
    assert tf.uint16.max == 65535
    assert tf.float32.max == np.finfo(np.float32).max
    assert (tf.bool.min, tf.bool.max) == (False, True)
    with pytest.raises(TypeError, match="complex numbers have no order"):
        _ = tf.complex64.max


@pytest.mark.parametrize("value", [None, object, "string", "S3", "datetime64[s]", [1], np.longdouble])
def test_what_is_no_type(value: Any) -> None:
    if value is np.longdouble and np.dtype(value) == np.float64:
        pytest.skip("long double is double here")
    with pytest.raises(TypeError, match=r"Cannot convert .* to a dtype"):
        tf.as_dtype(value)


def test_types_are_immutable_singletons() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        tf.float32.name = "other"
    with pytest.raises(AttributeError, match="immutable"):
        del tf.float32.name
    assert copy.deepcopy(tf.float32) is tf.float32
    assert pickle.loads(pickle.dumps(tf.complex64)) is tf.complex64
