"""The clock: what turns a function into something that can be asked to run on JSON and to say how long it took.

Only the function itself is timed. `pre`, which makes arrays out of JSON, and `post`, which makes JSON out of the
result, are not; so neither may do anything that the function is supposed to compute.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

__all__ = ["Timed", "function", "multiple_runs"]

Convert = Callable[[Any], Any]


class Timed:
    """A function of one argument with its conversions; calling it calls the function."""

    def __init__(self, function: Convert, pre: Convert, post: Convert, repeats: bool) -> None:
        self.function = function
        self.pre = pre
        self.post = post
        self.repeats = repeats

    def __call__(self, argument: Any) -> Any:
        """Return the function's value, untimed."""
        return self.function(argument)

    def wrapped(self, given: Any) -> dict[str, Any]:
        """Return GradBench's answer for an input: the converted output, and the nanoseconds of each run."""
        min_runs = given.get("min_runs", 1) if self.repeats else 1
        min_seconds = given.get("min_seconds", 1) if self.repeats else 0
        call, clock = self.function, time.perf_counter_ns
        argument = self.pre(given)
        timings: list[int] = []
        elapsed = 0
        while len(timings) < min_runs or elapsed < 1e9 * min_seconds:
            start = clock()
            output = call(argument)
            timings.append(clock() - start)
            elapsed += timings[-1]
        return {
            "success": True,
            "output": self.post(output),
            "timings": [{"name": "evaluate", "nanoseconds": ns} for ns in timings],
        }


def multiple_runs(pre: Convert, post: Convert) -> Callable[[Convert], Timed]:
    """Decorate a function that runs until the input's `min_runs` and `min_seconds` are both reached."""
    return lambda function: Timed(function, pre, post, repeats=True)


def function(pre: Convert, post: Convert) -> Callable[[Convert], Timed]:
    """Decorate a function that runs once."""
    return lambda function: Timed(function, pre, post, repeats=False)
