"""GradBench's evals on this machine: `python -m bench.gradbench --eval gmm --sizes small --peers torch,autograd`."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.gradbench import driver
from bench.gradbench.data import EVALS, SIZES
from bench.gradbench.process import Tool
from bench.gradbench.tool import PEERS, TAPEGRAD


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(known)}")
        return names

    return parse


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    effort = driver.Effort()
    parser = argparse.ArgumentParser(prog="python -m bench.gradbench", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--eval", type=_names(tuple(EVALS)), dest="evals", help=", ".join(EVALS))
    which.add_argument("--all", action="store_const", const=list(EVALS), dest="evals", help="every eval")
    parser.add_argument("--sizes", type=_names(SIZES), default=["small"], help=", ".join(SIZES))
    parser.add_argument("--peers", type=_names(PEERS), default=[], help=", ".join(PEERS))
    parser.add_argument(
        "--peer-python", default=sys.executable, help="the interpreter in whose environment the peers are installed"
    )
    parser.add_argument("--rounds", type=int, default=effort.rounds, help="how often each library has its turn")
    parser.add_argument("--runs", type=int, default=effort.min_runs, help="least runs of a function in a round")
    parser.add_argument("--seconds", type=float, default=effort.min_seconds, help="least time of a function in a round")
    parser.add_argument("--limit", type=float, default=effort.limit, help="longest wait for an answer, in seconds")
    parser.add_argument("--json", type=Path, help="file for the times of each round")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a table for each input as soon as it is done, and return 1 if tapegrad failed anywhere."""
    given = _arguments(arguments)
    effort = driver.Effort(given.rounds, given.runs, given.seconds, given.limit)
    cases = []
    with contextlib.ExitStack() as stack:
        tools = [stack.enter_context(Tool(TAPEGRAD))]
        tools += [stack.enter_context(Tool(peer, given.peer_python)) for peer in given.peers]
        for case in driver.run(given.evals, given.sizes, tools, effort, _progress):
            _progress("")
            print(driver.table(case), flush=True)
            cases.append(case)
    if given.json:
        given.json.write_text(json.dumps([case.to_json() for case in cases], indent=1), encoding="utf-8")
    return int(any(case.results[TAPEGRAD].failures for case in cases))


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{step}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
