"""Compare the extension with the same loop through tapegrad's Python interface: results, and time."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import growth
import numpy as np

import tapegrad as tf

WANTED = 2.5  # the loop is three times as fast in Cython; this allows for a busy machine


def final_size(rate: float, capacity: float, start: float, duration: float, steps: int) -> tuple[float, list[float]]:
    """The size after some time, by the midpoint rule, and its derivatives by rate, capacity and start."""
    parameters = [tf.constant(x, tf.float64) for x in (rate, capacity, start)]
    r, c, n = parameters
    step = duration / steps
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        for _ in range(steps):
            half = n + r * n * (1.0 - n / c) * (step / 2)
            n = n + r * half * (1.0 - half / c) * step
    return float(n), [float(g) for g in tape.gradient(n, parameters)]


def seconds(function: Callable[[], object], rounds: int) -> float:
    """The shortest time that a call took."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main(arguments: Sequence[str] | None = None) -> None:
    """Check that both ways agree, and print how long each takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args(arguments)
    situation = (0.7, 100.0, 3.0, 5.0, options.steps)
    simulation = growth.Growth()

    size, gradient = simulation.final_size(*situation)
    other_size, other_gradient = final_size(*situation)
    np.testing.assert_allclose([size, *gradient], [other_size, *other_gradient], rtol=1e-12)
    exact = 100.0 / (1.0 + (100.0 / 3.0 - 1.0) * np.exp(-0.7 * 5.0))
    np.testing.assert_allclose(size, exact, rtol=1e-5)
    tf.testing.check_grads(growth.cubes, ([1.0, -2.0],))
    print(
        f"after {options.steps} steps: {size:.4f}; by rate {gradient[0]:.2f}, by capacity {gradient[1]:.4f}, "
        f"by start {gradient[2]:.3f}\n"
    )

    slow = seconds(lambda: final_size(*situation), options.rounds) / options.steps * 1e9
    fast = seconds(lambda: simulation.final_size(*situation), options.rounds) / options.steps * 1e9
    print(f"{'nanoseconds a step':28}{'Python':>10}{'Cython':>10}{'faster':>10}")
    print(f"{'loop over numbers':28}{slow:10.1f}{fast:10.1f}{slow / fast:9.1f}x")
    if slow / fast < WANTED:
        raise SystemExit(f"the loop should be at least {WANTED:g} times as fast in Cython")


if __name__ == "__main__":
    main()
