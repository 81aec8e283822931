"""The k-means cost, and the step of Newton's method whose Hessian is diagonal."""

from __future__ import annotations

from typing import Any, NamedTuple

import tapegrad as tf
from bench.gradbench import wrap
from bench.gradbench.inputs import Json, floats, listed


class _Clusters(NamedTuple):
    points: tf.Tensor
    centroids: tf.Tensor


def _clusters(given: Json) -> _Clusters:
    return _Clusters(tf.constant(floats(given["points"])), tf.constant(floats(given["centroids"])))


@wrap.multiple_runs(pre=_clusters, post=float)
def cost(clusters: _Clusters) -> tf.Tensor:
    """Return the sum of the points' squared distances to their nearest centroids."""
    points, centroids = clusters
    # |p - c|^2 = |p|^2 + (|c|^2 - 2 p c); what does not depend on the centroid is added behind the minimum.
    to_all = tf.matmul(points, tf.transpose(-2.0 * centroids)) + tf.reduce_sum(tf.square(centroids), 1)
    return tf.reduce_sum(tf.reduce_min(to_all, 1)) + tf.reduce_sum(tf.square(points))


@wrap.multiple_runs(pre=_clusters, post=listed)
def dir(clusters: _Clusters) -> Any:
    """Return the gradient over the Hessian's diagonal, which is the Hessian times ones."""
    centroids = clusters.centroids
    with tf.autodiff.ForwardAccumulator(centroids, tf.ones_like(centroids)) as forward:
        with tf.GradientTape() as tape:
            tape.watch(centroids)
            y = cost(clusters)
        gradient = tape.gradient(y, centroids)
    return gradient / forward.jvp(gradient)
