"""How long libraries that are written for HIPS autograd take with it, and with tapegrad in its place."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Sequence

import numpy as np

from bench.adapters import installed
from bench.autograd_programs import LIBRARIES, PROGRAMS
from bench.figures import Answer, Figure
from bench.gradbench.process import Tool, ToolError, TooSlowError
from bench.profiles import Profile

TITLE = "Libraries written for HIPS autograd: fits and searches as they stand (x: over the time with autograd)"

LIMIT = 120.0
"""Seconds after which a program is given up."""

TOLERANCE = 1e-5
"""The difference allowed between the two libraries' results, which end where an optimizer stops."""


def survey(peers: Sequence[str], profile: Profile) -> dict[str, Answer]:
    """Run each program in both processes in turn; the first round only warms up."""
    taking_part = [peer for peer in ("autograd", "tapegrad") if peer in peers and installed(peer)]
    answers = {peer: Answer() for peer in taking_part}
    absent = [library for library in LIBRARIES if importlib.util.find_spec(library) is None]
    if absent:
        return {peer: Answer(remark=f"not asked: {', '.join(absent)} not installed") for peer in taking_part}
    with contextlib.ExitStack() as stack:
        tools = {peer: stack.enter_context(Tool(peer, module="bench.autograd_programs")) for peer in taking_part}
        for name in PROGRAMS:
            _ask(name, tools, answers, profile.imports)
    return answers


def _ask(name: str, tools: dict[str, Tool], answers: dict[str, Answer], rounds: int) -> None:
    """Add one program's figures."""
    seconds: dict[str, list[float]] = {peer: [] for peer in tools}
    numbers: dict[str, list[float]] = {}
    for done in range(rounds + 1):
        for peer, tool in tools.items():
            try:
                answer = tool.ask({"program": name}, LIMIT)
            except (ToolError, TooSlowError) as error:
                answers[peer].error = f"{name}: {error}"
                return
            numbers[peer] = answer["numbers"]
            if done:
                seconds[peer].append(answer["seconds"])
    if len(numbers) == 2 and not np.allclose(numbers["tapegrad"], numbers["autograd"], TOLERANCE, TOLERANCE):
        answers["tapegrad"].error = f"{name}: {numbers['tapegrad']}, but with autograd {numbers['autograd']}"
        return
    for peer, samples in seconds.items():
        figure = Figure(name, "second", samples)
        if peer == "tapegrad" and "autograd" in seconds:
            figure.over, figure.main = "autograd", "ratio"
            figure.ratios = [own / other for own, other in zip(samples, seconds["autograd"], strict=True)]
        answers[peer].figures.append(figure)
        answers[peer].timings[name] = samples
