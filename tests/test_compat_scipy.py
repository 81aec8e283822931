"""autograd's SciPy modules: SciPy's values, and derivatives for all arguments."""

from __future__ import annotations

import numpy as onp
import pytest
import scipy.linalg
import scipy.signal
import scipy.special
import scipy.stats
from numpy.testing import assert_allclose

import tapegrad.compat.autograd.numpy as np
from tapegrad.compat.autograd import grad, value_and_grad
from tapegrad.compat.autograd.misc.fixed_points import fixed_point
from tapegrad.compat.autograd.scipy import linalg, special, stats
from tapegrad.compat.autograd.scipy.integrate import odeint
from tapegrad.compat.autograd.scipy.signal import convolve
from tapegrad.compat.autograd.test_util import check_grads, combo_check

X = onp.array([0.2, 0.5, 0.9])

DISTRIBUTIONS = {
    "norm": (["pdf", "cdf", "sf", "logpdf", "logcdf", "logsf"], (onp.array([-2.0, 0.3, 4.0]), 0.4, 1.3)),
    "beta": (["pdf", "cdf", "logpdf"], (onp.array([0.1, 0.4, 0.7]), 2.0, 3.0, 0.05, 0.9)),
    "gamma": (["pdf", "cdf", "logpdf"], (onp.array([0.3, 1.0, 4.0]), 2.5, 0.1, 1.3)),
    "chi2": (["pdf", "cdf", "logpdf"], (onp.array([0.3, 1.0, 4.0]), 3.0, 0.1, 1.3)),
    "t": (["pdf", "cdf", "logpdf", "logcdf"], (onp.array([-2.0, 0.3, 4.0]), 3.5, 0.1, 1.3)),
}

CASES = [(name, method, args) for name, (methods, args) in DISTRIBUTIONS.items() for method in methods]


@pytest.mark.parametrize(("name", "method", "args"), CASES)
def test_distributions(name, method, args):
    found, wanted = getattr(getattr(stats, name), method), getattr(getattr(scipy.stats, name), method)
    value, _ = value_and_grad(lambda *args: np.sum(found(*args)), list(range(len(args))))(*args)
    assert_allclose(value, onp.sum(wanted(*args)), rtol=1e-13)
    assert_allclose(found(*args), wanted(*args), rtol=0)
    check_grads(found, list(range(len(args))))(*args)


@pytest.mark.parametrize(("name", "method", "args"), CASES)
def test_distributions_outside_their_support_and_for_wrong_parameters(name, method, args):
    found, wanted = getattr(getattr(stats, name), method), getattr(getattr(scipy.stats, name), method)
    x = onp.array([-3.0, 0.5, 9.0])
    traced = []
    grad(lambda x: np.sum(traced.append(found(x, *args[1:])) or traced[-1]))(x)
    assert_allclose(np.array(onp.asarray(traced[0])), wanted(x, *args[1:]), rtol=1e-12)
    for k in range(1, len(args)):
        if k == len(args) - 2:  # a location may be anything
            continue
        with onp.errstate(all="ignore"):
            wrong = [-1.0 if j == k else arg for j, arg in enumerate(args)]
            value, _ = value_and_grad(lambda s, k=k, wrong=wrong: found(*wrong[:k], s, *wrong[k + 1 :])[1], 0)(wrong[k])
        assert onp.isnan(value)
        assert onp.isnan(wanted(*wrong)[1])


def test_poisson():
    counts = onp.array([-1, 0, 2, 5])
    for method in ("pmf", "cdf", "logpmf"):
        found, wanted = getattr(stats.poisson, method), getattr(scipy.stats.poisson, method)
        traced = []
        grad(lambda mu, found=found, traced=traced: np.sum(traced.append(found(counts, mu)) or traced[-1][1:]))(1.7)
        assert_allclose(onp.asarray(traced[0]), wanted(counts, 1.7), rtol=1e-12)
        check_grads(lambda mu, found=found: found(counts[1:], mu))(1.7)
    assert stats.poisson.pmf(0.5, 1.0) == 0.0
    assert grad(lambda mu: stats.poisson.pmf(0.5, mu))(1.0) == 0.0


def test_dirichlet():
    alpha, x = onp.array([1.5, 2.0, 0.8]), onp.array([0.2, 0.5, 0.3])
    for method in ("pdf", "logpdf"):
        found, wanted = getattr(stats.dirichlet, method), getattr(scipy.stats.dirichlet, method)
        assert_allclose(value_and_grad(found, 1)(x, alpha)[0], wanted(x, alpha), rtol=1e-13)
        assert_allclose(value_and_grad(found, 1)(x[:2], alpha)[0], wanted(x, alpha), rtol=1e-13)
        check_grads(lambda x, a, found=found: found(x / np.sum(x), a), [0, 1])(x, alpha)
    with pytest.raises(ValueError, match="greater than 0"):
        grad(stats.dirichlet.logpdf, 1)(x, -alpha)
    assert stats.dirichlet.rvs(alpha, random_state=0).shape == (1, 3)


