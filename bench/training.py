"""Training steps, checked against hand-written ones in float64, and timed against the same in their own dtype."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bench import oracle
from bench.adapters import Training
from bench.figures import Answer, Figure
from bench.measure import Contestant, interleave
from bench.profiles import Profile

STEPS_CHECKED = 3
TOLERANCE = 2e-5


def ask(
    case: str,
    training: Training,
    start: Sequence[oracle.Array],
    step_by_hand: Callable[[list[oracle.Array]], float],
    profile: Profile,
) -> Answer:
    """Compare the first updates of `start` with those of `step_by_hand`, which works in place; then time the step."""
    exact = [array.astype(np.float64) for array in start]
    for _ in range(STEPS_CHECKED):
        want_loss = step_by_hand(exact)
        loss = training.step()
    error = oracle.close("loss", loss, want_loss, TOLERANCE)
    for index, (got, want, before) in enumerate(zip(training.parameters(), exact, start, strict=True)):
        # The update is compared, not the parameter: it is a small part of it and would drown.
        update, expected = oracle.array(got) - before, want - before
        rounding = 4 * float(np.finfo(np.float32).eps) * float(np.abs(before).max() / np.abs(expected).max())
        error = max(error, oracle.close(f"update {index}", update, expected, TOLERANCE + rounding))

    reference = [array.copy() for array in start]
    contestants = {"by hand": Contestant(lambda: step_by_hand(reference)), "step": Contestant(training.step)}
    samples = interleave(contestants, profile)
    ratios = samples.ratios("step", "by hand")
    note = f"largest relative error of an update {error:.0e}"
    figure = Figure(case, "second", samples.seconds["step"], "NumPy by hand", ratios, note=note)
    return Answer([figure], samples.seconds, cores=samples.cores)
