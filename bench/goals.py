"""The figures that tapegrad sets out to reach, and how a run compares with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.figures import Answer, Figure
from bench.questions import gradbench, numpy_calls

Results = dict[str, dict[str, Answer]]
"""Question -> peer -> what was found."""

OWN = "tapegrad"
EAGER = ("torch", "tensorflow", "jax", "autograd")
"""The peers that record or trace each run anew, as tapegrad does."""


@dataclass(frozen=True)
class Goal:
    """A limit on one figure of tapegrad, an upper one unless it says `at_least`.

    `kind` is "value" (seconds or bytes), "ratio" (over the figure's own reference) or a peer's name: then it
    is the quotient of the two libraries' ratios, each taken over the same reference in its own process.
    """

    question: str
    case: str
    kind: str
    limit: float
    at_least: bool = False


@dataclass(frozen=True)
class Verdict:
    """A goal and what was measured; `measured` is None where the run has no such figure."""

    goal: Goal
    measured: float | None
    unit: str

    @property
    def met(self) -> bool:
        """Whether the figure is there and within the limit."""
        if self.measured is None:
            return False
        return self.measured >= self.goal.limit if self.goal.at_least else self.measured <= self.goal.limit


VECTOR_RATIOS = {10: 0.6, 100: 0.7, 1000: 1.0, 10_000: 1.5, 100_000: 1.6, 1_000_000: 2.0}

AHEAD = {
    "jacobian": ("64 -> 64", "1000 -> 3", "3 -> 1000"),
    "hessian": ("n=10", "n=100", "n=1,000"),
    "hvp": ("n=10", "n=100", "n=1,000"),
    "bfgs": ("Rosenbrock n=20", "logistic regression 500 x 10"),
    "lstm_step": ("20 times",),
    "kalman": ("50 steps",),
    "gaussian_process": tuple(f"n={n}, {form}" for n in (50, 200) for form in ("cholesky", "solve and logdet")),
    "nbody": ("50 steps",),
}
"""Question -> cases of the full run in which tapegrad sets out to be ahead of every eager peer."""

MUCH_AHEAD = ("det", "ode", "lstm", "particle", "saddle")
"""GradBench's evals on scalars and short vectors, in which it sets out to be 20 times as fast."""


def _gradbench() -> Iterator[Goal]:
    """Ask for 20x where recording is the work (for ode: the size with real work), else for being ahead."""
    for name, size, case in gradbench.cases(("small", "medium", "large")):
        much = name in MUCH_AHEAD and (name, size) not in {("ode", "medium"), ("ode", "large")}
        for peer in gradbench.PEERS:
            yield Goal("gradbench", case, peer, 0.05 if much else 1.0)


def _goals() -> Iterator[Goal]:
    for chain in ("mul add", "sin tanh"):
        yield Goal("scalar_op", f"{chain}, recorded", "value", 60e-9)
        yield Goal("scalar_op", f"{chain}, recorded", "ratio", 5.0)
    yield Goal("reverse_op", "reverse sweep", "value", 10e-9)
    for dtype in ("float64", "float32"):
        for size, limit in VECTOR_RATIOS.items():
            yield Goal("vectors", f"{dtype} n={size:,}", "ratio", limit)
            yield Goal("vectors", f"{dtype} n={size:,}", "torch", 1.0)
    yield Goal("tape_setup", "x * x and its gradient", "value", 1.5e-6)
    yield Goal("mlp_step", "training step", "torch", 0.6)
    for call in numpy_calls.FUNCTIONS:
        yield Goal("numpy_calls", f"np.{call.name}", "value", 1e-6)
        yield Goal("numpy_calls", f"np.{call.name}, recorded", "value", 1e-6)
    for question, cases in AHEAD.items():
        for case in cases:
            if question == "jacobian":
                yield Goal(question, case, "ratio", 1.5)
            for peer in EAGER:
                yield Goal(question, case, peer, 1.0)
    for size in (10_000, 100_000, 1_000_000):
        yield Goal("threads", f"n={size:,}", "value", 1.8, at_least=True)
    yield from _gradbench()
    for peer in ("torch", "tensorflow"):
        yield Goal("peak_memory", "batch 16,384", peer, 1.0)
    for nodes in (1_000_000, 10_000_000):
        yield Goal("node_bytes", f"recorded, {nodes:,} operations", "value", 64.0)
    yield Goal("import_time", "import", "value", 50e-3)
    yield Goal("wheel_size", "wheel", "value", 3e6)


GOALS = tuple(_goals())


def judge(results: Results) -> list[Verdict]:
    """Compare with the findings every goal that the run asked for and whose rival took part."""
    verdicts = []
    for goal in GOALS:
        asked = results.get(goal.question)
        if asked is None or OWN not in asked:
            continue
        own = find(asked[OWN], goal.case)
        anyone = next((found for answer in asked.values() if (found := find(answer, goal.case))), None)
        if anyone is None:
            continue
        unit = anyone.unit if goal.kind == "value" else "ratio"
        measured = None if own is None else _measured(goal, own, asked)
        takes_part = goal.kind in ("value", "ratio") or goal.kind in asked
        if takes_part and (own is None or measured is not None):
            verdicts.append(Verdict(goal, measured, unit))
    return verdicts


def find(answer: Answer, case: str) -> Figure | None:
    """Return an answer's figure by its case."""
    return next((figure for figure in answer.figures if figure.case == case), None)


def _measured(goal: Goal, own: Figure, asked: dict[str, Answer]) -> float | None:
    if goal.kind == "value":
        return own.value
    if goal.kind == "ratio":
        return own.ratio
    rival = find(asked[goal.kind], goal.case) if goal.kind in asked else None
    if rival is None or rival.ratio is None or own.ratio is None:
        return None
    return own.ratio / rival.ratio
