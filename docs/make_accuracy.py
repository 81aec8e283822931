"""Write docs/accuracy.md: what the measurements of tests/accuracy.py find.

Run it from the root of the sources, `python docs/make_accuracy.py`; it takes some minutes and needs mpmath and SciPy.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import accuracy  # noqa: E402 (beside the tests)
import accuracy_linalg  # noqa: E402

POINTS = 200

HEAD = """\
# How accurate derivatives are

Made by `python docs/make_accuracy.py`. First derivatives in double precision are compared with exact ones (central
differences in 60 digits, by mpmath) at {points} random points of the intervals given. Errors are in units of the last
place, the median and the worst. At some points a worse error is inevitable: rounding the argument of a steep function
already changes its slope, and near a zero of the derivative all is relative. So the last column counts in units of what
is possible, the rounding of the result *and* of each argument: eps (|d| + sum of |x slope of d in x|). "Value" is the
worst error of the function's own value, counted like that. Where it is large, SciPy's function is not more accurate
there, and a derivative made of such values cannot be.

What mpmath does not have (Mathieu and spheroidal functions, for instance) is checked against differences only, as all
functions are, in two orders and in forward and reverse mode. `f[1]` is the second result of f; of complex results the
real part is compared.
"""

TABLE = """
## {title}

| function | argument | sampled | value | median | worst | over possible |
|---|---|---|---|---|---|---|
"""

LINEAR_ALGEBRA = """
## Linear algebra

The greatest errors over random matrices, as norms of whole results, in units of eps times the condition number. (For
eigenvalues, eigenvectors and singular values it is what their distances make of rounding errors; the vectors are
squared, so that their signs do not matter.) The gradient is that of a weighted sum of the result.

| function | value | gradient |
|---|---|---|
"""


def figure(x: float) -> str:
    """Two digits of a number, without an exponent."""
    return f"{x:.1f}" if x < 10.0 else f"{float(f'{x:.1e}'):.0f}"


def interval(domain: tuple[float, float, bool]) -> str:
    """An interval as the page gives it."""
    low, high, integer = domain
    return f"{low:g}, ..., {high:g}" if integer else f"{low:g} to {high:g}"


def row(finding: accuracy.Finding) -> str:
    """One line of a table."""
    domains = "; ".join(interval(domain) for domain in finding.domains)
    numbers = (finding.value, finding.median, finding.worst, finding.possible)
    return f"| `{finding.name}` | {finding.argument} | {domains} | {' | '.join(map(figure, numbers))} |\n"


def linear_algebra() -> str:
    """The section about linear algebra."""
    errors: dict[str, list[float]] = {}
    for line in accuracy_linalg.ROWS:
        name, _ = line["name"].rsplit(", ", 1)  # first of the value, then of the gradient
        errors.setdefault(name, []).append(line["compute"]())
    lines = [f"| `{name}` | {' | '.join(map(figure, found))} |\n" for name, found in errors.items()]
    return LINEAR_ALGEBRA + "".join(lines)


def page(points: int) -> str:
    """The whole page."""
    text = HEAD.format(points=points)
    for title, cases in accuracy.sections():
        text += TABLE.format(title=title)
        for case in cases:
            text += "".join(map(row, accuracy.measure(case, points)))
    return text + linear_algebra()


if __name__ == "__main__":
    (ROOT / "docs" / "accuracy.md").write_text(page(POINTS), "utf-8")
