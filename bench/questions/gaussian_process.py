"""What the gradient of a Gaussian process's marginal likelihood costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import compare, oracle, programs
from bench.adapters import Adapter
from bench.compare import Case
from bench.figures import Answer
from bench.numpy_ops import OPS, check_gradients
from bench.profiles import Profile

TITLE = (
    "Gaussian process's marginal likelihood and its gradient for 3 parameters, float64 (x: over NumPy's forward alone)"
)


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time both ways of writing it: a Cholesky factor and a triangular system, or a solution and a determinant."""
    return compare.answer(cases(adapter, profile), profile)


def cases(adapter: Adapter, profile: Profile) -> Iterator[Case]:
    """Return the likelihoods, found right."""
    logs = np.array([0.1, -1.0, -2.0])
    for points in profile.gaussian_points:
        generator = np.random.default_rng(points)
        x = np.sort(generator.uniform(0.0, 5.0, points))
        y = np.sin(3.0 * x) + generator.normal(0.0, 0.3, points)
        # Complex steps go through the determinant: the factor of a complex matrix is another function.
        exact = programs.gaussian_process(OPS, np.asarray, x, y, by_cholesky=False)
        for name, by_cholesky in ((f"n={points}, cholesky", True), (f"n={points}, solve and logdet", False)):
            loss = programs.gaussian_process(adapter.ops, adapter.constant, x, y, by_cholesky)
            call = adapter.value_and_gradients(loss, [logs])
            if call is None:
                return
            check_gradients(name, call(), exact, [logs])
            forward = programs.gaussian_process(OPS, np.asarray, x, y, by_cholesky)

            def reference(forward: programs.Function = forward) -> oracle.Array:
                value: oracle.Array = forward(logs)
                return value

            yield Case(name, call, "NumPy forward", reference)
