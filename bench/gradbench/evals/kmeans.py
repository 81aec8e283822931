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
    # |p - c|^2 = |p|^2 + (|c|^2 - 2 p c), and the first term is the same for all centroids. Which of them is nearest
    # has no derivative: only the distance to it is followed.
    to_all = tf.reduce_sum(tf.square(centroids), 1) - tf.matmul(points, tf.transpose(2.0 * centroids))
    nearest = tf.gather(centroids, tf.argmin(to_all, 1))
    return tf.reduce_sum(tf.square(points - nearest))


@wrap.multiple_runs(pre=_clusters, post=listed)
def dir(clusters: _Clusters) -> Any:
    """Return the gradient over the Hessian's diagonal, which is the Hessian times ones."""
    centroids = clusters.centroids
    with tf.autodiff.ForwardAccumulator(centroids, tf.ones_like(centroids)) as forward:
        with tf.GradientTape() as tape:
            tape.watch(centroids)
            y = cost(clusters)
        gradient = tf.convert_to_tensor(tape.gradient(y, centroids))  # which lists the rows that were gathered
    return gradient / forward.jvp(gradient)