@pytest.mark.parametrize(
    ("x", "mean", "cov"),
    [
        (X, X[::-1], onp.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 0.7]])),
        (onp.stack([X, -X]), X[::-1], onp.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 0.7]])),
        (X, X[::-1], onp.array([1.0, 2.0, 0.5])),
        (X, None, 2.0),
        (0.3, 0.1, 0.7),
        (X, 0.1, 0.7),
    ],
    ids=["matrix", "points", "diagonal", "number", "one dimension", "points in one dimension"],
)
def test_multivariate_normal(x, mean, cov):
    for method in ("pdf", "logpdf"):
        found, wanted = (getattr(package.multivariate_normal, method) for package in (stats, scipy.stats))
        for singular in (False, True):
            traced = []

            def f(c, found=found, singular=singular, traced=traced):
                c = (c + np.transpose(c)) / 2.0 if np.ndim(c) == 2 else c
                traced.append(found(x, mean, c, singular))
                return traced[-1]

            check_grads(f)(cov)
            assert_allclose(onp.asarray(traced[0]), wanted(x, mean, cov), rtol=1e-12)
    check_grads(lambda x: stats.multivariate_normal.logpdf(x, mean, cov))(x)
    if onp.ndim(cov) < 2:
        wanted = scipy.stats.multivariate_normal(mean, cov).entropy()
        assert_allclose(stats.multivariate_normal.entropy(mean, cov), wanted)
    check_grads(lambda s: stats.multivariate_normal.entropy(mean, s * cov))(1.0)


def test_singular_covariances():
    basis = onp.array([[1.0, 0.0], [0.5, 1.0], [0.2, -0.4]])
    point = basis @ onp.array([0.3, 0.2])

    def f(basis):
        return stats.multivariate_normal.logpdf(point, None, basis @ basis.T, allow_singular=True)

    wanted = scipy.stats.multivariate_normal.logpdf(point, None, basis @ basis.T, allow_singular=True)
    assert_allclose(value_and_grad(lambda s: f(s * basis))(1.0)[0], wanted)
    check_grads(lambda s: f(s * basis))(1.0)


def test_special_functions_are_scipys():
    assert_allclose(special.gammainc(2.0, X), scipy.special.gammainc(2.0, X), rtol=0)
    assert special.zeta.__name__ == "zeta"
    combo_check(special.logsumexp, [0])([onp.ones((2, 3)) + X], axis=[None, 0, 1], keepdims=[True, False])
    for function in (special.gammainc, special.betaln, special.beta, special.xlogy):
        check_grads(function, [0, 1])(X + 1.0, 2.0 * X)
    assert_allclose(grad(lambda x: special.logsumexp([x, 2.0 * x]))(0.0), 1.5)


SPD = onp.array([[3.0, 0.5, 0.2], [0.5, 2.0, 0.3], [0.2, 0.3, 1.0]])
A = onp.array([[1.0, 0.4, 0.2], [-0.3, 2.0, 0.5], [0.6, -0.2, 1.5]])
B = onp.array([[1.0, 0.2], [0.5, -1.0], [0.3, 0.7]])


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("trans", [0, "T", "C"])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("right", [B, B[:, 0]], ids=["matrix", "vector"])
def test_triangular_systems(lower, trans, unit, right):
    triangle = onp.tril(A) if lower else onp.triu(A)
    options = {"trans": trans, "lower": lower, "unit_diagonal": unit}
    value, _ = value_and_grad(lambda b: np.sum(linalg.solve_triangular(triangle, b, **options)))(right)
    assert_allclose(value, onp.sum(scipy.linalg.solve_triangular(triangle, right, **options)))
    check_grads(lambda a, b: linalg.solve_triangular(a, b, **options), [0, 1], modes=["rev"])(triangle, right)


