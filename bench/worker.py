"""One library, one question, one fresh process: `python -m bench.worker PEER QUESTION PROFILE OUTPUT`.

The answer goes to OUTPUT, the raw timings beside it as a pyperf suite.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyperf

from bench import adapters, questions
from bench.figures import Answer
from bench.oracle import MismatchError
from bench.profiles import PROFILES


def main(peer: str, question: str, profile: str, output: str) -> None:
    """Ask the question and write the Answer as JSON (null where the question makes no sense)."""
    adapter = adapters.load(peer)
    try:
        answer = questions.load(question).ask(adapter, PROFILES[profile])
    except MismatchError as mismatch:
        answer = Answer(error=f"wrong result, not timed: {mismatch}")
    if answer is not None:
        answer.version = adapter.version
        if answer.timings:
            timings_suite(f"{question}: {peer}", answer.timings).dump(f"{output}.pyperf", replace=True)
    Path(output).write_text(json.dumps(answer and answer.to_json()), encoding="utf-8")


def timings_suite(prefix: str, timings: dict[str, list[float]]) -> pyperf.BenchmarkSuite:
    """Return the timings with what pyperf knows about the machine and this process."""
    machine = pyperf.Run([1.0]).get_metadata()
    benchmarks = []
    for name, seconds in timings.items():
        metadata = {**machine, "name": f"{prefix}: {name}", "unit": "second"}
        benchmarks.append(pyperf.Benchmark([pyperf.Run(seconds, metadata=metadata, collect_metadata=False)]))
    return pyperf.BenchmarkSuite(benchmarks)


if __name__ == "__main__":
    main(*sys.argv[1:])
