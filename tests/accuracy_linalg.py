"""How accurate linear algebra and its gradients are: errors against mpmath, in units of what rounding must cost.

Each row of `ROWS` says what is computed; its `compute()` returns the greatest error found over some matrices, and its
`bound` is what the tests allow. An error is the norm of the difference over that of the exact result, in units of eps
times the condition number of the matrix (for eigenvalues and singular values, over the gap between them). Exact
gradients are central differences in so many digits that they are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

import tapegrad as tf

DIGITS = 45
STEP = mp.mpf(10) ** -20  # the error of a central difference is its square
EPS = float(np.finfo(np.float64).eps)


class Problem(NamedTuple):
    """A function of a matrix, in both kinds of arithmetic."""

    function: Callable[..., Any]  # of a tensor; real
    exact: Callable[..., Any]  # of an mpmath matrix, returning a number or a matrix
    condition: Callable[[Any], float]  # of an array
    prepare: Callable[[Any], Any]  # makes a random array fit
    is_series: bool = False  # in powers of the matrix


def _as_mp(a: Any) -> Any:
    return mp.matrix(np.asarray(a).tolist())


def _as_array(a: Any) -> Any:
    if not isinstance(a, mp.matrix):
        return np.asarray(float(a))
    return np.array([[float(a[i, j]) for j in range(a.cols)] for i in range(a.rows)])


def _error(found: Any, exact: Any, condition: float) -> float:
    difference = np.linalg.norm(np.ravel(found) - np.ravel(exact))
    return float(difference / (EPS * condition * max(np.linalg.norm(np.ravel(exact)), np.finfo(float).tiny)))


def _plain(a: Any) -> Any:
    return a


def _symmetric(a: Any) -> Any:
    return (a + a.T) / 2


def _positive(a: Any) -> Any:
    return a @ a.T + 0.1 * np.eye(len(a))


def _sum(a: Any, weights: Any) -> Any:
    """The weighted sum of a number or of the elements of a matrix, in mpmath."""
    if not isinstance(a, mp.matrix):
        return a * weights[0, 0]
    return mp.fsum(a[i, j] * weights[i, j] for i in range(a.rows) for j in range(a.cols))


def _gap(values: Any) -> float:
    """How far rounding errors of a matrix turn vectors whose values are these."""
    sorted_ = np.sort(values)
    return float(np.abs(values).max() / np.min(np.diff(sorted_)))


def _solve(a: Any) -> Any:
    return mp.lu_solve(a, _as_mp(_right_hand_side(a.rows)))


def _right_hand_side(size: int) -> Any:
    return np.cos(np.arange(size, dtype=float))[:, None]


def _eigenvectors(a: Any) -> Any:
    w, v = mp.eigsy(a)
    order = sorted(range(a.rows), key=lambda k: w[k])
    # Squared, so that their signs do not matter.
    return mp.matrix([[v[i, k] ** 2 for k in order] for i in range(a.rows)])


def _eigenvalues(a: Any) -> Any:
    return mp.matrix(sorted(mp.eigsy(a, eigvals_only=True)))


def _singular_values(a: Any) -> Any:
    return mp.matrix(sorted(mp.svd_r(a, compute_uv=False), reverse=True))


def _log_abs_det(a: Any) -> Any:
    return mp.log(abs(mp.det(a)))


def _cholesky(a: Any) -> Any:
    # Of the symmetric part, so that the derivative is symmetric.
    return mp.cholesky((a + a.T) / 2)


def _symmetric_part(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda a: f((a + a.T) / 2)


def _nuclear_norm(a: Any) -> Any:
    return mp.fsum(mp.svd_r(a, compute_uv=False))


def _pinv(a: Any) -> Any:
    return mp.inverse(a.T * a) * a.T


_cond = np.linalg.cond


def _of_eigenvalues(a: Any) -> float:
    return _gap(np.linalg.eigvalsh(a))


PROBLEMS: dict[str, Problem] = {
    "det": Problem(tf.linalg.det, mp.det, _cond, _plain),
    "slogdet": Problem(lambda a: tf.linalg.slogdet(a)[1], _log_abs_det, _cond, _plain),
    "inv": Problem(tf.linalg.inv, mp.inverse, _cond, _plain),
    "solve": Problem(lambda a: tf.linalg.solve(a, _right_hand_side(a.shape[0])), _solve, _cond, _plain),
    "pinv": Problem(tf.linalg.pinv, _pinv, _cond, _plain),
    "cholesky": Problem(tf.linalg.cholesky, _cholesky, _cond, _positive),
    "eigvalsh": Problem(lambda a: np.linalg.eigvalsh(a), _symmetric_part(_eigenvalues), _of_eigenvalues, _symmetric),
    "eigh": Problem(
        lambda a: np.linalg.eigh(a).eigenvectors ** 2, _symmetric_part(_eigenvectors), _of_eigenvalues, _symmetric
    ),
    "svdvals": Problem(lambda a: np.linalg.svdvals(a), _singular_values, lambda a: _gap(np.linalg.svdvals(a)), _plain),
    "norm, nuclear": Problem(lambda a: np.linalg.norm(a, "nuc"), _nuclear_norm, _cond, _plain),
    "expm": Problem(tf.linalg.expm, mp.expm, lambda a: 1.0 + float(np.linalg.norm(a, 1)), _plain, is_series=True),
    "sqrtm": Problem(tf.linalg.sqrtm, mp.sqrtm, _cond, _positive, is_series=True),
}

# The errors of the values are those of LAPACK, with bounds of the same kind.
BOUNDS = {"value": 5.0, "gradient": 20.0}
SIZES = (2, 3, 5)
MATRICES = 3


def _weighted(problem: Problem, weights: Any, a: Any) -> Any:
    return _sum(problem.exact(a), weights)


def _exact_gradient(problem: Problem, a: Any, weights: Any) -> Any:
    """The gradient of the weighted sum of a function's elements."""
    if problem.is_series:
        # It is beside the diagonal in the function of a block matrix.
        blocks = np.block([[a.T, weights], [np.zeros_like(a), a.T]])
        return _as_array(problem.exact(_as_mp(blocks)))[: len(a), len(a) :]
    exact = _as_mp(a)
    slopes = np.empty(a.shape)
    for i in range(exact.rows):
        for j in range(exact.cols):
            ends = []
            for step in (STEP, -STEP):
                moved = exact.copy()
                moved[i, j] += step
                ends.append(_weighted(problem, weights, moved))
            slopes[i, j] = float((ends[0] - ends[1]) / (2 * STEP))
    return slopes


