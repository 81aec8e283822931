"""TensorFlow's `tf.signal`: discrete Fourier transforms over the last one, two or three axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad._native import Tensor
from tapegrad._ops import fourier
from tapegrad._ops.arguments import as_shape, as_tensor
from tapegrad._ops.declare import TensorLike

__all__ = [
    "fft",
    "fft2d",
    "fft3d",
    "fftshift",
    "ifft",
    "ifft2d",
    "ifft3d",
    "ifftshift",
    "irfft",
    "irfft2d",
    "irfft3d",
    "rfft",
    "rfft2d",
    "rfft3d",
]


def fft(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the discrete Fourier transform over the last axis; complex, whatever the input.

    Parameters
    ----------
    input
        A tensor of shape (..., n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.fft(tf.constant([1.0, 0.0], tf.complex64)).numpy().tolist()
    [(1+0j), (1+0j)]
    """
    return fourier.fft(input)


def ifft(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the inverse of `fft`.

    Parameters
    ----------
    input
        A tensor of shape (..., n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.ifft(tf.constant([1.0, 1.0], tf.complex64)).numpy().tolist()
    [(1+0j), 0j]
    """
    return fourier.ifft(input)


def _over_last(transform: Callable[..., Tensor], input: TensorLike, count: int) -> Tensor:
    x = as_tensor(input)
    for axis in range(-1, -count - 1, -1):
        x = transform(x, axis=axis)
    return x


def fft2d(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the discrete Fourier transform over the last two axes.

    Parameters
    ----------
    input
        A tensor of shape (..., m, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.fft2d(tf.ones((2, 2), tf.complex64)).numpy().tolist()
    [[(4+0j), 0j], [0j, 0j]]
    """
    return _over_last(fourier.fft, input, 2)


def ifft2d(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the inverse of `fft2d`.

    Parameters
    ----------
    input
        A tensor of shape (..., m, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.ifft2d(tf.ones((2, 2), tf.complex64)).numpy().tolist()
    [[(1+0j), 0j], [0j, 0j]]
    """
    return _over_last(fourier.ifft, input, 2)


def fft3d(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the discrete Fourier transform over the last three axes.

    Parameters
    ----------
    input
        A tensor of shape (..., l, m, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.fft3d(tf.ones((2, 1, 1), tf.complex64)).numpy().tolist()
    [[[(2+0j)]], [[0j]]]
    """
    return _over_last(fourier.fft, input, 3)


def ifft3d(input: TensorLike, name: str | None = None) -> Tensor:
    """Return the inverse of `fft3d`.

    Parameters
    ----------
    input
        A tensor of shape (..., l, m, n).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.ifft3d(tf.ones((2, 1, 1), tf.complex64)).numpy().tolist()
    [[[(1+0j)]], [[0j]]]
    """
    return _over_last(fourier.ifft, input, 3)


def _lengths(fft_length: Any, count: int) -> tuple[int | None, ...]:
    if fft_length is None:
        return (None,) * count
    lengths = as_shape(fft_length)
    if len(lengths) != count:
        raise ValueError(f"fft_length must have {count} elements, not {len(lengths)}.")
    return lengths


def _real(input_tensor: TensorLike, fft_length: Any, count: int) -> Tensor:
    lengths = _lengths(fft_length, count)
    x = fourier.rfft(input_tensor, lengths[-1])
    for axis in range(-2, -count - 1, -1):
        x = fourier.fft(x, lengths[axis], axis)
    return x


def _inverse_real(input_tensor: TensorLike, fft_length: Any, count: int) -> Tensor:
    lengths = _lengths(fft_length, count)
    x = as_tensor(input_tensor)
    for axis in range(-count, -1):
        x = fourier.ifft(x, lengths[axis], axis)
    return fourier.irfft(x, lengths[-1])


def rfft(input_tensor: TensorLike, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the first n // 2 + 1 elements of the transform of real numbers over the last axis.

    Parameters
    ----------
    input_tensor
        Real numbers.
    fft_length
        The number n of elements to transform (or a list with it): fewer are filled up with zeros, more are cut off.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.rfft([1.0, 0.0, 0.0, 0.0]).numpy().tolist()
    [(1+0j), (1+0j), (1+0j)]
    """
    return _real(input_tensor, fft_length, 1)


def irfft(input_tensor: TensorLike, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the inverse of `rfft`: `fft_length` real numbers, by default 2 * (m - 1) of m elements.

    Parameters
    ----------
    input_tensor
        A tensor of shape (..., m).
    fft_length
        The number of elements of the result, or a list with it; `None` is 2 * (m - 1).
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.irfft(tf.ones(3, tf.complex64)).numpy().tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    return _inverse_real(input_tensor, fft_length, 1)


def rfft2d(input_tensor: TensorLike, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the transform of real numbers over the last two axes, of which the last one has half of the elements.

    Parameters
    ----------
    input_tensor
        A real tensor of shape (..., m, n).
    fft_length
        The sizes of these axes before the transform, cut or filled up with zeros; `None` leaves them.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.rfft2d(tf.ones((5, 4, 4))).shape
    (5, 4, 3)
    """
    return _real(input_tensor, fft_length, 2)


def irfft2d(input_tensor: TensorLike, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the inverse of `rfft2d`.

    Parameters
    ----------
    input_tensor
        A tensor of shape (..., l, m).
    fft_length
        The sizes of the result along these axes; `None` is 2 * (m - 1) for the last one.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.irfft2d(tf.ones((5, 4, 3), tf.complex64)).shape
    (5, 4, 4)
    """
    return _inverse_real(input_tensor, fft_length, 2)


def rfft3d(input_tensor: TensorLike, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the transform of real numbers over the last three axes, of which the last one has half of the elements.

    Parameters
    ----------
    input_tensor
        A real tensor of shape (..., l, m, n).
    fft_length
        The sizes of these axes before the transform, cut or filled up with zeros; `None` leaves them.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.rfft3d(tf.ones((2, 4, 4))).shape
    (2, 4, 3)
    """
    return _real(input_tensor, fft_length, 3)


def irfft3d(input_tensor: TensorLike, fft_length: Any = None, name: str | None = None) -> Tensor:
    """Return the inverse of `rfft3d`.

    Parameters
    ----------
    input_tensor
        A tensor of shape (..., k, l, m).
    fft_length
        The sizes of the result along these axes; `None` is 2 * (m - 1) for the last one.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.irfft3d(tf.ones((2, 4, 3), tf.complex64)).shape
    (2, 4, 4)
    """
    return _inverse_real(input_tensor, fft_length, 3)


def fftshift(x: TensorLike, axes: Any = None, name: str | None = None) -> Tensor:
    """Return `x` shifted so that the zero frequency, the first along each of `axes` (`None`: all), is in the middle.

    Parameters
    ----------
    x
        A tensor.
    axes
        An axis, several, or `None` for all of them.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.fftshift([0.0, 1.0, -2.0, -1.0]).numpy().tolist()
    [-2.0, -1.0, 0.0, 1.0]
    """
    return fourier.fftshift(x, axes)


def ifftshift(x: TensorLike, axes: Any = None, name: str | None = None) -> Tensor:
    """Return the inverse of `fftshift`.

    Parameters
    ----------
    x
        A tensor.
    axes
        An axis, several, or `None` for all of them.
    name
        Has no effect.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.signal.ifftshift([-2.0, -1.0, 0.0, 1.0]).numpy().tolist()
    [0.0, 1.0, -2.0, -1.0]
    """
    return fourier.ifftshift(x, axes)
