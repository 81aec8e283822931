"""Discrete Fourier transforms along one axis, with their transposes; and shifts and frequencies.

With F the matrix of the unscaled transform, its adjoint is the unscaled inverse, so that the transpose of each
transform is the opposite one with the scale of the other direction. A transform to another length cuts its operand or
fills it up with zeros first, and the transpose undoes that last. Axes are counted from the end, which makes the
transforms take any leading axes as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_axis, as_int, as_tensor
from tapegrad._ops.complex_parts import conjugate
from tapegrad._ops.declare import Operation, TensorLike, linear
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.shaping import roll

__all__ = ["fft", "fftfreq", "fftshift", "hfft", "ifft", "ifftshift", "ihfft", "irfft", "rfft", "rfftfreq"]

_OPPOSITE = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _from_end(a: Tensor, axis: Any, what: str) -> int:
    return as_axis(axis, a.ndim, what) - a.ndim


def _known(norm: str | None) -> str:
    if norm not in _OPPOSITE:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return norm or "backward"


def fft(a: TensorLike, n: Any = None, axis: Any = -1, norm: str | None = None) -> Tensor:
    """Return the discrete Fourier transform of `n` elements along `axis`.

    Fewer elements are filled up with zeros, more are cut off. `norm` says which direction divides by n: `"backward"`
    the inverse one, `"forward"` this one, `"ortho"` each by the root of n.
    """
    return _transform(_fft, a, n, axis, norm)


def ifft(a: TensorLike, n: Any = None, axis: Any = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of `fft`."""
    return _transform(_ifft, a, n, axis, norm)


def rfft(a: TensorLike, n: Any = None, axis: Any = -1, norm: str | None = None) -> Tensor:
    """Return the first n // 2 + 1 elements of `fft` of real numbers, which say all of it."""
    return _transform(_rfft, a, n, axis, norm)


def irfft(a: TensorLike, n: Any = None, axis: Any = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of `rfft`: n real elements, by default 2 * (m - 1) of m."""
    return _transform(_irfft, a, n, axis, norm, twice=True)


def hfft(a: TensorLike, n: Any = None, axis: Any = -1, norm: str | None = None) -> Tensor:
    """Return the real transform of n elements of which `a` holds the first n // 2 + 1, the others being conjugates."""
    return irfft(conjugate(a), n, axis, _OPPOSITE[_known(norm)])


def ihfft(a: TensorLike, n: Any = None, axis: Any = -1, norm: str | None = None) -> Tensor:
    """Return the inverse of `hfft`."""
    return conjugate(rfft(a, n, axis, _OPPOSITE[_known(norm)]))


def _transform(operation: Operation, a: TensorLike, n: Any, axis: Any, norm: str | None, twice: bool = False) -> Tensor:
    a = as_tensor(a)
    axis = _from_end(a, axis, operation.__name__)
    if n is None:
        n = 2 * (a.shape[axis] - 1) if twice else a.shape[axis]
    result: Tensor = operation(a, n=as_int(n), axis=axis, norm=_known(norm))
    return result


def _fitted(a: Tensor, size: int, axis: int) -> Tensor:
    """Return `a` cut or filled up with zeros to `size` elements along an axis."""
    have = a.shape[axis]
    if size <= have:
        return a if size == have else _native.basic_index(a, (..., slice(size), *[slice(None)] * (-axis - 1)))
    shape = list(a.shape)
    shape[axis] = size - have
    return _native.concatenate([a, np.zeros(shape, a.dtype.dtype)], axis + a.ndim)


def _counts(n: int, axis: int, values: tuple[float, float]) -> npt.NDArray[np.float32]:
    """Return how much each element of half a spectrum counts.

    It is the first of `values` for those that stand for themselves alone, the second where also for their conjugates.
    """
    counts = np.full(n // 2 + 1, values[1], np.float32)
    counts[0] = values[0]
    if n % 2 == 0:
        counts[-1] = values[0]
    return counts.reshape((-1,) + (1,) * (-axis - 1))


def _rfft_transpose(g: Tensor, a_shape: tuple[int, ...], n: int, axis: int, norm: str) -> Tensor:
    g = elementwise.multiply(g, _counts(n, axis, (1.0, 0.5)))
    return _fitted(_irfft(g, n=n, axis=axis, norm=_OPPOSITE[norm]), a_shape[axis], axis)


def _irfft_transpose(g: Tensor, a_shape: tuple[int, ...], n: int, axis: int, norm: str) -> Tensor:
    spectrum = elementwise.multiply(_rfft(g, n=n, axis=axis, norm=_OPPOSITE[norm]), _counts(n, axis, (1.0, 2.0)))
    return _fitted(spectrum, a_shape[axis], axis)


_fft: Operation = linear(
    "fft",
    lambda a, *, n, axis, norm: np.fft.fft(a, n, axis, norm),
    lambda g, a_shape, n, axis, norm: _fitted(_ifft(g, n=n, axis=axis, norm=_OPPOSITE[norm]), a_shape[axis], axis),
    axes=(),
)
_ifft: Operation = linear(
    "ifft",
    lambda a, *, n, axis, norm: np.fft.ifft(a, n, axis, norm),
    lambda g, a_shape, n, axis, norm: _fitted(_fft(g, n=n, axis=axis, norm=_OPPOSITE[norm]), a_shape[axis], axis),
    axes=(),
)
_rfft: Operation = linear("rfft", lambda a, *, n, axis, norm: np.fft.rfft(a, n, axis, norm), _rfft_transpose, axes=())
_irfft: Operation = linear(
    "irfft", lambda a, *, n, axis, norm: np.fft.irfft(a, n, axis, norm), _irfft_transpose, axes=()
)


def fftshift(x: TensorLike, axes: Any = None) -> Tensor:
    """Return `x` shifted so that the zero frequency, the first along each of `axes` (`None`: all), is in the middle."""
    return _shifted(x, axes, inverse=False)


def ifftshift(x: TensorLike, axes: Any = None) -> Tensor:
    """Return the inverse of `fftshift`."""
    return _shifted(x, axes, inverse=True)


def _shifted(x: TensorLike, axes: Any, inverse: bool) -> Tensor:
    x = as_tensor(x)
    numbers = range(x.ndim) if axes is None else axes if isinstance(axes, (tuple, list)) else (axes,)
    places = tuple([as_axis(axis, x.ndim, "fftshift") for axis in numbers])
    shifts = tuple([-(x.shape[k] // 2) if inverse else x.shape[k] // 2 for k in places])
    return roll(x, shifts, places)


def fftfreq(n: int, d: TensorLike = 1.0) -> Tensor:
    """Return the frequencies of `fft` in cycles per unit of the sample spacing `d`."""
    count = as_int(n)
    places = np.concatenate([np.arange((count - 1) // 2 + 1), np.arange(-(count // 2), 0)])
    return _frequencies(places, count, d)


def rfftfreq(n: int, d: TensorLike = 1.0) -> Tensor:
    """Return the frequencies of `rfft` in cycles per unit of the sample spacing `d`."""
    count = as_int(n)
    return _frequencies(np.arange(count // 2 + 1), count, d)


def _frequencies(places: npt.NDArray[Any], count: int, d: TensorLike) -> Tensor:
    return elementwise.multiply(places, elementwise.divide(1.0, elementwise.multiply(d, count)))
