"""The checker finds a rule that is wrong by a thousandth, in every mode, and says where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tf
from tapegrad._native import own, record
from tapegrad._ops.declare import linear, structural
from tapegrad.testing import check_grads

X = np.array([[0.5, -1.0, 1.5], [2.0, 0.7, -0.4]])
WORST = np.where(np.arange(6).reshape(2, 3) == 4, 1.0, 0.0)  # at index (1, 1)


def message(function: Callable[..., Any], mode: str, order: int = 1) -> str:
    """What the checker says of a function that is wrong in one mode, after finding the others right."""
    others = [other for other in ("reverse", "forward", "batched") if other != mode]
    with pytest.raises(AssertionError) as caught:
        check_grads(function, (X,), order=order, modes=(mode,), seed=3)
    for other in others:
        check_grads(function, (X,), order=1, modes=(other,), seed=3)
    return str(caught.value)


def cube(error: Any) -> Any:
    """The third power with a wrong vjp, and hence a wrong jvp, which is derived from it."""
    return structural(
        "cube", lambda x: x**3, x=lambda g, x: tf.multiply(g, tf.multiply(tf.square(x), 3.0 * (1.0 + error)))
    )


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_stated_vjp(mode: str) -> None:
    check_grads(cube(0.0 * WORST), (X,))
    with pytest.raises(AssertionError) as caught:
        check_grads(cube(0.001 * WORST), (X,), modes=(mode,), seed=3)
    text = str(caught.value)
    assert text.startswith(f"cube: mode {mode}, order 1, seed 3: ")
    assert "differentiable argument 0" in text
    assert "worst element is at index (1, 1)" in text


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_slope_of_a_stated_vjp(mode: str) -> None:
    """The second order is wrong alone: the value of the partial is right, but not its own derivative."""
    slope = structural(
        "slope", lambda x: 3.0 * x**2, x=lambda g, x: tf.multiply(g, tf.multiply(x, 6.0 * (1.0 + 0.001 * WORST)))
    )
    function = structural("cube", lambda x: x**3, x=lambda g, x: tf.multiply(g, slope(x)))
    check_grads(function, (X,), order=1)
    with pytest.raises(AssertionError) as caught:
        check_grads(function, (X,), modes=(mode,), seed=3)
    text = str(caught.value)
    assert text.startswith(f"cube: mode {mode}, order 2, seed 3: ")
    assert "index (1, 1)" in text


class Doubled:
    """2 x, whose slope in one element is another one in forward mode, for one tangent or for a stack."""

    def __init__(self, jvp: float = 2.0, stacked: float = 2.0) -> None:
        self._jvp, self._stacked = (2.0 + (slope - 2.0) * WORST for slope in (jvp, stacked))

    def __call__(self, x: Any) -> Any:
        return record(self, (x,), own(2.0 * np.asarray(x.numpy())), None)

    def vjp(self, saved: None, cotangents: Any, wanted: Any) -> Any:
        return [tf.multiply(cotangents[0], 2.0)]

    def jvp(self, saved: None, tangents: Any) -> Any:
        return (tf.multiply(tangents[0], self._jvp),)

    def jvp_stacked(self, saved: None, tangents: Any, batch: int) -> Any:
        return (tf.multiply(tangents[0], self._stacked),)


def test_stated_jvp() -> None:
    check_grads(Doubled(), (X,))
    with pytest.raises(AssertionError) as caught:
        check_grads(Doubled(jvp=2.002), (X,), order=1, seed=3)
    text = str(caught.value)
    assert text.startswith("Doubled: mode forward, order 1, seed 3: ")
    assert "by the tangent" in text
    assert "worst element is at index (1, 1)" in text


def test_stated_jvp_of_a_primitive() -> None:
    wrong = tf.primitive(
        lambda x: np.sin(x), vjp=lambda g, out, x: g * np.cos(x), jvp=lambda t, out, x: t * np.cos(x) * 1.001
    )
    assert "mode forward, order 1" in message(wrong, "forward")


def test_stack_of_tangents() -> None:
    text = message(Doubled(stacked=2.002), "batched")
    assert text.startswith("Doubled: mode batched, order 1, seed 3: of result 0, a stack of tangents gives ")
    assert "at index (1, 1), the worst one" in text


def test_stack_of_cotangents() -> None:
    """An operation that takes leading axes to be its own is wrong for a stack."""
    wrong = linear(
        "tripled",
        lambda a: a * (3.0 + 0.003 * WORST * (a.ndim > 2)),
        transpose=lambda g: wrong(g),
        axes=(),
    )
    text = message(wrong, "batched")
    assert text.startswith(
        "tripled: mode batched, order 1, seed 3: of differentiable argument 0, a stack of cotangents"
    )
    assert "at index (1, 1), the worst one" in text


def test_axes_that_are_not_declared() -> None:
    """A linear operation along axis 0 that does not say so runs along the stack."""
    wrong = linear(
        "cumsum",
        lambda a, *, axis: np.cumsum(a, axis),
        transpose=lambda g, axis: tf.reverse(wrong(tf.reverse(g, [axis]), axis=axis), [axis]),
        axes=(),
    )
    text = message(lambda x: wrong(x, axis=0), "batched")
    assert text.startswith("<lambda>: mode batched, order 1, seed 3: ")
