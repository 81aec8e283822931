"""Hand tracking: how far the vertices of a posed hand are from measured points, and the Jacobian in forward mode."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bench.gradbench import inputs, wrap
from bench.gradbench.common import ht_tangents
from bench.gradbench.evals.ht import errors, objective, tensors
from bench.gradbench.inputs import Array, Ht

__all__ = ["jacobian", "objective"]


@wrap.multiple_runs(pre=tensors, post=inputs.listed)
def jacobian(data: Ht) -> Array:
    """One pass for each direction: there are no batches of them."""
    moves, turns = ht_tangents(data)
    columns = []
    for k, turn in enumerate(turns):
        primals, tangents = [data.theta], [tf.constant(turn)]
        if moves is not None:
            primals.append(data.us)
            tangents.append(tf.constant(moves[k]))
        with tf.autodiff.ForwardAccumulator(primals, tangents) as forward:
            y = errors(data.theta, data.us, data)
        columns.append(forward.jvp(y).numpy())
    return np.stack(columns).transpose(2, 1, 0).reshape(-1, len(columns))
