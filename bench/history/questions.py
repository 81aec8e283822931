"""Every timed question as a ratio to its reference: what asv follows from commit to commit.

Seconds would follow the machine. A question that a commit's tapegrad cannot answer yet is no failure: asv leaves a gap.
"""

from __future__ import annotations

import math
import os
import traceback

from bench.environment import SINGLE_THREAD

# Before NumPy is imported, which reads these once.
os.environ.update(SINGLE_THREAD)

from bench import adapters, questions
from bench.goals import AHEAD, find
from bench.profiles import PROFILES

PROFILE = PROFILES["fast"]
CASES = {
    "scalar_op": ("mul add, recorded", "sin tanh, recorded"),
    "tape_setup": ("x * x and its gradient",),
    "vectors": tuple(f"float64 n={size:,}" for size in PROFILE.vector_sizes),
    "mlp_step": ("training step",),
    **AHEAD,
}
"""Question -> the cases whose ratios are kept."""


class Ratios:
    """All questions, asked once for each commit; each case is looked up in the answers."""

    params = tuple(f"{question}: {case}" for question, cases in CASES.items() for case in cases)
    param_names = ("case",)
    unit = "ratio"
    timeout = 1800.0

    def setup_cache(self) -> dict[str, float]:
        """Return the ratios of all cases that can be answered."""
        adapter = adapters.load("tapegrad")
        ratios = {}
        for question, cases in CASES.items():
            try:
                answer = questions.load(question).ask(adapter, PROFILE)
            except Exception:  # an older tapegrad lacks what the question needs
                traceback.print_exc()
                continue
            for case in cases:
                figure = find(answer, case)
                if figure is not None and figure.ratio is not None:
                    ratios[f"{question}: {case}"] = figure.ratio
        return ratios

    def track_ratio(self, ratios: dict[str, float], case: str) -> float:
        """Return how many times the reference's time the case takes."""
        return ratios.get(case, math.nan)
