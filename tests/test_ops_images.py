"""Tests of convolution and pooling against plain loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._ops.convolution import avg_pool2d, conv2d, max_pool2d
from tapegrad.testing import check_grads

RANDOM = np.random.default_rng(13)
IMAGES = RANDOM.normal(size=(2, 5, 6, 3))


def _padded(images: Any, size: Any, strides: Any, dilations: Any, padding: str, constant: float) -> Any:
    if padding == "VALID":
        return images
    widths = [(0, 0)]
    for length, window, stride, step in zip(images.shape[1:3], size, strides, dilations, strict=True):
        missing = max((int(np.ceil(length / stride)) - 1) * stride + (window - 1) * step + 1 - length, 0)
        widths.append((missing // 2, missing - missing // 2))
    return np.pad(images, [*widths, (0, 0)], constant_values=constant)


def _windows(images: Any, size: Any, strides: Any, dilations: Any = (1, 1)) -> Any:
    """Return (batch, rows, columns, height, width, channels), one window after the other."""
    rows = range(0, images.shape[1] - (size[0] - 1) * dilations[0], strides[0])
    columns = range(0, images.shape[2] - (size[1] - 1) * dilations[1], strides[1])
    return np.stack(
        [
            np.stack(
                [
                    images[
                        :,
                        i : i + (size[0] - 1) * dilations[0] + 1 : dilations[0],
                        j : j + (size[1] - 1) * dilations[1] + 1 : dilations[1],
                    ]
                    for j in columns
                ],
                1,
            )
            for i in rows
        ],
        1,
    )


@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize(
    ("size", "strides", "dilations"),
    [
        ((3, 2), 1, 1),
        ((2, 2), 2, 1),
        ((3, 3), (2, 1), 1),
        ((2, 3), 1, 2),
        ((1, 1), 1, 1),
        ((1, 1), (2, 3), 1),
        ((3, 3), (1, 2, 3, 1), 1),
    ],
)
def test_conv2d(size: Any, strides: Any, dilations: int, padding: str) -> None:
    filters = RANDOM.normal(size=(*size, 3, 4))
    steps = (strides, strides) if isinstance(strides, int) else strides if len(strides) == 2 else strides[1:3]
    holes = (dilations, dilations)
    windows = _windows(_padded(IMAGES, size, steps, holes, padding, 0.0), size, steps, holes)
    expected = np.einsum("brchwi,hwio->brco", windows, filters)
    np.testing.assert_allclose(conv2d(IMAGES, filters, strides, padding, dilations), expected, rtol=1e-12, atol=1e-12)
    check_grads(lambda x, w: conv2d(x, w, strides, padding, dilations), (IMAGES, filters), order=2)


@pytest.mark.parametrize("channels", [1, 3, 16])
def test_slope_of_many_images(channels: int) -> None:
    """More images than are worked on at a time, with many and with few channels; the convolution is linear in them."""
    images = RANDOM.normal(size=(30, 22, 21, channels))
    filters = tf.constant(RANDOM.normal(size=(3, 2, channels, 2)))
    x = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = conv2d(x, filters, (2, 1), "SAME")
    weights = RANDOM.normal(size=y.shape)
    slopes = tape.gradient(y, x, output_gradients=tf.constant(weights)).numpy()
    by_image = np.einsum("bhwc,bhwc->b", slopes, images)
    np.testing.assert_allclose(by_image, np.einsum("brco,brco->b", weights, y.numpy()), rtol=1e-10, atol=1e-10)


def test_conv2d_with_explicit_padding() -> None:
    filters = RANDOM.normal(size=(2, 2, 3, 1))
    padding = [[0, 0], [1, 2], [0, 3], [0, 0]]
    expected = conv2d(np.pad(IMAGES, padding), filters)
    np.testing.assert_array_equal(conv2d(IMAGES, filters, 1, padding), expected)


@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize(("size", "strides"), [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((2, 3), (3, 1)), ((1, 1), (1, 1))])
def test_pooling(size: Any, strides: Any, padding: str) -> None:
    windows = _windows(_padded(IMAGES, size, strides, (1, 1), padding, -np.inf), size, strides)
    np.testing.assert_array_equal(max_pool2d(IMAGES, size, strides, padding), windows.max((3, 4)))
    check_grads(lambda x: max_pool2d(x * x, size, strides, padding), (IMAGES,), order=2)
    windows = _windows(_padded(IMAGES, size, strides, (1, 1), padding, np.nan), size, strides)
    np.testing.assert_allclose(avg_pool2d(IMAGES, size, strides, padding), np.nanmean(windows, (3, 4)), rtol=1e-12)
    check_grads(lambda x: avg_pool2d(x * x, size, strides, padding), (IMAGES,), order=2)


def test_ties_in_a_window_share_the_derivative() -> None:
    x = tf.ones((1, 2, 2, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = max_pool2d(x, 2, 2)
    np.testing.assert_array_equal(tape.gradient(y, x), np.full((1, 2, 2, 1), 0.25))


def test_types_are_kept() -> None:
    x = IMAGES.astype(np.float32)
    assert conv2d(x, np.ones((2, 2, 3, 4), np.float32)).dtype is tf.float32
    assert avg_pool2d(x, 2, 2, "SAME").dtype is tf.float32
    assert max_pool2d(np.arange(16).reshape(1, 4, 4, 1), 2, 2, "SAME").dtype is tf.int64


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: conv2d(IMAGES, np.ones((2, 2, 4, 1))),
            r"conv2d: .* \(2, 5, 6, 3\) and filters .* \(2, 2, 4, 1\) do not fit",
        ),
        (
            lambda: conv2d(IMAGES, np.ones((7, 2, 3, 1))),
            r"conv2d: a window of \(7, 2\) is greater than .* \(2, 5, 6, 3\)",
        ),
        (
            lambda: conv2d(IMAGES, np.ones((2, 2, 3, 1)), padding="FULL"),
            "conv2d: padding is 'VALID', 'SAME' or .* not 'FULL'",
        ),
        (
            lambda: conv2d(IMAGES, np.ones((2, 2, 3, 1)), strides=(2, 1, 1, 1)),
            r"conv2d: strides is .* not \(2, 1, 1, 1\)",
        ),
        (lambda: max_pool2d(IMAGES, 0, 1), "max_pool2d: ksize is a positive int"),
        (lambda: avg_pool2d(IMAGES[0], 2, 1), r"avg_pool2d: images .* not a tensor of shape \(5, 6, 3\)"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
