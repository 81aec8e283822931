"""Turns a run into a Markdown table for the terminal, and into JSON."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import questions
from bench.figures import Answer, Figure
from bench.goals import OWN, Goal, Results, Verdict, find, judge
from bench.profiles import Profile
from bench.runner import Collected, Control

# A process whose controls are this much worse than the run's median ran on a disturbed machine.
DISTURBED = 1.25
# More processor time than this per elapsed second means that a library did not keep to one thread.
PARALLEL = 1.1


def seconds(value: float) -> str:
    """Return a time in three digits and the unit that fits, as in `1.93 µs`."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def size(value: float) -> str:
    """Return an amount of memory, as in `3.0 MB` (a million bytes)."""
    return f"{value / 1e6:,.{1 if value < 1e8 else 0}f} MB" if value >= 1e6 else f"{value:,.0f} B"


def ratio(value: float) -> str:
    """Return a ratio, as in `0.31x`."""
    return f"{value:.0f}x" if value >= 100 else f"{value:.3g}x" if value >= 10 else f"{value:.2f}x"


def count(value: float) -> str:
    """Return a number of things."""
    return f"{value:,.0f}"


def amount(value: float, unit: str) -> str:
    """Return a value in the unit of its figure."""
    return {"second": seconds, "byte": size, "ratio": ratio, "count": count}[unit](value)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return rows (the first is the head) as an aligned Markdown table."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]

    def line(row: Sequence[str]) -> str:
        first, *others = row
        cells = [
            first.ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)),
        ]
        return f"| {' | '.join(cells)} |"

    rule = ["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]
    return "\n".join([line(rows[0]), f"|{'|'.join(rule)}|", *(line(row) for row in rows[1:])])


def text(collected: Collected, profile: Profile) -> str:
    """Return the whole report."""
    verdicts = judge(collected.results)
    parts = [f"# Benchmark, {profile.name} run", "\n".join(_conditions(collected, profile))]
    for name, answers in collected.results.items():
        parts.append(f"## {questions.load(name).TITLE}")
        parts.append(_table(answers, [verdict for verdict in verdicts if verdict.goal.question == name]))
        parts += _remarks(name, answers, collected.controls)
    if verdicts:
        parts += ["## Goals", _goals(verdicts)]
    return "\n\n".join(parts) + "\n"


def _conditions(collected: Collected, profile: Profile) -> list[str]:
    versions = _versions(collected.results)
    lines = [
        f"- {_machine()}; one thread for every library; each in processes of its own.",
        "- " + ", ".join(f"{peer} {version}" for peer, version in versions.items()) + ".",
        f"- Medians of up to {profile.rounds} interleaved rounds in each of {profile.processes} processes; "
        "± is half the interquartile range.",
    ]
    if collected.controls:
        lines += _control_lines(collected.controls)
    return lines


def _control_lines(controls: Sequence[Control]) -> list[str]:
    ops = [control.float_op for control in controls]
    copies = [control.copy for control in controls]
    swing = max(max(ops) / min(ops), max(copies) / min(copies))
    verdict = "steady" if swing < DISTURBED else "unsteady: compare ratios, not times"
    return [
        f"- Control, Python float operation: {seconds(statistics.median(ops))} "
        f"({seconds(min(ops))} to {seconds(max(ops))} between processes); "
        f"NumPy copy of 8 MiB: {statistics.median(copies) / 1e9:.3g} GB/s "
        f"({min(copies) / 1e9:.3g} to {max(copies) / 1e9:.3g}). The machine was {verdict}."
    ]


def _cases(answers: dict[str, Answer]) -> list[str]:
    """Return the cases of all peers, in the order in which they first occur."""
    return list(dict.fromkeys(figure.case for answer in answers.values() for figure in answer.figures))


def _table(answers: dict[str, Answer], verdicts: Sequence[Verdict]) -> str:
    peers = [peer for peer, answer in answers.items() if answer.figures]
    if not peers:
        return "Nothing was measured."
    rows = [["", *peers, "tapegrad's goal"]]
    for case in _cases(answers):
        own = [verdict for verdict in verdicts if verdict.goal.case == case]
        rows.append([case, *(_cell(find(answers[peer], case)) for peer in peers), _limits(own)])
    return markdown(rows)


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    value, over = amount(figure.value, figure.unit), figure.ratio
    spread = f" ±{figure.spread():.0%}" if len(figure.values) > 1 else ""
    if over is None:
        return value + spread
    return f"{ratio(over)}{spread} ({value})" if figure.main == "ratio" else f"{value}{spread} ({ratio(over)})"


def _limits(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{limit(verdict.goal, verdict.unit)} {_mark(verdict)}" for verdict in verdicts)


def limit(goal: Goal, unit: str) -> str:
    """Return a goal's limit in words."""
    least = "at least " if goal.at_least else ""
    if goal.kind == "value":
        return least + amount(goal.limit, unit)
    return least + ratio(goal.limit) + ("" if goal.kind == "ratio" else f" of {goal.kind}")


def _mark(verdict: Verdict) -> str:
    if verdict.measured is None:
        return "not measured"
    return "met" if verdict.met else "missed"


def _goals(verdicts: Sequence[Verdict]) -> str:
    rows = [["goal", "at most, or as said", "measured", ""]]
    for verdict in verdicts:
        measured = "-" if verdict.measured is None else amount(verdict.measured, verdict.unit)
        goal = verdict.goal
        rows.append([f"{goal.question}: {goal.case}", limit(goal, verdict.unit), measured, _mark(verdict)])
    return markdown(rows)


def _remarks(name: str, answers: dict[str, Answer], controls: Sequence[Control]) -> list[str]:
    """Return failures, notes, and what may have disturbed a row."""
    lines = []
    noted: dict[str, list[str]] = {}
    for peer, answer in answers.items():
        if answer.error:
            lines.append(f"- {peer} failed: {answer.error}")
        if answer.remark:
            lines.append(f"- {peer}: {answer.remark}")
        for note in dict.fromkeys(figure.note for figure in answer.figures if figure.note):
            noted.setdefault(note, []).append(peer)
        if answer.cores > PARALLEL:
            lines.append(f"- {peer}: used {answer.cores:.2f} processors although told to use one")
    lines += [f"- {', '.join(peers)}: {note}" for note, peers in noted.items()]
    disturbed = _disturbed(name, controls)
    if disturbed:
        lines.append(f"- the machine was slow in a process of {', '.join(disturbed)}: compare its ratios, not times")
    return ["\n".join(lines)] if lines else []


def _disturbed(name: str, controls: Sequence[Control]) -> list[str]:
    if not controls:
        return []
    usual = statistics.median(control.float_op for control in controls)
    slowest: dict[str, float] = {}
    for control in controls:
        if control.question == name:
            slowest[control.peer] = max(control.float_op / usual, slowest.get(control.peer, 0.0))
    return [f"{peer} ({times:.2f}x)" for peer, times in slowest.items() if times > DISTURBED]


def _versions(results: Results) -> dict[str, str]:
    return {peer: a.version for answers in results.values() for peer, a in answers.items() if a.version}


def _machine() -> str:
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = (line.split(":")[1] for line in cpuinfo.read_text().splitlines() if "model name" in line)
        model = next(named, "").strip()
    return f"{model or platform.processor() or platform.machine()}, Python {platform.python_version()}"


def document(collected: Collected, profile: Profile) -> str:
    """Return the run as JSON text: conditions, figures with all samples, controls and goals."""
    data: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "profile": asdict(profile),
        "machine": _machine(),
        "versions": _versions(collected.results),
        "questions": {
            name: {
                "title": questions.load(name).TITLE,
                "peers": {
                    peer: {
                        "error": answer.error,
                        "cores": answer.cores,
                        "figures": [figure.summary() for figure in answer.figures],
                    }
                    for peer, answer in answers.items()
                },
            }
            for name, answers in collected.results.items()
        },
        "controls": [asdict(control) for control in collected.controls],
        "goals": [
            {**asdict(verdict.goal), "measured": verdict.measured, "met": verdict.met, "of": OWN}
            for verdict in judge(collected.results)
        ],
    }
    return json.dumps(data, indent=1) + "\n"
