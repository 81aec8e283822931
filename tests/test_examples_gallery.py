"""Every program of the gallery draws its plots, and what it says about its results is true.

The programs run as a reader runs them, by `examples/draw_gallery.py`; those that train networks do so for a few steps.
"""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def draw(name: str, *arguments: str, directory: Path, pictures: int) -> str:
    """Run a program, see that it has drawn something into each of its pictures, and return what it has printed."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / "draw_gallery.py"), name, "--", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=directory, check=False)
    assert result.returncode == 0, result.stderr
    found = sorted((directory / "gallery").iterdir())
    assert [path.name for path in found] == [f"{name}_{count}.png" for count in range(1, pictures + 1)]
    for path in found:
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        assert width >= 1200
        assert height >= 300
        assert path.stat().st_size > 20_000
    return result.stdout


def number(pattern: str, output: str) -> float:
    """The number that stands in a line of the output."""
    found = re.search(pattern, output)
    assert found, f"{pattern!r} does not match:\n{output}"
    return float(found[1])


def test_no_program_is_forgotten():
    tested = re.findall(r'draw\(\s*"(\w+)"', Path(__file__).read_text("utf-8"))
    assert {path.stem for path in (EXAMPLES / "gallery").glob("*.py")} == {f"plot_{name}" for name in tested}


def test_digits(tmp_path):
    output = draw("digits", "--epochs", "2", directory=tmp_path, pictures=2)
    assert number(r"test accuracy (\S+) %", output) > 80
    assert 20 < number(r"to the (\S+) % of which it is most certain", output) <= 100


def test_gaussian_process(tmp_path):
    output = draw("gaussian_process", directory=tmp_path, pictures=1)
    found = re.search(r"period / d +(\S+) \+- (\S+)", output)
    truth = number(r"the period in truth: (\S+)", output)
    assert abs(float(found[1]) - truth) < 3 * float(found[2]) < 0.3
    assert number(r"largest slope left: (\S+)", output) < 1e-3
    inside, tested = re.search(r"(\d+) of (\d+) measurements put aside", output).groups()
    assert int(inside) > 0.8 * int(tested)


def test_integrated_gradients(tmp_path):
    output = draw("integrated_gradients", "--epochs", "4", directory=tmp_path, pictures=2)
    assert number(r"test accuracy: (\S+) %", output) > 90
    assert number(r"largest gap with 32 points: (\S+)", output) < 1e-3
    by_attribution, by_chance = re.search(r"(\d+) % highest attribution first, (\d+) % in random", output).groups()
    assert int(by_attribution) < int(by_chance) - 20


def test_logistic_regression(tmp_path):
    output = draw("logistic_regression", directory=tmp_path, pictures=2)
    assert number(r"test accuracy (\S+) %", output) > 90
    assert number(r"largest difference from scikit-learn: (\S+)", output) < 1e-4
    assert number(r"largest difference from the formula, relative: (\S+)", output) < 1e-12
    weights = re.findall(r"^(\w[\w ]+\w) +(\S+) \+- (\S+)  \(bootstrap (\S+)\)$", output, re.MULTILINE)
    assert len(weights) == 11
    for name, _, error, spread in weights:
        if name not in ("radius", "perimeter", "area"):  # of which only the sum is known
            assert float(error) == pytest.approx(float(spread), rel=0.3)


def test_lstm_text(tmp_path):
    # The text is Python's own, so each version has another one, which takes other numbers of steps.
    output = draw("lstm_text", "--steps", "120", directory=tmp_path, pictures=2)
    assert number(r"bits per letter on the test text: (\S+)", output) < number(r"single letters: ([\d.]+)", output)
    assert "The statement " in output


def test_orbit_fit(tmp_path):
    output = draw("orbit_fit", directory=tmp_path, pictures=2)
    found = re.findall(r"(\S+) \+- (\S+).*\(in truth (\S+)\)", output)
    assert len(found) == 8
    for value, error, truth in found:
        assert abs(float(value) - float(truth)) < 3 * float(error)
    inner, outer = re.search(r"in the ellipses: (\d+) % and (\d+) %", output).groups()
    assert int(inner) == pytest.approx(100 * 0.393, abs=10)  # 1 - exp(-r^2 / 2) within r standard deviations
    assert int(outer) == pytest.approx(100 * 0.865, abs=7)


def test_pendulum_swing_up(tmp_path):
    output = draw("pendulum_swing_up", directory=tmp_path, pictures=2)
    assert "terminated successfully" in output
    assert number(r"distance from upright: (\S+)", output) < 1e-4
    assert number(r"least curvature in the others: (\S+)", output) > 0
    missed = number(r"without feedback: (\S+) rad", output)
    assert number(r"with feedback: (\S+) rad", output) < missed / 5
