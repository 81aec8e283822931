"""Tests of making tensors: constants, ranges, and the types they get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads


def test_zeros_and_ones() -> None:
    np.testing.assert_array_equal(tf.zeros((2, 3)), np.zeros((2, 3), np.float32), strict=True)
    np.testing.assert_array_equal(tf.ones([2], tf.int32), np.ones(2, np.int32), strict=True)
    np.testing.assert_array_equal(tf.zeros(3, "float64"), np.zeros(3), strict=True)
    np.testing.assert_array_equal(tf.ones(tf.constant([1, 2])), np.ones((1, 2), np.float32), strict=True)
    np.testing.assert_array_equal(tf.zeros([]), np.float32(0))
    np.testing.assert_array_equal(tf.zeros_like([1, 2]), np.zeros(2, np.int32), strict=True)
    np.testing.assert_array_equal(tf.ones_like(np.ones((1, 2)), tf.float32), np.ones((1, 2), np.float32), strict=True)


def test_constant() -> None:
    assert tf.constant(2.0).dtype is tf.float32
    assert tf.constant(2).dtype is tf.int32
    assert tf.constant(np.ones(2)).dtype is tf.float64
    np.testing.assert_array_equal(tf.constant([1, 2, 3, 4], shape=(2, 2)), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(tf.constant(1.5, tf.float64, [2]), np.full(2, 1.5), strict=True)
    with pytest.raises(ValueError, match=r"reshape.*\(3,\).*\(2, 2\)"):
        tf.constant([1, 2, 3], shape=(2, 2))


def test_constants_do_not_share_memory() -> None:
    source = np.ones(3)
    t = tf.constant(source)
    source[0] = 5.0
    np.testing.assert_array_equal(t, np.ones(3))
    t.numpy()[0] = 7.0
    np.testing.assert_array_equal(t, np.ones(3))


def test_convert_to_tensor() -> None:
    t = tf.constant(1.0)
    assert tf.convert_to_tensor(t) is t
    assert tf.convert_to_tensor(2, dtype_hint=tf.float64).dtype is tf.float64
    assert tf.convert_to_tensor(2.5, dtype_hint=tf.int32).dtype is tf.float32
    assert tf.is_tensor(t)
    assert not tf.is_tensor(1.0)
    check_grads(lambda x: tf.convert_to_tensor([x[0] * x[1], 2.0, x[2]]), (np.array([1.0, 2.0, 3.0]),), order=2)


def test_fill() -> None:
    np.testing.assert_array_equal(tf.fill([2, 2], 3), np.full((2, 2), 3, np.int32), strict=True)
    check_grads(lambda x: tf.fill([2, 3], x * x), (np.float64(3.0),), order=2)


@pytest.mark.parametrize("shape", [2.5, [2, 2.0], "ab", [[1, 2]], tf.constant(2.0), None])
def test_what_is_no_shape(shape: Any) -> None:
    with pytest.raises(TypeError, match="An integer is needed, not"):
        tf.zeros(shape)


def test_eye() -> None:
    np.testing.assert_array_equal(tf.eye(2), np.eye(2, dtype=np.float32), strict=True)
    np.testing.assert_array_equal(tf.eye(2, 3, dtype=tf.int32), np.eye(2, 3, dtype=np.int32), strict=True)
    assert tf.eye(2, batch_shape=[4, 1]).shape == (4, 1, 2, 2)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((3,), np.arange(3, dtype=np.int32)),
        ((2, 5), np.arange(2, 5, dtype=np.int32)),
        ((1, 0, -0.25), np.arange(1, 0, -0.25, dtype=np.float32)),
        ((3.0,), np.arange(3, dtype=np.float32)),
        ((np.int64(3),), np.arange(3, dtype=np.int64)),
        ((0, np.float64(1), 0.5), np.array([0.0, 0.5])),
        ((np.int64(0), 1.0, 0.5), np.array([0.0, 0.5], np.float32)),
        ((5, 0), np.zeros(0, np.int32)),
    ],
)
def test_range(arguments: Any, expected: Any) -> None:
    np.testing.assert_array_equal(tf.range(*arguments), expected, strict=True)


def test_range_of_tensors_and_with_a_type() -> None:
    np.testing.assert_array_equal(tf.range(tf.constant(3)), np.arange(3, dtype=np.int32), strict=True)
    np.testing.assert_array_equal(tf.range(0, 4, 2, dtype=tf.float64), [0.0, 2.0])
    with pytest.raises(ValueError, match="the step must not be zero"):
        tf.range(0, 3, 0)


def test_linspace() -> None:
    np.testing.assert_array_equal(tf.linspace(0.0, 1.0, 5), np.linspace(0, 1, 5, dtype=np.float32), strict=True)
    np.testing.assert_array_equal(tf.linspace(0, 10, 5), np.linspace(0, 10, 5), strict=True)
    ends = np.array([0.0, 1.0]), np.array([[1.0], [3.0]])
    for axis in (0, 1, -1):
        np.testing.assert_array_equal(tf.linspace(*ends, 4, axis=axis), np.linspace(*ends, 4, axis=axis))
        check_grads(lambda a, b, axis=axis: tf.linspace(a * b, b, 4, axis=axis), ends, order=2)
    x = tf.constant(-3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.linspace(x, 10.0, 7)
    assert (float(y[0]), float(y[-1])) == (-3.0, 10.0)
    np.testing.assert_allclose(tape.gradient(y, x), 3.5, rtol=1e-6)
    with pytest.raises(ValueError, match="at least one number"):
        tf.linspace(0.0, 1.0, 0)


def test_cast() -> None:
    x = tf.constant([1.7, -1.7])
    assert tf.cast(x, tf.float64).dtype is tf.float64
    np.testing.assert_array_equal(tf.cast(x, tf.int32), np.array([1, -1], np.int32), strict=True)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.cast(tf.cast(x, tf.float64) ** 2, tf.float16)
        z = tf.cast(tf.cast(x, tf.int32), tf.float32)
    gradient = tape.gradient(y, x)
    assert gradient.dtype is tf.float32
    np.testing.assert_allclose(gradient, [3.4, -3.4], rtol=1e-6)
    assert tape.gradient(z, x) is None


def test_complex_parts() -> None:
    z = np.array([1 + 2j, 2 - 3j])
    np.testing.assert_array_equal(tf.math.real(z), z.real, strict=True)
    np.testing.assert_array_equal(tf.math.imag(z), z.imag, strict=True)
    np.testing.assert_array_equal(tf.math.conj(z), z.conj(), strict=True)
    np.testing.assert_allclose(tf.math.angle(z), np.angle(z))
    np.testing.assert_array_equal(tf.complex(z.real, z.imag), z, strict=True)
    assert tf.complex(1.0, 2.0).dtype is tf.complex64
    np.testing.assert_array_equal(tf.math.imag([1.0, 2.0]), [0.0, 0.0])
    np.testing.assert_array_equal(tf.math.angle([1.0, -2.0]), np.array([0.0, np.pi], np.float32))
    for f in (tf.math.real, tf.math.imag, tf.math.conj, tf.math.angle):
        check_grads(lambda z, f=f: f(z * z), (z,), order=2)
    check_grads(lambda a, b: tf.complex(a * b, b) ** 2, (z.real, z.imag), order=2)


@pytest.mark.parametrize(
    ("f", "expected"), [(tf.math.real, 1), (tf.math.imag, 1j), (tf.math.conj, 1), (lambda z: z * z, 4 - 2j)]
)
def test_complex_gradients_are_tensorflows(f: Callable[[Any], Any], expected: complex) -> None:
    z = tf.constant(2 + 1j)
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = f(z)
    assert complex(tape.gradient(y, z).numpy()) == expected
