"""Compare the extension with the same computation through tapegrad's Python interface: results, and time."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import student

import tapegrad as tf

FREEDOM = 4.0
CONSTANT = math.lgamma((FREEDOM + 1) / 2) - math.lgamma(FREEDOM / 2) - math.log(FREEDOM * math.pi) / 2
POINT = (0.8, 0.5)  # location and log_scale
WANTED = 3.0  # how much faster the loop over numbers must be in C


def by_arrays(location: float, log_scale: float, data: np.ndarray) -> tuple[float, list[float]]:
    """The log-likelihood and its gradient, by operations on whole arrays."""
    parameters = [tf.Variable(location, dtype=tf.float64), tf.Variable(log_scale, dtype=tf.float64)]
    with tf.GradientTape() as tape:
        z = (data - parameters[0]) * tf.exp(-parameters[1])
        terms = tf.math.log1p(tf.square(z) * (1 / FREEDOM))
        total = len(data) * CONSTANT - len(data) * parameters[1] - (FREEDOM + 1) / 2 * tf.reduce_sum(terms)
    return float(total), [float(g) for g in tape.gradient(total, parameters)]


def by_numbers(location: float, log_scale: float, data: np.ndarray) -> tuple[float, list[float]]:
    """The same by a loop over the observations."""
    parameters = [tf.Variable(location, dtype=tf.float64), tf.Variable(log_scale, dtype=tf.float64)]
    log1p, weight = tf.math.log1p, (FREEDOM + 1) / 2
    with tf.GradientTape() as tape:
        mu, inverse = parameters[0].read_value(), tf.exp(-parameters[1])
        total = len(data) * CONSTANT - len(data) * parameters[1]
        for x in data.tolist():
            z = (x - mu) * inverse
            total = total - weight * log1p(z * z * (1 / FREEDOM))
    return float(total), [float(g) for g in tape.gradient(total, parameters)]


def nanoseconds(function: Callable[..., object], data: np.ndarray, rounds: int) -> float:
    """The shortest time that a call took, for each observation."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function(*POINT, data)
        times.append(time.perf_counter() - start)
    return min(times) / len(data) * 1e9


def main(arguments: Sequence[str] | None = None) -> None:
    """Check that all ways agree, and print how long each takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--observations", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    data = np.random.default_rng(0).standard_t(FREEDOM, options.observations) * 2.0 + 1.0
    few = data[: max(1, options.observations // 20)]  # for the loop in Python

    for sample, function in ((data, student.value_and_gradient), (data, student.by_numbers), (few, by_numbers)):
        value, gradient = by_arrays(*POINT, sample)
        other_value, other_gradient = function(*POINT, sample)
        np.testing.assert_allclose([other_value, *other_gradient], [value, *gradient], rtol=1e-9)
    location = tf.Variable(POINT[0], dtype=tf.float64)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            total = student.log_likelihood(location, tf.constant(POINT[1], tf.float64), data)
        slope = inner.gradient(total, location)
    print(
        f"{len(data)} observations, log-likelihood {float(total):.1f}, slope {float(slope):.2f}, "
        f"curvature {float(outer.gradient(slope, location)):.1f} by nested tapes of Python around the C code\n"
    )

    rows = [
        ("whole arrays", by_arrays, student.value_and_gradient, data),
        ("loop over numbers", by_numbers, student.by_numbers, few),
    ]
    print(f"{'nanoseconds an observation':28}{'Python':>10}{'C':>10}{'faster':>10}")
    for name, python, c, sample in rows:
        slow, fast = nanoseconds(python, sample, options.rounds), nanoseconds(c, sample, options.rounds)
        print(f"{name:28}{slow:10.1f}{fast:10.1f}{slow / fast:9.1f}x")
    if slow / fast < WANTED:
        raise SystemExit(f"the loop over numbers should be at least {WANTED:g} times as fast in C")


if __name__ == "__main__":
    main()
