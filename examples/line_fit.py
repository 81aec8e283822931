"""Find the line through six points by gradient descent: the shortest complete training loop.

The points lie on y = 2x - 1, so that the printed slope and offset should come out as 2 and -1.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import tapegrad as tf

X = [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0]
Y = [-3.0, -1.0, 1.0, 3.0, 5.0, 7.0]


def fit(steps: int, learning_rate: float) -> tuple[float, float]:
    """The slope and the offset after `steps` of gradient descent on the mean squared error, from 0 and 0."""
    slope = tf.Variable(0.0, name="slope")
    offset = tf.Variable(0.0, name="offset")
    for step in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((slope * X + offset - Y) ** 2)
        slope_gradient, offset_gradient = tape.gradient(loss, [slope, offset])
        slope.assign_sub(learning_rate * slope_gradient)
        offset.assign_sub(learning_rate * offset_gradient)
        if step % 100 == 0:
            print(f"step {step:4d}: loss {loss:.6f}")
    return float(slope), float(offset)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options, fit, and print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--steps", type=int, default=500, help="steps of gradient descent (default: %(default)s)"
    )
    parser.add_argument("--learning-rate", type=float, default=0.05, help="step size (default: %(default)s)")
    options = parser.parse_args(arguments)
    slope, offset = fit(options.steps, options.learning_rate)
    print(f"y = {slope:.4f} x {offset:+.4f}")


if __name__ == "__main__":
    main()
