"""Fit a simulation written in plain NumPy: the swings of a damped pendulum, with error bars.

The first half knows nothing of derivatives, only `import numpy as np`. The second half fits it to noisy
measurements by scipy.optimize with the exact Jacobian, beside SciPy's own finite differences, and carries the
uncertainty of the parameters over to the curve.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.optimize

import tapegrad
import tapegrad.scipy

GRAVITY = 9.81

# --- plain NumPy


def swing(parameters: Any, times: np.ndarray) -> Any:
    """The angles of a pendulum at equally spaced times, by the Runge-Kutta method.

    The parameters are its length in m, its damping in 1/s, and the angle in rad from which it starts.
    """
    length, damping, angle = parameters

    def slope(state: Any) -> Any:
        return np.stack([state[1], -GRAVITY / length * np.sin(state[0]) - damping * state[1]])

    step = times[1] - times[0]
    state = np.stack([angle, 0.0 * angle])
    angles = [angle]
    for _ in times[1:]:
        k1 = slope(state)
        k2 = slope(state + step / 2 * k1)
        k3 = slope(state + step / 2 * k2)
        k4 = slope(state + step * k3)
        state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        angles.append(state[0])
    return np.stack(angles)


# --- its derivatives


def fit(times: np.ndarray, measured: np.ndarray, start: np.ndarray) -> Any:
    """SciPy's result of the least-squares fit; prints how many simulations it and SciPy alone take."""

    def residuals(parameters: Any) -> Any:
        return swing(parameters, times) - measured

    calls = 0

    def counted(parameters: np.ndarray) -> Any:
        nonlocal calls
        calls += 1
        values: np.ndarray = residuals(parameters)
        return values

    scipy.optimize.least_squares(counted, start)
    found = tapegrad.scipy.least_squares(residuals, start)
    print(f"finite differences: {calls} simulations")
    print(f"exact derivatives:  {found.nfev} simulations, and {found.njev} that are differentiated")
    return found


def draw(path: str, times: np.ndarray, measured: np.ndarray, parameters: np.ndarray, covariance: np.ndarray) -> None:
    """Draw the measurements, the fitted curve, and two standard deviations around it."""
    import matplotlib

    matplotlib.use("Agg")  # only a file is written: no display is needed
    import matplotlib.pyplot as plt

    curve = swing(parameters, times)
    slopes = tapegrad.jacobian(swing)(parameters, times)
    deviation = np.sqrt(np.einsum("ti,ij,tj->t", slopes, covariance, slopes))
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.plot(times, measured, ".", color="0.6", label="measured")
    axes.plot(times, curve, color="C0", label="fitted")
    axes.fill_between(
        times, curve - 2 * deviation, curve + 2 * deviation, color="C0", alpha=0.3, label="two standard deviations"
    )
    axes.set(xlabel="time in s", ylabel="angle in rad")
    axes.legend()
    figure.savefig(path, dpi=120)
    print(f"picture: {path}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options, make measurements, fit, and print the parameters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=80, help="measurements (default: %(default)s)")
    parser.add_argument("--output", help="file for a picture, such as swing.png (default: none)")
    options = parser.parse_args(arguments)

    truth = np.array([1.2, 0.25, 2.0])
    times = np.linspace(0.0, 10.0, options.points)
    noise = 0.25 * np.random.default_rng(0).normal(size=times.shape)
    measured = swing(truth, times) + noise
    found = fit(times, measured, np.array([1.0, 0.1, 1.5]))

    variance = 2 * found.cost / (len(times) - len(truth))
    covariance = variance * np.linalg.inv(found.jac.T @ found.jac)
    for name, value, error, true in zip(
        ("length", "damping", "start"), found.x, np.sqrt(np.diag(covariance)), truth, strict=True
    ):
        print(f"{name:8} {value:.4f} +- {error:.4f}  (in truth {true})")
    if options.output:
        draw(options.output, times, measured, found.x, covariance)


if __name__ == "__main__":
    main()