def symmetric(function):
    return lambda a, *args, **kwargs: function((a + np.transpose(a)) / 2.0, *args, **kwargs)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("inv", (A,), {}),
        ("det", (A,), {}),
        ("expm", (A / 3.0,), {}),
        ("sqrtm", (SPD,), {}),
        ("norm", (A,), {}),
        ("block_diag", (A, B), {}),
        ("solve_sylvester", (A, SPD[:2, :2], B), {}),
        ("solve_banded", ((1, 1), A + 4.0 * onp.array([[0], [1], [0]]), B), {}),
        ("cholesky", (SPD,), {"lower": True}),
        ("cholesky", (SPD,), {}),
    ],
)
def test_matrices(name, args, options):
    found, wanted = getattr(linalg, name), getattr(scipy.linalg, name)
    inexact = [k for k, arg in enumerate(args) if not isinstance(arg, tuple)]
    function = symmetric(found) if name == "cholesky" else found
    assert_allclose(found(*args, **options), wanted(*args, **options), rtol=0)
    value, _ = value_and_grad(lambda *args: np.sum(function(*args, **options) ** 2), inexact)(*args)
    assert_allclose(value, onp.sum(wanted(*args, **options) ** 2), rtol=1e-12)
    check_grads(function, inexact, modes=["rev"])(*args, **options)


@pytest.mark.parametrize("lower", [False, True])
def test_cholesky_solutions(lower):
    factor = scipy.linalg.cholesky(SPD, lower=lower)
    assert_allclose(
        value_and_grad(lambda b: np.sum(linalg.cho_solve((factor, lower), b)))(B)[0], onp.sum(onp.linalg.solve(SPD, B))
    )
    check_grads(lambda c, b: linalg.cho_solve((c, lower), b), [0, 1], modes=["rev"])(factor, B)


def test_convolution():
    wide, narrow = A, B[:2]
    for mode in ("full", "valid", "same"):
        assert_allclose(convolve(wide, narrow, mode=mode), scipy.signal.convolve(wide, narrow, mode=mode), atol=1e-14)
        check_grads(lambda a, b, mode=mode: convolve(a, b, mode=mode), [0, 1])(wide, narrow)
    swapped = convolve(narrow, wide, mode="valid")
    assert_allclose(swapped, scipy.signal.convolve(narrow, wide, mode="valid"), atol=1e-14)
    check_grads(lambda a, b: convolve(a, b, mode="valid"), [0, 1])(narrow, wide)
    images, kernels = onp.ones((2, 4, 5)) * X[:2, None, None], onp.arange(18.0).reshape(3, 2, 3)
    summed = convolve(images, kernels, axes=([1, 2], [1, 2]), mode="valid")
    assert summed.shape == (2, 3, 3, 3)
    assert_allclose(summed[1, 2], scipy.signal.convolve(images[1], kernels[2], mode="valid"))
    channels = convolve(images, kernels[:2], axes=([1, 2], [1, 2]), dot_axes=([0], [0]), mode="full")
    wanted = sum(scipy.signal.convolve(images[k], kernels[k]) for k in range(2))
    assert_allclose(channels, wanted)
    with pytest.raises(ValueError, match="must cover"):
        convolve(onp.ones((2, 3)), onp.ones((3, 2)), mode="valid")
    with pytest.raises(ValueError, match="'circular'"):
        convolve(wide, narrow, mode="circular")


def test_differential_equations():
    def oscillator(y, t, stiffness, damping):
        return np.stack([y[1], -stiffness * y[0] - damping * y[1] * np.cos(t)])

    tight = {"rtol": 1e-11, "atol": 1e-11}
    times, start = onp.array([0.0, 0.4, 1.0]), onp.array([1.0, 0.2])

    def f(y0, t, *args):
        return np.sum(odeint(oscillator, y0, t, args, **tight) ** 2)

    step = 1e-5
    for k, argument in enumerate((start, times, 1.3, 0.4)):
        args = [start, times, 1.3, 0.4]
        found = onp.ravel(grad(f, k)(*args))
        for j, direction in enumerate(onp.eye(onp.size(argument))):
            direction = direction.reshape(onp.shape(argument))
            above, below = ([*args[:k], argument + s * direction, *args[k + 1 :]] for s in (step, -step))
            assert_allclose(found[j], (f(*above) - f(*below)) / (2 * step), rtol=1e-6, atol=1e-7)
    constant = grad(lambda y: np.sum(odeint(lambda y, t: -y, y, times)))(start)
    assert_allclose(constant, onp.sum(onp.exp(-times)) * onp.ones(2), rtol=1e-6)


def test_fixed_points():
    def newton(a):
        return lambda x: 0.5 * (x + a / x)

    def root(a):
        return fixed_point(newton, a, 1.0, lambda x, y: onp.abs(x - y), 1e-12)

    assert_allclose(root(3.0), onp.sqrt(3.0))
    assert_allclose(grad(root)(3.0), 0.5 / onp.sqrt(3.0))
    assert_allclose(grad(lambda a: root(a) ** 2)(3.0), 1.0)
