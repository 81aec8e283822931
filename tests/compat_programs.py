"""Programs for autograd: run as a program, this prints what each of them gives, with autograd or with tapegrad.

`python compat_programs.py` uses whatever `import autograd` imports; `--tapegrad` puts tapegrad in its place.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as onp

if "--tapegrad" in sys.argv:
    from tapegrad.compat import install_as_autograd

    install_as_autograd()

import autograd.numpy as np
import autograd.scipy.linalg
import autograd.scipy.signal
import autograd.scipy.special as special
import autograd.scipy.stats as stats
from autograd import (
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    tensor_jacobian_product,
    value_and_grad,
)
from autograd.builtins import dict as boxed_dict
from autograd.builtins import tuple as boxed_tuple
from autograd.differential_operators import make_jvp_reversemode
from autograd.extend import defjvp, defvjp, primitive, vspace
from autograd.misc import const_graph, flatten, optimizers
from autograd.misc.fixed_points import fixed_point
from autograd.misc.tracers import const_graph_unary, full_graph
from autograd.numpy.numpy_vjps import unbroadcast_f
from autograd.scipy.integrate import odeint
from autograd.tracer import Node, trace

RNG = onp.random.default_rng(0)
X = RNG.uniform(0.2, 0.8, 4)
V = RNG.normal(size=4)
M = RNG.normal(size=(4, 4)) + 4.0 * onp.eye(4)
SPD = M @ M.T
Z = X + 1j * V

PROGRAMS: dict[str, Callable[[], Any]] = {}


def program(function: Callable[[], Any]) -> Callable[[], Any]:
    PROGRAMS[function.__name__] = function
    return function


@primitive
def scaled_sine(x, scale):
    return scale * onp.sin(x)


defvjp(
    scaled_sine,
    lambda ans, x, scale: unbroadcast_f(x, lambda g: g * scale * np.cos(x)),
    lambda ans, x, scale: unbroadcast_f(scale, lambda g: g * np.sin(x)),
)
defjvp(scaled_sine, lambda g, ans, x, scale: g * scale * np.cos(x), lambda g, ans, x, scale: g * np.sin(x))


@primitive
def complex_square(z):
    return z * z


defvjp(complex_square, lambda ans, z: lambda g: g * 2.0 * z)


def total(x: Any) -> Any:
    return np.sum(np.tanh(x) * np.exp(-(x**2)) + np.log(1.0 + x))


def layer(p: Any, x: Any) -> Any:
    return np.sum(np.tanh(np.dot(p["w"], x) + p["b"][0]) * p["b"][1])


PARAMETERS = {"w": M, "b": [X, V]}


@program
def operators() -> Any:
    return [
        grad(total)(X),
        grad(np.sin)(0.3),
        grad(lambda a, b: np.sum(a * b**2), 1)(X, V),
        grad(lambda a, b: np.sum(a * b**2), [0, 1])(X, V),
        value_and_grad(total)(X),
        elementwise_grad(np.tanh)(X),
        jacobian(lambda x: np.outer(x, x) @ V)(X),
        jacobian(lambda x: x**2)(3.0),
        hessian(total)(X),
        hessian(lambda x: x**3)(X),
        hessian_vector_product(total)(X, V),
        tensor_jacobian_product(lambda x: np.outer(x, x))(X, M),
        grad_named(lambda a, b: a * b**2, "b")(2.0, 3.0),
        grad_and_aux(lambda x: (np.sum(x**2), 2.0 * X))(X),
        deriv(lambda t: np.array([t, t**2, np.exp(t)]))(0.5),
    ]


@program
def products() -> Any:
    vjp, value = make_vjp(lambda x: np.outer(x, x) @ V)(X)
    product, gradient = make_hvp(total)(X)
    forward = make_jvp_reversemode(lambda x: np.cumsum(x**2))(X)
    return [
        value,
        vjp(V),
        gradient,
        product(V),
        make_jvp(total)(X)(V),
        make_jvp(lambda a, b: a * b, 1)(X, X)(V),
        [forward(direction) for direction in onp.eye(4)],
        make_ggnvp(lambda x: np.tanh(M @ x))(X)(V),
        make_ggnvp(lambda x: np.tanh(M @ x), lambda y: np.sum(np.log(2.0 + y)))(X)(V),
    ]


@program
def nested() -> Any:
    third = grad(grad(grad(lambda x: np.sin(x) * x**3)))
    inner = grad(lambda x: x * grad(lambda y: x * y**2)(2.0 * x))
    return [third(0.7), inner(1.5), grad(lambda x: np.sum(jacobian(lambda y: x * y**2)(x)))(X)]


@program
def containers() -> Any:
    gradient = grad(layer)(PARAMETERS, X)
    several = grad(lambda p: p[0] * p[1][0] ** 2 + np.sum(p[1][1]))((2.0, [3.0, X]))
    built = grad(lambda x: layer(boxed_dict({"w": M, "b": [x, V]}), X))(X)
    pairs = grad(lambda x: boxed_tuple([x, x**2])[1])(3.0)
    views = grad(lambda p: np.sum(np.stack(p.values()) ** 2))({"a": X, "b": V})
    return [gradient["w"], gradient["b"], several[0], several[1], built, pairs, views["a"], views["b"]]


@program
def lists_of_boxes() -> Any:
    return [
        jacobian(lambda x: np.array([x[0], x[1] * x[2], 1.0]))(X),
        grad(lambda x: np.sum([np.exp(x[0]), x[1] ** 2]))(X),
        jacobian(lambda x: np.concatenate([x, np.array([x[0], 2.0])]))(X),
        grad(lambda x: np.sum(np.array([[x[0], 1.0], [x[1] * x[2], x[3]]]) @ V[:2]))(X),
        grad(lambda x: np.sum(np.stack([x, x**2], axis=1)[1]))(X),
        jacobian(lambda x: np.append(x, [x[0] ** 2]))(X),
        jacobian(lambda x: np.r_[x, 1.0, x[0]])(X),
        jacobian(lambda x: np.c_[x, x**2])(X),
        grad(lambda x: np.sum(np.where(x > 0.5, x**2, 0.0)))(X),
    ]


@program
def arrays() -> Any:
    return [
        grad(lambda x: np.sum(np.diff(np.cumsum(x**2))))(X),
        grad(lambda x: np.sum(x.reshape(2, 2).T @ V[:2]) + x.mean() * x.std())(X),
        grad(lambda x: np.sum(np.sort(x)[::2] ** 2) + np.max(x))(X),
        grad(lambda x: np.einsum("i,ij,j->", x, M, x))(X),
        grad(lambda x: np.sum(np.tensordot(M, np.outer(x, x), axes=2)))(X),
        grad(lambda x: np.sum(np.logaddexp(x, V) + np.arctan2(x, V) + np.hypot(x, V)))(X),
        grad(lambda x: np.sum(np.pad(x, 2, "constant") ** 2) + np.sum(np.tile(x, (2, 2)) ** 2))(X),
        grad(lambda x: np.sum(np.make_diagonal(x, axis1=-1, axis2=-2) @ M))(X),
        grad(lambda x: np.sum(np.clip(x, 0.3, 0.6) * V) + np.prod(x))(X),
        grad(lambda x: np.real(np.sum(np.abs(np.fft.fft(x)) ** 2)))(X),
    ]


@program
def linear_algebra() -> Any:
    symmetric = lambda x: (x + x.T) / 2.0  # noqa: E731
    linalg = autograd.scipy.linalg
    return [
        grad(lambda a: np.linalg.slogdet(a)[1])(M),
        grad(lambda a: np.linalg.det(a))(M),
        grad(lambda a: np.sum(np.linalg.inv(a) * SPD))(M),
        grad(lambda a, b: np.sum(np.linalg.solve(a, b) ** 2), [0, 1])(M, V),
        grad(lambda a: np.sum(np.linalg.cholesky(symmetric(a))))(SPD),
        grad(lambda a: np.sum(np.linalg.eigh(symmetric(a))[0] ** 3))(SPD),
        grad(lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[1] ** 3))(M),
        grad(lambda x: np.linalg.norm(x))(X),
        grad(lambda a, b: np.sum(linalg.solve_triangular(a, b, lower=True) ** 2), [0, 1])(onp.tril(M), V),
        grad(lambda a, b: np.sum(linalg.solve_triangular(a, b, trans="T") ** 2), [0, 1])(onp.triu(M), V),
        grad(lambda a: np.sum(linalg.sqrtm(a) * M))(SPD),
        grad(lambda a, b, q: np.sum(linalg.solve_sylvester(a, b, q) ** 2), [0, 1, 2])(SPD, M, M.T),
        grad(lambda ab: np.sum(linalg.solve_banded((1, 1), ab, V) ** 2))(onp.abs(M[:3]) + onp.array([[0], [9], [0]])),
    ]


@program
def special_functions() -> Any:
    return [
        grad(lambda x, function=function: np.sum(function(x)))(X)
        for function in (
            special.gamma,
            special.gammaln,
            special.digamma,
            special.erf,
            special.erfc,
            special.erfinv,
            special.expit,
            special.logit,
            special.j0,
            special.i1,
            special.logsumexp,
            lambda x: special.betaln(x, 2.0),
            lambda x: special.gammainc(2.0, x),
            lambda x: special.polygamma(1, x),
            lambda x: special.multigammaln(x + 3.0, 2),
        )
    ]


@program
def distributions() -> Any:
    ones = onp.ones(4)
    return [
        [getattr(stats.norm, name)(X, V, 0.7) for name in ("pdf", "cdf", "logpdf", "logcdf", "logsf", "sf")],
        *[
            grad(lambda x, m, s, name=name: np.sum(getattr(stats.norm, name)(x, m, s)), [0, 1, 2])(X, V, 0.7)
            for name in ("pdf", "cdf", "logpdf", "logcdf", "logsf")
        ],
        *[
            grad(lambda x, df, name=name: np.sum(getattr(stats.t, name)(x, df, 0.1, 1.2)), 0)(V, 3.5)
            for name in ("pdf", "cdf", "logpdf", "logcdf")
        ],
        grad(lambda x, df: np.sum(stats.t.logpdf(x, df)), [0, 1])(V, 3.5),
        *[grad(lambda x, name=name: np.sum(getattr(stats.beta, name)(x, 2.0, 3.0)))(X) for name in ("pdf", "logpdf")],
        grad(lambda a, b: np.sum(stats.beta.logpdf(X, a, b)), [0, 1])(2.0, 3.0),
        *[
            grad(lambda x, name=name: np.sum(getattr(stats.gamma, name)(x, 2.0)))(X)
            for name in ("pdf", "cdf", "logpdf")
        ],
        *[grad(lambda x, name=name: np.sum(getattr(stats.chi2, name)(x, 3.0)))(X) for name in ("pdf", "cdf", "logpdf")],
        grad(lambda mu: np.sum(stats.poisson.logpmf(onp.arange(4), mu)))(1.5),
        grad(lambda mu: np.sum(stats.poisson.pmf(onp.arange(4), mu)))(1.5),
        grad(lambda mu: np.sum(stats.poisson.cdf(onp.arange(4), mu)))(1.5),
        grad(lambda a: stats.dirichlet.logpdf(X / onp.sum(X), a))(ones + X),
        grad(lambda x, m: np.sum(stats.multivariate_normal.logpdf(x, m, SPD)), [0, 1])(M, V),
        grad(lambda c: stats.multivariate_normal.pdf(X, V, (c + c.T) / 2.0))(SPD),
        grad(lambda c: stats.multivariate_normal.entropy(V, (c + c.T) / 2.0))(SPD),
    ]


@program
def complex_numbers() -> Any:
    return [
        grad(lambda z: np.sum(np.abs(z) ** 2 * np.real(z)))(Z),
        grad(lambda z: np.real(np.sum(z * z * (1.0 + 2.0j))))(Z),
        holomorphic_grad(lambda z: np.exp(z) * z**2)(Z[0]),
        grad(lambda x: np.abs(np.sum(np.exp(1j * x))) ** 2)(X),
        make_vjp(lambda z: z**3)(Z)[0](Z),
        make_jvp(lambda z: z**3)(Z)(1j * V),
        grad(lambda z: np.real(complex_square(z) * (2.0 - 1.0j)))(Z[0]),
        holomorphic_grad(complex_square)(Z[0]),
        grad(lambda x: np.abs(complex_square(x + 2.0j)) ** 2)(0.7),
        grad(lambda x: np.imag(grad(lambda z: np.abs(z) ** 4)(x * (1.0 + 1.0j))))(0.5),
        make_jvp(grad(lambda z: np.sum(np.abs(z) ** 4)))(Z)(Z)[1],
    ]


@program
def primitives() -> Any:
    return [
        grad(lambda x: np.sum(scaled_sine(x, 2.0)))(X),
        grad(lambda s: np.sum(scaled_sine(X, s)))(2.0),
        grad(lambda x, s: np.sum(scaled_sine(x, s)), [0, 1])(X, 2.0),
        make_jvp(lambda x: scaled_sine(x, 2.0))(X)(V),
        hessian(lambda x: np.sum(scaled_sine(x, 2.0) * V))(X),
        grad(lambda x: grad(scaled_sine)(x, 3.0))(0.4),
    ]


@program
def spaces() -> Any:
    return [
        [vspace(value).size for value in (1.0, X, Z, [X, Z], {"a": (X, 1.0)})],
        vspace({"a": (X, 1.0)}).zeros()["a"][0],
        list(vspace(Z[:2]).standard_basis()),
        vspace(Z).inner_prod(Z, 2j * Z + Z),
        vspace(Z).covector(Z),
    ]


@program
def solvers() -> Any:
    decay = lambda y, t, a, b: np.stack([-a * y[0] + y[1], -b * y[1] + np.sin(t)])  # noqa: E731
    times = onp.array([0.0, 0.5, 1.3])
    newton = lambda a: lambda x: 0.5 * (x + a / x)  # noqa: E731
    root = lambda a: fixed_point(newton, a, 1.0, lambda x, y: np.abs(x - y), 1e-12)  # noqa: E731
    convolve = autograd.scipy.signal.convolve
    tight = {"rtol": 1e-10, "atol": 1e-10}

    def solution(y0, t, a, b):
        return np.sum(odeint(decay, y0, t, boxed_tuple((a, b)), **tight) ** 2 * onp.arange(1.0, 7.0).reshape(3, 2))

    return [
        [grad(solution, k)(X[:2], times, 0.7, 0.3) for k in range(4)],
        grad(root)(2.0),
        [convolve(M, SPD[:2, :3], mode=mode) for mode in ("full", "valid", "same")],
        convolve(M[None], SPD[:2, :2], axes=([1, 2], [0, 1])),
        convolve(M, SPD[:, :2], axes=([0], [1]), dot_axes=([1], [0])),
        grad(lambda a, b: np.sum(convolve(a, b, mode="same") ** 2), [0, 1])(M, SPD[:2, :3]),
    ]


@program
def optimization() -> Any:
    gradient = grad(lambda p, i: np.sum((p["a"] - V) ** 2) + p["b"] ** 4)
    start = {"a": X, "b": 2.0}
    vector, unflatten = flatten(start)
    found = [getattr(optimizers, name)(gradient, start, num_iters=20) for name in ("sgd", "rmsprop", "adam")]
    return [vector, unflatten(2.0 * vector)["a"], *[[p["a"], p["b"]] for p in found]]


class Step(Node):
    """Lists what each call gave, and which arguments it gave it for."""

    def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
        self.steps = parents[0].steps
        self.steps.append([onp.asarray(value) * 1, list(parent_argnums), len(args), len(kwargs)])

    def initialize_root(self):
        self.steps = []


@program
def traces() -> Any:
    def seen(fun, x):
        value, node = trace(Step.new_root(), fun, x)
        return [value, node.steps]

    return [
        seen(lambda x: np.sum(np.sin(x) * x**2, axis=0) / 2.0, X),
        seen(lambda x: np.dot(M, x)[1:3].reshape((2, 1)).T - x[::2], X),
        seen(lambda x: np.linalg.solve(M, np.where(x > 0.5, -x, 3.0 * abs(x))), X),
        seen(lambda x: special.erf(scaled_sine(x, 2.0)) @ V, X),
        seen(lambda x: np.einsum("i,j->ij", x, np.logaddexp(x, 1.0)).mean(axis=1), X),
    ]


@program
def graphs() -> Any:
    calls = []

    def f(x, y):
        calls.append(1)
        return np.sum(grad(total)(x * y)) + np.sum(np.exp(np.concatenate([x, 2.0 * x]))) * y

    graph = const_graph(f)
    cubes = const_graph_unary(lambda x: scaled_sine(x, 2.0) ** 3)
    powers = const_graph(lambda k, x, scale=1.0: scale * x**k, 2.0, scale=3.0)
    end = full_graph(lambda x, y: np.tanh(x) * y, 0.3, 2.0)
    return [
        [graph(X, 1.0), graph(2.0 * X, 0.5), graph(V, 1.5), len(calls)],
        [grad(graph, 0)(X, 0.5), grad(graph, 1)(X, 0.5), grad(lambda y: graph(y * X, y))(0.7)],
        [cubes(X), grad(lambda x: np.sum(cubes(x)))(X), make_jvp(cubes)(X)(V), hessian(lambda x: np.sum(cubes(x)))(X)],
        [powers(2.0), powers(3.0), grad(grad(powers))(3.0)],
        [end.value, list(end.recipe[1]), [argnum for argnum, _ in end.recipe[3]]],
        const_graph(hessian(total))(X),
        grad(lambda a: const_graph(lambda x: a * x**2)(3.0))(2.0),
        const_graph(lambda a: grad(lambda b: grad(lambda c: a * b * c**2)(b))(a))(2.0),
    ]


def numbers(result: Any) -> Any:
    """A result in lists and pairs of real numbers."""
    if isinstance(result, (list, tuple)):
        return [numbers(part) for part in result]
    array = onp.asarray(result)
    assert array.dtype.kind in "fci", f"{type(result)}"
    return onp.stack([array.real, array.imag], -1).tolist() if array.dtype.kind == "c" else array.tolist()


if __name__ == "__main__":
    json.dump({name: numbers(function()) for name, function in PROGRAMS.items()}, sys.stdout)
