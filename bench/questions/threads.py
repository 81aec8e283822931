"""How much two threads, each with a tape of its own, get done in the time of one."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from bench import oracle
from bench.adapters import Adapter
from bench.figures import Answer, Figure
from bench.measure import Contestant, interleave
from bench.profiles import Profile

TITLE = (
    "Two threads with their own tapes: gradients per second over those of one thread "
    "(24 vector operations as above, float64; 2 is the best there is)"
)
SAMPLE = 0.01
"""Seconds of each thread's work in a sample: handing it over takes some hundredths of a millisecond."""


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Let one thread, then two at once, do the same number of gradients each."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if processors < 2:
        return Answer(remark="not asked: one processor")
    answer = Answer()
    for size in profile.thread_sizes:
        x, w, b = np.random.default_rng(size).uniform(-1.0, 1.0, (3, size))
        calls = [adapter.vector(x, w, b) for _ in range(2)]
        if calls[0] is None or calls[1] is None:
            return None
        repeats = _repeats(calls[0], x, w, b)
        with ThreadPoolExecutor(2) as pool:
            samples = interleave(_contestants(pool, calls[0], calls[1], repeats), profile)
        speedup = [2.0 * ratio for ratio in samples.ratios("one", "two")]
        answer.figures.append(Figure(f"n={size:,}", "ratio", speedup))
        answer.timings |= {f"n={size:,}: {name}": seconds for name, seconds in samples.seconds.items()}
    return answer


def _repeats(call: Callable[[], Any], x: oracle.Array, w: oracle.Array, b: oracle.Array) -> int:
    """Return how often a call, which is found right, is repeated in a sample."""
    value, gradients = call()
    want, want_gradients = oracle.vector_gradient(x, w, b)
    for result, wanted in zip((value, *gradients), (want, *want_gradients), strict=True):
        oracle.close(f"n={len(x)}", result, wanted, 1e-12)
    start = time.perf_counter()
    call()
    return math.ceil(SAMPLE / (time.perf_counter() - start))


def _contestants(
    pool: ThreadPoolExecutor, first: Callable[[], Any], second: Callable[[], Any], repeats: int
) -> dict[str, Contestant]:
    """Return one thread's work, and two threads' at the same time."""

    def work(call: Callable[[], Any]) -> None:
        for _ in range(repeats):
            call()

    def one() -> None:
        pool.submit(work, first).result()

    def two() -> None:
        other = pool.submit(work, second)
        pool.submit(work, first).result()
        other.result()

    return {"one": Contestant(one), "two": Contestant(two)}
