"""The command line: `python -m bench`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

try:
    import pyperf  # noqa: F401
except ImportError:
    sys.exit("python -m bench needs pyperf (and matplotlib for the picture): pip install pyperf matplotlib")

from bench import adapters, plot, plot_workloads, report, runner
from bench.profiles import PROFILES
from bench.questions import QUESTIONS

SMOKE_PEERS = ("numpy", "tapegrad")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--smoke", action="store_const", dest="profile", const="smoke", help="does it run? (seconds)")
    effort.add_argument("--fast", action="store_const", dest="profile", const="fast", help="a few minutes")
    parser.set_defaults(profile="full")
    parser.add_argument("--only", action="append", choices=QUESTIONS, metavar="QUESTION", help=", ".join(QUESTIONS))
    parser.add_argument("--peers", type=_peers, help=f"comma-separated, of {', '.join(adapters.PEERS)}")
    parser.add_argument("--output", type=Path, default=Path("bench-results"), help="directory for the results")
    return parser.parse_args()


def _peers(names: str) -> list[str]:
    peers = names.split(",")
    unknown = [name for name in peers if name not in adapters.PEERS]
    if unknown:
        known = ", ".join(adapters.PEERS)
        raise argparse.ArgumentTypeError(f"no adapter for {', '.join(unknown)}; there are {known}")
    return peers


def main() -> int:
    """Run the questions, print and write the report; return 1 if a library failed."""
    arguments = _arguments()
    wanted = arguments.peers or (SMOKE_PEERS if arguments.profile == "smoke" else tuple(adapters.PEERS))
    peers = [peer for peer in wanted if adapters.installed(peer)]
    absent = [peer for peer in wanted if peer not in peers]
    if absent:
        print(f"Not installed: {', '.join(absent)}.", file=sys.stderr)
    # Without --peers, a full run takes what is there; a library that was asked for must be there.
    if not peers or (absent and (arguments.peers or arguments.profile == "smoke")):
        return 1
    profile = PROFILES[arguments.profile]
    collected = runner.collect(arguments.only or QUESTIONS, peers, profile, _progress)
    _write(collected, arguments.output, arguments.profile)
    failed = any(answer.error for answers in collected.results.values() for answer in answers.values())
    return int(failed)


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{step}", end="", file=sys.stderr, flush=True)


def _write(collected: runner.Collected, output: Path, name: str) -> None:
    profile = PROFILES[name]
    output.mkdir(parents=True, exist_ok=True)
    table = report.text(collected, profile)
    _progress("")
    print(table)
    (output / "report.md").write_text(table, encoding="utf-8")
    (output / "results.json").write_text(report.document(collected, profile), encoding="utf-8")
    written = ["report.md", "results.json"]
    if collected.suite is not None:
        collected.suite.dump(str(output / "pyperf.json"), replace=True)
        written.append("pyperf.json")
    for name, draw in (("results.png", plot.draw), ("workloads.png", plot_workloads.draw)):
        if draw(collected.results, output / name):
            written.append(name)
    print(f"Written to {output}: {', '.join(written)}.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
