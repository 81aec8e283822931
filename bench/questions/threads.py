"""How much two threads, each with a tape of its own, get done in the time of one.

Another program on the second processor halves what any two threads can do, so the same is asked of NumPy in every
round: two threads that compute sines, almost wholly without the interpreter lock. What counts is the least time of each
contestant over several rounds: the rounds in which nobody else was at work.
"""

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
from bench.measure import Contestant, Samples, interleave
from bench.profiles import Profile

TITLE = (
    "Two threads with their own tapes: gradients per second over those of one thread "
    "(24 vector operations as above, float64; 2 is the best there is; x: over what two threads of NumPy's sines gain)"
)
SAMPLE = 0.01
"""Seconds of each thread's work in a sample: handing it over takes some hundredths of a millisecond."""
GROUP = 5
"""Rounds of which the least time of each contestant is taken."""
SINES = 16_384
"""Numbers in each thread's array of the control: some tenths of a millisecond, inside the cache."""


def ask(adapter: Adapter, profile: Profile) -> Answer | None:
    """Let one thread, then two at once, do the same number of gradients each."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if processors < 2:
        return Answer(remark="not asked: one processor")
    answer = Answer()
    sines = _repeated(_sines(), _sines())
    for size in profile.thread_sizes:
        x, w, b = np.random.default_rng(size).uniform(-1.0, 1.0, (3, size))
        calls = [adapter.vector(x, w, b) for _ in range(2)]
        if calls[0] is None or calls[1] is None:
            return None
        _check(calls[0], x, w, b)
        with ThreadPoolExecutor(2) as pool:
            work = _contestants("", pool, *_repeated(calls[0], calls[1]))
            control = _contestants("sines, ", pool, *sines)
            samples = interleave({**work, **control}, profile)
        speedups, machine = _speedups(samples, ""), _speedups(samples, "sines, ")
        figure = Figure(f"n={size:,}", "ratio", speedups, "two threads of sines")
        figure.ratios = [own / possible for own, possible in zip(speedups, machine, strict=True)]
        answer.figures.append(figure)
        answer.timings |= {f"n={size:,}: {name}": seconds for name, seconds in samples.seconds.items()}
    return answer


def _check(call: Callable[[], Any], x: oracle.Array, w: oracle.Array, b: oracle.Array) -> None:
    value, gradients = call()
    want, want_gradients = oracle.vector_gradient(x, w, b)
    for result, wanted in zip((value, *gradients), (want, *want_gradients), strict=True):
        oracle.close(f"n={len(x)}", result, wanted, 1e-12)


def _sines() -> Callable[[], Any]:
    """Return the control's work, with arrays of its own."""
    x = np.linspace(0.0, 1.0, SINES)
    out = np.empty_like(x)
    return lambda: np.sin(x, out=out)


def _repeated(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return both calls, repeated equally often to fill a sample."""
    first()
    start = time.perf_counter()
    first()
    repeats = range(math.ceil(SAMPLE / (time.perf_counter() - start)))

    def many(call: Callable[[], Any]) -> Callable[[], None]:
        def work() -> None:
            for _ in repeats:
                call()

        return work

    return many(first), many(second)


def _contestants(
    name: str, pool: ThreadPoolExecutor, first: Callable[[], None], second: Callable[[], None]
) -> dict[str, Contestant]:
    """Return one thread's work, and two threads' at the same time."""

    def one() -> None:
        pool.submit(first).result()

    def two() -> None:
        other = pool.submit(second)
        pool.submit(first).result()
        other.result()

    return {f"{name}one": Contestant(one), f"{name}two": Contestant(two)}


def _speedups(samples: Samples, name: str) -> list[float]:
    """Return twice the least time of one thread over that of two, for each group of rounds."""
    one, two = samples.seconds[f"{name}one"], samples.seconds[f"{name}two"]
    starts = range(0, max(1, len(one) - GROUP + 1), GROUP)  # what is left over joins the last group
    ends = [*starts[1:], len(one)]
    return [2.0 * min(one[a:b]) / min(two[a:b]) for a, b in zip(starts, ends, strict=True)]
