"""What a whole Hessian costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import by_hand, compare, oracle, programs
from bench.adapters import Adapter
from bench.compare import Case
from bench.figures import Answer
from bench.profiles import Profile

TITLE = "Hessian of Rosenbrock's function, float64 (x: over its three diagonals by NumPy, in a full matrix)"


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time each size."""
    return compare.answer(cases(adapter, profile), profile)


def cases(adapter: Adapter, profile: Profile) -> Iterator[Case]:
    """Return the Hessians, found right."""
    for n in profile.hessian_sizes:
        x = np.random.default_rng(n).normal(size=n)
        call = adapter.hessian(programs.rosenbrock(adapter.ops, adapter.constant), x)
        if call is None:
            return
        oracle.close(f"n={n}", call(), by_hand.rosenbrock_hessian(x), 1e-12)

        def reference(x: oracle.Array = x) -> oracle.Array:
            return by_hand.rosenbrock_hessian(x)

        yield Case(f"n={n:,}", call, "NumPy by hand", reference)
        # tapegrad alone finds the structure itself.
        make_sparse = getattr(adapter, "sparse_hessian", None)
        if make_sparse is not None:
            sparse = make_sparse(programs.rosenbrock(adapter.ops, adapter.constant), x)
            oracle.close(f"n={n}, sparse", sparse().toarray(), by_hand.rosenbrock_hessian(x), 1e-12)
            yield Case(f"n={n:,}, sparse", sparse, "NumPy by hand", reference)
