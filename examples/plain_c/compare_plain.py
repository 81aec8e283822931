"""Compare the program with the same fit through tapegrad's Python interface: parameters, and time per iteration."""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Sequence

import numpy as np

import tapegrad as tf

ITERATIONS = 12


def noisy_data(points: int) -> tuple[np.ndarray, np.ndarray]:
    """The data that the program makes: the noise comes from the same generator."""
    state, noise = 1, np.empty(points)
    for i in range(points):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        noise[i] = (state >> 11) / 2.0**53 - 0.5
    times = 10.0 * np.arange(points) / points
    return times, 2.0 * np.exp(-0.3 * times) * np.cos(1.7 * times) + 0.1 * noise


def iterate(parameters: np.ndarray, times: np.ndarray, data: np.ndarray) -> np.ndarray:
    """One step of the method of Gauss and Newton."""
    p = [tf.constant(x) for x in parameters]
    with tf.GradientTape() as tape:
        tape.watch(p)
        residuals = p[0] * (tf.exp(-(p[1] * times)) * tf.cos(p[2] * times)) - data
    jacobian = np.stack([column.numpy() for column in tape.jacobian(residuals, p)], axis=1)
    return parameters - np.linalg.solve(jacobian.T @ jacobian, jacobian.T @ residuals.numpy())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both, check that they agree, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the path of the program `oscillation`")
    parser.add_argument("--points", type=int, default=200)
    options = parser.parse_args(arguments)
    output = subprocess.run([options.program, str(options.points)], check=True, capture_output=True, text=True).stdout
    words = output.split()
    found = {words[i]: float(words[i + 1]) for i in range(0, len(words), 2)}

    times, data = noisy_data(options.points)
    parameters = np.array([1.5, 0.2, 1.6])
    iterate(parameters, times, data)  # what is imported on first use is not counted
    start = time.perf_counter()
    for _ in range(ITERATIONS):
        parameters = iterate(parameters, times, data)
    microseconds = 1e6 * (time.perf_counter() - start) / ITERATIONS

    np.testing.assert_allclose(parameters, [found[name] for name in ("amplitude", "decay", "frequency")], atol=1e-4)
    print(output)
    print(f"{'microseconds an iteration':28}{'Python':>10}{'C':>10}{'faster':>10}")
    print(
        f"{f'{options.points} points':28}{microseconds:10.1f}{found['microseconds']:10.1f}"
        f"{microseconds / found['microseconds']:9.1f}x"
    )


if __name__ == "__main__":
    main()
