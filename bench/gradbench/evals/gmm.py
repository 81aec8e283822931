"""The log-likelihood of a Gaussian mixture with a Wishart prior, in ADBench's parameters."""

from __future__ import annotations

from typing import Any

import tapegrad as tf
from bench.gradbench import inputs, wrap
from bench.gradbench.common import gmm_constant, gmm_places
from bench.gradbench.inputs import Gmm, Json


def _tensors(given: Json) -> Gmm:
    return inputs.convert(inputs.gmm(given), tf.constant)


def _log_sum_exp(x: tf.Tensor) -> tf.Tensor:
    """Return log(sum(exp(x))) over the first axis."""
    greatest = tf.reduce_max(x, 0)
    return greatest + tf.math.log(tf.reduce_sum(tf.exp(x - greatest), 0))


@wrap.multiple_runs(pre=_tensors, post=float)
def objective(data: Gmm) -> tf.Tensor:
    """Return the logarithm of the posterior density, but for a constant."""
    alpha, mu, q, lower, x, gamma, m = data
    k, d = mu.shape
    n = x.shape[0]
    diagonal = tf.exp(q)
    elements = tf.concat([diagonal, lower, tf.zeros((k, 1), tf.float64)], 1)
    factors = tf.gather(elements, gmm_places(d), axis=1)
    # Q (x - mu) for all points and components: Q x is one product of two matrices, and x needs no derivative.
    at_points = tf.reshape(tf.matmul(tf.reshape(factors, (k * d, d)), tf.transpose(x)), (k, d, n))
    whitened = at_points - tf.matmul(factors, tf.reshape(mu, (k, d, 1)))
    log_determinants = tf.reduce_sum(q, 1)
    beta = tf.reshape(alpha + log_determinants, (k, 1)) - 0.5 * tf.reduce_sum(tf.square(whitened), 1)
    likelihood = tf.reduce_sum(_log_sum_exp(beta)) - n * _log_sum_exp(alpha)
    squares = tf.reduce_sum(tf.square(diagonal)) + tf.reduce_sum(tf.square(lower))
    prior = m * tf.reduce_sum(log_determinants) - 0.5 * gamma**2 * squares
    density: tf.Tensor = likelihood + prior + gmm_constant(k, d, n, gamma, m)
    return density


@wrap.multiple_runs(pre=_tensors, post=inputs.gmm_jacobian_json)
def jacobian(data: Gmm) -> Any:
    """Return the gradient with respect to alpha, mu, q and l."""
    sources = [data.alpha, data.mu, data.q, data.lower]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y = objective(data)
    return tape.gradient(y, sources)
