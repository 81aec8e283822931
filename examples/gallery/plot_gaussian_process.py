"""
A star's rotation from a Gaussian process
=========================================

Dark spots on a turning star make its brightness wave, but they come and go: the curve never repeats exactly, so no
sine fits it. A Gaussian process describes it by five numbers, the period among them. They are found where the data are
likeliest; tapegrad differentiates the likelihood, which is plain NumPy, and its Hessian tells the error of the period.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from tqdm import tqdm

import tapegrad
import tapegrad.scipy

plt.style.use("tableau-colorblind10")

# %%
# The measurements
# ----------------
# The star is simulated: spots that live for some weeks cross its face, one turn in 11.3 days. Bad weather leaves gaps.
# A fifth of the measurements is put aside to test the prediction.

PERIOD = 11.3  # days
SIGMA = 0.3  # measurement error in parts per thousand
random = np.random.default_rng(1)
middles = np.arange(-60.0, 210.0, 4.0)  # the day on which a spot is largest
longitudes = random.uniform(0.0, 2 * np.pi, middles.size)
sizes = random.uniform(2.0, 5.0, middles.size)


def brightness(days: np.ndarray) -> np.ndarray:
    """The change of the star's brightness in parts per thousand, caused by spots that come and go."""
    facing = np.maximum(np.cos(2 * np.pi * days[:, np.newaxis] / PERIOD + longitudes), 0.0) ** 2
    ages = (days[:, np.newaxis] - middles) / 25.0
    change: np.ndarray = -np.sum(sizes * facing * np.exp(-(ages**2)), axis=1)
    return change


nights = np.arange(130)
clear = (random.uniform(size=nights.size) < 0.8) & ~((nights > 56) & (nights < 68))
days = (nights + random.uniform(0.0, 0.4, nights.size))[clear]
measured = brightness(days) + random.normal(scale=SIGMA, size=days.size)
kept = random.uniform(size=days.size) < 0.8
mean = measured[kept].mean()

# %%
# The likelihood
# --------------
# Two brightnesses are alike if they are close in time, and again one turn later, as long as the spots live. That is
# the covariance; the likelihood needs its Cholesky factor. The hyper-parameters are logarithms, since all are positive.

HYPERS = ("amplitude / ppt", "lifetime / d", "period / d", "smoothness", "error / ppt")


def covariance(hypers: Any, first: np.ndarray, second: np.ndarray) -> Any:
    """The covariance of the star's brightness between two lists of days."""
    amplitude, lifetime, period, smoothness, _ = np.exp(hypers)
    apart = first[:, np.newaxis] - second
    turns = np.sin(np.pi * apart / period) / smoothness
    return amplitude**2 * np.exp(-((apart / lifetime) ** 2) / 2 - turns**2 / 2)


def factor(hypers: Any) -> Any:
    """The Cholesky factor of the measurements' covariance."""
    noise = np.exp(2 * hypers[-1])
    return np.linalg.cholesky(covariance(hypers, days[kept], days[kept]) + noise * np.eye(int(kept.sum())))


def cost(hypers: Any) -> Any:
    """The negative logarithm of the likelihood."""
    lower = factor(hypers)
    whitened = np.linalg.solve(lower, measured[kept] - mean)
    return np.sum(whitened**2) / 2 + np.sum(np.log(np.diagonal(lower))) + len(whitened) * np.log(2 * np.pi) / 2


# %%
# Its maxima
# ----------
# In the period the likelihood has many maxima: half the period and its multiples explain some of the data. So the
# other four are fitted for each of a series of periods, from which the best one starts the fit of all five.

LIMITS = np.log([(0.3, 30.0), (5.0, 300.0), (1.0, 100.0), (0.1, 3.0), (0.03, 3.0)])


def fit_others(period: float, start: np.ndarray) -> Any:
    """SciPy's result of the fit of the other hyper-parameters at a period."""

    def cost_of_others(others: Any) -> Any:
        return cost(np.stack([others[0], others[1], np.log(period), others[2], others[3]]))

    return tapegrad.scipy.minimize(
        cost_of_others, np.delete(start, 2), method="L-BFGS-B", bounds=np.delete(LIMITS, 2, 0)
    )


