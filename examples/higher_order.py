"""Derivatives of derivatives by nested tapes: a Taylor series, and Newton's method with exact Hessians.

First, the derivatives of a function at one point give its Taylor polynomial, which is compared with the
function.
Then Newton's method minimizes Rosenbrock's function, f(x, y) = (1 - x)**2 + 100 (y - x**2)**2.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence

import numpy as np

import tapegrad as tf


def derivatives(f: Callable[[tf.Tensor], tf.Tensor], at: float, order: int) -> list[float]:
    """The values of `f` and of its derivatives up to `order` at a point."""
    x = tf.constant(at, dtype=tf.float64)

    def descend(depth: int) -> list[tf.Tensor]:
        if depth == 0:
            return [f(x)]
        with tf.GradientTape() as tape:
            tape.watch(x)
            values = descend(depth - 1)
        return [*values, tape.gradient(values[-1], x)]

    return [float(value) for value in descend(order)]


def taylor_series(order: int) -> None:
    """Print the Taylor polynomial of exp(sin(x)) around 0 beside the function."""
    coefficients = [
        value / math.factorial(k)
        for k, value in enumerate(derivatives(lambda x: tf.exp(tf.sin(x)), 0.0, order))
    ]
    print("exp(sin(x)) = " + " ".join(f"{c:+.6g} x^{k}" for k, c in enumerate(coefficients)) + " + ...")
    for x in (0.1, 0.2, 0.4):
        polynomial = sum(c * x**k for k, c in enumerate(coefficients))
        print(f"x = {x}: polynomial {polynomial:.10f}, function {math.exp(math.sin(x)):.10f}")


def rosenbrock(p: tf.Tensor) -> tf.Tensor:
    """A curved valley with its minimum, 0, at (1, 1)."""
    return (1.0 - p[0]) ** 2 + 100.0 * (p[1] - p[0] ** 2) ** 2


def newton(start: Sequence[float], steps: int) -> np.ndarray:
    """The point that Newton's method reaches from `start`, printing every step."""
    point = np.asarray(start, dtype=float)
    for step in range(steps):
        p = tf.constant(point)
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(p)
            with tf.GradientTape() as inner:
                inner.watch(p)
                value = rosenbrock(p)
            gradient = inner.gradient(value, p)
            slopes = tf.unstack(gradient)
        hessian = np.stack([outer.gradient(slope, p).numpy() for slope in slopes])
        print(f"step {step}: f({point[0]:.6f}, {point[1]:.6f}) = {value:.3e}")
        point = point - np.linalg.solve(hessian, gradient.numpy())
    return point


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--order", type=int, default=6, help="of the Taylor polynomial (default: %(default)s)"
    )
    parser.add_argument("--steps", type=int, default=7, help="of Newton's method (default: %(default)s)")
    options = parser.parse_args(arguments)
    taylor_series(options.order)
    minimum = newton((-1.2, 1.0), options.steps)
    print(f"minimum at ({minimum[0]:.8f}, {minimum[1]:.8f})")


if __name__ == "__main__":
    main()
