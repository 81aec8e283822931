"""What a training step of a small LSTM costs."""

from __future__ import annotations

import numpy as np

from bench import by_hand, oracle, programs, training
from bench.adapters import Adapter
from bench.figures import Answer
from bench.profiles import Profile

BATCH, FEATURES, HIDDEN, OUTPUTS = 16, 8, 32, 4
TITLE = (
    f"LSTM training step, {HIDDEN} units, {FEATURES} features, batch {BATCH}, float32, plain SGD "
    "(x: over the step written by hand in NumPy)"
)
RATE = 0.1


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Compare three steps with the hand-written ones, then time the step."""
    generator = np.random.default_rng(0)
    shapes = ((FEATURES, 4 * HIDDEN), (HIDDEN, 4 * HIDDEN), (4 * HIDDEN,), (HIDDEN, OUTPUTS))
    parameters = [generator.normal(0.0, shape[0] ** -0.5, shape).astype(np.float32) for shape in shapes]
    inputs = generator.normal(size=(profile.lstm_steps, BATCH, FEATURES)).astype(np.float32)
    targets = generator.normal(size=(BATCH, OUTPUTS)).astype(np.float32)
    loss = programs.lstm(adapter.ops, adapter.constant, inputs, targets, HIDDEN)
    step = adapter.train(loss, parameters, RATE)
    if step is None:
        return None

    def step_by_hand(values: list[oracle.Array]) -> float:
        dtype = values[0].dtype
        return by_hand.lstm_step(values, inputs.astype(dtype, copy=False), targets.astype(dtype, copy=False), RATE)

    return training.ask(f"{profile.lstm_steps} times", step, parameters, step_by_hand, profile)
