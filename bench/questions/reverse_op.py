"""What the reverse sweep costs per recorded scalar operation."""

from __future__ import annotations

from bench import oracle
from bench.adapters import Adapter
from bench.figures import Answer, Figure
from bench.measure import Contestant, interleave
from bench.profiles import Profile

TITLE = "Reverse sweep: the gradients of a long chain for its three sources, per operation"

X, W, B = 0.5, 1.0 - 1e-6, 1e-6


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time the sweep alone; each sweep gets a tape that was recorded off the clock."""
    nodes = min(profile.reverse_nodes, adapter.max_nodes)
    chain = adapter.long_chain(X, W, B, nodes) if nodes else None
    if chain is None:
        return None
    gradients = [oracle.array(gradient) for gradient in chain.sweep(chain.record())]
    oracle.close("gradients", gradients, oracle.mul_add(X, W, B, nodes)[1], 1e-9)
    samples = interleave({"sweep": Contestant(chain.sweep, chain.record)}, profile)
    per_op = [seconds / nodes for seconds in samples.seconds["sweep"]]
    figure = Figure("reverse sweep", "second", per_op, note=f"{nodes:,} operations")
    return Answer([figure], samples.seconds, cores=samples.cores)
