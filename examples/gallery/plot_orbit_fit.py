"""
An orbit with error ellipses
============================

Two stars circle each other once in 28 years, and a telescope has followed them for 16: is the orbit known, and with it
the mass of the stars? The model is plain NumPy around a solver for Kepler's equation. tapegrad gives its exact Jacobian
to SciPy's least squares, and the same Jacobian says how far the answer can be trusted.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import scipy.optimize
from matplotlib.patches import Ellipse
from matplotlib.ticker import MultipleLocator
from tqdm import tqdm

import tapegrad
import tapegrad.scipy

plt.style.use("tableau-colorblind10")

# %%
# The model
# ---------
# An orbit has seven elements. Time enters through Kepler's equation, :math:`E - e \sin E = M`, which SciPy solves by
# Newton's method. Its iterations need not be recorded: :func:`tapegrad.implicit_solve` takes the derivatives of the
# solution from the equation itself.

NAMES = (
    "period / yr",
    "eccentricity",
    "periapsis / yr",
    "semi-major axis / mas",
    "inclination / rad",
    "node / rad",
    "argument of periapsis / rad",
)
PARALLAX = 50.0  # mas


def kepler(anomaly: Any, mean: Any, eccentricity: Any) -> Any:
    """Zero where the eccentric anomaly belongs to the mean anomaly."""
    return anomaly - eccentricity * np.sin(anomaly) - mean


def solve_kepler(mean: np.ndarray, eccentricity: float) -> np.ndarray:
    """The eccentric anomalies."""
    start = mean + eccentricity * np.sin(mean)
    anomalies: np.ndarray = scipy.optimize.newton(
        kepler, start, fprime=lambda x, mean, e: 1.0 - e * np.cos(x), args=(mean, eccentricity)
    )
    return anomalies


eccentric_anomaly = tapegrad.implicit_solve(kepler, solve_kepler)


def positions(elements: Any, years: np.ndarray) -> Any:
    """The offsets of the companion to the east and north in mas, of shape (2, times)."""
    period, e, periapsis, axis, inclination, node, turn = elements
    anomaly = eccentric_anomaly(2 * np.pi * (years - periapsis) / period, e)
    along = axis * (np.cos(anomaly) - e)
    across = axis * np.sqrt(1.0 - e**2) * np.sin(anomaly)
    # Turned within its plane, tilted, and turned on the sky.
    x = along * np.cos(turn) - across * np.sin(turn)
    y = (along * np.sin(turn) + across * np.cos(turn)) * np.cos(inclination)
    return np.stack([x * np.sin(node) + y * np.cos(node), x * np.cos(node) - y * np.sin(node)])


def mass(elements: Any) -> Any:
    """The mass of both stars in that of the Sun, by Kepler's third law."""
    return (elements[3] / PARALLAX) ** 3 / elements[0] ** 2


# %%
# The measurements are made here, from an orbit that the fit is not told.

SIGMA = 8.0  # mas
TRUTH = np.array([28.4, 0.52, 2012.3, 710.0, 0.9, 1.9, 1.1])
random = np.random.default_rng(3)
years = np.sort(random.uniform(1999.0, 2015.0, 40))
measured = positions(TRUTH, years) + random.normal(scale=SIGMA, size=(2, years.size))

# %%
# The fit
# -------
# :func:`tapegrad.scipy.least_squares` is SciPy's function with the Jacobian supplied. The residuals are counted in
# standard deviations of the measurements, so the covariance of the elements is the inverse of :math:`J^T J`.


def fit(measured: np.ndarray, start: np.ndarray) -> Any:
    """SciPy's result of the fit to the measurements."""
    return tapegrad.scipy.least_squares(lambda p: (positions(p, years) - measured) / SIGMA, start, x_scale="jac")


found = fit(measured, np.array([25.0, 0.4, 2011.0, 600.0, 0.7, 1.6, 1.4]))
covariance = np.linalg.inv(found.jac.T @ found.jac)
errors = np.sqrt(np.diag(covariance))
print(f"chi-squared {2 * found.cost:.1f} for {measured.size - TRUTH.size} degrees of freedom")
for name, value, error, truth in zip(NAMES, found.x, errors, TRUTH, strict=True):
    print(f"{name:28} {value:10.4f} +- {error:.4f}  (in truth {truth})")

# %%
# :math:`J^T J` leaves out how the orbit bends with its elements. The exact Hessian of the log-likelihood contains that,
# too; and a gradient carries the covariance over to the mass. Both are one line.

curvature = tapegrad.hessian(lambda p: np.sum((positions(p, years) - measured) ** 2) / (2 * SIGMA**2))(found.x)
ratio = np.sqrt(np.diag(np.linalg.inv(curvature))) / errors
by_elements = tapegrad.grad(mass)(found.x)
mass_error = np.sqrt(by_elements @ covariance @ by_elements)
print(f"errors by the Hessian over those by the Jacobian: {ratio.min():.3f} to {ratio.max():.3f}")
print(f"mass {mass(found.x):.3f} +- {mass_error:.3f} solar masses  (in truth {mass(TRUTH):.3f})")

