"""What minimising with SciPy's BFGS costs: the run as a whole, with each library's gradient."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import by_hand, oracle, programs
from bench.adapters import Adapter
from bench.figures import Answer, Figure
from bench.measure import Contestant, interleave
from bench.profiles import Profile

TITLE = (
    "scipy.optimize BFGS to the minimum; NumPy's row is by finite differences (x: over a run with the gradient by hand)"
)
RIDGE = 1e-3


@dataclass(frozen=True)
class Problem:
    """A function to minimise: its program, its value and gradient by hand, and where to start."""

    name: str
    program: Callable[[programs.Ops, programs.Constant], programs.Function]
    by_hand: Callable[[oracle.Array], tuple[float, oracle.Array]]
    start: oracle.Array


def problems() -> Iterator[Problem]:
    """Return Rosenbrock's function in 20 dimensions, and a logistic regression of 500 rows of 10 numbers."""
    generator = np.random.default_rng(0)
    yield Problem(
        "Rosenbrock n=20", programs.rosenbrock, by_hand.rosenbrock_with_gradient, generator.uniform(-1.0, 1.0, 20)
    )
    rows = generator.normal(size=(500, 10))
    signs = np.where(rows @ generator.normal(size=10) + generator.normal(size=500) > 0.0, 1.0, -1.0)
    yield Problem(
        "logistic regression 500 x 10",
        lambda ops, constant: programs.logistic(ops, constant, rows, signs, RIDGE),
        lambda w: by_hand.logistic_with_gradient(w, rows, signs, RIDGE),
        np.zeros(10),
    )


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Time the runs and count evaluations of the function."""
    if importlib.util.find_spec("scipy") is None:
        return Answer(remark="not asked: SciPy is not installed")
    from scipy.optimize import minimize

    answer = Answer()
    for problem in problems():
        run = adapter.minimize(problem.program(adapter.ops, adapter.constant), problem.start)
        if run is None:
            return None

        def reference(problem: Problem = problem) -> Any:
            return minimize(problem.by_hand, problem.start, jac=True, method="BFGS")

        found, want = run(), reference()
        # BFGS stops where the gradient is small: at 1e-5 exactly, by differences at what rounding lets be seen.
        oracle.close(f"{problem.name}: minimum", found.x, want.x, 1e-4)
        samples = interleave({"by hand": Contestant(reference), "run": Contestant(run)}, profile)
        ratios = samples.ratios("run", "by hand")
        answer.figures.append(Figure(problem.name, "second", samples.seconds["run"], "gradient by hand", ratios))
        answer.figures.append(Figure(f"{problem.name}: evaluations", "count", [float(found.nfev)]))
        answer.timings |= {f"{problem.name}: {name}": values for name, values in samples.seconds.items()}
        answer.cores = max(answer.cores, samples.cores)
    return answer
