"""The derivatives of `i0` and `sinc` against mpmath: they have formulas of their own."""

import mpmath
import numpy as np
import pytest

import tapegrad as tf
from tapegrad._ops import bessel, sinc

POINTS = np.array([0.0, 1e-300, 1e-8, 0.01, 0.3, 0.7, 0.95, 1.0, 1.3, 1.6, 2.5, 7.9, 8.0, 8.1, 30.0, 200.0])


def relative_error(result, exact):
    """The greatest error in units of the exact values' size."""
    exact = np.array([float(value) for value in exact])
    return np.max(np.abs(result - exact) / np.maximum(np.abs(exact), 1e-300))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_i1(sign):
    points = sign * POINTS
    with mpmath.workdps(30):
        exact = [mpmath.besseli(1, mpmath.mpf(x)) for x in points]
    assert relative_error(bessel.i1(points).numpy(), exact) < 2e-15


def test_derivatives_of_i0():
    x = tf.constant(POINTS)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = np.i0(x)
        first = inner.gradient(y, x)
    second = outer.gradient(first, x).numpy()
    with mpmath.workdps(30):
        slopes = [mpmath.besseli(1, mpmath.mpf(v)) for v in POINTS]
        curvatures = [
            mpmath.besseli(0, v) - mpmath.besseli(1, v) / v if v else mpmath.mpf(0.5) for v in map(mpmath.mpf, POINTS)
        ]
    assert relative_error(first.numpy(), slopes) < 2e-15
    assert relative_error(second, curvatures) < 5e-15


def test_i0_overflows_with_numpy():
    assert np.isinf(np.i0(tf.constant([800.0]))).numpy().all()
    assert np.isinf(bessel.i1(np.array([800.0]))).numpy().all()


def exact_derivative(x, order):
    """The derivative of sinc as the integral of pi**n cos(pi x u + n pi / 2) u**n over u from 0 to 1."""
    with mpmath.workdps(40):
        point = mpmath.pi * mpmath.mpf(x)
        pieces = mpmath.linspace(0, 1, 2 + int(abs(x)))
        value = mpmath.quad(lambda u: u**order * mpmath.cos(point * u + order * mpmath.pi / 2), pieces)
        return mpmath.pi**order * value


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_derivatives_of_sinc(order):
    points = np.concatenate([POINTS[:12], -POINTS[4:10]])
    result = sinc.sinc_derivative(points, order=order).numpy()
    exact = np.array([float(exact_derivative(x, order)) for x in points])
    # Relative to the greatest value of the derivative: it has zeros, near which its digits are those of the argument.
    scale = np.pi**order / (order + 1)
    np.testing.assert_allclose(result / scale, exact / scale, rtol=1e-14, atol=4e-15)


def test_second_derivative_of_sinc_at_zero():
    x = tf.constant(0.0, tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = np.sinc(x)
        first = inner.gradient(y, x)
    assert float(first) == 0.0
    np.testing.assert_allclose(outer.gradient(first, x), -(np.pi**2) / 3, rtol=1e-15)
