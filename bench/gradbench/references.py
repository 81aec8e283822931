"""What each eval must give, computed by NumPy without tapegrad: closed forms where there are any, else complex steps.

A complex step evaluates f(x + i h v): its imaginary part over h is the derivative along v, exact to rounding
because nothing is subtracted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench.gradbench import inputs
from bench.gradbench.inputs import Array, Json
from bench.gradbench.reference_models import ba_errors, ht_errors, lstm_loss, particle_miss

STEP = 1e-30


def expected(name: str, function: str, given: Any) -> Any:
    """Return the output that a function of an eval must have, as JSON."""
    return REFERENCES[name](function, given)


def worst_error(expected: Any, output: Any) -> float:
    """Return how far an output is from the expected one, relative to its array's greatest element.

    What has another structure is infinitely far.
    """
    worst = 0.0
    for a, b in _pairs(expected, output):
        if a is None or b is None or a.shape != b.shape:
            return math.inf
        difference = np.max(np.abs(a - b), initial=0.0)
        if difference:
            worst = max(worst, float(difference / np.max(np.abs(a)))) if np.isfinite(difference) else math.inf
    return worst


def _pairs(a: Any, b: Any) -> Iterator[tuple[Array | None, Array | None]]:
    """Pair the arrays that two structures have in the same places; None stands for what has no counterpart."""
    if isinstance(a, dict):
        if not isinstance(b, dict) or a.keys() != b.keys():
            yield None, None
            return
        for name in a:
            yield from _pairs(a[name], b[name])
        return
    try:
        yield np.asarray(a, np.float64), np.asarray(b, np.float64)
    except (TypeError, ValueError):
        yield None, None


def _hello(function: str, x: float) -> float:
    return x * x if function == "square" else 2.0 * x


def _lse(function: str, given: Json) -> Any:
    exponentials = np.exp(given["x"])  # uniform numbers do not overflow
    total = exponentials.sum()
    return math.log(total) if function == "primal" else (exponentials / total).tolist()


def _llsq(function: str, given: Json) -> Any:
    t = np.linspace(-1, 1, given["n"])
    residuals = np.sign(t) - np.polynomial.polynomial.polyval(t, given["x"])
    if function == "primal":
        return 0.5 * float(residuals @ residuals)
    return [-float(residuals @ t**j) for j in range(len(given["x"]))]


def _ode(function: str, given: Json) -> Any:
    x, steps = inputs.floats(given["x"]), given["s"]
    if function == "primal":
        return _runge_kutta(x, steps).tolist()
    # A step moves information four places, so with fewer steps nothing arrives at the last component.
    if 4 * steps < x.size:
        return [0.0] * x.size
    return [float(y[-1].imag) / STEP for y in map(_runge_kutta, _perturbed(x), [steps] * x.size)]


def _runge_kutta(x: Array, steps: int) -> Array:
    def slope(y: Array) -> Array:
        dy = x.copy()
        dy[1:] *= y[:-1]
        return dy

    h = 2.0 / steps
    y = np.zeros_like(x)
    for _ in range(steps):
        k1 = slope(y)
        k2 = slope(y + h * k1 / 2)
        k3 = slope(y + h * k2 / 2)
        k4 = slope(y + h * k3)
        y = y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6
    return y


def _perturbed(x: Array) -> Iterator[Array]:
    """Return x with a complex step in each element in turn."""
    for k in range(x.size):
        z = x.astype(np.complex128).ravel()
        z[k] += 1j * STEP
        yield z.reshape(x.shape)


def _det(function: str, given: Json) -> Any:
    matrix = inputs.floats(given["A"], given["ell"], given["ell"])
    determinant = float(np.linalg.det(matrix))
    return determinant if function == "primal" else (determinant * np.linalg.inv(matrix).T).ravel().tolist()


def _kmeans(function: str, given: Json) -> Any:
    points, centroids = inputs.floats(given["points"]), inputs.floats(given["centroids"])
    distances = sum((points[:, j, None] - centroids[:, j]) ** 2 for j in range(points.shape[1]))
    nearest = np.argmin(distances, 1)
    if function == "cost":
        return float(np.sum((points - centroids[nearest]) ** 2))
    return [(c - points[nearest == j].mean(0)).tolist() for j, c in enumerate(centroids)]


def _gmm(function: str, given: Json) -> Any:
    """Return the value, or the gradient by hand, component by component."""
    alpha, mu, q, lower, x, gamma, m = inputs.gmm(given)
    k, d = mu.shape
    whitened, factors = [], []
    for c in range(k):
        factor = np.diag(np.exp(q[c]))
        factor.T[np.triu_indices(d, 1)] = lower[c]
        factors.append(factor)
        whitened.append((x - mu[c]) @ factor.T)
    beta = np.stack([alpha[c] + q[c].sum() - 0.5 * (whitened[c] ** 2).sum(1) for c in range(k)], 1)
    totals = np.logaddexp.reduce(beta, 1)
    if function == "objective":
        freedom = d + m + 1
        log_gamma = d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma((freedom - j) / 2) for j in range(d))
        prior = k * (freedom * d * math.log(gamma / math.sqrt(2)) - log_gamma) + m * q.sum()
        prior -= gamma**2 / 2 * (np.exp(2 * q).sum() + (lower**2).sum())
        normal = -len(x) * (d / 2 * math.log(2 * math.pi) + np.logaddexp.reduce(alpha))
        return float(normal + totals.sum() + prior)
    shares = np.exp(beta - totals[:, None])
    gradient: dict[str, list[Any]] = {"alpha": [], "mu": [], "q": [], "l": []}
    for c in range(k):
        share = shares[:, c]
        by_factor = -(share[:, None] * whitened[c]).T @ (x - mu[c])
        gradient["alpha"].append(share.sum() - len(x) * math.exp(alpha[c] - np.logaddexp.reduce(alpha)))
        gradient["mu"].append(((share @ whitened[c]) @ factors[c]).tolist())
        diagonal = np.exp(q[c])
        gradient["q"].append((np.diag(by_factor) * diagonal + share.sum() + m - (gamma * diagonal) ** 2).tolist())
        gradient["l"].append((by_factor.T[np.triu_indices(d, 1)] - gamma**2 * lower[c]).tolist())
    return gradient


def _lstm(function: str, given: Json) -> Any:
    main, extra, state, sequence = inputs.lstm(given)
    if function == "objective":
        return float(lstm_loss(main[None], extra[None], state, sequence)[0])
    # All directions at once, on a leading axis.
    size = main.size + extra.size
    steps = 1j * STEP * np.eye(size)
    mains = main + steps[:, : main.size].reshape(size, *main.shape)
    extras = extra + steps[:, main.size :].reshape(size, *extra.shape)
    return (lstm_loss(mains, extras, state, sequence).imag / STEP).tolist()


def _ba(function: str, given: Json) -> Any:
    """Return what GradBench looks at: the first two observations and the last weight, all of which are equal."""
    n, m, p = given["n"], given["m"], given["p"]
    camera, point, feature = (inputs.floats(given[name]) for name in ("cam", "x", "feat"))
    weight = given["w"]
    if function == "objective":
        return {
            "reproj_error": {"elements": ba_errors(camera, point, weight, feature).tolist(), "repeated": p},
            "w_err": {"element": 1 - weight**2, "repeated": p},
        }
    everything = np.concatenate([camera, point, [weight]])
    block = np.array([ba_errors(z[:11], z[11:14], z[14], feature).imag / STEP for z in _perturbed(everything)]).T
    rows = [15 * i for i in range(2 * p)] + [30 * p + i for i in range(p + 1)]
    columns: list[int] = []
    for i in range(p):
        row = (
            [11 * (i % n) + j for j in range(11)] + [11 * n + 3 * (i % m) + j for j in range(3)] + [11 * n + 3 * m + i]
        )
        columns += [*row, *row]
    columns += [11 * n + 3 * m + i for i in range(p)]
    values = np.concatenate([*[block.ravel()] * p, np.full(p, -2 * weight)]).tolist()
    return {name: [*all_[:30], all_[-1]] for name, all_ in (("rows", rows), ("cols", columns), ("vals", values))}


def _ht(function: str, given: Json) -> Any:
    data = inputs.ht(given)
    if function == "objective":
        return ht_errors(data.theta, data.us, data).ravel().tolist()
    columns = []
    if data.us is not None:
        columns = [ht_errors(data.theta, data.us + 1j * STEP * np.eye(2)[j], data) for j in range(2)]
    columns += [ht_errors(theta, data.us, data) for theta in _perturbed(data.theta)]
    return np.stack([column.imag.ravel() / STEP for column in columns], 1).tolist()


def _solve(f: Callable[[Array], Any], x: Array) -> Array:
    """Descend as GradBench's solver does, with slopes by complex steps; x and the slopes may be complex."""

    def length(v: Array) -> float:
        return math.sqrt(float(np.sum(v.real**2)))

    def gradient(x: Array) -> Array:
        return np.array([f(z).imag for z in _perturbed(x)]) / STEP

    fx, g, i, eta = f(x).real, gradient(x), 0, 1e-5
    while True:
        if length(g) <= 1e-5:
            return x
        if i == 10:
            eta, i = eta * 2, 0
            continue
        following = x - eta * g
        if length(x - following) <= 1e-5:
            return x
        value = f(following).real
        if value < fx:
            x, fx, g, i = following, value, gradient(following), i + 1
        else:
            eta, i = eta / 2, 0


def _particle(function: str, given: Json) -> float:
    return float(_solve(lambda w: particle_miss(w[0]), np.array([given["w"]]))[0])


def _saddle(function: str, given: Json) -> list[float]:
    """Return the point; the inner maximum, found by descent along -2q, does not depend on p."""
    start = inputs.floats(given["start"])
    inner = _solve(lambda q: np.sum(q * q), start)
    least = _solve(lambda p: np.sum(p * p) - np.sum(inner * inner), start)
    return [*least.tolist(), *inner.tolist()]


REFERENCES: dict[str, Callable[[str, Any], Any]] = {
    "hello": _hello,
    "lse": _lse,
    "llsq": _llsq,
    "ode": _ode,
    "det": _det,
    "kmeans": _kmeans,
    "gmm": _gmm,
    "lstm": _lstm,
    "ba": _ba,
    "ht": _ht,
    "particle": _particle,
    "saddle": _saddle,
}
