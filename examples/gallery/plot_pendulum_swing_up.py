r"""
Optimal control: a pendulum swings itself up
============================================

A motor turns a pendulum, but it has a third of the torque that would lift it: the pendulum has to gather speed first.
Which torques bring it upright, and to rest, with the least effort? Direct shooting simulates the pendulum, a program in
plain Python, and lets SciPy choose the torques; tapegrad differentiates the simulation. Its Jacobians then
also give the feedback that holds the pendulum to its path when it is disturbed.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
from matplotlib.collections import LineCollection
from tqdm import tqdm

import tapegrad
import tapegrad.scipy

plt.style.use("tableau-colorblind10")

# %%
# The simulation
# --------------
# A mass of 1 kg hangs on a rod of 1 m; the angle is zero below and :math:`\pi` above. The torque is constant during
# each of 75 steps, taken by the Runge-Kutta method.

GRAVITY = 9.81  # m/s^2
FRICTION = 0.1  # N m s
LIMIT = 3.3  # N m
STEP = 0.06  # s
STEPS = 75

State = tuple[Any, Any]  # angle / rad, rate / (rad/s)


def slope(state: State, torque: Any) -> State:
    """The derivative of the state by time."""
    angle, rate = state
    return rate, torque - GRAVITY * np.sin(angle) - FRICTION * rate


def after(state: State, slopes: State, time: float) -> State:
    """The state after some time with constant slopes."""
    return state[0] + time * slopes[0], state[1] + time * slopes[1]


def step(state: State, torque: Any) -> State:
    """The state after one step."""
    k1 = slope(state, torque)
    k2 = slope(after(state, k1, STEP / 2), torque)
    k3 = slope(after(state, k2, STEP / 2), torque)
    k4 = slope(after(state, k3, STEP), torque)
    mean = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4, strict=True)]
    return after(state, (mean[0], mean[1]), STEP)


def swing(torques: Any) -> list[State]:
    """The states of a pendulum that starts at rest below."""
    states: list[State] = [(0.0, 0.0)]
    for torque in torques:
        states.append(step(states[-1], torque))
    return states


def effort(torques: Any) -> Any:
    """The integral of the squared torque over time."""
    return STEP * np.sum(torques**2)


def miss(torques: Any) -> Any:
    """How far the last state is from standing upright."""
    angle, rate = swing(torques)[-1]
    return np.stack([angle - np.pi, rate])


# %%
# The best torques
# ----------------
# :func:`tapegrad.scipy.minimize` gives SciPy the gradient of the effort, and the Jacobian of the constraint: the
# derivatives of the last state by all torques, through 300 evaluations of the equation of motion.

start = np.cos(np.sqrt(GRAVITY) * STEP * np.arange(STEPS))
with tqdm(unit="iteration", desc="SLSQP", disable=None) as progress:
    found = tapegrad.scipy.minimize(
        effort,
        start,
        method="SLSQP",
        bounds=[(-LIMIT, LIMIT)] * STEPS,
        constraints={"type": "eq", "fun": miss},
        callback=lambda torques: progress.update(),
        options={"maxiter": 300},
    )
torques = found.x
states: np.ndarray = np.array(swing(torques))
print(f"{found.message} after {found.nit} iterations: effort {found.fun:.3f} (N m)^2 s")
print(f"distance from upright: {np.abs(miss(torques)).max():.1e}")

# %%
# SLSQP has seen no second derivatives, but they can tell whether this is a minimum. With the multipliers of the
# constraints, the Hessian of the Lagrangian must be positive in all directions in which the torques are free to move.

free = np.abs(torques) < LIMIT - 1e-6
slopes = tapegrad.jacobian(miss)(torques)[:, free]
multipliers = np.linalg.lstsq(slopes.T, -tapegrad.grad(effort)(torques)[free])[0]
curvature = tapegrad.hessian(lambda u: effort(u) + np.sum(multipliers * miss(u)))(torques)[np.ix_(free, free)]
directions = scipy.linalg.null_space(slopes)
least = np.linalg.eigvalsh(directions.T @ curvature @ directions)[0]
print(f"{STEPS - np.sum(free)} torques at their limit, least curvature in the others: {least:.4f}")

# %%
# In the phase portrait a pendulum left to itself would follow the grey lines, but for friction. The torque moves it
# from line to line, outwards, until it reaches the dashed one, which leads to the top.

figure = plt.figure(figsize=(10, 5), layout="constrained")
grid = figure.add_gridspec(2, 2, width_ratios=[1.25, 1])
phase = figure.add_subplot(grid[:, 0])
angles, rates = np.meshgrid(np.linspace(-4.2, 4.2, 300), np.linspace(-8, 8, 300))
energy = rates**2 / 2 - GRAVITY * np.cos(angles)
phase.contour(angles, rates, energy, np.arange(-8, 30, 4), colors="0.8", linewidths=0.8, linestyles="-")
phase.contour(angles, rates, energy, [GRAVITY], colors="0.4", linewidths=1.2, linestyles="--")
path = LineCollection(
    list(np.stack([states[:-1], states[1:]], axis=1)), array=torques, cmap="coolwarm", linewidth=4, capstyle="round"
)
path.set_clim(-LIMIT, LIMIT)
phase.add_collection(path)
for k, name in ((0, "start"), (-1, "end")):
    phase.plot(*states[k], "o", color="gray")
    phase.annotate(name, states[k], (8, 0), textcoords="offset points", va="center", fontsize="small")
phase.set(title="Phase portrait", xlabel="angle / rad", ylabel="rate / (rad/s)")
phase.set_xticks([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], ["-π", "-π/2", "0", "π/2", "π"])
figure.colorbar(path, ax=phase, label="torque / (N m)")

times = STEP * np.arange(STEPS + 1)
above = figure.add_subplot(grid[0, 1])
above.stairs(torques, times, color="C0", linewidth=2, baseline=None)
for limit in (-LIMIT, LIMIT):
    above.axhline(limit, color="0.5", linestyle=":")
above.set(title=f"Least effort: {found.fun:.1f} (N m)² s", ylabel="torque / (N m)")
below = figure.add_subplot(grid[1, 1], sharex=above)
below.plot(times, states[:, 0], color="C1", linewidth=2)
below.axhline(np.pi, color="0.5", linestyle=":")
below.set(xlabel="time / s", ylabel="angle / rad")
below.set_yticks([-np.pi / 2, 0, np.pi / 2, np.pi], ["-π/2", "0", "π/2", "π"])
plt.show()

# %%
# Feedback along the path
# -----------------------
# Gusts would make these torques miss. The cure is linear: near the path a deviation :math:`x` develops as
# :math:`x' = A x + B u`, where :math:`A` and :math:`B` are the Jacobians of a step. Riccati's recursion, backwards from
# the end, turns them into gains by which each step corrects its torque.


def gains(states: np.ndarray, torques: np.ndarray) -> np.ndarray:
    """The gains of a linear-quadratic regulator along a path, of shape (steps, 2)."""
    by_state_and_torque = tapegrad.jacobian(lambda state, torque: np.stack(step(state, torque)), (0, 1))
    value, result = 100.0 * np.eye(2), []
    for state, torque in zip(states[-2::-1], torques[::-1], strict=True):
        a, b = by_state_and_torque(state, torque)
        gain = (b @ value @ a) / (STEP + b @ value @ b)
        result.append(gain)
        value = STEP * np.eye(2) + a.T @ value @ (a - np.outer(b, gain))
    return np.array(result[::-1])


def disturbed(gain: np.ndarray, runs: int) -> np.ndarray:
    """The states of pendulums in gusts of wind, of shape (steps + 1, 2, runs)."""
    random = np.random.default_rng(0)
    state = np.zeros((2, runs))
    path = [state]
    for torque, factor, planned in zip(torques, gain, states[:-1], strict=True):
        correction = factor @ (state - planned[:, np.newaxis])
        gust = random.normal(scale=0.8, size=runs)  # N m
        state = np.stack(step((state[0], state[1]), np.clip(torque - correction, -LIMIT, LIMIT) + gust))
        path.append(state)
    return np.stack(path)


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained", sharey=True)
for axes, name, gain in (
    (left, "Without feedback", np.zeros((STEPS, 2))),
    (right, "With feedback", gains(states, torques)),
):
    runs = disturbed(gain, 200)
    distance = np.sqrt(np.mean((runs[-1, 0] - np.pi) ** 2))
    print(f"{name.lower()}: {distance:.3f} rad from upright")
    axes.plot(times, runs[:, 0, :60], color="C0", alpha=0.2, linewidth=1)
    axes.plot(times, states[:, 0], color="C1", linewidth=2)
    axes.set(title=f"{name}: {distance:.2f} rad from upright", xlabel="time / s")
    axes.set_yticks([-np.pi, 0, np.pi, 2 * np.pi], ["-π", "0", "π", "2π"])
left.set_ylabel("angle / rad")

plt.show()
