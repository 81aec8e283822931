"""Draws the larger questions as a PNG: groups of bars, one bar for each library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.goals import Results, find
from bench.plot import COLOURS, explain_colours, mark_empty, pyplot
from bench.questions import gradbench

Bar = tuple[str, str, str]
"""What stands below a group of bars, the question, the case."""

HAND = "over NumPy by hand"
FORWARD = "over NumPy's forward alone"


def draw(results: Results, path: Path) -> bool:
    """Write the picture; return False when matplotlib is not installed."""
    plt = pyplot()
    if plt is None:
        return False
    figure, axes = plt.subplots(3, 3, figsize=(18, 14), layout="constrained")
    for axis, (title, label, bars, value, log) in zip(axes.flat, _panels(results), strict=True):
        _groups(axis, results, bars, value, log)
        axis.set(title=title, ylabel=label)
    explain_colours(figure)
    figure.savefig(path, dpi=90)
    plt.close(figure)
    return True


def _panels(results: Results) -> list[tuple[str, str, Sequence[Bar], Callable[[Figure], float | None], bool]]:
    """Return each panel's title, the label of its axis, its bars, their height, and whether it is logarithmic."""
    return [
        ("Jacobian of tanh(W x)", HAND, _all(results, "jacobian"), _ratio, True),
        ("Hessian of Rosenbrock's function", HAND, _all(results, "hessian"), _ratio, True),
        ("Hessian-vector product", HAND, _all(results, "hvp"), _ratio, True),
        ("SciPy's BFGS", "over the gradient by hand", _timed(_all(results, "bfgs")), _ratio, True),
        ("LSTM training step", HAND, _all(results, "lstm_step"), _ratio, True),
        (
            "Kalman filter, orbit fit, Gaussian process",
            FORWARD,
            [bar for name in ("kalman", "nbody", "gaussian_process") for bar in _all(results, name)],
            _ratio,
            True,
        ),
        ("GradBench, largest size that others finish", "over tapegrad", _largest(results), _ratio, True),
        ("Two threads", "over one thread's work", _all(results, "threads"), _value, False),
        ("Peak memory", "over the kept outputs", _all(results, "peak_memory"), _ratio, False),
    ]


def _ratio(figure: Figure) -> float | None:
    return figure.ratio


def _value(figure: Figure) -> float | None:
    return figure.value


def _all(results: Results, question: str) -> list[Bar]:
    """Return all cases of a question, in the order in which they first occur."""
    answers = results.get(question, {}).values()
    cases = dict.fromkeys(figure.case for answer in answers for figure in answer.figures)
    several = question in ("kalman", "nbody", "gaussian_process")
    return [(f"{question.replace('_', ' ')}\n{case}" if several else case, question, case) for case in cases]


def _timed(bars: Sequence[Bar]) -> list[Bar]:
    """Leave out the counts."""
    return [bar for bar in bars if not bar[2].endswith("evaluations")]


def _largest(results: Results) -> list[Bar]:
    """Return the last case of each eval, whose cases begin with its name: of those that others finished, if any."""
    answers = results.get("gradbench", {})
    cases = list(gradbench.cases(("tiny", "small", "medium", "large")))
    last: dict[str, str] = {}
    for libraries in (list(answers), [name for name in answers if name != "tapegrad"]):
        measured = {figure.case for name in libraries for figure in answers[name].figures if figure.ratio is not None}
        last |= {name: case for name, _, case in cases if case in measured}
    return [(name, "gradbench", case) for name, case in last.items()]


def _groups(
    axis: Any, results: Results, bars: Sequence[Bar], height: Callable[[Figure], float | None], log: bool
) -> None:
    """Draw a group of bars side by side for each of `bars`; libraries keep their order and colour."""
    asked = {peer for _, question, _ in bars for peer in results[question]}
    peers = [peer for peer in COLOURS if peer in asked]
    width = 0.8 / max(len(peers), 1)
    drawn = False
    for index, peer in enumerate(peers):
        points = []
        for place, (_, question, case) in enumerate(bars):
            found = find(results[question][peer], case) if peer in results[question] else None
            value = None if found is None else height(found)
            if value is not None:
                points.append((place + width * (index - (len(peers) - 1) / 2), value))
        if points:
            drawn = True
            axis.bar(*zip(*points, strict=True), width, color=COLOURS[peer], label=peer)
    if not drawn:
        mark_empty(axis)
        return
    axis.set_xticks(range(len(bars)), [label for label, _, _ in bars], fontsize="small")
    if len(bars) > 4:  # long labels side by side overlap
        axis.tick_params(axis="x", labelrotation=30.0)
        for text in axis.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
    axis.axhline(1.0, color="black", linewidth=0.5)
    if log:
        axis.set_yscale("log")
