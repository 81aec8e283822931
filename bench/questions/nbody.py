"""What the gradient of an orbit fit costs: leapfrog steps over the positions of four bodies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import compare, programs
from bench.adapters import Adapter
from bench.compare import Case
from bench.figures import Answer
from bench.numpy_ops import OPS, check_gradients
from bench.profiles import Profile

TITLE = (
    "Orbit fit, 4 bodies by leapfrog, gradients for positions and velocities at the start, float64 "
    "(x: over NumPy's forward alone)"
)
STEP, EVERY = 0.02, 10
MASSES = np.array([1.0, 1e-2, 2e-2, 1e-3])


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time the misfit with its gradients."""
    return compare.answer(cases(adapter, profile), profile)


def cases(adapter: Adapter, profile: Profile) -> Iterator[Case]:
    """Return the fit, found right."""
    generator = np.random.default_rng(0)
    radii = np.array([0.0, 1.0, 1.7, 2.6])
    angles = generator.uniform(0.0, 2 * np.pi, 4)
    x = np.stack([radii * np.cos(angles), radii * np.sin(angles), 0.05 * radii], axis=1)
    speeds = np.concatenate([[0.0], radii[1:] ** -0.5])
    v = np.stack([-speeds * np.sin(angles), speeds * np.cos(angles), np.zeros(4)], axis=1)
    sightings = profile.loop_steps // EVERY
    observed = x + generator.normal(0.0, 0.1, (sightings, 4, 3))
    forward = programs.orbits(OPS, np.asarray, MASSES, observed, STEP, EVERY)
    call = adapter.value_and_gradients(
        programs.orbits(adapter.ops, adapter.constant, MASSES, observed, STEP, EVERY), [x, v]
    )
    if call is not None:
        check_gradients("nbody", call(), forward, [x, v])
        yield Case(f"{sightings * EVERY} steps", call, "NumPy forward", lambda: forward(x, v))
