"""Tests of random tensors."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad.testing import check_grads


def test_seeds_make_numbers_repeatable() -> None:
    def draw() -> list[Any]:
        return [
            tf.random.normal([3]).numpy(),
            tf.random.uniform([3]).numpy(),
            tf.random.normal([3], seed=1).numpy(),
            tf.random.normal([3], seed=1).numpy(),
            tf.random.shuffle(np.arange(20)).numpy(),
        ]

    tf.random.set_seed(5)
    first = draw()
    tf.random.set_seed(5)
    for one, other in zip(first, draw(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first[2], first[3])
    tf.random.set_seed(-5)
    assert not np.array_equal(first[0], draw()[0])


def test_a_calls_own_seed_is_independent_of_other_draws() -> None:
    tf.random.set_seed(5)
    first = tf.random.uniform([3], seed=2).numpy()
    tf.random.set_seed(5)
    tf.random.uniform([7])
    np.testing.assert_array_equal(tf.random.uniform([3], seed=2), first)


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64])
def test_normal_and_uniform(dtype: tf.DType) -> None:
    tf.random.set_seed(1)
    x = tf.random.normal([100, 100], 2.0, 0.5, dtype)
    assert x.dtype is dtype
    np.testing.assert_allclose(
        [x.numpy().mean(dtype=float), x.numpy().std(dtype=float)], [2.0, 0.5], atol=0.02
    )
    u = tf.random.uniform((10000,), -1, 3.0, dtype)
    assert u.dtype is dtype
    assert -1 <= u.numpy().min() < -0.99
    assert 2.99 < u.numpy().max() <= 3
    np.testing.assert_allclose(u.numpy().mean(dtype=float), 1.0, atol=0.05)


def test_truncated_normal_stays_within_two_deviations() -> None:
    x = tf.random.truncated_normal([10000], 1.0, 0.1, seed=3).numpy()
    assert abs(x - 1).max() <= 0.2 + 1e-6
    assert x.std() == pytest.approx(0.088, abs=0.003)


def test_scalars_and_integers() -> None:
    assert tf.random.normal([]).shape == ()
    x = tf.random.uniform([1000], 3, 7, tf.int32)
    assert x.dtype is tf.int32
    assert set(x.numpy().tolist()) == {3, 4, 5, 6}
    assert tf.random.uniform([], maxval=5, dtype=tf.int64).dtype is tf.int64


def test_gradients_flow_to_the_parameters() -> None:
    def drawn(mean: Any, deviation: Any) -> Any:
        tf.random.set_seed(9)
        return tf.random.normal([2, 3], mean * deviation, deviation, tf.float64)

    check_grads(drawn, (np.array([1.0, 2.0, 3.0]), np.float64(0.5)), order=2)

    def even(low: Any, high: Any) -> Any:
        tf.random.set_seed(9)
        return tf.random.uniform([4], low, low * high, tf.float64)

    check_grads(even, (np.float64(1.0), np.float64(3.0)), order=2)


def test_shuffle_permutes_the_first_axis() -> None:
    x = np.arange(12.0).reshape(6, 2)
    shuffled = tf.random.shuffle(x, seed=1)
    assert sorted(shuffled.numpy().tolist()) == x.tolist()
    check_grads(lambda x: tf.random.shuffle(x, seed=np.random.default_rng(0)), (x,), order=1)
    with pytest.raises(ValueError, match="shuffle: a tensor with at least one dimension"):
        tf.random.shuffle(1.0)


def test_many_threads_draw_different_numbers() -> None:
    tf.random.set_seed(0)
    draws: list[float] = []

    def draw() -> None:
        draws.extend(tf.random.uniform([500], dtype=tf.float64).numpy().tolist())

    threads = [threading.Thread(target=draw) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(draws)) == 4000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: tf.random.normal([2], dtype=tf.int32),
            "normal: dtype must be a floating-point type, not int32",
        ),
        (
            lambda: tf.random.uniform([2], dtype=tf.int32),
            "uniform: maxval must be given for the integer type int32",
        ),
        (lambda: tf.random.uniform([2], dtype=tf.complex64), "uniform: dtype must be a floating-point type"),
        (lambda: tf.random.normal([2], mean=[0.0, 1.0, 2.0]), r"random: .* shape \(3,\) .* \(2,\)"),
        (lambda: tf.random.normal([2], mean=[[0.0], [1.0]]), r"random: .* shape \(2, 1\) .* \(2,\)"),
    ],
)
def test_bad_calls_say_what_is_wrong(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
