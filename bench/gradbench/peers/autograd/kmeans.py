"""The k-means cost, and the step of Newton's method whose Hessian is diagonal."""

from __future__ import annotations

import autograd.numpy as np
from autograd import grad

from bench.gradbench import wrap
from bench.gradbench.inputs import Array, Json, floats, listed

Clusters = tuple[Array, Array]


def _clusters(given: Json) -> Clusters:
    return floats(given["centroids"]), floats(given["points"])


def _cost(centroids: Array, points: Array) -> Array:
    nearest = np.argmin(np.sum(centroids * centroids, 1) - points @ (2.0 * centroids.T), 1)
    return np.sum((points - centroids[nearest]) ** 2)


cost = wrap.multiple_runs(pre=_clusters, post=float)(lambda clusters: _cost(*clusters))


@wrap.multiple_runs(pre=_clusters, post=listed)
def dir(clusters: Clusters) -> Array:
    """The Hessian is symmetric, so its product with ones is the gradient of the gradient's sum."""
    centroids, points = clusters
    gradient = grad(_cost)
    return gradient(centroids, points) / grad(lambda c: np.sum(gradient(c, points)))(centroids)
