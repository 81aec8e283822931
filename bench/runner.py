"""Starts the worker processes of a run, in turn for all libraries, and puts their answers together."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyperf

from bench import questions
from bench.environment import CPU_ONLY, SINGLE_THREAD
from bench.figures import Answer
from bench.goals import Results
from bench.measure import COPY_CONTROL, COPY_CONTROL_BYTES, FLOAT_CONTROL, FLOAT_CONTROL_OPS
from bench.profiles import Profile
from bench.worker import timings_suite

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT = 900.0


@dataclass
class Control:
    """The machine's speed in one process: seconds per Python float operation, bytes per second copied."""

    question: str
    peer: str
    float_op: float
    copy: float


@dataclass
class Collected:
    """All answers of a run, the controls of each process, and the raw timings."""

    results: Results = field(default_factory=dict)
    controls: list[Control] = field(default_factory=list)
    suite: pyperf.BenchmarkSuite | None = None

    def add_timings(self, suite: pyperf.BenchmarkSuite) -> None:
        """Add a process's timings, as further runs of the benchmarks that are already there."""
        if self.suite is None:
            self.suite = suite
        else:
            self.suite.add_runs(suite)


def collect(names: Sequence[str], peers: Sequence[str], profile: Profile, progress: Callable[[str], None]) -> Collected:
    """Ask every question of every peer."""
    collected = Collected()
    for name in names:
        question = questions.load(name)
        answers = collected.results.setdefault(name, {})
        if hasattr(question, "survey"):
            progress(name)
            for module, answer in question.survey(peers, profile).items():
                answers[module] = answer
                if answer.timings:
                    collected.add_timings(timings_suite(f"{name}: {module}", answer.timings))
            continue
        for process in range(profile.processes):
            for peer in peers:
                progress(f"{name}, {peer}, process {process + 1} of {profile.processes}")
                if peer in answers and answers[peer].error:
                    continue
                answer = _run_worker(peer, name, profile, collected)
                if answer is not None:
                    _merge(answers, peer, answer)
    return collected


def _merge(answers: dict[str, Answer], peer: str, answer: Answer) -> None:
    if peer not in answers or answer.error:
        answers[peer] = answer
        return
    for figure, more in zip(answers[peer].figures, answer.figures, strict=True):
        figure.merge(more)
    answers[peer].cores = max(answers[peer].cores, answer.cores)


def _run_worker(peer: str, question: str, profile: Profile, collected: Collected) -> Answer | None:
    environment = {**os.environ, **SINGLE_THREAD, **CPU_ONLY}
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory, "answer.json")
        command = [sys.executable, "-m", "bench.worker", peer, question, profile.name, str(output)]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer(error=f"no answer within {TIMEOUT:.0f} s")
        if done.returncode != 0:
            return Answer(error=(done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1])
        data = json.loads(output.read_text(encoding="utf-8"))
        if data is None:
            return None
        timings = Path(f"{output}.pyperf")
        if timings.exists():
            collected.add_timings(pyperf.BenchmarkSuite.load(str(timings)))
    answer = Answer.from_json(data)
    control = _control(question, peer, answer)
    if control is not None:
        collected.controls.append(control)
    return answer


def _control(question: str, peer: str, answer: Answer) -> Control | None:
    """Take the medians of the control figures over everything that the process timed."""
    float_ops = [s for name, seconds in answer.timings.items() if name.endswith(FLOAT_CONTROL) for s in seconds]
    copies = [s for name, seconds in answer.timings.items() if name.endswith(COPY_CONTROL) for s in seconds]
    if not float_ops or not copies:
        return None
    return Control(
        question,
        peer,
        statistics.median(float_ops) / FLOAT_CONTROL_OPS,
        COPY_CONTROL_BYTES / statistics.median(copies),
    )
