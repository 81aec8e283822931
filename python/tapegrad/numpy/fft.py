"""`numpy.fft` for tensors: discrete Fourier transforms under its names and with its parameters, differentiable.

The transforms of more than one axis are those of one axis after the other, in NumPy's order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad._native import Tensor
from tapegrad._ops import fourier
from tapegrad._ops.arguments import as_int, as_shape
from tapegrad._protocols import implements
from tapegrad.numpy._arguments import Out, TensorLike, check_device, delivered, operand

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]


@implements(np.fft.fft)
def fft(a: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = None, out: Out = None) -> Any:
    """Return the discrete Fourier transform along an axis.

    Parameters
    ----------
    a
        Real or complex numbers.
    n
        How many elements to transform: fewer are filled up with zeros, more are cut off.
    axis
        Along which axis.
    norm
        Which direction divides by n: `"backward"` (the default) the inverse one, `"forward"` this one, `"ortho"` each
        by the root of n.
    out
        Where the result goes.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.fft([1.0, 0.0, 0.0, 0.0]).numpy()
    array([1.+0.j, 1.+0.j, 1.+0.j, 1.+0.j])
    """
    return delivered(fourier.fft(operand(a), n, axis, norm), out)


@implements(np.fft.ifft)
def ifft(a: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = None, out: Out = None) -> Any:
    """Return the inverse of `fft`, whose parameters it has.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.ifft([4.0, 0.0, 0.0, 0.0]).numpy()
    array([1.+0.j, 1.+0.j, 1.+0.j, 1.+0.j])
    """
    return delivered(fourier.ifft(operand(a), n, axis, norm), out)


@implements(np.fft.rfft)
def rfft(a: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = None, out: Out = None) -> Any:
    """Return the first n // 2 + 1 elements of the transform of real numbers: the others are their conjugates.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.rfft([1.0, 0.0, 0.0, 0.0]).numpy()
    array([1.+0.j, 1.+0.j, 1.+0.j])
    """
    return delivered(fourier.rfft(operand(a), n, axis, norm), out)


@implements(np.fft.irfft)
def irfft(a: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = None, out: Out = None) -> Any:
    """Return the inverse of `rfft`: n real numbers, by default 2 * (m - 1) of m elements.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.irfft([4.0, 0.0, 0.0]).numpy()
    array([1., 1., 1., 1.])
    """
    return delivered(fourier.irfft(operand(a), n, axis, norm), out)


@implements(np.fft.hfft)
def hfft(a: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = None, out: Out = None) -> Any:
    """Return the real transform of n elements of which `a` has the first ones, and the others are their conjugates.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.hfft([1.0, 0.0, 0.0]).numpy()
    array([1., 1., 1., 1.])
    """
    return delivered(fourier.hfft(operand(a), n, axis, norm), out)


@implements(np.fft.ihfft)
def ihfft(a: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = None, out: Out = None) -> Any:
    """Return the inverse of `hfft`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.ihfft([4.0, 0.0, 0.0, 0.0]).numpy()
    array([1.-0.j, 1.-0.j, 1.-0.j])
    """
    return delivered(fourier.ihfft(operand(a), n, axis, norm), out)


def _sizes_and_axes(a: Tensor, s: Any, axes: Any, doubled: bool = False) -> tuple[list[int], list[int]]:
    """Return the lengths of the transforms and their axes; with `doubled` the last length is of real numbers."""
    if axes is not None:
        numbers = [as_int(axis) for axis in axes]
    elif s is None:
        numbers = list(range(-a.ndim, 0))
    else:
        raise ValueError("fft: with s, the axes that its sizes are of must be given, too.")
    for axis in numbers:
        if not -a.ndim <= axis < a.ndim:
            raise np.exceptions.AxisError(axis, a.ndim)
    if s is None:
        sizes = [a.shape[axis] for axis in numbers]
        if doubled:
            sizes[-1] = 2 * (sizes[-1] - 1)
        return sizes, numbers
    sizes = list(as_shape(s))
    if len(sizes) != len(numbers):
        raise ValueError("Shape and axes have different lengths.")
    return [a.shape[axis] if size == -1 else size for size, axis in zip(sizes, numbers, strict=True)], numbers


def _over(
    transform: Callable[..., Tensor], a: Tensor, sizes: Sequence[int], axes: Sequence[int], norm: str | None
) -> Tensor:
    for size, axis in zip(sizes, axes, strict=True):
        a = transform(a, size, axis, norm)
    return a


@implements(np.fft.fftn)
def fftn(a: TensorLike, s: Any = None, axes: Any = None, norm: str | None = None, out: Out = None) -> Any:
    """Return the transform over several axes.

    Parameters
    ----------
    a
        Real or complex numbers.
    s
        How many elements to transform along each of `axes`; -1 stands for all.
    axes
        The axes, by default all.
    norm, out
        As for `fft`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.fftn([[1.0, 0.0], [0.0, 0.0]]).numpy()
    array([[1.+0.j, 1.+0.j],
           [1.+0.j, 1.+0.j]])
    """
    a = operand(a)
    sizes, axes = _sizes_and_axes(a, s, axes)
    return delivered(_over(fourier.fft, a, sizes[::-1], axes[::-1], norm), out)


@implements(np.fft.ifftn)
def ifftn(a: TensorLike, s: Any = None, axes: Any = None, norm: str | None = None, out: Out = None) -> Any:
    """Return the inverse of `fftn`, whose parameters it has.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.ifftn([[4.0, 0.0], [0.0, 0.0]]).numpy()
    array([[1.+0.j, 1.+0.j],
           [1.+0.j, 1.+0.j]])
    """
    a = operand(a)
    sizes, axes = _sizes_and_axes(a, s, axes)
    return delivered(_over(fourier.ifft, a, sizes[::-1], axes[::-1], norm), out)


@implements(np.fft.rfftn)
def rfftn(a: TensorLike, s: Any = None, axes: Any = None, norm: str | None = None, out: Out = None) -> Any:
    """Return the transform of real numbers over several axes, of which the last one has half of the elements.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.rfftn(np.ones((4, 4))).shape
    (4, 3)
    """
    a = operand(a)
    sizes, axes = _sizes_and_axes(a, s, axes)
    a = fourier.rfft(a, sizes[-1], axes[-1], norm)
    return delivered(_over(fourier.fft, a, sizes[-2::-1], axes[-2::-1], norm), out)


@implements(np.fft.irfftn)
def irfftn(a: TensorLike, s: Any = None, axes: Any = None, norm: str | None = None, out: Out = None) -> Any:
    """Return the inverse of `rfftn`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.irfftn(np.ones((4, 3))).shape
    (4, 4)
    """
    a = operand(a)
    sizes, axes = _sizes_and_axes(a, s, axes, doubled=True)
    a = _over(fourier.ifft, a, sizes[:-1], axes[:-1], norm)
    return delivered(fourier.irfft(a, sizes[-1], axes[-1], norm), out)


@implements(np.fft.fft2)
def fft2(a: TensorLike, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: Out = None) -> Any:
    """Return the transform over two axes; the parameters are those of `fftn`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.fft2(np.ones((5, 2, 2))).shape
    (5, 2, 2)
    """
    return fftn(a, s, axes, norm, out)


@implements(np.fft.ifft2)
def ifft2(a: TensorLike, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: Out = None) -> Any:
    """Return the inverse of `fft2`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.ifft2(np.ones((5, 2, 2))).shape
    (5, 2, 2)
    """
    return ifftn(a, s, axes, norm, out)


@implements(np.fft.rfft2)
def rfft2(a: TensorLike, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: Out = None) -> Any:
    """Return the transform of real numbers over two axes, of which the last one has half of the elements.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.rfft2(np.ones((5, 4, 4))).shape
    (5, 4, 3)
    """
    return rfftn(a, s, axes, norm, out)


@implements(np.fft.irfft2)
def irfft2(a: TensorLike, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: Out = None) -> Any:
    """Return the inverse of `rfft2`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.irfft2(np.ones((5, 4, 3))).shape
    (5, 4, 4)
    """
    return irfftn(a, s, axes, norm, out)


@implements(np.fft.fftshift)
def fftshift(x: TensorLike, axes: Any = None) -> Tensor:
    """Return `x` shifted so that the zero frequency, the first along each of `axes` (`None`: all), is in the middle.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.fftshift([0.0, 1.0, -2.0, -1.0]).numpy()
    array([-2., -1.,  0.,  1.])
    """
    return fourier.fftshift(operand(x), axes)


@implements(np.fft.ifftshift)
def ifftshift(x: TensorLike, axes: Any = None) -> Tensor:
    """Return the inverse of `fftshift`.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.ifftshift([-2.0, -1.0, 0.0, 1.0]).numpy()
    array([ 0.,  1., -2., -1.])
    """
    return fourier.ifftshift(operand(x), axes)


def fftfreq(n: int, d: TensorLike = 1.0, device: Any = None) -> Tensor:
    """Return the frequencies of `fft` in cycles per unit of the sample spacing `d`, and differentiable in it.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.fftfreq(4, 0.5).numpy()
    array([ 0. ,  0.5, -1. , -0.5])
    """
    check_device(device)
    return fourier.fftfreq(n, operand(d))


def rfftfreq(n: int, d: TensorLike = 1.0, device: Any = None) -> Tensor:
    """Return the frequencies of `rfft` in cycles per unit of the sample spacing `d`, and differentiable in it.

    Examples
    --------
    >>> import tapegrad.numpy as np
    >>> np.fft.rfftfreq(4, 0.5).numpy()
    array([0. , 0.5, 1. ])
    """
    check_device(device)
    return fourier.rfftfreq(n, operand(d))
