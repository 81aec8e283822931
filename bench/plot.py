"""Draws the micro-benchmarks as a PNG: the vectors' ratios over their length, and bars for the others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bench.figures import Answer
from bench.goals import GOALS, VECTOR_RATIOS, Results, find
from bench.report import seconds

# One colour per library in every picture (Okabe and Ito's palette, told apart by colour-blind readers).
COLOURS = {
    "numpy": "#999999",
    "tapegrad": "#D55E00",
    "torch": "#0072B2",
    "tensorflow": "#E69F00",
    "jax": "#009E73",
    "jax.jit": "#56B4E9",
    "autograd": "#CC79A7",
}
BARS = (
    ("scalar_op", "mul add, recorded", "recorded scalar operation"),
    ("reverse_op", "reverse sweep", "reverse sweep, per operation"),
    ("tape_setup", "x * x and its gradient", "x * x and its gradient"),
    ("mlp_step", "training step", "MLP training step"),
)


def pyplot() -> Any:
    """Return matplotlib's pyplot, which draws into files without a display, or None when it is not installed."""
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def mark_empty(axis: Any) -> None:
    """Say in a panel that nothing of it was measured."""
    axis.text(0.5, 0.5, "not measured", ha="center", transform=axis.transAxes)
    axis.set_axis_off()


def explain_colours(figure: Any) -> None:
    """Say above the panels whose colour is whose, where it covers nothing."""
    shown: dict[str, Any] = {}
    for axis in figure.axes:
        handles, labels = axis.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    names = sorted(shown, key=[*COLOURS, *shown].index)
    if names:
        figure.legend([shown[name] for name in names], names, loc="outside upper center", ncols=len(names))


def draw(results: Results, path: Path) -> bool:
    """Write the picture; return False when matplotlib is not installed."""
    plt = pyplot()
    if plt is None:
        return False
    figure, axes = plt.subplots(2, 3, figsize=(15, 8.5), layout="constrained")
    panels = list(axes.flat)
    for axis, dtype in zip(panels, ("float64", "float32"), strict=False):
        _vectors(axis, results.get("vectors", {}), dtype)
    for axis, (question, case, title) in zip(panels[2:], BARS, strict=True):
        _bars(axis, results.get(question, {}), question, case, title)
    explain_colours(figure)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return True


def _vectors(axis: Any, answers: dict[str, Answer], dtype: str) -> None:
    for peer, answer in answers.items():
        points = []
        for found in answer.figures:
            match = re.fullmatch(rf"{dtype} n=([\d,]+)", found.case)
            if match and found.ratio is not None:
                points.append((int(match[1].replace(",", "")), found.ratio))
        if points:
            axis.plot(*zip(*points, strict=True), marker="o", color=COLOURS[peer], label=peer)
    axis.plot(*zip(*VECTOR_RATIOS.items(), strict=True), color="black", linestyle=":", label="tapegrad's goal")
    axis.axhline(1.0, color="black", linewidth=0.5)
    axis.set(xscale="log", yscale="log", xlabel="elements", ylabel="over NumPy's forward alone")
    axis.set_title(f"24 vector operations, value and gradients, {dtype}")


def _bars(axis: Any, answers: dict[str, Answer], question: str, case: str, title: str) -> None:
    values = {peer: found.value for peer, answer in answers.items() if (found := find(answer, case)) is not None}
    axis.set_title(title)
    if not values:
        mark_empty(axis)
        return
    bars = axis.barh(list(values), list(values.values()), color=[COLOURS[peer] for peer in values])
    axis.bar_label(bars, [seconds(value) for value in values.values()], padding=3, fontsize="small")
    goals = [goal.limit for goal in GOALS if (goal.question, goal.case, goal.kind) == (question, case, "value")]
    for limit in goals:
        axis.axvline(limit, color="black", linestyle=":")
        axis.set_title(f"{title} (dotted: tapegrad's goal)")
    # Room for the labels on the right, and no bar that starts at its own end on the left.
    reach = [*values.values(), *goals]
    axis.set(xscale="log", xlabel="seconds", xlim=(min(reach) / 5, max(reach) * 10))
    axis.invert_yaxis()
