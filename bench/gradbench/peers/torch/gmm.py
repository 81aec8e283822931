"""The log-likelihood of a Gaussian mixture with a Wishart prior."""

from __future__ import annotations

import torch

from bench.gradbench import inputs, wrap
from bench.gradbench.common import gmm_constant, gmm_places
from bench.gradbench.inputs import Gmm, Json
from bench.gradbench.peers.torch.conversion import leaf


def _tensors(given: Json) -> Gmm:
    return inputs.convert(inputs.gmm(given), torch.from_numpy)


def _log_sum_exp(x: torch.Tensor) -> torch.Tensor:
    greatest = torch.max(x, 0).values
    return greatest + torch.log(torch.sum(torch.exp(x - greatest), 0))


@wrap.multiple_runs(pre=_tensors, post=float)
def objective(data: Gmm) -> torch.Tensor:
    alpha, mu, q, lower, x, gamma, m = data
    k, d = mu.shape
    n = len(x)
    diagonal = torch.exp(q)
    elements = torch.cat([diagonal, lower, torch.zeros((k, 1), dtype=torch.float64)], 1)
    factors = elements[:, torch.from_numpy(gmm_places(d))]
    at_points = (factors.reshape(k * d, d) @ x.T).reshape(k, d, n)
    whitened = at_points - factors @ mu.reshape(k, d, 1)
    log_determinants = torch.sum(q, 1)
    beta = (alpha + log_determinants).reshape(k, 1) - 0.5 * torch.sum(whitened * whitened, 1)
    likelihood = torch.sum(_log_sum_exp(beta)) - n * _log_sum_exp(alpha)
    squares = torch.sum(diagonal * diagonal) + torch.sum(lower * lower)
    prior = m * torch.sum(log_determinants) - 0.5 * gamma**2 * squares
    return likelihood + prior + gmm_constant(k, d, n, gamma, m)


@wrap.multiple_runs(pre=_tensors, post=inputs.gmm_jacobian_json)
def jacobian(data: Gmm) -> tuple[torch.Tensor, ...]:
    sources = [leaf(x) for x in (data.alpha, data.mu, data.q, data.lower)]
    return torch.autograd.grad(objective(Gmm(*sources, data.x, data.gamma, data.m)), sources)