def _samples(problem: Problem) -> Any:
    rng = np.random.default_rng(41)
    for size in SIZES:
        for _ in range(MATRICES):
            yield problem.prepare(rng.normal(size=(size, size))), rng.normal(size=(size, size))


def value_error(name: str) -> float:
    """The greatest error of a function's values."""
    problem = PROBLEMS[name]
    with mp.workdps(DIGITS):
        return max(
            _error(problem.function(tf.constant(a)).numpy(), _as_array(problem.exact(_as_mp(a))), problem.condition(a))
            for a, _ in _samples(problem)
        )


def gradient_error(name: str) -> float:
    """The greatest error of the gradient of a weighted sum of a function's elements."""
    problem = PROBLEMS[name]
    errors = []
    with mp.workdps(DIGITS):
        for a, weights in _samples(problem):
            x = tf.constant(a)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = problem.function(x)
            shape = (*y.shape, 1, 1)[:2]  # a number or a vector as a column
            weights = weights[: shape[0], : shape[1]]
            found = tape.gradient(y, x, output_gradients=tf.constant(weights.reshape(y.shape))).numpy()
            errors.append(_error(found, _exact_gradient(problem, a, weights), problem.condition(a)))
    return max(errors)


ROWS: list[dict[str, Any]] = [
    {"name": f"{name}, {what}", "compute": partial(compute, name), "bound": BOUNDS[what]}
    for name in PROBLEMS
    for what, compute in (("value", value_error), ("gradient", gradient_error))
]
