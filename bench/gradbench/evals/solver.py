"""What `particle` and `saddle` share: gradients in both modes, and GradBench's gradient descent over them.

A point is a list of scalars. The descent is itself a program that can be differentiated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tapegrad as tf

Point = list[tf.Tensor]
Function = Callable[[Point], tf.Tensor]
Gradient = Callable[[Function, Point], Sequence[Any]]

PRECISION = 1e-5
MODES = ("rr", "rf", "fr", "ff")


def reverse(f: Function, x: Point) -> Sequence[Any]:
    """Return the gradient by one sweep over a tape."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def forward(f: Function, x: Point) -> Sequence[Any]:
    """Return the gradient by one forward pass for each coordinate."""
    gradient = []
    for coordinate in x:
        with tf.autodiff.ForwardAccumulator(coordinate, tf.constant(1.0, tf.float64)) as accumulator:
            y = f(x)
        gradient.append(accumulator.jvp(y))
    return gradient


def gradient_of(letter: str) -> Gradient:
    """Return what a letter of a mode stands for."""
    return {"r": reverse, "f": forward}[letter]


def length(x: Sequence[Any]) -> float:
    """Return a vector's length, as a plain number."""
    return math.hypot(*map(float, x))


def argmin(f: Function, gradient: Gradient, x: Point) -> Point:
    """Return where `f` has a minimum, by steps whose size halves when they fail and doubles after ten successes."""
    fx = f(x)
    slope = gradient(f, x)
    successes = 0
    eta = 1e-5
    while length(slope) > PRECISION:
        if successes == 10:
            eta *= 2.0
            successes = 0
            continue
        following = [a - eta * g for a, g in zip(x, slope, strict=True)]
        if math.dist(list(map(float, x)), list(map(float, following))) <= PRECISION:
            break
        value = f(following)
        if value < fx:
            x, fx = following, value
            slope = gradient(f, x)
            successes += 1
        else:
            eta /= 2.0
            successes = 0
    return x


def argmax(f: Function, gradient: Gradient, x: Point) -> Point:
    """Return where `f` has a maximum."""
    return argmin(lambda x: -f(x), gradient, x)
