"""How much memory a recorded scalar operation keeps, seen from outside: the process's resident set."""

from __future__ import annotations

import gc

from bench import memory, oracle
from bench.adapters import Adapter
from bench.figures import Answer, Figure
from bench.profiles import Profile
from bench.questions.reverse_op import B, W, X

TITLE = "Memory per recorded scalar operation: growth of the resident set"

# Memory is not noisy and some libraries are slow: their chains are only this much longer than a timed one.
LENGTHEN = 10


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Measure after recording and at the peak of the sweep, for each length that the library can do."""
    lengths = sorted({min(nodes, LENGTHEN * adapter.max_nodes) for nodes in profile.memory_nodes})
    if lengths == [0]:
        return None
    warm = adapter.long_chain(X, W, B, 100)
    if warm is None:
        return None
    warm.sweep(warm.record())
    answer = Answer()
    for nodes, asked in zip(lengths, profile.memory_nodes, strict=False):
        recorded, peak = _measure(adapter, nodes)
        note = f"{nodes:,} operations"
        answer.figures.append(Figure(f"recorded, {asked:,} operations", "byte", [recorded], note=note))
        answer.figures.append(Figure(f"peak with sweep, {asked:,} operations", "byte", [peak], note=note))
    return answer


def _measure(adapter: Adapter, nodes: int) -> tuple[float, float]:
    chain = adapter.long_chain(X, W, B, nodes)
    assert chain is not None
    gc.collect()
    memory.reset_peak()
    before = memory.resident()
    state = chain.record()
    recorded = memory.resident()
    gradients = [oracle.array(gradient) for gradient in chain.sweep(state)]
    peak = memory.peak()
    oracle.close("gradients", gradients, oracle.mul_add(X, W, B, nodes)[1], 1e-7)
    return (recorded - before) / nodes, (max(peak, recorded) - before) / nodes
