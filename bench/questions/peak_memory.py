"""How much memory a value with gradients takes at its peak, as in training with large batches."""

from __future__ import annotations

import gc

import numpy as np

from bench import by_hand, memory, oracle, programs
from bench.adapters import Adapter
from bench.figures import Answer, Figure
from bench.profiles import Profile

DEPTH, WIDTH, CHECKED = 6, 256, 32
TITLE = (
    f"Peak memory of value and gradients: {DEPTH} layers tanh(h W) of {WIDTH}, float64, growth of the resident set "
    "(x: over what has to be kept, one output for each layer)"
)


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Measure once, after a small batch has been found right."""
    generator = np.random.default_rng(0)
    kernels = [generator.normal(0.0, WIDTH**-0.5, (WIDTH, WIDTH)) for _ in range(DEPTH)]
    small = generator.normal(size=(CHECKED, WIDTH))
    warm = adapter.value_and_gradients(programs.network(adapter.ops, adapter.constant, small), kernels)
    if warm is None:
        return None
    value, gradients = warm()
    want, want_gradients = by_hand.network_gradients(tuple(kernels), small)
    oracle.close("value", value, want, 1e-12)
    for index, (gradient, wanted) in enumerate(zip(gradients, want_gradients, strict=True)):
        oracle.close(f"gradient {index}", gradient, wanted, 1e-11)
    figures = []
    for batch in profile.memory_batches:
        images = generator.normal(size=(batch, WIDTH))
        call = adapter.value_and_gradients(programs.network(adapter.ops, adapter.constant, images), kernels)
        assert call is not None
        gc.collect()
        memory.reset_peak()
        before = memory.resident()
        call()
        grown = float(memory.peak() - before)
        kept = DEPTH * batch * WIDTH * 8
        figures.append(Figure(f"batch {batch:,}", "byte", [grown], "kept outputs", [grown / kept]))
    return Answer(figures)
