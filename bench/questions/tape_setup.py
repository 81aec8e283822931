"""What one gradient costs at least: make a tape, watch, multiply once, ask."""

from __future__ import annotations

import numpy as np

from bench import oracle
from bench.adapters import Adapter
from bench.figures import Answer, Figure
from bench.measure import Contestant, interleave
from bench.profiles import Profile

TITLE = "Tape set-up: watch x, y = x * x, gradient of y for x, on a 0-d float64 (x: over NumPy's x * x)"


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time the whole gradient against the multiplication alone."""
    call = adapter.square(3.0)
    if call is None:
        return None
    oracle.close("gradient", call(), 6.0, 1e-15)
    x = np.array(3.0)
    samples = interleave({"NumPy": Contestant(lambda: x * x), "gradient": Contestant(call)}, profile)
    ratios = samples.ratios("gradient", "NumPy")
    figure = Figure("x * x and its gradient", "second", samples.seconds["gradient"], "NumPy x * x", ratios)
    return Answer([figure], samples.seconds, cores=samples.cores)
