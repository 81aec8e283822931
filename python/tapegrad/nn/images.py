"""Convolution and pooling of images, with their axes in either of TensorFlow's orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad import _native as native
from tapegrad._native import Tensor
from tapegrad._ops import convolution
from tapegrad._ops.arguments import as_tensor
from tapegrad._ops.declare import TensorLike

__all__ = [
    "avg_pool",
    "avg_pool2d",
    "conv2d",
    "max_pool",
    "max_pool2d",
]


def conv2d(
    input: TensorLike,
    filters: TensorLike,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The two-dimensional cross-correlation of images with filters.

    Parameters
    ----------
    input
        Images shaped (batch, height, width, channels), or (batch, channels, height, width) for ``NCHW``.
    filters
        Shaped (height, width, channels, outputs).
    strides, dilations
        An int, two (height, width), or four numbers, one for each axis of `input`.
    padding
        ``"VALID"``, ``"SAME"``, or a pair of widths for each axis of `input`.
    data_format : {"NHWC", "NCHW"}
        The order of the axes of `input` and of the result.
    name
        Has no effect.

    Raises
    ------
    ValueError
        If the shapes do not fit, or an argument is none of the above.

    Examples
    --------
    >>> import tapegrad as tf
    >>> tf.nn.conv2d(tf.ones((1, 3, 3, 1)), tf.ones((2, 2, 1, 1)), strides=1, padding="VALID").numpy().ravel()
    array([4., 4., 4., 4.], dtype=float32)
    """
    channels_first = _is_channels_first(data_format)
    image = _channels_last(input, channels_first)
    steps, holes, margins = _hwc(strides, channels_first), _hwc(dilations or 1, channels_first), padding
    if not isinstance(padding, str):
        margins = _hwc(padding, channels_first)
    result = convolution.conv2d(image, filters, steps, margins, holes)
    return _channels_second(result) if channels_first else result


def max_pool2d(
    input: TensorLike,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """The maximum of each window, channel by channel; elements that tie for it share its derivative.

    Parameters
    ----------
    input, strides, padding, data_format, name
        As for `conv2d`.
    ksize
        The size of a window, given like the strides.

    Examples
    --------
    >>> import tapegrad as tf
    >>> image = tf.reshape(tf.range(16.0), (1, 4, 4, 1))
    >>> tf.nn.max_pool2d(image, ksize=2, strides=2, padding="VALID").numpy().ravel()
    array([ 5.,  7., 13., 15.], dtype=float32)
    """
    return _pool(convolution.max_pool2d, input, ksize, strides, padding, data_format)


def avg_pool2d(
    input: TensorLike,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:
    """The mean of each window, channel by channel; what the padding adds does not count.

    Parameters
    ----------
    input, strides, padding, data_format, name
        As for `conv2d`.
    ksize
        The size of a window, given like the strides.

    Examples
    --------
    >>> import tapegrad as tf
    >>> image = tf.reshape(tf.range(16.0), (1, 4, 4, 1))
    >>> tf.nn.avg_pool2d(image, ksize=2, strides=2, padding="VALID").numpy().ravel()
    array([ 2.5,  4.5, 10.5, 12.5], dtype=float32)
    """
    return _pool(convolution.avg_pool2d, input, ksize, strides, padding, data_format)


max_pool = max_pool2d
avg_pool = avg_pool2d


def _pool(
    operation: Callable[..., Tensor],
    input: TensorLike,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str,
) -> Tensor:
    channels_first = _is_channels_first(data_format)
    image = _channels_last(input, channels_first)
    margins = padding if isinstance(padding, str) else _hwc(padding, channels_first)
    result = operation(image, _hwc(ksize, channels_first), _hwc(strides, channels_first), margins)
    return _channels_second(result) if channels_first else result


def _is_channels_first(data_format: str) -> bool:
    if data_format not in ("NHWC", "NCHW"):
        raise ValueError(f"`data_format` must be 'NHWC' or 'NCHW', got {data_format!r}.")
    return data_format == "NCHW"


def _channels_last(image: TensorLike, channels_first: bool) -> Any:
    return native.transpose(as_tensor(image), (0, 2, 3, 1)) if channels_first else image


def _channels_second(image: Tensor) -> Tensor:
    return native.transpose(image, (0, 3, 1, 2))


def _hwc(numbers: Any, channels_first: bool) -> Any:
    """Settings given for each axis of an image, in the order batch, height, width, channels."""
    if channels_first and not isinstance(numbers, int) and len(numbers) == 4:
        return [numbers[k] for k in (0, 2, 3, 1)]
    return numbers
