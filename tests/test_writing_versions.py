"""Writing to tensors: what other objects and tapes keep, and what is refused."""

from __future__ import annotations

import array as python_array
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._interchange import refuse_storing


class TestVersions:
    """A write changes one object; everything else that has the old value keeps it."""

    def test_aliases(self) -> None:
        x = tf.constant([1.0, 2.0, 3.0])
        same, part, array, view = x, x[1:], np.asarray(x), memoryview(x)
        other = tf.identity(x)
        x[1] = 9.0
        assert same is x
        assert x.numpy().tolist() == [1.0, 9.0, 3.0]
        assert part.numpy().tolist() == [2.0, 3.0]
        assert array.tolist() == view.tolist() == other.numpy().tolist() == [1.0, 2.0, 3.0]
        part[0] = 7.0
        assert x.numpy().tolist() == [1.0, 9.0, 3.0]

    def test_the_array_that_a_tensor_shares(self) -> None:
        shared = np.array([1.0, 2.0])
        x = tf.from_numpy(shared)
        x[0] = 5.0
        assert shared.tolist() == [1.0, 2.0]

    def test_what_a_tape_saved(self) -> None:
        x = tf.constant([1.0, 2.0, 3.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.identity(x)
            z = y * y
            y[0] = 100.0
            z[2] = 0.0
        np.testing.assert_array_equal(tape.gradient(z, x), [2.0, 4.0, 0.0])

    @pytest.mark.parametrize(
        "function",
        [tf.nn.softmax, tf.math.cumprod, tf.linalg.norm, lambda y: tf.einsum("i,j->ij", y, y), tf.reduce_max],
    )
    def test_what_rules_written_in_python_saved(self, function: Callable[..., Any]) -> None:
        def gradient(write: bool) -> Any:
            x = tf.constant([1.0, 2.0, 4.0])
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(x)
                y = tf.identity(x)
                z = function(y)
                total = tf.reduce_sum(z * z)
                if write:
                    y[...] = -3.0
                    z[...] = 50.0
            return tape.gradient(total, x)

        np.testing.assert_array_equal(gradient(True), gradient(False))

    def test_keys_that_change_later(self) -> None:
        x, key, mask = tf.constant([1.0, 2.0, 3.0]), np.array([0, 1]), np.array([True, False, False])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.identity(x)
            y[key] = y[key] * 2.0
            y[mask] *= 5.0
            key[:] = 2
            mask[:] = False
        np.testing.assert_array_equal(tape.gradient(y, x), [10.0, 2.0, 1.0])

    def test_a_version_before_a_write_is_a_source(self) -> None:
        x = tf.Variable([1.0, 2.0])
        with tf.GradientTape(persistent=True) as tape:
            y = x * 3.0
            before = tf.identity(y)
            y[0] = before[1] * 2.0
            total = tf.reduce_sum(y)
        np.testing.assert_array_equal(tape.gradient(total, before), [0.0, 2.0])
        np.testing.assert_array_equal(tape.gradient(total, y), [1.0, 1.0])
        np.testing.assert_array_equal(tape.gradient(total, x), [0.0, 9.0])


class TestRefusals:
    """A write that cannot be right raises, and changes nothing."""

    def test_sources(self) -> None:
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            with pytest.raises(TypeError, match=r"A tape watches this tensor.*tf\.identity"):
                x[0] = 5.0
            y = tf.identity(x)
            y[0] = 5.0
            z = x.at[0].set(5.0)
        assert x.numpy().tolist() == [1.0, 2.0]
        np.testing.assert_array_equal(tape.gradient([y, z], x), [0.0, 2.0])
        x[0] = 5.0  # the tape is used up
        assert x.numpy().tolist() == [5.0, 2.0]

    def test_sources_of_an_outer_tape(self) -> None:
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape(), pytest.raises(TypeError, match="A tape watches this tensor"):
                x[0] = 5.0

    def test_variables(self) -> None:
        v = tf.Variable([1.0, 2.0], name="v")
        with pytest.raises(TypeError, match=r"Variable 'v:0' does not support item assignment.*\.assign"):
            v[0] = 3.0
        with pytest.raises(TypeError, match=r"variable\[\.\.\.\]\.assign"):
            v[0:1][0] = 3.0
        with pytest.raises(TypeError, match=r"\.assign"):
            v[0] += 3.0
        assert v.numpy().tolist() == [1.0, 2.0]
        assert v.at[0].set(3.0).numpy().tolist() == [3.0, 2.0]
        v[0].assign(3.0)
        assert v.numpy().tolist() == [3.0, 2.0]

    def test_at_of_a_variable_is_recorded(self) -> None:
        v = tf.Variable([1.0, 2.0])
        with tf.GradientTape() as tape:
            y = v.at[0].multiply(v[1] * 3.0)
        np.testing.assert_array_equal(tape.gradient(y, v), [6.0, 4.0])

    def test_integers_beyond_the_type(self) -> None:
        x = tf.zeros(2, tf.int8)
        with pytest.raises(OverflowError, match="300 out of bounds for int8"):
            x[0] = 300


class TestArraysOnTheLeft:
    """A watched tensor does not become an element of an array unnoticed."""

    @pytest.mark.parametrize("key", [slice(None), [0, 1], np.array([True, False, True])])
    def test_parts_of_arrays(self, key: Any) -> None:
        a, x = np.zeros(3), tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            with pytest.raises(TypeError, match="a tape records this value"):
                a[key] = x
        a[key] = x
        assert a[0] == 2.0

    def test_storing_is_told_from_converting(self) -> None:
        """Single elements come through `__float__`, which cannot ask what it is called for."""

        class Number:
            def __float__(self) -> float:
                refuse_storing(depth=2)
                return 2.0

        a, numbers, number = np.zeros(3), python_array.array("d", [0.0]), Number()
        for key in (0, -1, np.int64(1), (2,)):
            with pytest.raises(TypeError, match=r"a tape records this value, and in an array it would leave the tape"):
                a[key] = number
        with pytest.raises(TypeError, match="a tape records this value"):
            numbers[0] = number
        a[0] = float(number)
        a[int(float(number))] += math.sqrt(number)
        assert a.tolist() == [2.0, 0.0, math.sqrt(2.0)]
