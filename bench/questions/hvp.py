"""What a product of a Hessian and a vector costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import by_hand, compare, oracle, programs
from bench.adapters import Adapter
from bench.compare import Case
from bench.figures import Answer
from bench.profiles import Profile

TITLE = "Hessian-vector product of Rosenbrock's function, float64 (x: over the same by hand in NumPy)"


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time each size."""
    return compare.answer(cases(adapter, profile), profile)


def cases(adapter: Adapter, profile: Profile) -> Iterator[Case]:
    """Return the products, found right."""
    for n in profile.hessian_sizes:
        generator = np.random.default_rng(n)
        x, v = generator.normal(size=n), generator.normal(size=n)
        call = adapter.hessian_product(programs.rosenbrock(adapter.ops, adapter.constant), x, v)
        if call is None:
            return
        oracle.close(f"n={n}", call(), by_hand.rosenbrock_hessian_product(x, v), 1e-12)

        def reference(x: oracle.Array = x, v: oracle.Array = v) -> oracle.Array:
            return by_hand.rosenbrock_hessian_product(x, v)

        yield Case(f"n={n:,}", call, "NumPy by hand", reference)
