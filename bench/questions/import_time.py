"""How much longer than `import numpy` importing a library takes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence

from bench.adapters import PEERS
from bench.figures import Answer, Figure
from bench.profiles import Profile

TITLE = "Import time beyond `import numpy` (NumPy's own row: its whole import), fresh interpreters"

PROGRAM = "import time; start = time.perf_counter(); import {module}; {use}; print(time.perf_counter() - start)"

USES = {"tapegrad": "tapegrad.GradientTape"}
"""Of packages that load their parts when they are first used: the use that belongs to importing them."""


def survey(peers: Sequence[str], profile: Profile) -> dict[str, Answer]:
    """Start interpreters in turn, NumPy's in every round; the first round only warms the disk cache."""
    modules = list(dict.fromkeys(["numpy", *(PEERS[peer][0] for peer in peers)]))
    seconds: dict[str, list[float]] = {module: [] for module in modules}
    errors: dict[str, str] = {}
    for done in range(profile.imports + 1):
        for module in [m for m in modules if m not in errors]:
            try:
                elapsed = _import(module)
            except subprocess.CalledProcessError as error:
                errors[module] = error.stderr.strip().splitlines()[-1]
            else:
                if done:
                    seconds[module].append(elapsed)
    return {module: _answer(module, seconds, errors.get(module, "")) for module in modules if module in peers}


def _import(module: str) -> float:
    with tempfile.TemporaryDirectory() as elsewhere:
        command = [sys.executable, "-c", PROGRAM.format(module=module, use=USES.get(module, "pass"))]
        done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def _answer(module: str, seconds: dict[str, list[float]], error: str) -> Answer:
    if error:
        return Answer(error=error)
    beyond = seconds[module]
    if module != "numpy":
        beyond = [own - base for own, base in zip(beyond, seconds["numpy"], strict=True)]
    return Answer([Figure("import", "second", beyond)], {"import": seconds[module]})
