"""What value and gradients of an elementwise program cost, beside NumPy's forward pass alone."""

from __future__ import annotations

import numpy as np

from bench import chains, oracle
from bench.adapters import Adapter
from bench.figures import Answer, Figure
from bench.measure import Contestant, interleave
from bench.profiles import Profile

TITLE = (
    "Vectors: 24 operations `mul add tanh neg exp mul`, value and gradients for x, w and b, tape included "
    "(x: over NumPy's forward alone)"
)
TOLERANCE = {"float64": 1e-12, "float32": 2e-5}


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time every size and dtype against `np.tanh` and friends on the same arrays."""
    answer = Answer()
    forward = chains.fresh(chains.vector)
    for dtype in profile.vector_dtypes:
        for size in profile.vector_sizes:
            x, w, b = _inputs(size, dtype)
            call = adapter.vector(x, w, b)
            if call is None:
                return None
            _check(call(), (x, w, b), dtype)

            def numpy_forward(x: oracle.Array = x, w: oracle.Array = w, b: oracle.Array = b) -> oracle.Array:
                return forward(x, w, b, np.tanh, np.exp)

            samples = interleave({"NumPy": Contestant(numpy_forward), "gradient": Contestant(call)}, profile)
            case = f"{dtype} n={size:,}"
            ratios = samples.ratios("gradient", "NumPy")
            answer.figures.append(
                Figure(case, "second", samples.seconds["gradient"], "NumPy forward", ratios, main="ratio")
            )
            answer.timings |= {f"{case}: {name}": values for name, values in samples.seconds.items()}
            answer.cores = max(answer.cores, samples.cores)
    return answer


def _inputs(size: int, dtype: str) -> tuple[oracle.Array, oracle.Array, oracle.Array]:
    """Return inputs between -1 and 1, which keep the chain between -e and e in all four rounds."""
    generator = np.random.default_rng(size)
    return tuple(generator.uniform(-1.0, 1.0, size).astype(dtype) for _ in range(3))  # type: ignore[return-value]


def _check(got: object, inputs: tuple[oracle.Array, oracle.Array, oracle.Array], dtype: str) -> None:
    value, gradients = got  # type: ignore[misc]
    want, want_gradients = oracle.vector_gradient(*(array.astype(np.float64) for array in inputs))
    for name, result, expected in zip(
        ("value", "dx", "dw", "db"), (value, *gradients), (want, *want_gradients), strict=True
    ):
        found = oracle.array(result).dtype
        if found != dtype:
            raise oracle.MismatchError(f"{name} is {found}, expected {dtype}")
        oracle.close(f"{dtype} n={len(want)} {name}", result, expected, TOLERANCE[dtype])
