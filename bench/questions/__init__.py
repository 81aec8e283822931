"""One file per question: a TITLE, and either `ask`, run in a fresh process per library, or `survey`.

`ask(adapter, profile)` checks a library's values and gradients, measures, and returns an Answer; None means
that the question makes no sense for that library. `survey(peers, profile)` answers for all libraries at once,
and starts what processes it needs.
"""

from __future__ import annotations

import importlib
from types import ModuleType

QUESTIONS = (
    "scalar_op",
    "reverse_op",
    "vectors",
    "tape_setup",
    "numpy_calls",
    "jacobian",
    "hessian",
    "hvp",
    "bfgs",
    "mlp_step",
    "lstm_step",
    "kalman",
    "gaussian_process",
    "nbody",
    "threads",
    "gradbench",
    "autograd_libraries",
    "node_bytes",
    "peak_memory",
    "import_time",
    "wheel_size",
)


def load(name: str) -> ModuleType:
    """Import a question."""
    return importlib.import_module(f"bench.questions.{name}")
