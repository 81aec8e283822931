"""GradBench's side of the protocol, on one machine: tools are given the same inputs in turn, checked and timed.

A round asks every library for every function, in random order; ratios are formed within a round, and their medians
over the rounds are reported, because a shared machine drifts.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.gradbench.data import EVALS
from bench.gradbench.process import MissingError, Tool, ToolError, TooSlowError
from bench.gradbench.references import expected, worst_error
from bench.gradbench.tool import TAPEGRAD

TOLERANCE = 1e-8
IMPORT_LIMIT = 120.0
NOT_IMPLEMENTED = "not implemented"


@dataclass(frozen=True)
class Effort:
    """How often and how long: rounds, least runs and seconds of a function in each, and the longest wait."""

    rounds: int = 3
    min_runs: int = 3
    min_seconds: float = 0.2
    limit: float = 60.0


@dataclass
class Result:
    """One library's times for an input: by function, the median seconds of each round; or why there are none."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    worst_error: float = 0.0


@dataclass
class Case:
    """An input, and what each library made of it."""

    eval: str
    size: str
    description: str
    functions: tuple[str, ...]
    primal: str | None
    results: dict[str, Result]

    def ratio(self, library: str, function: str, to_library: str, to_function: str) -> float | None:
        """Return the median over the rounds of the quotient of two times."""
        over = self.results[library].seconds.get(function)
        under = self.results[to_library].seconds.get(to_function)
        if not over or not under or len(over) != len(under):
            return None
        return statistics.median([a / b for a, b in zip(over, under, strict=True)])

    def to_json(self) -> dict[str, Any]:
        """Return everything."""
        return asdict(self)


def run(
    names: Iterable[str], sizes: Sequence[str], tools: Sequence[Tool], effort: Effort, progress: Callable[[str], None]
) -> Iterable[Case]:
    """Run the evals at these sizes with all tools."""
    for name in names:
        eval_ = EVALS[name]
        obstacles = {tool.library: _define(tool, name) for tool in tools}
        for size in sizes:
            for description, given in eval_.inputs(size):
                functions = (*([eval_.primal] if eval_.primal else []), *eval_.gradients)
                results = {
                    library: Result(failures={} if obstacle is None else dict.fromkeys(functions, obstacle))
                    for library, obstacle in obstacles.items()
                }
                references = {function: expected(name, function, given) for function in functions}
                case = Case(name, size, description, functions, eval_.primal, results)
                work = [(tool, function) for tool in tools for function in functions]
                for round_ in range(effort.rounds):
                    random.Random(round_).shuffle(work)
                    for tool, function in work:
                        result = results[tool.library]
                        if function in result.failures:
                            continue
                        progress(f"{name} {description}: {tool.library} {function}, round {round_ + 1}")
                        _evaluate(tool, name, function, given, references[function], effort, result)
                yield case


def _define(tool: Tool, name: str) -> str | None:
    """Let the tool import its library and the eval; return what stands in the way, if anything does."""
    try:
        tool.ask({"kind": "start", "eval": name}, IMPORT_LIMIT)
        tool.ask({"kind": "define", "module": name}, IMPORT_LIMIT)
    except ToolError as error:
        return _failure(error)
    return None


def _evaluate(tool: Tool, name: str, function: str, given: Any, reference: Any, effort: Effort, result: Result) -> None:
    """Ask for one function, check what it gives, and add its time or the reason why there is none."""
    runs = {"min_runs": effort.min_runs, "min_seconds": effort.min_seconds}
    sent = {**given, **runs} if isinstance(given, dict) else given
    message = {"kind": "evaluate", "module": name, "function": function, "input": sent}
    try:
        answer = tool.ask(message, effort.limit)
    except TooSlowError:
        result.failures[function] = f"> {effort.limit:g} s"
        return
    except ToolError as error:
        result.failures[function] = _failure(error)
        return
    distance = worst_error(reference, answer["output"])
    tool.ask({"kind": "analysis", "of": answer["id"], "valid": distance <= TOLERANCE}, effort.limit)
    result.worst_error = max(result.worst_error, distance)
    if distance > TOLERANCE:
        result.failures[function] = f"wrong by {distance:.1e}"
        return
    nanoseconds = [timing["nanoseconds"] for timing in answer["timings"]]
    result.seconds.setdefault(function, []).append(1e-9 * statistics.median(nanoseconds))


def _failure(error: ToolError) -> str:
    return NOT_IMPLEMENTED if isinstance(error, MissingError) else f"failed: {error}"


def table(case: Case) -> str:
    """Return a case as a Markdown table: times, the gradient over the primal, and the gradient over tapegrad's."""
    gradient = next(function for function in case.functions if function != case.primal)
    heads = ["library", *case.functions]
    if case.primal:
        heads.append(f"{gradient} / {case.primal}")
    heads.append("over tapegrad's")
    lines = [f"### {case.eval} {case.description}".rstrip(), "", _row(heads), _row(["---"] * len(heads))]
    for library, result in case.results.items():
        cells = [library]
        for function in case.functions:
            seconds = result.seconds.get(function)
            failure = result.failures.get(function)
            cells.append(failure or (duration(statistics.median(seconds)) if seconds else "-"))
        if case.primal:
            cells.append(_times(case.ratio(library, gradient, library, case.primal)))
        cells.append(_times(case.ratio(library, gradient, TAPEGRAD, gradient) if TAPEGRAD in case.results else None))
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.3g}x"


def duration(seconds: float) -> str:
    """Return a time with three digits and its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
