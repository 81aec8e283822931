"""`docs/speed.json` holds what the page draws, and `docs/make_speed.py` makes it of a run's results."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
_SPEC = importlib.util.spec_from_file_location("make_speed", DOCS / "make_speed.py")
make_speed = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make_speed)


def results(error=""):
    """A run of one question, as the benchmark suite writes it."""
    figure = {"case": "x * x", "value": 1.23456e-6, "ratio": 2.34567, "spread": 0.0312345, "values": [1e-6, 2e-6]}
    return {
        "date": "2031-05-04",
        "machine": "a machine",
        "versions": {"tapegrad": "1.0"},
        "profile": {"name": "fast", "rounds": 15},
        "controls": [{"float_op": value, "copy": 1e9} for value in (2e-8, 1e-8, 4e-8)],
        "questions": {"tape_setup": {"title": "T", "peers": {"tapegrad": {"error": error, "figures": [figure]}}}},
    }


def test_condensed():
    """Conditions and medians stay, samples go."""
    found = make_speed.condensed(results())
    assert (found["date"], found["machine"], found["profile"]) == ("2031-05-04", "a machine", "fast")
    assert found["controls"]["python float operation, s"] == {"median": 2e-8, "least": 1e-8, "greatest": 4e-8}
    assert found["questions"]["tape_setup"]["figures"] == {
        "tapegrad": {"x * x": {"value": 1.23e-6, "ratio": 2.35, "spread": 0.0312}}
    }


def test_a_run_with_failures_is_refused():
    """A library that failed would leave a gap in the picture."""
    with pytest.raises(ValueError, match="tape_setup, tapegrad: it broke"):
        make_speed.condensed(results("it broke"))


def test_the_page_finds_what_it_draws():
    """Conditions, and the questions that the page names."""
    run = json.loads((DOCS / "speed.json").read_text("utf-8"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", run["date"])
    assert {"tapegrad", "numpy", "torch", "tensorflow", "jax", "jax.jit", "autograd"} == set(run["versions"])
    for question, case in (
        ("vectors", "float64 n=100,000"),
        ("scalar_op", "sin tanh, value and gradient"),
        ("tape_setup", "x * x and its gradient"),
    ):
        figures = run["questions"][question]["figures"]
        assert set(figures) >= set(run["versions"]) - {"numpy"}
        assert all(found[case]["value"] > 0 and found[case]["ratio"] > 0 for found in figures.values())
