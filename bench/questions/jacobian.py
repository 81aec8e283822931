"""What a whole Jacobian costs, beside the arithmetic that it consists of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import by_hand, compare, oracle, programs
from bench.adapters import Adapter
from bench.compare import Case
from bench.figures import Answer
from bench.profiles import Profile

TITLE = (
    "Jacobian of tanh(W x), float64, recorded every time "
    "(x: over the same arithmetic by NumPy: forward, and one product for all seeds)"
)
SHAPES = ((64, 64), (1000, 3), (3, 1000))
"""Arguments and results."""


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time square, wide and tall Jacobians."""
    return compare.answer(cases(adapter, profile), profile)


def cases(adapter: Adapter, profile: Profile) -> Iterator[Case]:
    """Return the Jacobians, found right."""
    for arguments, results in SHAPES:
        generator = np.random.default_rng(arguments)
        weights = generator.normal(0.0, arguments**-0.5, (results, arguments))
        x = generator.normal(size=arguments)
        call = adapter.jacobian(programs.layer(adapter.ops, adapter.constant, weights), x, results)
        if call is None:
            return
        name = f"{arguments} -> {results}"
        oracle.close(name, call(), by_hand.layer_jacobian(weights, x), 1e-12)

        def reference(weights: oracle.Array = weights, x: oracle.Array = x) -> oracle.Array:
            return by_hand.layer_jacobian(weights, x)

        yield Case(name, call, "NumPy by hand", reference)
