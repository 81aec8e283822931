"""What one recorded scalar operation costs, beside one on a plain Python float."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from bench import chains, oracle
from bench.adapters import Adapter, Scalar
from bench.figures import Answer, Figure
from bench.measure import Contestant, Samples, interleave
from bench.profiles import Profile

TITLE = "Scalar operation: chains of 100 on 0-d float64, per operation (x: over one on a Python float)"


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time both chains: recorded (less an empty tape), and with gradients (everything included)."""
    answer = Answer()
    for kind in ("mul add", "sin tanh"):
        scalar = adapter.scalar(kind)
        if scalar is None:
            return None
        _check(kind, scalar)
        contestants = {"float": Contestant(_plain(kind)), "total": Contestant(scalar.total)}
        if scalar.record is not None and scalar.empty is not None:
            contestants["empty"] = Contestant(scalar.empty)
            contestants["record"] = Contestant(scalar.record)
        samples = interleave(contestants, profile)
        answer.figures += _figures(kind, samples)
        answer.timings |= {f"{kind}: {name}": values for name, values in samples.seconds.items()}
        answer.cores = max(answer.cores, samples.cores)
    return answer


def _plain(kind: str) -> Callable[[], Any]:
    """Return the same chain on Python floats."""
    if kind == "mul add":
        mul_add = chains.fresh(chains.mul_add)
        return lambda: mul_add(0.5, 0.9, 0.1)
    sin_tanh = chains.fresh(chains.sin_tanh)
    return lambda: sin_tanh(0.5, math.sin, math.tanh)


def _check(kind: str, scalar: Scalar) -> None:
    ops = chains.SCALAR_OPS
    want, want_gradients = oracle.mul_add(0.5, 0.9, 0.1, ops) if kind == "mul add" else oracle.sin_tanh(0.5, ops)
    value, gradients = scalar.total()
    oracle.close(f"{kind}: value", value, want, 1e-12)
    oracle.close(f"{kind}: gradients", [oracle.array(g) for g in gradients], want_gradients, 1e-10)


def _figures(kind: str, samples: Samples) -> list[Figure]:
    ops = chains.SCALAR_OPS
    plain = [seconds / ops for seconds in samples.seconds["float"]]
    per_op = {f"{kind}, value and gradient": [seconds / ops for seconds in samples.seconds["total"]]}
    if "record" in samples.seconds:
        pairs = zip(samples.seconds["record"], samples.seconds["empty"], strict=True)
        per_op[f"{kind}, recorded"] = [(record - empty) / ops for record, empty in pairs]
    return [
        Figure(case, "second", values, "Python float", [v / p for v, p in zip(values, plain, strict=True)])
        for case, values in sorted(per_op.items())
    ]
