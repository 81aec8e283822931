"""The k-means cost, and the step of Newton's method whose Hessian is diagonal."""

from __future__ import annotations

import torch

from bench.gradbench import wrap
from bench.gradbench.inputs import Json, floats, listed
from bench.gradbench.peers.torch.conversion import leaf

Clusters = tuple[torch.Tensor, torch.Tensor]


def _clusters(given: Json) -> Clusters:
    return torch.from_numpy(floats(given["points"])), torch.from_numpy(floats(given["centroids"]))


@wrap.multiple_runs(pre=_clusters, post=float)
def cost(clusters: Clusters) -> torch.Tensor:
    points, centroids = clusters
    to_all = points @ (-2.0 * centroids.T) + torch.sum(centroids * centroids, 1)
    return torch.sum(torch.min(to_all, 1).values) + torch.sum(points * points)


@wrap.multiple_runs(pre=_clusters, post=listed)
def dir(clusters: Clusters) -> torch.Tensor:
    """The Hessian is symmetric, so its product with ones is the gradient of the gradient's sum."""
    centroids = leaf(clusters[1])
    gradient = torch.autograd.grad(cost((clusters[0], centroids)), centroids, create_graph=True)[0]
    diagonal = torch.autograd.grad(gradient.sum(), centroids)[0]
    return gradient.detach() / diagonal
