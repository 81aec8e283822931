"""The log-likelihood of a Gaussian mixture with a Wishart prior."""

from __future__ import annotations

import autograd.numpy as np
from autograd import grad

from bench.gradbench import inputs, wrap
from bench.gradbench.common import gmm_constant, gmm_places
from bench.gradbench.inputs import Array, Gmm


def _log_sum_exp(x: Array) -> Array:
    greatest = np.max(x, 0)
    return greatest + np.log(np.sum(np.exp(x - greatest), 0))


@wrap.multiple_runs(pre=inputs.gmm, post=float)
def objective(data: Gmm) -> Array:
    return _objective(data[:4], data)


def _objective(parameters: tuple[Array, ...], data: Gmm) -> Array:
    alpha, mu, q, lower = parameters
    x, gamma, m = data.x, data.gamma, data.m
    k, d = mu.shape
    n = len(x)
    diagonal = np.exp(q)
    elements = np.concatenate([diagonal, lower, np.zeros((k, 1))], 1)
    factors = elements[:, gmm_places(d)]
    at_points = np.reshape(np.reshape(factors, (k * d, d)) @ x.T, (k, d, n))
    whitened = at_points - factors @ np.reshape(mu, (k, d, 1))
    log_determinants = np.sum(q, 1)
    beta = np.reshape(alpha + log_determinants, (k, 1)) - 0.5 * np.sum(whitened * whitened, 1)
    likelihood = np.sum(_log_sum_exp(beta)) - n * _log_sum_exp(alpha)
    squares = np.sum(diagonal * diagonal) + np.sum(lower * lower)
    prior = m * np.sum(log_determinants) - 0.5 * gamma**2 * squares
    return likelihood + prior + gmm_constant(k, d, n, gamma, m)


@wrap.multiple_runs(pre=inputs.gmm, post=inputs.gmm_jacobian_json)
def jacobian(data: Gmm) -> tuple[Array, ...]:
    return grad(_objective)(data[:4], data)
