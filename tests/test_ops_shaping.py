"""Tests of the operations that move, join, cut and pad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._ops import joining, shaping
from tapegrad.testing import check_grads

X = np.linspace(-1.0, 2.0, 24).reshape(2, 3, 4)

CASES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "reshape": (lambda x: tf.reshape(x, [4, -1]), lambda x: x.reshape(4, 6)),
    "reshape by tensor": (lambda x: tf.reshape(x, tf.constant([6, 4])), lambda x: x.reshape(6, 4)),
    "ravel": (shaping.ravel, np.ravel),
    "identity": (tf.identity, lambda x: x),
    "transpose": (tf.transpose, np.transpose),
    "transpose with perm": (lambda x: tf.transpose(x, [1, 2, 0]), lambda x: x.transpose(1, 2, 0)),
    "moveaxis": (lambda x: shaping.moveaxis(x, [0, 2], [2, 0]), lambda x: np.moveaxis(x, [0, 2], [2, 0])),
    "moveaxis one": (lambda x: shaping.moveaxis(x, -1, 0), lambda x: np.moveaxis(x, -1, 0)),
    "swapaxes": (lambda x: shaping.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1)),
    "expand_dims": (lambda x: tf.expand_dims(x, -2), lambda x: np.expand_dims(x, -2)),
    "expand_dims two": (lambda x: shaping.expand_dims(x, (0, 3)), lambda x: np.expand_dims(x, (0, 3))),
    "squeeze": (lambda x: tf.squeeze(x[:, :1]), lambda x: x[:, 0]),
    "squeeze axis": (lambda x: tf.squeeze(x[:1, :1], [1]), lambda x: x[:1, 0]),
    "broadcast_to": (
        lambda x: tf.broadcast_to(x[:, :1], (5, 2, 3, 4)),
        lambda x: np.broadcast_to(x[:, :1], (5, 2, 3, 4)),
    ),
    "flip": (lambda x: tf.reverse(x, [0, -1]), lambda x: np.flip(x, (0, -1))),
    "flip all": (shaping.flip, np.flip),
    "roll": (lambda x: tf.roll(x, 2, 1), lambda x: np.roll(x, 2, 1)),
    "roll two axes": (lambda x: tf.roll(x, [1, -3], [0, 2]), lambda x: np.roll(x, (1, -3), (0, 2))),
    "roll flat": (lambda x: shaping.roll(x, 5), lambda x: np.roll(x, 5)),
    "tile": (lambda x: tf.tile(x, [1, 2, 3]), lambda x: np.tile(x, (1, 2, 3))),
    "tile more axes": (lambda x: shaping.tile(x, (2, 1, 1, 2)), lambda x: np.tile(x, (2, 1, 1, 2))),
    "tile fewer axes": (lambda x: shaping.tile(x, 2), lambda x: np.tile(x, 2)),
    "repeat": (lambda x: tf.repeat(x, 2, axis=1), lambda x: np.repeat(x, 2, 1)),
    "repeat each": (lambda x: tf.repeat(x, [0, 1, 3], axis=1), lambda x: np.repeat(x, [0, 1, 3], 1)),
    "repeat flat": (lambda x: tf.repeat(x, 2), lambda x: np.repeat(x, 2)),
    "concat": (lambda x: tf.concat([x, 2 * x, x], axis=-1), lambda x: np.concatenate([x, 2 * x, x], -1)),
    "stack": (lambda x: tf.stack([x, 2 * x], axis=1), lambda x: np.stack([x, 2 * x], 1)),
    "unstack": (lambda x: tf.unstack(x, axis=1)[2], lambda x: x[:, 2]),
    "split": (lambda x: tf.split(x, 2, axis=2)[1], lambda x: x[:, :, 2:]),
    "split by sizes": (lambda x: tf.split(x, [1, -1], axis=1)[1], lambda x: x[:, 1:]),
    "pad": (lambda x: tf.pad(x, [[1, 0], [0, 2], [1, 1]]), lambda x: np.pad(x, [(1, 0), (0, 2), (1, 1)])),
    "pad with a number": (
        lambda x: tf.pad(x, [[1, 0], [0, 2], [1, 1]], constant_values=7.0),
        lambda x: np.pad(x, [(1, 0), (0, 2), (1, 1)], constant_values=7.0),
    ),
    "pad reflect": (
        lambda x: tf.pad(x, [[1, 0], [0, 2], [3, 1]], "REFLECT"),
        lambda x: np.pad(x, [(1, 0), (0, 2), (3, 1)], "reflect"),
    ),
    "pad symmetric": (
        lambda x: tf.pad(x, [[2, 0], [0, 3], [4, 1]], "SYMMETRIC"),
        lambda x: np.pad(x, [(2, 0), (0, 3), (4, 1)], "symmetric"),
    ),
    "pack": (
        lambda x: tf.convert_to_tensor([[x[0, 0, 0], 2.0], [1, x[1, 2, 3]]]),
        lambda x: [[x[0, 0, 0], 2.0], [1, x[1, 2, 3]]],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str) -> None:
    f, reference = CASES[name]
    result = f(tf.constant(X))
    np.testing.assert_array_equal(result, reference(X), strict=name != "pack")
    check_grads(f, (X,), order=2)


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"pack", "pad with a number"}))
def test_integers_stay_integers(name: str) -> None:
    f, reference = CASES[name]
    x = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    np.testing.assert_array_equal(f(tf.constant(x)), reference(x), strict=True)


def test_lists_are_operands() -> None:
    assert tf.reverse([1.0, 2.0], [0]).dtype is tf.float32
    np.testing.assert_array_equal(tf.roll([1, 2, 3], 1, 0), [3, 1, 2])
    np.testing.assert_array_equal(tf.stack([1.0, tf.constant(2.0)]), [1.0, 2.0])
    np.testing.assert_array_equal(tf.concat([[1.0], [2.0]], 0), [1.0, 2.0])


def test_joined_tensors_promote_as_in_numpy_2() -> None:
    assert tf.stack([1.0, 2]).dtype is tf.float32
    assert tf.stack([1, 2]).dtype is tf.int32
    assert tf.stack([1, tf.constant(2.5)]).dtype is tf.float32
    assert tf.concat([[0.1], tf.constant([1.0], tf.float64)], 0).dtype is tf.float64
    assert float(tf.stack([0.1, tf.constant(1.0, tf.float64)])[0]) == 0.1
    assert tf.stack([tf.constant(1), tf.constant(1.0)]).dtype is tf.float64
    assert tf.stack([tf.constant(1), 0.5]).dtype is tf.float64
    check_grads(lambda x: tf.stack([x, 1, x * x]), (np.float64(3.0),), order=2)


def test_identity_is_another_tensor() -> None:
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.identity(x)
        z = x * x
    assert y is not x
    assert float(tape.gradient(y, x)) == 1.0
    assert tape.gradient(z, y) is None


def test_unused_parts_contribute_zeros() -> None:
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        parts = tf.unstack(x, num=3)
        y = parts[0] * parts[2]
    np.testing.assert_array_equal(tape.gradient(y, x), [[5.0, 6.0], [0.0, 0.0], [1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, last = tf.split(x, [1, 2])
        y = last * 2
    np.testing.assert_array_equal(tape.gradient(y, x), [[0.0, 0.0], [2.0, 2.0], [2.0, 2.0]])


def test_gradient_of_the_padding_value() -> None:
    check_grads(lambda x, c: tf.pad(x * c, [[1, 2]], constant_values=c * c), (X[0, 0], np.float64(1.5)), order=2)


def test_gradient_with_respect_to_every_part() -> None:
    check_grads(lambda a, b, c: tf.stack([a * b, c, a]), (X[0, 0], X[0, 1], X[0, 2]), order=2)
    check_grads(lambda a, b: tf.concat([a * b, b], 0), (X[0], X[1]), order=2)


def test_pack_keeps_the_type_of_the_tensors() -> None:
    packed = joining.pack([[tf.constant(1.0, tf.float64), 2.0], [3, 4.0]])
    assert packed.dtype is tf.float64
    assert joining.pack([tf.constant(1.0), 2], tf.float64).dtype is tf.float64
    np.testing.assert_array_equal(joining.pack([tf.constant([1, 2]), [3, 4]]), [[1, 2], [3, 4]])


def test_shape_size_and_rank() -> None:
    assert tf.shape(X).numpy().tolist() == [2, 3, 4]
    assert tf.shape(X, out_type=tf.int64).dtype is tf.int64
    assert int(tf.size(X)) == 24
    assert int(tf.rank(X)) == 3


def test_empty_tensors() -> None:
    empty = tf.zeros((0, 3))
    assert tf.unstack(empty) == []
    assert tf.reverse(empty, [0]).shape == (0, 3)
    assert tf.pad(empty, [[1, 0], [0, 0]]).shape == (1, 3)
    assert [part.shape for part in tf.split(empty, 3, axis=1)] == [(0, 1)] * 3
    assert [part.shape for part in tf.split(empty, 2)] == [(0, 3)] * 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.squeeze(tf.zeros((2, 1)), 0), r"squeeze: cannot drop axis 0 of size 2 .* shape \(2, 1\)"),
        (
            lambda: tf.expand_dims(tf.zeros(2), 3),
            "expand_dims: axis 3 is out of bounds for a tensor with 2 dim",
        ),
        (lambda: tf.stack([tf.zeros(2), tf.zeros(3)]), r"stack: .* one shape, not \(2,\) and \(3,\)"),
        (lambda: tf.stack([]), "stack: at least one tensor"),
        (lambda: tf.concat([], 0), "concatenate: at least one tensor"),
        (
            lambda: tf.split(tf.zeros((3, 4)), 2),
            r"split: axis 0 of a tensor with shape \(3, 4\) has no 2 equal parts",
        ),
        (
            lambda: tf.split(tf.zeros(3), [1, 1]),
            r"split: pieces of \[1, 1\] do not add up to axis 0 .* \(3,\)",
        ),
        (lambda: tf.split(tf.zeros(4), 2, num=3), "split: there are 2 pieces, not 3"),
        (lambda: tf.unstack(tf.zeros((2, 3)), num=3), r"unstack: axis 0 .* \(2, 3\) has 2 slices, not 3"),
        (lambda: tf.tile(tf.zeros((2, 3)), [2]), r"tile: multiples \(2,\) .* shape \(2, 3\)"),
        (lambda: tf.reverse(tf.zeros(2), [0, 0]), r"flip: axis \(0, 0\) names a dimension twice"),
        (lambda: tf.roll(tf.zeros((2, 2)), [1, 2, 3], [0, 1]), "roll: 3 shifts for 2 axes"),
        (
            lambda: shaping.moveaxis(tf.zeros((2, 2)), [0, 1], [0]),
            "moveaxis: 2 axes cannot move to 1 positions",
        ),
        (lambda: tf.pad(tf.zeros((2, 2)), [[1, 1]]), r"pad: the widths must be 2 pairs .* shape \(2, 2\)"),
        (lambda: tf.pad(tf.zeros(2), [[1, -1]]), "pad: the widths must not be negative"),
        (
            lambda: tf.pad(tf.zeros(2), [[2, 0]], "REFLECT"),
            "pad: axis 0 of size 2 can be extended by at most 1",
        ),
        (lambda: tf.pad(tf.zeros(2), [[2, 0]], "EDGE"), "pad: unknown mode 'edge'"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
