"""Every example runs as a user would run it, only shorter, and prints what it promises."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *arguments: str, directory: Path) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=directory, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_no_example_is_forgotten():
    here = Path(__file__).parent
    tested = {name for path in here.glob("test_examples*.py") for name in re.findall(r'"(\w+\.py)"', path.read_text())}
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


def test_line_fit(tmp_path):
    output = run("line_fit.py", directory=tmp_path)
    slope, offset = re.search(r"y = (\S+) x (\S+)", output).groups()
    assert float(slope) == pytest.approx(2, abs=0.01)
    assert float(offset) == pytest.approx(-1, abs=0.01)


def test_logistic_regression(tmp_path):
    output = run("logistic_regression.py", "--steps", "100", directory=tmp_path)
    assert float(re.search(r"test accuracy: +(\S+) %", output)[1]) > 94


def test_higher_order(tmp_path):
    output = run("higher_order.py", directory=tmp_path)
    assert "+1 x^0 +1 x^1 +0.5 x^2" in output
    assert "minimum at (1.00000000, 1.00000000)" in output


def test_numpy_unchanged(tmp_path):
    picture = tmp_path / "swing.png"
    output = run("numpy_unchanged.py", "--output", str(picture), directory=tmp_path)
    simulations = re.search(r"finite differences: (\d+) simulations\nexact derivatives: +(\d+)", output)
    assert int(simulations[2]) < int(simulations[1])
    found = re.findall(r"(\S+) \+- (\S+)  \(in truth (\S+)\)", output)
    assert len(found) == 3
    for value, error, truth in found:
        assert abs(float(value) - float(truth)) < 3 * float(error) < 0.2
    assert picture.stat().st_size > 20_000


def test_implicit_equations(tmp_path):
    output = run("implicit_equations.py", "--points", "15", directory=tmp_path)
    found = re.findall(r"(\w+) +(\S+)  \(in truth (\S+)\)", output)
    assert len(found) == 5
    for _, value, truth in found:
        assert float(value) == pytest.approx(float(truth), rel=0.03)
    assert float(re.search(r"largest error of the conductivity: (\S+)", output)[1]) < 1e-4


def test_hessian_vector(tmp_path):
    output = run("hessian_vector.py", "--size", "17", directory=tmp_path)
    norms = [float(norm) for norm in re.findall(r"^ +\d+ +\S+ +(\S+) +\d+$", output, re.MULTILINE)]
    assert norms[-1] < norms[-2] ** 1.5 < 1e-3  # Newton's method ends with great strides
    assert float(re.search(r"eight products at once: (\S+)", output)[1]) < 1e-10


def test_digits(tmp_path):
    output = run("digits.py", "--epochs", "2", "--output", "picture.png", directory=tmp_path)
    assert float(re.search(r"test accuracy: (\S+) %", output)[1]) > 80
    assert (tmp_path / "picture.png").stat().st_size > 20_000
