"""Newton's method without a Hessian: the soap film in a bent frame, by forward mode over reverse mode.

The unknowns are the heights of the film on a grid; what it minimizes is its area. Every step solves H s = -g for
the Hessian H and the gradient g by the method of conjugate gradients, which asks for products of H with a vector
only: the derivative of the gradient along that vector. The full Hessian would have millions of entries.
"""

from __future__ import annotations

import argparse
import functools
import timeit
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tapegrad as tf


def area(inner: Any, frame: np.ndarray) -> Any:
    """The area of the film through the frame, whose cells have a width of 1, from the heights inside it."""
    film = tf.constant(frame)
    film[1:-1, 1:-1] = inner
    right = film[:-1, 1:] - film[:-1, :-1]
    down = film[1:, :-1] - film[:-1, :-1]
    far = film[1:, 1:] - film[1:, :-1]
    low = film[1:, 1:] - film[:-1, 1:]
    # Two triangles a cell.
    return np.sum(np.sqrt(1.0 + right**2 + down**2) + np.sqrt(1.0 + far**2 + low**2)) / 2


def bent_frame(size: int) -> np.ndarray:
    """Heights that are zero inside and follow a wave along the rim."""
    angle = np.linspace(0.0, np.pi, size)
    frame = np.zeros((size, size))
    frame[0], frame[-1] = size / 4 * np.sin(angle), size / 4 * np.sin(angle)
    frame[:, 0] = frame[:, -1] = -size / 4 * np.sin(angle)
    return frame


def gradient_of(f: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    """The gradient of a function at a point."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def hessian_times(f: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor, vector: np.ndarray) -> np.ndarray:
    """The Hessian of a function times a vector: the derivative of the gradient along it."""
    with tf.autodiff.ForwardAccumulator(x, tf.constant(vector)) as accumulator:
        gradient = gradient_of(f, x)
    product: np.ndarray = accumulator.jvp(gradient).numpy()
    return product


def conjugate_gradients(
    product: Callable[[np.ndarray], np.ndarray], b: np.ndarray, tolerance: float
) -> tuple[np.ndarray, int]:
    """An approximate solution of H x = b for a positive definite H, and how many products it took."""
    x, residual = np.zeros_like(b), b
    direction, square = residual, np.sum(residual**2)
    goal = tolerance**2 * square
    steps = 0
    while square > goal:
        image = product(direction)
        length = square / np.sum(direction * image)
        x = x + length * direction
        residual = residual - length * image
        square, previous = np.sum(residual**2), square
        direction = residual + square / previous * direction
        steps += 1
    return x, steps


def minimize(frame: np.ndarray, steps: int) -> np.ndarray:
    """The heights inside the frame that Newton's method finds in at most some steps, printing each."""
    f = functools.partial(area, frame=frame)
    x = tf.zeros((len(frame) - 2,) * 2, dtype=tf.float64)
    print("step   area        |gradient|   products")
    for step in range(steps):
        gradient = gradient_of(f, x).numpy()
        norm = float(np.linalg.norm(gradient))
        if norm < 1e-12 * x.size:
            break
        # Rough solutions do while the minimum is far; their precision then grows with the gradient's.
        change, products = conjugate_gradients(functools.partial(hessian_times, f, x), -gradient, min(0.1, norm))
        print(f"{step:4}   {float(f(x)):.6f}  {norm:10.2e}  {products:9}")
        scale = 1.0
        while f(x + scale * change) > f(x) and scale > 1e-3:
            scale /= 2
        x = x + scale * change
    found: np.ndarray = x.numpy()
    return found


def compare_costs(frame: np.ndarray, inner: np.ndarray) -> None:
    """Print what a gradient, a product, and eight products in one push cost."""
    f, x = functools.partial(area, frame=frame), tf.constant(inner)
    vectors = np.random.default_rng(0).normal(size=(8, *inner.shape))

    def eight_at_once() -> np.ndarray:
        with tf.autodiff.ForwardAccumulator(x, tf.constant(vectors), batched=True) as accumulator:
            gradient = gradient_of(f, x)
        products: np.ndarray = accumulator.jvp(gradient).numpy()
        return products

    one_by_one = [hessian_times(f, x, vector) for vector in vectors]
    print(f"largest difference of eight products at once: {np.max(np.abs(eight_at_once() - one_by_one)):.1e}")
    for name, call in (
        ("gradient", lambda: gradient_of(f, x)),
        ("product", lambda: hessian_times(f, x, vectors[0])),
        ("eight products at once", eight_at_once),
    ):
        print(f"{name}: {1000 * min(timeit.repeat(call, number=5, repeat=5)) / 5:.2f} ms")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options, minimize, and compare costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=65, help="points along the frame (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=20, help="at most, of Newton's method (default: %(default)s)")
    options = parser.parse_args(arguments)
    frame = bent_frame(options.size)
    inner = minimize(frame, options.steps)
    compare_costs(frame, inner)


if __name__ == "__main__":
    main()
