"""Tests of Fourier transforms: values are NumPy's, derivatives the exact transposes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matrices import maker

import tapegrad as tf
import tapegrad.numpy as tnp
from tapegrad.testing import check_grads

ONE_AXIS = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
TWO_AXES = ["fft2", "ifft2", "rfft2", "irfft2"]
SEVERAL_AXES = ["fftn", "ifftn", "rfftn", "irfftn"]
OF_REAL = ("rfft", "ihfft", "rfft2", "rfftn")
NORMS = [None, "backward", "ortho", "forward"]


def _of_kinds(names: list[str]) -> Any:
    """Parametrize with transforms and what they take."""
    kinds = [(name, kind) for name in names for kind in ("real", "complex") if kind == "real" or name not in OF_REAL]
    return pytest.mark.parametrize(("name", "kind"), kinds)


def _check(name: str, x: Any, *args: Any, order: int = 2) -> None:
    expected = getattr(np.fft, name)(x, *args)
    np.testing.assert_array_equal(getattr(tnp.fft, name)(x, *args), expected, strict=True)
    short = x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)
    expected = getattr(np.fft, name)(short, *args)
    np.testing.assert_array_equal(getattr(np.fft, name)(tf.constant(short), *args), expected, strict=True)
    check_grads(lambda x: getattr(tnp.fft, name)(x, *args), (x,), order=order)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 1, 2, 3, 4, 5, 6, 7, 9])
@_of_kinds(ONE_AXIS)
def test_one_axis(name: str, kind: str, n: int | None, norm: str | None) -> None:
    for size in (5, 6):
        _check(name, maker(kind)(size), n, -1, norm, order=1)


@pytest.mark.parametrize("axis", [0, 1, -2, -1])
@_of_kinds(ONE_AXIS)
def test_axes(name: str, kind: str, axis: int) -> None:
    for n in (None, 3, 8):
        _check(name, maker(kind)(4, 5, 6)[:, :4, :4], n, axis)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("s", "axes"), [(None, (-2, -1)), (None, (2, 0)), ((3, 6), (0, 1)), ((-1, 5), (1, 2))])
@_of_kinds([*TWO_AXES, *SEVERAL_AXES])
def test_two_axes(name: str, kind: str, s: Any, axes: Any, norm: str | None) -> None:
    _check(name, maker(kind)(3, 4, 5), s, axes, norm, order=1)


@pytest.mark.parametrize("axes", [None, (0,), (0, 1, 2)], ids=str)
@_of_kinds(SEVERAL_AXES)
def test_several_axes(name: str, kind: str, axes: Any) -> None:
    _check(name, maker(kind)(3, 4, 2), None, axes)


@_of_kinds(["fftn", "ifftn"])
def test_one_axis_twice(name: str, kind: str) -> None:
    _check(name, maker(kind)(3, 4), None, (1, 1))


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_transposes_are_exact(kind: str, size: int) -> None:
    # Entry by entry: the matrix of each transform against its gradient.
    for name in ("fft", "ifft", "rfft", "irfft"):
        if kind == "complex" and name in OF_REAL:
            continue
        count = size + 1 if name == "irfft" else size
        x = tf.constant(np.zeros(count, complex if kind == "complex" else float))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = getattr(tnp.fft, name)(x)
            parts = [tf.math.real(y), tf.math.imag(y)]
        matrix = getattr(np.fft, name)(np.eye(count, dtype=x.dtype.dtype), axis=0)
        of_i = getattr(np.fft, name)(1j * np.eye(count), axis=0) if kind == "complex" else 0 * matrix
        for part, take in zip(parts, (np.real, np.imag), strict=True):
            if name == "irfft" and part is parts[1]:
                continue  # it is real
            for k in range(part.shape[0]):
                weights = np.eye(part.shape[0])[k]
                slope = tape.gradient(part, x, output_gradients=tf.constant(weights)).numpy()
                expected = take(matrix)[k] + (1j * take(of_i)[k] if kind == "complex" else 0)
                np.testing.assert_allclose(slope, expected, atol=1e-15)


def test_stacks_of_cotangents_take_one_transform(monkeypatch: pytest.MonkeyPatch) -> None:
    x = tf.constant(np.arange(6.0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.math.real(np.fft.fft(x))
    calls = []
    ifft = np.fft.ifft
    monkeypatch.setattr(np.fft, "ifft", lambda a, *args: calls.append(a.shape) or ifft(a, *args))
    jacobian = tape.jacobian(y, x)
    np.testing.assert_allclose(jacobian, np.fft.fft(np.eye(6)).real, atol=1e-14)
    assert len(calls) <= 2


@pytest.mark.parametrize("axes", [None, 0, -1, (0, 1), [1]], ids=str)
@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(name: str, axes: Any) -> None:
    x = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(getattr(np.fft, name)(tf.constant(x), axes), getattr(np.fft, name)(x, axes))
    check_grads(lambda x: getattr(tnp.fft, name)(x, axes), (x,))


@pytest.mark.parametrize("n", [1, 2, 5, 8])
@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name: str, n: int) -> None:
    expected = getattr(np.fft, name)(n, 0.3)
    np.testing.assert_array_equal(getattr(tnp.fft, name)(n, 0.3), expected, strict=True)
    check_grads(lambda d: getattr(tnp.fft, name)(n, d), (0.3,))


@pytest.mark.parametrize("name", [name for name in np.fft.__all__ if hasattr(tnp.fft, name)])
def test_signatures_are_numpys(name: str) -> None:
    def parameters(f: Any) -> list[Any]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(f).parameters.values()]

    assert parameters(getattr(tnp.fft, name)) == parameters(getattr(np.fft, name))
    assert set(tnp.fft.__all__) == set(np.fft.__all__)


def test_out() -> None:
    out = np.empty(3, complex)
    assert np.fft.fft(tf.constant([1.0, 2.0, 3.0]), out=out) is out
    np.testing.assert_allclose(out, np.fft.fft([1.0, 2.0, 3.0]))


SIGNAL: dict[str, tuple[Callable[..., Any], int]] = {
    "fft": (np.fft.fft, 1),
    "ifft": (np.fft.ifft, 1),
    "fft2d": (np.fft.fft2, 2),
    "ifft2d": (np.fft.ifft2, 2),
    "fft3d": (lambda x: np.fft.fftn(x, axes=(-3, -2, -1)), 3),
    "ifft3d": (lambda x: np.fft.ifftn(x, axes=(-3, -2, -1)), 3),
    "rfft": (np.fft.rfft, 1),
    "irfft": (np.fft.irfft, 1),
    "rfft2d": (np.fft.rfft2, 2),
    "irfft2d": (np.fft.irfft2, 2),
    "rfft3d": (lambda x: np.fft.rfftn(x, axes=(-3, -2, -1)), 3),
    "irfft3d": (lambda x: np.fft.irfftn(x, axes=(-3, -2, -1)), 3),
}


@pytest.mark.parametrize("name", SIGNAL)
def test_signal(name: str) -> None:
    reference, _ = SIGNAL[name]
    x = maker("real" if name.startswith("rfft") else "complex")(2, 3, 4, 5)
    np.testing.assert_array_equal(getattr(tf.signal, name)(x), reference(x), strict=True)
    check_grads(getattr(tf.signal, name), (x[:, :2, :2, :3],))


@pytest.mark.parametrize("length", [3, 4, 6, 7])
def test_lengths_of_signal(length: int) -> None:
    x, z = maker("real")(2, 5), maker("complex")(2, 5)
    np.testing.assert_array_equal(tf.signal.rfft(x, [length]), np.fft.rfft(x, length))
    np.testing.assert_array_equal(tf.signal.rfft(x, tf.constant(length)), np.fft.rfft(x, length))
    np.testing.assert_array_equal(tf.signal.irfft(z, [length]), np.fft.irfft(z, length))
    check_grads(lambda x: tf.signal.rfft2d(x, [3, length]), (x,))
    check_grads(lambda z: tf.signal.irfft2d(z, [3, length]), (z,))
    np.testing.assert_array_equal(tf.signal.rfft2d(x, [3, length]), np.fft.rfft2(x, (3, length)))
    np.testing.assert_array_equal(tf.signal.irfft2d(z, [3, length]), np.fft.irfft2(z, (3, length)))


def test_types_of_signal() -> None:
    assert tf.signal.rfft(tf.ones(4)).dtype == tf.complex64
    assert tf.signal.irfft(tf.ones(3, tf.complex64)).dtype == tf.float32
    np.testing.assert_array_equal(tf.signal.fftshift([1.0, 2.0, 3.0]), [3.0, 1.0, 2.0])
    np.testing.assert_array_equal(tf.signal.ifftshift([1.0, 2.0, 3.0], axes=0), [2.0, 3.0, 1.0])


def test_convolution_by_the_transform() -> None:
    x, w = maker("real")(2, 8)

    def convolved(x: Any, w: Any) -> Any:
        return tf.signal.irfft(tf.signal.rfft(x, [16]) * tf.signal.rfft(w, [16]), [16])

    np.testing.assert_allclose(convolved(x, w)[:15], np.convolve(x, w), atol=1e-14)
    check_grads(convolved, (x, w))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tnp.fft.fft([1.0], norm="other"), "Invalid norm value other"),
        (lambda: tnp.fft.fft([1.0], 0), "Invalid number of FFT data points"),
        (lambda: tnp.fft.fft([1.0], axis=1), "fft: axis 1 is out of bounds"),
        (lambda: tnp.fft.fftn(np.ones((2, 2)), (1, 1)), "the axes that its sizes are of must be given"),
        (lambda: tnp.fft.fftn(np.ones((2, 2)), (1,), (0, 1)), "Shape and axes have different lengths"),
        (lambda: tnp.fft.fftn(np.ones((2, 2)), None, (0, 2)), "axis 2 is out of bounds"),
        (lambda: tf.signal.rfft2d(np.ones((2, 2)), [2]), "fft_length must have 2 elements, not 1"),
        (lambda: tnp.fft.fftfreq(3, device="gpu"), "Device not understood"),
    ],
)
def test_bad_calls(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
