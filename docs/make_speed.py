"""Write docs/speed.json: the figures of a benchmark run that docs/speed.md draws.

Run it from the root of the sources, after a run of the benchmark suite with the peers installed:

    python -m bench --only scalar_op --only tape_setup --only vectors --only mlp_step
    python docs/make_speed.py bench-results/results.json

What it leaves out are the single samples: medians and spreads stay, with the conditions they were measured under.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "speed.json"


def condensed(results: dict[str, Any]) -> dict[str, Any]:
    """Return what the page needs of a run's `results.json`; raise if something in the run failed."""
    failed = [
        f"{name}, {peer}: {answer['error']}"
        for name, question in results["questions"].items()
        for peer, answer in question["peers"].items()
        if answer["error"]
    ]
    if failed:
        raise ValueError(f"the run is not whole: {'; '.join(failed)}")
    return {
        **{key: results[key] for key in ("date", "machine", "versions")},
        "profile": results["profile"]["name"],
        "controls": {
            "python float operation, s": _spread([control["float_op"] for control in results["controls"]]),
            "copy, bytes/s": _spread([control["copy"] for control in results["controls"]]),
        },
        "questions": {
            name: {
                "title": question["title"],
                "figures": {
                    peer: {
                        figure["case"]: {key: _rounded(figure[key]) for key in ("value", "ratio", "spread")}
                        for figure in answer["figures"]
                    }
                    for peer, answer in question["peers"].items()
                },
            }
            for name, question in results["questions"].items()
        },
    }


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return the median of some figures, and their range."""
    return {
        "median": _rounded(statistics.median(values)),
        "least": _rounded(min(values)),
        "greatest": _rounded(max(values)),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def main(arguments: Sequence[str]) -> None:
    """Read the named file and write the page's."""
    if len(arguments) != 1:
        sys.exit("usage: python docs/make_speed.py bench-results/results.json")
    results = json.loads(Path(arguments[0]).read_text("utf-8"))
    PAGE.write_text(json.dumps(condensed(results), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