periods = np.geomspace(4.0, 30.0, 40)
start = np.log([3.0, 20.0, 1.0, 0.5, 0.5])
profile = [fit_others(period, start) for period in tqdm(periods, unit="fit", desc="periods", disable=None)]
best = int(np.argmin([fit.fun for fit in profile]))
found = tapegrad.scipy.minimize(cost, np.insert(profile[best].x, 2, np.log(periods[best])), method="trust-exact")

# %%
# There the Hessian is the inverse of the hyper-parameters' covariance, and relative errors are those of logarithms.

errors = np.sqrt(np.diag(np.linalg.inv(tapegrad.hessian(cost)(found.x))))
values = np.exp(found.x)
for name, value, error in zip(HYPERS, values, errors, strict=True):
    print(f"{name:16} {value:7.3f} +- {value * error:.3f}")
print(f"the period in truth: {PERIOD}")
print(f"largest slope left: {np.abs(tapegrad.grad(cost)(found.x)).max():.1e}")

# %%
# The prediction
# --------------
# The band of two standard deviations is narrow where there are measurements, and opens in the gap and in the future.
# In the last plot the normal distribution that belongs to the Hessian lies on the likelihood itself, as far as four
# standard deviations: the error of the period is one that can be quoted.


def predict(hypers: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the standard deviation of the star's brightness, given the measurements."""
    lower = factor(hypers)
    half = np.linalg.solve(lower, covariance(hypers, days[kept], times))
    variance = np.exp(2 * hypers[0]) - np.sum(half**2, axis=0)
    return mean + half.T @ np.linalg.solve(lower, measured[kept] - mean), np.sqrt(np.maximum(variance, 0.0))


times = np.linspace(-2.0, 155.0, 800)
curve, deviation = predict(found.x, times)
tested, uncertain = predict(found.x, days[~kept])
pulls = (measured[~kept] - tested) / np.hypot(uncertain, values[-1])
print(f"{np.sum(np.abs(pulls) < 2)} of {len(pulls)} measurements put aside lie within two standard deviations")

figure = plt.figure(figsize=(10, 7), layout="constrained")
grid = figure.add_gridspec(2, 2, height_ratios=[1.2, 1])
axes = figure.add_subplot(grid[0, :])
axes.plot(times, brightness(times), color="gray", linestyle="--", linewidth=1, label="truth")
axes.plot(times, curve, color="C0", linewidth=2, label="mean")
axes.fill_between(
    times, curve - 2 * deviation, curve + 2 * deviation, color="C0", alpha=0.25, label="two standard deviations"
)
axes.errorbar(days[kept], measured[kept], SIGMA, fmt=".", color="C1", label="measured")
axes.plot(days[~kept], measured[~kept], "s", color="none", markeredgecolor="C5", label="put aside", zorder=3)
axes.set(title="The star's brightness", xlabel="day", ylabel="parts per thousand", xlim=(times[0], times[-1]))
axes.legend(loc="lower left", ncols=5, frameon=False, fontsize="small")
axes.set_ylim(bottom=axes.get_ylim()[0] - 3)

left = figure.add_subplot(grid[1, 0])
left.plot(periods, [found.fun - fit.fun for fit in profile], ".-", color="C0")
left.axvline(PERIOD, color="C1", linewidth=2, label="truth")
left.set(title="The likelihood's maxima", xlabel="period / d", ylabel="log-likelihood below its maximum", xscale="log")
left.set_xticks([4, 5, 7, 10, 14, 20, 28])
left.xaxis.set_major_formatter("{x:.0f}")
left.minorticks_off()
left.legend(frameon=False)

right = figure.add_subplot(grid[1, 1])
near = values[2] * np.exp(np.linspace(-4, 4, 31) * errors[2])
likelihood = np.exp([found.fun - fit_others(period, found.x).fun for period in near])
right.plot(near, likelihood, "o", color="C1", markersize=4, label="likelihood")
right.plot(near, np.exp(-((np.log(near / values[2]) / errors[2]) ** 2) / 2), color="C0", label="from the Hessian")
right.set(
    title=f"Period: {values[2]:.2f} ± {values[2] * errors[2]:.2f} d", xlabel="period / d", ylabel="relative likelihood"
)
right.legend(frameon=False, loc="upper left")

plt.show()
