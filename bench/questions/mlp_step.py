"""What a training step of a small network costs."""

from __future__ import annotations

import itertools

import numpy as np

from bench import oracle, training
from bench.adapters import Adapter
from bench.figures import Answer
from bench.profiles import Profile

TITLE = (
    "MLP training step 784-128-10, ReLU, softmax cross-entropy, batch 32, float32, plain SGD "
    "(x: over the step written by hand in NumPy)"
)
BATCH, LAYERS, RATE = 32, (784, 128, 10), 1e-2


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Compare three steps with the hand-written ones, then time the step."""
    parameters, images, labels = _problem()
    mlp = adapter.mlp(parameters, images, labels, RATE)
    if mlp is None:
        return None

    def step_by_hand(values: list[oracle.Array]) -> float:
        return oracle.mlp_step(values, images.astype(values[0].dtype, copy=False), labels, RATE)

    return training.ask("training step", mlp, parameters, step_by_hand, profile)


def _problem() -> tuple[list[oracle.Array], oracle.Array, oracle.Array]:
    generator = np.random.default_rng(0)
    parameters: list[oracle.Array] = []
    for inputs, outputs in itertools.pairwise(LAYERS):
        scale = np.sqrt(2.0 / inputs)
        parameters.append(generator.normal(0.0, scale, (inputs, outputs)).astype(np.float32))
        parameters.append(np.zeros(outputs, dtype=np.float32))
    images = generator.uniform(0.0, 1.0, (BATCH, LAYERS[0])).astype(np.float32)
    labels = generator.integers(0, LAYERS[-1], BATCH)
    return parameters, images, labels
