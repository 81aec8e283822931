"""Convolution and pooling of images, composed of windows and matrix products.

Images are (batch, height, width, channels). `_windows` lays out every window of an image as a view, its
transpose `_add_windows` adds windows back into an image; with these two the rules of everything here, and
their rules, are expressed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from tapegrad import _native
from tapegrad._native import Tensor
from tapegrad._ops.arguments import as_shape, as_tensor
from tapegrad._ops.declare import Operation, TensorLike, linear, structural
from tapegrad._ops.elementwise import elementwise
from tapegrad._ops.padding import pad

__all__ = ["avg_pool2d", "conv2d", "max_pool2d"]

_Pair = tuple[int, int]
_Margins = tuple[_Pair, _Pair]


def _windows_forward(a: npt.NDArray[Any], *, size: _Pair, strides: _Pair, dilations: _Pair) -> npt.NDArray[Any]:
    """Return the windows as a view of shape (batch, rows, columns, height, width, channels)."""
    spans = tuple([(length - 1) * step + 1 for length, step in zip(size, dilations, strict=True)])
    views = sliding_window_view(a, spans, (1, 2))
    views = views[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]]
    return views.transpose(0, 1, 2, 4, 5, 3)


def _windows_transpose(
    a: npt.NDArray[Any], *, shape: tuple[int, ...], strides: _Pair, dilations: _Pair
) -> npt.NDArray[Any]:
    """Return an image of `shape` to which the windows are added where they were."""
    out = np.zeros(shape, a.dtype)
    few = 1 < a.shape[5] < 16
    # As many images at a time as stay in the cache.
    images = max(1, 2**17 // max(1, a[:1].size)) if few else max(1, len(a))
    for first in range(0, len(a), images):
        _add_at_places(out[first : first + images], a[first : first + images], few, strides, dilations)
    return out


def _add_at_places(out: npt.NDArray[Any], a: npt.NDArray[Any], few: bool, strides: _Pair, dilations: _Pair) -> None:
    """Add windows to images; `few` says that the channels are too few for a loop over them."""
    rows, columns, height, width = a.shape[1:5]
    apart = a.transpose(3, 4, 0, 1, 2, 5)
    if few:
        apart = np.ascontiguousarray(apart)  # so that whole rows of pixels lie side by side
    for i in range(height):
        for j in range(width):
            top, left = i * dilations[0], j * dilations[1]
            down = slice(top, top + (rows - 1) * strides[0] + 1, strides[0])
            across = slice(left, left + (columns - 1) * strides[1] + 1, strides[1])
            out[:, down, across] += apart[i, j]


_windows: Operation = linear(
    "windows",
    forward=_windows_forward,
    transpose=lambda g, a_shape, strides, dilations: _add_windows(
        g, shape=a_shape, strides=strides, dilations=dilations
    ),
)
_add_windows: Operation = linear(
    "add_windows",
    forward=_windows_transpose,
    transpose=lambda g, a_shape, strides, dilations: _windows(
        g, size=a_shape[3:5], strides=strides, dilations=dilations
    ),
)


def conv2d(
    input: TensorLike, filters: TensorLike, strides: Any = 1, padding: Any = "VALID", dilations: Any = 1
) -> Tensor:
    """Return the two-dimensional cross-correlation of images with filters.

    Parameters
    ----------
    input
        Images of shape (batch, height, width, channels).
    filters
        Filters of shape (height, width, channels, outputs).
    strides, dilations
        One int, a pair (height, width), or four numbers with ones for batch and channels.
    padding
        `"VALID"` (windows inside the image only), `"SAME"` (zeros around it, so that the result has
        `ceil(size / stride)` rows and columns), or four pairs of explicit widths.

    Returns
    -------
    Tensor
        Shape (batch, rows, columns, outputs).
    """
    input, filters = as_tensor(input), as_tensor(filters)
    if input.ndim != 4 or filters.ndim != 4 or input.shape[3] != filters.shape[2]:
        raise ValueError(
            f"conv2d: images (batch, height, width, channels) of shape {input.shape} and filters (height, "
            f"width, channels, outputs) of shape {filters.shape} do not fit."
        )
    size = filters.shape[0], filters.shape[1]
    steps, holes = _as_pair(strides, "conv2d", "strides"), _as_pair(dilations, "conv2d", "dilations")
    image = _padded(input, _margins(input.shape, size, steps, holes, padding, "conv2d"), 0)
    _check_size("conv2d", image.shape, size, holes)
    outputs = filters.shape[3]
    if size == (1, 1):
        views = _native.basic_index(image, (slice(None), slice(None, None, steps[0]), slice(None, None, steps[1])))
        return _native.matmul(views, _native.reshape(filters, (-1, outputs)))
    views = _windows(image, size=size, strides=steps, dilations=holes)
    rows, columns = views.shape[1:3]
    inner = math.prod(views.shape[3:])
    # One matrix with a window per row: one call of BLAS.
    product = _native.matmul(
        _native.reshape(views, (views.shape[0] * rows * columns, inner)),
        _native.reshape(filters, (inner, outputs)),
    )
    return _native.reshape(product, (views.shape[0], rows, columns, outputs))


def max_pool2d(input: TensorLike, ksize: Any, strides: Any, padding: Any = "VALID") -> Tensor:
    """Return the greatest element of each window, channel by channel; ties share its derivative.

    Parameters
    ----------
    input
        Images of shape (batch, height, width, channels).
    ksize, strides
        One int, a pair (height, width), or four numbers with ones for batch and channels.
    padding
        As for `conv2d`; what is added never wins.
    """
    image, size, steps = _pool_arguments("max_pool2d", input, ksize, strides)
    dtype = image.dtype
    lowest = -np.inf if dtype.is_floating else dtype.min
    image = _padded(image, _margins(image.shape, size, steps, (1, 1), padding, "max_pool2d"), lowest)
    _check_size("max_pool2d", image.shape, size, (1, 1))
    result: Tensor = _max_pool(image, size=size, strides=steps)
    return result


def _max_pool_forward(a: npt.NDArray[Any], *, size: _Pair, strides: _Pair) -> npt.NDArray[Any]:
    views = _windows_forward(a, size=size, strides=strides, dilations=(1, 1))
    # A maximum of whole slices is several times faster than a reduction over short axes.
    out = views[:, :, :, 0, 0].copy()
    for k in range(1, size[0] * size[1]):
        np.maximum(out, views[:, :, :, k // size[1], k % size[1]], out=out)
    return out


def _max_pool_vjp(g: Tensor, a: Tensor, out: Tensor, size: _Pair, strides: _Pair) -> Tensor:
    views = _windows(a, size=size, strides=strides, dilations=(1, 1))
    per_window = (*out.shape[:3], 1, 1, out.shape[3])
    there = _native.cast(elementwise.equal(views, _native.reshape(out, per_window)), g.dtype)
    share = elementwise.divide(_native.reshape(g, per_window), _native.sum(there, (3, 4), True))
    result: Tensor = _add_windows(elementwise.multiply(there, share), shape=a.shape, strides=strides, dilations=(1, 1))
    return result


_max_pool: Operation = structural("max_pool2d", _max_pool_forward, a=_max_pool_vjp)


def avg_pool2d(input: TensorLike, ksize: Any, strides: Any, padding: Any = "VALID") -> Tensor:
    """Return the mean of each window, channel by channel; what the padding adds does not count.

    The parameters are those of `max_pool2d`.
    """
    image, size, steps = _pool_arguments("avg_pool2d", input, ksize, strides)
    margins = _margins(image.shape, size, steps, (1, 1), padding, "avg_pool2d")
    counts: Any = size[0] * size[1]
    if margins != ((0, 0), (0, 0)):
        ones = np.pad(np.ones((1, *image.shape[1:3], 1), image.dtype), ((0, 0), *margins, (0, 0)))
        counts = _windows_forward(ones, size=size, strides=steps, dilations=(1, 1)).sum((3, 4))
    image = _padded(image, margins, 0)
    _check_size("avg_pool2d", image.shape, size, (1, 1))
    return elementwise.divide(_window_sum(image, size=size, strides=steps), counts)


def _window_sum_forward(a: npt.NDArray[Any], *, size: _Pair, strides: _Pair) -> npt.NDArray[Any]:
    views = _windows_forward(a, size=size, strides=strides, dilations=(1, 1))
    out = views[:, :, :, 0, 0].copy()
    for k in range(1, size[0] * size[1]):
        out += views[:, :, :, k // size[1], k % size[1]]
    return out


def _window_sum_transpose(g: Tensor, a_shape: tuple[int, ...], size: _Pair, strides: _Pair) -> Tensor:
    batch, rows, columns, channels = g.shape
    spread = _native.broadcast_to(
        _native.reshape(g, (batch, rows, columns, 1, 1, channels)), (batch, rows, columns, *size, channels)
    )
    result: Tensor = _add_windows(spread, shape=a_shape, strides=strides, dilations=(1, 1))
    return result


_window_sum: Operation = linear("window_sum", forward=_window_sum_forward, transpose=_window_sum_transpose)


def _pool_arguments(what: str, input: TensorLike, ksize: Any, strides: Any) -> tuple[Tensor, _Pair, _Pair]:
    image = as_tensor(input)
    if image.ndim != 4:
        raise ValueError(
            f"{what}: images (batch, height, width, channels) are needed, not a tensor of shape {image.shape}."
        )
    return image, _as_pair(ksize, what, "ksize"), _as_pair(strides, what, "strides")


def _as_pair(value: Any, what: str, name: str) -> _Pair:
    """Return the numbers for height and width."""
    numbers = as_shape(value)
    if len(numbers) == 1:
        numbers *= 2
    elif len(numbers) == 4 and numbers[0] == numbers[3] == 1:
        numbers = numbers[1:3]
    if len(numbers) != 2 or min(numbers) < 1:
        raise ValueError(
            f"{what}: {name} is a positive int, a pair (height, width) or (1, height, width, 1), not {value!r}."
        )
    return numbers[0], numbers[1]


def _margins(
    shape: tuple[int, ...], size: _Pair, strides: _Pair, dilations: _Pair, padding: Any, what: str
) -> _Margins:
    """Return how much to add before and after the rows and the columns."""
    if isinstance(padding, str):
        word = padding.upper()
        if word == "VALID":
            return (0, 0), (0, 0)
        if word == "SAME":
            across = [_same(*numbers) for numbers in zip(shape[1:3], size, strides, dilations, strict=True)]
            return across[0], across[1]
    else:
        widths = [as_shape(pair) for pair in padding]
        if len(widths) == 4 and all(len(pair) == 2 for pair in widths) and widths[0] == widths[3] == (0, 0):
            (top, bottom), (left, right) = widths[1:3]
            return (top, bottom), (left, right)
    raise ValueError(
        f"{what}: padding is 'VALID', 'SAME' or [[0, 0], [top, bottom], [left, right], [0, 0]], not {padding!r}."
    )


def _same(length: int, size: int, stride: int, dilation: int) -> _Pair:
    """Return what makes the result `ceil(length / stride)` long; the odd one goes behind."""
    missing = max((-(-length // stride) - 1) * stride + (size - 1) * dilation + 1 - length, 0)
    return missing // 2, missing - missing // 2


def _padded(image: Tensor, margins: _Margins, constant: float) -> Tensor:
    return image if margins == ((0, 0), (0, 0)) else pad(image, ((0, 0), *margins, (0, 0)), constant_values=constant)


def _check_size(what: str, shape: tuple[int, ...], size: _Pair, dilations: _Pair) -> None:
    for length, window, step in zip(shape[1:3], size, dilations, strict=True):
        if (window - 1) * step + 1 > length:
            raise ValueError(f"{what}: a window of {size} is greater than the (padded) images of shape {shape}.")
