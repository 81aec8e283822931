"""tapegrad, through the same GradientTape programs as TensorFlow."""

from __future__ import annotations

import tapegrad
from bench.adapters.gradient_tape import GradientTapeAdapter


def build() -> GradientTapeAdapter:
    """Return tapegrad's adapter."""
    return GradientTapeAdapter(tapegrad, "tapegrad", tapegrad.__version__, max_nodes=10_000_000)
