"""The tool's side of GradBench's protocol: one JSON object a line on stdin, one answer a line on stdout.

`python -m bench.gradbench.tool` answers for tapegrad, `... torch` for one of the peers, whose evals have the same
form. Each eval is a module, each of its functions an object made by `wrap`. Where there is no such module or function,
the answer says so by `missing`, besides what GradBench reads: `success` and `error`.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any, TextIO

from bench.gradbench.wrap import Timed

TAPEGRAD = "tapegrad"
PEERS = ("torch", "tensorflow", "autograd")
Message = dict[str, Any]


def serve(library: str, lines: Iterable[str], out: TextIO) -> None:
    """Answer every message of `lines` in turn."""
    package = "bench.gradbench.evals" if library == TAPEGRAD else f"bench.gradbench.peers.{library}"
    kinds: dict[str, Callable[[Message], Message]] = {
        "start": lambda message: {"tool": library},
        "define": lambda message: _define(package, message["module"]),
        "evaluate": lambda message: _evaluate(package, message),
    }
    for line in lines:
        message = json.loads(line)
        answer = kinds[message["kind"]](message) if message["kind"] in kinds else {}
        print(json.dumps({"id": message["id"], **answer}), file=out, flush=True)


def _define(package: str, module: str) -> Message:
    """Import the eval's module, and say if there is none."""

    def load() -> Message:
        name = f"{package}.{module}"
        if not module.isidentifier() or importlib.util.find_spec(name) is None:
            return {"success": False, "missing": True, "error": f"no such eval: {module}"}
        importlib.import_module(name)
        return {"success": True}

    return _attempt(load)


def _evaluate(package: str, message: Message) -> Message:
    def run() -> Message:
        module = importlib.import_module(f"{package}.{message['module']}")
        try:
            function = getattr(module, message["function"])
        except AttributeError:
            return {"success": False, "missing": True, "error": traceback.format_exc()}
        if not isinstance(function, Timed):
            raise TypeError(f"{message['function']} is no function of the eval {message['module']}")
        return function.wrapped(message["input"])

    return _attempt(run)


def _attempt(action: Callable[[], Message]) -> Message:
    """Return the action's answer; the driver decides what a failure means, so the process goes on."""
    try:
        return action()
    except Exception:
        return {"success": False, "error": traceback.format_exc()}


def main() -> None:
    """Serve stdin; whatever else a library prints goes to stderr."""
    out, sys.stdout = sys.stdout, sys.stderr
    serve(sys.argv[1] if len(sys.argv) > 1 else TAPEGRAD, sys.stdin, out)


if __name__ == "__main__":
    main()
