"""A tool's process, seen from the driver: messages go out as lines of JSON, answers come back within a time limit."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from bench.environment import CPU_ONLY, SINGLE_THREAD

ROOT = Path(__file__).resolve().parents[2]


class ToolError(Exception):
    """A tool said that it failed, or ended."""


class MissingError(ToolError):
    """A tool said that it has no such eval, or no such function in it."""


class TooSlowError(Exception):
    """A tool did not answer in time."""


class Tool:
    """A process that answers messages, by default GradBench's, for one library; used in a `with` block."""

    def __init__(self, library: str, python: str = sys.executable, module: str = "bench.gradbench.tool") -> None:
        self.library = library
        self._command = [python, "-m", module, library]
        self._ids = itertools.count()
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __enter__(self) -> Tool:
        return self

    def __exit__(self, *details: object) -> None:
        self._stop()

    def ask(self, message: Mapping[str, Any], limit: float) -> dict[str, Any]:
        """Return the answer; a process that takes longer than `limit` seconds is ended, and started anew next time."""
        process = self._process or self._start()
        identity = next(self._ids)
        assert process.stdin is not None
        try:
            print(json.dumps({"id": identity, **message}), file=process.stdin, flush=True)
            line = self._answers.get(timeout=limit)
        except BrokenPipeError:
            line = ""
        except queue.Empty:
            self._stop()
            raise TooSlowError(f"no answer within {limit:g} s") from None
        if not line:
            self._stop()
            raise ToolError(f"the process of {self.library} ended")
        answer: dict[str, Any] = json.loads(line)
        if answer["id"] != identity:
            raise ToolError(f"{self.library} answered message {answer['id']}, not {identity}")
        if answer.get("success") is False:
            kind = MissingError if answer.get("missing") else ToolError
            raise kind(str(answer["error"]).strip().splitlines()[-1])
        return answer

    def _start(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env={**os.environ, **SINGLE_THREAD, **CPU_ONLY},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self._answers = queue.SimpleQueue()
        threading.Thread(target=_forward, args=(self._process.stdout, self._answers), daemon=True).start()
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None
                stream.close()
            self._process = None


def _forward(stream: IO[str], answers: queue.SimpleQueue[str]) -> None:
    """Put each line into the queue, then an empty one: the process has ended."""
    try:
        for line in stream:
            answers.put(line)
    except ValueError:  # the driver has closed the stream
        pass
    answers.put("")
