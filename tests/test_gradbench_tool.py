"""GradBench's clock, the tool's side of the protocol, and the driver that plays GradBench's part."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.gradbench import __main__ as command
from bench.gradbench import driver, process, tool, wrap
from bench.gradbench.data import EVALS, SIZES
from bench.gradbench.references import expected

ROOT = Path(__file__).resolve().parents[1]
ONCE = {"min_runs": 1, "min_seconds": 0}

# The clock.


def test_multiple_runs_reach_both_limits(monkeypatch):
    now = iter(range(0, 10**12, 10**8))  # a tenth of a second between looks at the clock
    monkeypatch.setattr(wrap.time, "perf_counter_ns", lambda: next(now))
    seen = []
    timed = wrap.multiple_runs(pre=lambda given: given["x"], post=str)(lambda x: seen.append(x) or 2 * x)
    result = timed.wrapped({"x": 4, "min_runs": 3, "min_seconds": 0})
    assert result == {
        "success": True,
        "output": "8",
        "timings": [{"name": "evaluate", "nanoseconds": 10**8}] * 3,
    }
    assert len(timed.wrapped({"x": 4, "min_runs": 1, "min_seconds": 0.45})["timings"]) == 5
    assert len(timed.wrapped({"x": 4})["timings"]) == 10
    assert seen == [4] * 18


def test_function_runs_once():
    result = wrap.function(pre=float, post=str)(lambda x: x + 1)
    assert result(2) == 3
    answer = result.wrapped("4")
    assert answer["output"] == "5.0"
    assert len(answer["timings"]) == 1


# The protocol.


def converse(*messages):
    out = io.StringIO()
    tool.serve("tapegrad", [json.dumps({"id": k, **message}) for k, message in enumerate(messages)], out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [answer.pop("id") for answer in answers] == list(range(len(messages)))
    return answers


def test_protocol():
    evaluate = {"kind": "evaluate", "module": "lse", "function": "primal", "input": {"x": [0.0, 0.0], **ONCE}}
    start, define, evaluated, analysed = converse(
        {"kind": "start", "eval": "lse"},
        {"kind": "define", "module": "lse"},
        evaluate,
        {"kind": "analysis", "of": 2, "valid": True},
    )
    assert start == {"tool": "tapegrad"}
    assert define == {"success": True}
    assert evaluated["success"]
    assert evaluated["output"] == pytest.approx(np.log(2))
    assert analysed == {}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"kind": "define", "module": "nothing"}, "no such eval: nothing"),
        ({"kind": "define", "module": "../run"}, "no such eval: ../run"),
        ({"kind": "evaluate", "module": "lse", "function": "nothing", "input": {}}, "no attribute 'nothing'"),
        (
            {"kind": "evaluate", "module": "lse", "function": "floats", "input": {}},
            "floats is no function of the eval lse",
        ),
        ({"kind": "evaluate", "module": "lse", "function": "primal", "input": {}}, "KeyError: 'x'"),
    ],
)
def test_protocol_failures_do_not_end_the_process(message, error):
    failed, following = converse(message, {"kind": "define", "module": "hello"})
    assert failed["success"] is False
    assert error in failed["error"]
    assert following == {"success": True}


def test_a_library_that_is_not_there():
    out = io.StringIO()
    tool.serve("nothing", [json.dumps({"id": 5, "kind": "define", "module": "lse"})], out)
    failed = json.loads(out.getvalue())
    assert failed["id"] == 5
    assert failed["success"] is False
    assert "No module named 'bench.gradbench.peers.nothing'" in failed["error"]


@pytest.mark.parametrize("name", EVALS)
def test_every_eval_is_defined(name):
    assert converse({"kind": "define", "module": name}) == [{"success": True}]


def test_the_tool_runs_from_any_directory(tmp_path):
    messages = [
        {"id": 0, "kind": "start", "eval": "hello"},
        {"id": 1, "kind": "define", "module": "hello"},
        {"id": 2, "kind": "evaluate", "module": "hello", "function": "double", "input": 3.0},
    ]
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench/gradbench/run.py")],
        cwd=tmp_path,
        input="".join(json.dumps(message) + "\n" for message in messages),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [0, 1, 2]
    assert answers[2]["output"] == 6.0
    assert answers[2]["timings"][0]["nanoseconds"] > 0


# The driver.


class FakeTool:
    """Answers `lse` with given times, or fails."""

    def __init__(self, library, nanoseconds=1000, offset=0.0, error=None, obstacle=None):
        self.library, self.nanoseconds, self.offset = library, nanoseconds, offset
        self.error, self.obstacle = error, obstacle
        self.verdicts = []

    def ask(self, message, limit):
        if message["kind"] == "analysis":
            self.verdicts.append(message["valid"])
        if message["kind"] == "define" and self.obstacle:
            raise self.obstacle
        if message["kind"] != "evaluate":
            return {"id": 0}
        if self.error:
            raise self.error
        output = np.array(expected("lse", message["function"], message["input"])) + self.offset
        scale = 3 if message["function"] == "gradient" else 1
        return {"id": 0, "output": output.tolist(), "timings": [{"nanoseconds": scale * self.nanoseconds}]}


def test_driver_checks_times_and_compares():
    tools = [
        FakeTool("tapegrad"),
        FakeTool("slower", nanoseconds=5000),
        FakeTool("wrong", offset=1e-6),
        FakeTool("slow", error=driver.TooSlowError("")),
        FakeTool("partial", error=driver.MissingError("module has no attribute 'gradient'")),
        FakeTool("without", obstacle=driver.MissingError("no such eval: lse")),
        FakeTool("absent", obstacle=driver.ToolError("No module named 'absent'")),
        FakeTool("broken", error=driver.ToolError("module has no attribute 'exp'")),
    ]
    (case,) = driver.run(["lse"], ["tiny"], tools, driver.Effort(rounds=2, limit=7.0), lambda step: None)
    assert case.ratio("tapegrad", "gradient", "tapegrad", "primal") == pytest.approx(3)
    assert case.ratio("slower", "gradient", "tapegrad", "gradient") == pytest.approx(5)
    assert case.ratio("wrong", "gradient", "tapegrad", "gradient") is None
    rows = driver.table(case).splitlines()
    assert rows[4] == "| tapegrad | 1 µs | 3 µs | 3x | 1x |"
    assert rows[5] == "| slower | 5 µs | 15 µs | 3x | 5x |"
    assert "wrong by" in rows[6]
    assert "| > 7 s | > 7 s |" in rows[7]
    assert "| not implemented | not implemented |" in rows[8]
    assert "| not implemented | not implemented |" in rows[9]
    assert "| failed: No module named 'absent' |" in rows[10]
    assert "| failed: module has no attribute 'exp' |" in rows[11]
    assert tools[0].verdicts == [True] * 4
    assert tools[2].verdicts == [False] * 2


def test_a_process_is_started_again():
    evaluate = {"kind": "evaluate", "module": "hello", "function": "square", "input": 1.0}
    with process.Tool("tapegrad") as started:
        assert started.ask({"kind": "start"}, 60.0)["tool"] == "tapegrad"
        forever = {**evaluate, "module": "lse", "function": "primal", "input": {"x": [1.0], "min_seconds": 3600.0}}
        with pytest.raises(process.TooSlowError, match=r"no answer within 0.01 s"):
            started.ask(forever, 0.01)
        assert started.ask({"kind": "start"}, 60.0)["tool"] == "tapegrad"
        with pytest.raises(process.ToolError, match="the process of tapegrad ended"):
            started.ask({"kind": "define"}, 60.0)
        with pytest.raises(process.MissingError, match="no such eval: nothing"):
            started.ask({"kind": "define", "module": "nothing"}, 60.0)
        with pytest.raises(process.MissingError, match="has no attribute 'cube'"):
            started.ask({**evaluate, "function": "cube"}, 60.0)
        with pytest.raises(process.ToolError, match="KeyError: 'x'") as caught:
            started.ask({**evaluate, "module": "lse", "function": "primal", "input": {}}, 60.0)
        assert caught.type is process.ToolError


@pytest.mark.parametrize(("seconds", "text"), [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (4.5e-7, "0.45 µs")])
def test_duration(seconds, text):
    assert driver.duration(seconds) == text


def test_command_line(tmp_path, capsys):
    file = tmp_path / "results.json"
    arguments = ["--eval", "hello,llsq", "--sizes", "tiny", "--rounds", "1", "--runs", "1", "--seconds", "0"]
    assert command.main([*arguments, "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "### llsq n=5,m=7" in printed
    cases = json.loads(file.read_text())
    assert [case["eval"] for case in cases] == ["hello", "llsq", "llsq"]
    assert all(case["results"]["tapegrad"]["seconds"]["gradient"][0] > 0 for case in cases[1:])


@pytest.mark.parametrize("arguments", [["--eval", "nothing"], ["--eval", "gmm", "--sizes", "huge"], []])
def test_command_line_errors(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)
    assert "usage: python -m bench.gradbench" in capsys.readouterr().err


def test_sizes_are_known():
    assert all(set(eval_.sizes) <= set(SIZES) for eval_ in EVALS.values())
    assert all("small" in eval_.sizes for eval_ in EVALS.values())
