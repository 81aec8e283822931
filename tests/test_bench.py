"""The benchmark suite's oracles find errors, its goals name what is measured, and its report says what was found."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench import adapters, by_hand, memory, numpy_ops, oracle, plot_workloads, programs, questions, report
from bench.figures import Answer, Figure
from bench.goals import AHEAD, GOALS, Goal, Verdict, judge
from bench.gradbench.driver import Case, Result
from bench.measure import Samples
from bench.numpy_ops import OPS, check_gradients
from bench.oracle import MismatchError
from bench.profiles import PROFILES
from bench.questions import bfgs, gradbench, threads

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=6)


def complex_gradient(program, x):
    """Derivatives of a scalar program by complex steps, exact to rounding."""
    steps = 1j * numpy_ops.STEP * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([np.imag(program(x + step)) / numpy_ops.STEP for step in steps]).reshape(x.shape)


# Derivatives by hand.


def test_rosenbrock_by_hand():
    program = programs.rosenbrock(OPS, np.asarray)
    value, gradient = by_hand.rosenbrock_with_gradient(X)
    np.testing.assert_allclose(value, program(X), rtol=1e-14)
    np.testing.assert_allclose(gradient, complex_gradient(program, X), rtol=1e-13)
    hessian = by_hand.rosenbrock_hessian(X)
    rows = [np.imag(by_hand.rosenbrock_gradient(X + 0j + 1e-30j * row)) / 1e-30 for row in np.eye(6)]
    np.testing.assert_allclose(hessian, rows, rtol=1e-13)
    np.testing.assert_allclose(by_hand.rosenbrock_hessian_product(X, X[::-1]), hessian @ X[::-1], rtol=1e-13)


@pytest.mark.parametrize("shape", [(6, 6), (3, 6), (9, 6)], ids=str)
def test_jacobian_by_hand(shape):
    weights = RANDOM.normal(size=shape)
    program = programs.layer(OPS, np.asarray, weights)
    columns = [np.imag(program(X + 1e-30j * column)) / 1e-30 for column in np.eye(6)]
    np.testing.assert_allclose(by_hand.layer_jacobian(weights, X), np.transpose(columns), rtol=1e-13, atol=1e-15)


def test_logistic_by_hand():
    rows, signs = RANDOM.normal(size=(9, 6)), np.where(np.arange(9) % 2, 1.0, -1.0)
    value, gradient = by_hand.logistic_with_gradient(X, rows, signs, 0.1)
    program = programs.logistic(OPS, np.asarray, rows, signs, 0.1)
    np.testing.assert_allclose(value, program(X), rtol=1e-14)
    step = 1e-6
    slopes = [(program(X + step * row) - program(X - step * row)) / (2 * step) for row in np.eye(6)]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-7)


def test_network_by_hand():
    kernels = tuple(RANDOM.normal(size=(3, 4, 4)))
    inputs = RANDOM.normal(size=(5, 4))
    check_gradients(
        "network", by_hand.network_gradients(kernels, inputs), programs.network(OPS, np.asarray, inputs), kernels
    )


def test_lstm_by_hand():
    shapes = ((2, 12), (3, 12), (12,), (3, 1))
    start = [RANDOM.normal(size=shape) for shape in shapes]
    inputs, targets = RANDOM.normal(size=(4, 5, 2)), RANDOM.normal(size=(5, 1))
    moved = [array.copy() for array in start]
    loss = by_hand.lstm_step(moved, inputs, targets, rate=0.5)
    gradients = [(before - after) / 0.5 for before, after in zip(start, moved, strict=True)]
    check_gradients("lstm", (loss, gradients), programs.lstm(OPS, np.asarray, inputs, targets, 3), start, 1e-12)


@pytest.mark.parametrize("which", [0, 1])
def test_check_gradients_finds_an_error_of_a_thousandth(which):
    def program(x, y):
        return np.sum(np.exp(x) * y)

    x, y = RANDOM.normal(size=(2, 4))
    gradients = [np.exp(x) * y, np.exp(x)]
    check_gradients("right", (program(x, y), gradients), program, [x, y])
    gradients[which] = gradients[which] * 1.001
    with pytest.raises(MismatchError, match=f"wrong: gradient {which}"):
        check_gradients("wrong", (program(x, y), gradients), program, [x, y])
    with pytest.raises(MismatchError, match="wrong: value"):
        check_gradients("wrong", (1.001 * program(x, y), gradients), program, [x, y])


# Goals and questions.


def test_goals_name_cases_of_the_full_run():
    adapter, full = adapters.load("tapegrad"), PROFILES["full"]
    named = {name: list(cases) for name, cases in AHEAD.items() if name not in ("bfgs", "lstm_step")}
    alone = ", sparse"  # what no peer has
    found = {
        name: [case.name for case in questions.load(name).cases(adapter, full) if not case.name.endswith(alone)]
        for name in named
    }
    assert found == named
    assert [problem.name for problem in bfgs.problems()] == list(AHEAD["bfgs"])
    assert AHEAD["lstm_step"] == (f"{full.lstm_steps} times",)
    assert {goal.question for goal in GOALS} <= set(questions.QUESTIONS)
    assert {goal.kind for goal in GOALS} <= {"value", "ratio", *adapters.PEERS}


def test_every_question_is_explained():
    readme = (Path(questions.__file__).parents[1] / "README.md").read_text("utf-8")
    unexplained = [name for name in questions.QUESTIONS if f"| `{name}` |" not in readme]
    assert not unexplained


def test_a_goal_can_be_a_lower_limit():
    goal = Goal("threads", "n=10,000", "value", 1.8, at_least=True)
    assert Verdict(goal, 1.9, "ratio").met
    assert not Verdict(goal, 1.7, "ratio").met
    assert not Verdict(goal, None, "ratio").met
    assert report.limit(goal, "ratio") == "at least 1.80x"


def test_rivals_are_compared_by_their_ratios():
    def answer(ratio):
        return Answer([Figure("50 steps", "second", [1.0], "NumPy forward", [ratio])])

    verdicts = judge({"kalman": {"tapegrad": answer(2.0), "torch": answer(8.0)}})
    assert [(verdict.goal.kind, verdict.measured, verdict.met) for verdict in verdicts] == [("torch", 0.25, True)]


def test_gradbench_cases_become_figures():
    seconds = {"rr": [2.0, 3.0], "rf": [4.0, 5.0]}
    absent = dict.fromkeys(("rf", "fr", "ff"), "not implemented")
    results = {
        "tapegrad": Result(seconds, {"fr": "not implemented", "ff": "not implemented"}),
        "torch": Result({"rr": [20.0, 60.0]}, absent),
        "tensorflow": Result({}, {**absent, "rr": "> 60 s", "rf": "wrong by 1.0e-03"}),
    }
    case = Case("particle", "small", "w=0.0", ("rr", "rf"), None, results)
    answers = {peer: Answer() for peer in results}
    for peer, answer in answers.items():
        gradbench._add(answer, case, peer)
    (torch,) = answers["torch"].figures
    assert (torch.case, torch.values, torch.ratios) == ("particle w=0.0, rr", [20.0, 60.0], [10.0, 20.0])
    assert not answers["torch"].error
    assert not answers["torch"].remark
    assert [figure.case for figure in answers["tapegrad"].figures] == ["particle w=0.0, rr", "particle w=0.0, rf"]
    assert answers["tensorflow"].remark == "particle w=0.0, rr > 60 s"
    assert answers["tensorflow"].error == "particle w=0.0, rf: wrong by 1.0e-03"
    assert ("particle", "small", "particle w=0.0, rr") in list(gradbench.cases(("small",)))


# Memory, report, picture.


def test_memory_sees_an_array():
    memory.reset_peak()
    before = memory.resident()
    ones = np.ones(4_000_000)
    grown = memory.peak() - before
    assert memory.peak() >= memory.resident() > 0
    assert grown >= 0.9 * ones.nbytes


def test_amounts_have_their_unit():
    assert report.amount(1234.0, "count") == "1,234"
    assert report.amount(-2.5e-6, "second") == "-2.5 µs"
    assert report.amount(1.85, "ratio") == "1.85x"


def test_picture_of_the_larger_questions(tmp_path):
    figure = Figure("64 -> 64", "second", [1.0], "NumPy by hand", [2.0])
    results = {"jacobian": {"tapegrad": Answer([figure]), "jax": Answer(error="failed")}, "threads": {}}
    path = tmp_path / "workloads.png"
    assert plot_workloads.draw(results, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_wrong_results_are_not_timed():
    with pytest.raises(MismatchError, match="shape"):
        oracle.close("J", np.zeros((2, 3)), np.zeros((3, 2)), 1e-12)


def test_speedups_of_threads_take_the_least_times_of_groups():
    one = [4.0, 2.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.0, 3.0, 9.0, 3.0]
    two = [9.0, 9.0, 9.0, 2.0, 9.0, 6.0, 6.0, 6.0, 6.0, 6.0, 4.0]
    samples = Samples({"one": one, "two": two})
    assert threads._speedups(samples, "") == [2.0, 1.5]
    assert threads._speedups(Samples({"sines, one": [1.0], "sines, two": [2.0]}), "sines, ") == [1.0]


def test_history_limits_threads_before_numpy_is_imported():
    code = "import sys; from bench.environment import SINGLE_THREAD; sys.exit('numpy' in sys.modules)"
    root = Path(questions.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0
