"""What GradBench's evals cost, by the functions of `bench.gradbench`, which can also be run by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from bench.figures import Answer, Figure
from bench.gradbench import driver
from bench.gradbench.data import EVALS
from bench.gradbench.process import Tool
from bench.gradbench.tool import PEERS, TAPEGRAD
from bench.profiles import Profile

TITLE = "GradBench's evals: a derivative, recorded every time (x: over tapegrad's)"


def survey(peers: Sequence[str], profile: Profile) -> dict[str, Answer]:
    """Ask all libraries that have the evals, in turn; the driver checks what they give."""
    taking_part = [peer for peer in peers if peer in (TAPEGRAD, *PEERS)]
    answers = {peer: Answer() for peer in taking_part}
    given = profile.gradbench
    effort = driver.Effort(given.rounds, min_runs=1, min_seconds=given.seconds, limit=given.limit)
    with contextlib.ExitStack() as stack:
        tools = [stack.enter_context(Tool(peer)) for peer in taking_part]
        for case in driver.run(EVALS, given.sizes, tools, effort, lambda step: None):
            for peer in taking_part:
                _add(answers[peer], case, peer)
    return answers


def cases(sizes: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Return the evals with their sizes, and the names of their first derivatives' figures."""
    for name, eval_ in EVALS.items():
        for size in sizes:
            for arguments in eval_.sizes.get(size, ()):
                description = ",".join(f"{key}={value}" for key, value in arguments.items())
                yield name, size, _case_name(name, description, eval_.gradients[0])


def _case_name(name: str, description: str, function: str) -> str:
    several = len(EVALS[name].gradients) > 1
    return f"{name} {description}, {function}" if several else f"{name} {description}"


def _add(answer: Answer, case: driver.Case, peer: str) -> None:
    """Add a case's derivatives: figures, or the reason why there are none."""
    result = case.results[peer]
    for function in EVALS[case.eval].gradients:
        name = _case_name(case.eval, case.description, function)
        failure = result.failures.get(function, "")
        if failure:
            if failure.startswith(("wrong", "failed")):
                answer.error = f"{name}: {failure}"
            elif failure != driver.NOT_IMPLEMENTED:
                answer.remark += f"{'; ' if answer.remark else ''}{name} {failure}"
            continue
        seconds = result.seconds[function]
        own = case.results[TAPEGRAD].seconds.get(function) if TAPEGRAD in case.results else None
        ratios = []
        if own and len(own) == len(seconds):
            ratios = [one / base for one, base in zip(seconds, own, strict=True)]
        answer.figures.append(Figure(name, "second", seconds, "tapegrad", ratios))
        answer.timings[name] = list(seconds)
