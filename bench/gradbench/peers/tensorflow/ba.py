"""Bundle adjustment: reprojection errors of all observations at once, and their sparse Jacobian."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bench.gradbench import inputs, wrap
from bench.gradbench.common import ba_compressed_rows
from bench.gradbench.evals.ba import errors, objective, observations, tensors, weight_errors
from bench.gradbench.inputs import Ba, BaJacobian

__all__ = ["jacobian", "objective"]


@wrap.multiple_runs(pre=tensors, post=inputs.ba_jacobian_json)
def jacobian(data: Ba) -> BaJacobian:
    """Two sweeps: a batch of them would be traced and compiled first."""
    sources = observations(data)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(sources)
        targets = errors(sources, data.features)
        y = weight_errors(data.weights)
    blocks = np.stack([np.stack(tape.gradient(target, sources, unconnected_gradients="zero")) for target in targets])
    by_own_weight = tape.gradient(y, data.weights).numpy()
    return ba_compressed_rows(len(data.cameras), len(data.points), blocks, by_own_weight)
