"""TensorFlow, eager, on one thread."""

from __future__ import annotations

import tensorflow

from bench.adapters.gradient_tape import GradientTapeAdapter


def build() -> GradientTapeAdapter:
    """Return TensorFlow's adapter."""
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    return GradientTapeAdapter(tensorflow, "tensorflow", tensorflow.__version__, max_nodes=2_000)
