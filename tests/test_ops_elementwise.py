"""Tests of the elementwise names: each is there, TensorFlow's are NumPy's, comparisons are NumPy's ufuncs."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad import _native
from tapegrad._ops.elementwise import elementwise
from tapegrad.testing import check_grads

X = np.array([-1.5, 0.0, 0.5, 2.0])
Y = np.array([2.0, 0.0, 1.0, -1.0])


def test_every_operation_of_the_table_is_public() -> None:
    for name in _native.elementwise:
        assert getattr(tf, name) is getattr(tf.math, name) is getattr(elementwise, name)
        assert name in tf.__all__
        assert name in tf.math.__all__


def test_every_public_name_exists() -> None:
    for module in (tf, tf.math, tf.linalg, tf.random, tf.autodiff, tf.dtypes):
        assert len(set(module.__all__)) == len(module.__all__)
        for name in module.__all__:
            assert hasattr(module, name), f"{module.__name__}.{name}"
    assert set(dir(tf)) == set(tf.__all__)


@pytest.mark.parametrize(
    ("name", "numpy"),
    [
        ("pow", "power"),
        ("atan2", "arctan2"),
        ("math.floormod", "mod"),
        ("math.floordiv", "floor_divide"),
        ("math.truediv", "divide"),
        ("truediv", "divide"),
    ],
)
def test_tensorflows_names(name: str, numpy: str) -> None:
    function: Any = tf
    for part in name.split("."):
        function = getattr(function, part)
    x = np.abs(X) + 0.5
    np.testing.assert_array_equal(function(x, x), getattr(np, numpy)(x, x))


@pytest.mark.parametrize("name", ["acos", "asin", "atan", "asinh", "atanh", "abs", "round"])
def test_tensorflows_names_of_one_operand(name: str) -> None:
    x = np.array([-0.5, 0.25, 0.5])
    np.testing.assert_array_equal(getattr(tf, name)(x), getattr(np, name)(x))


@pytest.mark.parametrize(
    "name",
    [
        "equal",
        "not_equal",
        "less",
        "less_equal",
        "greater",
        "greater_equal",
        "logical_and",
        "logical_or",
        "logical_xor",
    ],
)
def test_comparisons(name: str) -> None:
    ufunc = getattr(np, name)
    np.testing.assert_array_equal(getattr(tf, name)(X, Y), ufunc(X, Y), strict=True)
    np.testing.assert_array_equal(getattr(tf, name)(tf.constant(X), 0.5, name="c"), ufunc(X, 0.5), strict=True)
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(getattr(tf, name)(x, Y), tf.float64) * 2.0
    assert tape.gradient(y, x) is None


def test_predicates_and_bits() -> None:
    special = np.array([np.nan, np.inf, -np.inf, -0.0])
    np.testing.assert_array_equal(tf.math.is_nan(special), np.isnan(special))
    np.testing.assert_array_equal(tf.math.is_inf(special), np.isinf(special))
    np.testing.assert_array_equal(tf.math.is_finite(special), np.isfinite(special))
    np.testing.assert_array_equal(tf.signbit(special), np.signbit(special))
    np.testing.assert_array_equal(tf.logical_not([True, False]), [False, True])
    np.testing.assert_array_equal(tf.bitwise_and([6, 5], [3, 3]), np.array([2, 1], np.int32), strict=True)
    np.testing.assert_array_equal(tf.left_shift([1], [3]), [8])


def test_compositions() -> None:
    x = np.array([0.25, 1.0, 4.0])
    np.testing.assert_array_equal(tf.math.rsqrt(x), [2.0, 1.0, 0.5])
    np.testing.assert_array_equal(tf.math.reciprocal_no_nan([0.0, 2.0]), np.array([0.0, 0.5], np.float32), strict=True)
    np.testing.assert_array_equal(tf.scalar_mul(2.0, x), 2 * x)
    check_grads(tf.math.rsqrt, (x,), order=2)
    check_grads(tf.math.reciprocal_no_nan, (x,), order=2)
    with pytest.raises(ValueError, match=r"scalar_mul: .* not of shape \(1,\)"):
        tf.scalar_mul([2.0], x)


def test_unknown_names_are_errors() -> None:
    for module in (tf, tf.math):
        with pytest.raises(AttributeError, match="has no attribute 'sine'"):
            _ = module.sine


def test_modules_load_when_used() -> None:
    for name in ("nn", "keras", "memory", "testing"):
        assert isinstance(getattr(tf, name), types.ModuleType)


def test_version() -> None:
    assert tf.__version__.count(".") >= 2