# %%
# Orbits drawn from the fit's normal distribution show what is known: much where the companion has been seen, less on
# the arc that it has not yet travelled.


def revolution(elements: np.ndarray) -> np.ndarray:
    """A closed orbit's points."""
    orbit: np.ndarray = positions(elements, elements[2] + elements[0] * np.linspace(0.0, 1.0, 400))
    return orbit


figure = plt.figure(figsize=(10, 5.6), layout="constrained")
grid = figure.add_gridspec(2, 2, width_ratios=[1.15, 1])
sky = figure.add_subplot(grid[:, 0])
for elements in random.multivariate_normal(found.x, covariance, size=60):
    sky.plot(*revolution(elements), color="C0", alpha=0.12, linewidth=1)
sky.plot(*revolution(found.x), color="C0", linewidth=2, label="fitted orbit, and\n60 from its distribution")
sky.plot(*revolution(TRUTH), color="gray", linewidth=1, linestyle="--", label="true orbit")
sky.errorbar(measured[0], measured[1], xerr=SIGMA, yerr=SIGMA, fmt=".", color="C1", label="measured", zorder=3)
sky.plot(0.0, 0.0, "*", color="gray", markersize=12)
centre = revolution(found.x).mean(axis=1)
for when in (0, -1):
    outside = centre + 1.14 * (positions(found.x, years)[:, when] - centre)
    sky.annotate(f"{years[when]:.0f}", outside, ha="center", va="center")
sky.margins(0.1)
sky.set(title="On the sky", xlabel="to the east / mas", ylabel="to the north / mas", aspect="equal")
sky.invert_xaxis()  # as one sees it: east is on the left
sky.legend(loc="center", frameon=False, fontsize="small")

residuals = measured - positions(found.x, years)
for row, (direction, values) in enumerate(zip(("east", "north"), residuals, strict=True)):
    axes = figure.add_subplot(grid[row, 1])
    axes.errorbar(years, values, SIGMA, fmt=".", color="C1")
    axes.axhline(0.0, color="C0")
    axes.set(title=f"Residuals to the {direction}: {values.std():.1f} mas", ylabel="mas", ylim=(-30, 30))
    axes.xaxis.set_major_locator(MultipleLocator(5))
axes.set_xlabel("year")
plt.show()

# %%
# Is it true?
# -----------
# The ellipses rest on a straight line through a curved model. Repeating the whole experiment, 300 fits to new noise,
# tells whether that is good enough: the inner ellipse should hold 39 % of the fits, the outer one 86 %.

refits = np.array(
    [
        fit(positions(found.x, years) + random.normal(scale=SIGMA, size=measured.shape), found.x).x
        for _ in tqdm(range(300), unit="fit", desc="new noise", disable=None)
    ]
)
PAIR = [0, 3]  # the period and the semi-major axis
part = covariance[np.ix_(PAIR, PAIR)]
offsets = refits[:, PAIR] - found.x[PAIR]
distances = np.sqrt(np.einsum("ni,ij,nj->n", offsets, np.linalg.inv(part), offsets))
shares = [float(np.mean(distances < radius)) for radius in (1, 2)]
print(f"in the ellipses: {100 * shares[0]:.0f} % and {100 * shares[1]:.0f} % of the fits")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
left.plot(*refits[:, PAIR].T, ".", color="C2", markersize=4, label="fits to new noise")
lengths, directions = np.linalg.eigh(part)
tilt = np.degrees(np.arctan2(directions[1, 1], directions[0, 1]))
for radius, share in zip((1, 2), shares, strict=True):
    width, height = 2 * radius * np.sqrt(lengths[::-1])
    label = f"{radius} standard deviation{'s' * (radius > 1)}: {100 * share:.0f} % inside"
    ellipse = Ellipse(found.x[PAIR], width, height, angle=tilt, fill=False, color="C0", linewidth=2, label=label)
    ellipse.set_linestyle("-" if radius == 1 else "--")
    left.add_patch(ellipse)
left.plot(*TRUTH[PAIR], "*", color="C1", markersize=14, markeredgecolor="gray", label="truth")
left.set(title="Period and size of the orbit", xlabel=NAMES[0], ylabel=NAMES[3])
left.legend(frameon=False, fontsize="small")

masses = np.linspace(-4, 4, 200) * mass_error + mass(found.x)
normal = np.exp(-(((masses - mass(found.x)) / mass_error) ** 2) / 2) / (np.sqrt(2 * np.pi) * mass_error)
right.hist([mass(refit) for refit in refits], 25, density=True, color="C2", label="fits to new noise")
right.plot(masses, normal, color="C0", linewidth=2, label="from the derivatives")
right.axvline(mass(TRUTH), color="C1", linewidth=2, label="truth")
right.set(
    title=f"Mass: {mass(found.x):.3f} ± {mass_error:.3f}", xlabel="mass of both stars / solar masses", ylabel="density"
)
right.set_ylim(top=1.35 * normal.max())
right.legend(frameon=False, fontsize="small", loc="upper left")

plt.show()
