"""What the gradient of a Kalman filter's log-likelihood costs: a Python loop over matrices of 2 x 2 to 4 x 4."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import compare, programs
from bench.adapters import Adapter
from bench.compare import Case
from bench.figures import Answer
from bench.numpy_ops import OPS, check_gradients
from bench.profiles import Profile

TITLE = "Kalman filter's log-likelihood and its gradient, 4 states, 2 measured, float64 (x: over NumPy's forward alone)"
STEP = 0.1


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time the value with gradients for the variances' logarithms and the first state."""
    return compare.answer(cases(adapter, profile), profile)


def cases(adapter: Adapter, profile: Profile) -> Iterator[Case]:
    """Return the filter, found right."""
    steps = profile.loop_steps
    generator = np.random.default_rng(0)
    path = np.cumsum(np.cumsum(generator.normal(0.0, STEP, (steps, 2)), axis=0) * STEP, axis=0)
    observations = path + generator.normal(0.0, 0.3, (steps, 2))
    arguments = [np.log([0.5, 0.2]), np.zeros((4, 1))]
    filtered = programs.kalman(OPS, np.asarray, observations, STEP)
    call = adapter.value_and_gradients(programs.kalman(adapter.ops, adapter.constant, observations, STEP), arguments)
    if call is not None:
        check_gradients("kalman", call(), filtered, arguments)
        yield Case(f"{steps} steps", call, "NumPy forward", lambda: filtered(*arguments))
