"""Derivatives of what a solver finds: a planet's orbit from Kepler's equation, and heat in a rod.

First, the orbit of a planet is fitted to its star's velocities. Kepler's equation, E - e sin E = M, is solved by
bisection, which has no useful derivative itself; `implicit_solve` gets that of the solution from the equation.
Then the conductivity of a rod is found from temperatures that SciPy's band solver, compiled code, computes;
`primitive` states its derivative.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.linalg import solve_banded

import tapegrad
import tapegrad.scipy

# --- a planet's orbit


def bisect(mean: np.ndarray, eccentricity: float) -> np.ndarray:
    """The eccentric anomalies, by halving intervals until nothing is left to halve."""
    low, high = mean - 1.0, mean + 1.0
    for _ in range(60):
        middle = (low + high) / 2
        above = middle - eccentricity * np.sin(middle) > mean
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def equation_of_kepler(anomaly: Any, mean: Any, eccentricity: Any) -> Any:
    """Zero where the anomaly solves Kepler's equation."""
    return anomaly - eccentricity * np.sin(anomaly) - mean


eccentric_anomaly = tapegrad.implicit_solve(equation_of_kepler, bisect)


def velocity(orbit: dict[str, Any], days: np.ndarray) -> Any:
    """The star's velocity along the line of sight in m/s."""
    e = orbit["eccentricity"]
    anomaly = eccentric_anomaly(2 * np.pi * (days / orbit["period"] - orbit["phase"]), e)
    angle = 2 * np.arctan2(np.sqrt(1 + e) * np.sin(anomaly / 2), np.sqrt(1 - e) * np.cos(anomaly / 2))
    return orbit["speed"] * (np.cos(angle + orbit["turn"]) + e * np.cos(orbit["turn"]))


def fit_orbit(measurements: int) -> None:
    """Make measurements of a known orbit, fit it, and print both."""
    truth = {"eccentricity": 0.45, "period": 12.3, "phase": 0.2, "speed": 55.0, "turn": 0.6}
    random = np.random.default_rng(1)
    days = np.sort(random.uniform(0.0, 60.0, measurements))
    measured = velocity(truth, days) + random.normal(scale=2.0, size=days.shape)
    start = {"eccentricity": 0.2, "period": 12.0, "phase": 0.1, "speed": 40.0, "turn": 0.0}
    found = tapegrad.scipy.least_squares(lambda orbit: velocity(orbit, days) - measured, start)
    print(f"orbit, after {found.nfev} evaluations:")
    for name, value in truth.items():
        print(f"  {name:12} {found.x[name]:8.4f}  (in truth {value})")


# --- heat in a rod


def bands(conductivity: Any) -> Any:
    """The diagonals of the matrix of a rod whose ends are kept at zero, one conductivity between neighbours."""
    inner = -conductivity[1:-1]
    zero = np.zeros(1)
    return np.stack(
        [
            np.concatenate([zero, inner]),
            conductivity[:-1] + conductivity[1:],
            np.concatenate([inner, zero]),
        ]
    )


def solve_vjp(g: Any, x: Any, diagonals: Any, b: Any) -> tuple[Any, Any]:
    """The cotangents of A x = b for a symmetric A: v = A^-1 g of b, and -v x' of A, of which only bands are kept."""
    v = solve(diagonals, g)
    zero = np.zeros(1)
    above, below = v[:-1] * x[1:], v[1:] * x[:-1]
    return -np.stack([np.concatenate([zero, above]), v * x, np.concatenate([below, zero])]), v


@tapegrad.primitive(vjp=solve_vjp)
def solve(diagonals: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The solution of a symmetric system with three diagonals."""
    x: np.ndarray = solve_banded((1, 1), diagonals, b)
    return x


def find_conductivity(points: int) -> None:
    """Recover a rod's conductivity from the temperatures that two heaters make, and print how well."""
    position = np.linspace(0.0, 1.0, points + 1)
    truth = 1.0 + 0.5 * np.sin(2 * np.pi * position)
    heaters = [np.ones(points), np.linspace(-1.0, 1.0, points)]
    temperatures = [solve(bands(truth), heat) for heat in heaters]

    def misfit(logarithm: Any) -> Any:
        diagonals = bands(np.exp(logarithm))
        return sum(
            np.sum((solve(diagonals, heat) / temperature.std() - temperature / temperature.std()) ** 2)
            for heat, temperature in zip(heaters, temperatures, strict=True)
        )

    found = tapegrad.scipy.minimize(misfit, np.zeros(points + 1), method="Newton-CG", tol=1e-10)
    error = np.max(np.abs(np.exp(found.x) - truth))
    print(f"rod: misfit {misfit(np.zeros(points + 1)):.3g} -> {found.fun:.1e} in {found.nit} steps of Newton's method")
    print(f"  largest error of the conductivity: {error:.1e}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measurements", type=int, default=50, help="of the star's velocity (default: %(default)s)")
    parser.add_argument("--points", type=int, default=30, help="of the rod (default: %(default)s)")
    options = parser.parse_args(arguments)
    fit_orbit(options.measurements)
    find_conductivity(options.points)


if __name__ == "__main__":
    main()
