"""What a training step of a small network costs."""

from __future__ import annotations

import itertools

import numpy as np

from bench import oracle
from bench.adapters import Adapter
from bench.figures import Answer, Figure
from bench.measure import Contestant, interleave
from bench.profiles import Profile

TITLE = (
    "MLP training step 784-128-10, ReLU, softmax cross-entropy, batch 32, float32, plain SGD "
    "(x: over the step written by hand in NumPy)"
)
BATCH, LAYERS, RATE = 32, (784, 128, 10), 1e-2
STEPS_CHECKED = 3
TOLERANCE = 2e-5


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Compare three steps with the hand-written ones, then time the step."""
    parameters, images, labels = _problem()
    mlp = adapter.mlp(parameters, images, labels, RATE)
    if mlp is None:
        return None
    by_hand = [array.astype(np.float64) for array in parameters]
    for _ in range(STEPS_CHECKED):
        want_loss = oracle.mlp_step(by_hand, images.astype(np.float64), labels, RATE)
        loss = mlp.step()
    error = oracle.close("loss", loss, want_loss, TOLERANCE)
    for index, (got, want, start) in enumerate(zip(mlp.parameters(), by_hand, parameters, strict=True)):
        # The update is compared, not the parameter: it is a small part of it and would drown.
        update, expected = oracle.array(got) - start, want - start
        rounding = 4 * float(np.finfo(np.float32).eps) * float(np.abs(start).max() / np.abs(expected).max())
        error = max(error, oracle.close(f"update {index}", update, expected, TOLERANCE + rounding))

    reference = [array.copy() for array in parameters]
    samples = interleave(
        {
            "by hand": Contestant(lambda: oracle.mlp_step(reference, images, labels, RATE)),
            "step": Contestant(mlp.step),
        },
        profile,
    )
    ratios = samples.ratios("step", "by hand")
    note = f"largest relative error of an update {error:.0e}"
    figure = Figure("training step", "second", samples.seconds["step"], "NumPy by hand", ratios, note=note)
    return Answer([figure], samples.seconds, cores=samples.cores)


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
