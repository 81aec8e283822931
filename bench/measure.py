"""Interleaved timing of contestants in one process, and the control figures taken along with them.

A shared machine drifts by a factor of two within minutes, so a ratio of two times taken one after the other
means little. Here every round times each contestant once, in a random order, a ratio is formed within a
round, and the median over the rounds is quoted. A sample during which the system took the processor away is
taken again.
"""

from __future__ import annotations

import itertools
import math
import random
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyperf

from bench import chains
from bench.profiles import Profile

FLOAT_CONTROL = "control: Python float op"
COPY_CONTROL = "control: NumPy copy"
FLOAT_CONTROL_OPS = 1000
COPY_CONTROL_BYTES = 8 * 1024 * 1024
ATTEMPTS = 4


@dataclass(frozen=True)
class Contestant:
    """Something to time: `call()`, or `call(prepare())` where only `call` is on the clock and runs once."""

    call: Callable[..., Any]
    prepare: Callable[[], Any] | None = None


@dataclass
class Samples:
    """Seconds per call of each contestant, one entry per round, in step with each other."""

    seconds: dict[str, list[float]]
    loops: dict[str, int] = field(default_factory=dict)
    cores: float = 1.0
    """Processor time over elapsed time: above 1 when something ran in parallel."""

    def ratios(self, name: str, over: str) -> list[float]:
        """Return the round-by-round ratios of two contestants."""
        return [a / b for a, b in zip(self.seconds[name], self.seconds[over], strict=True)]


def _time_once(contestant: Contestant, loops: int) -> float:
    """Return the seconds per call; dropping the call's result counts, as it does in a user's loop."""
    call = contestant.call
    if contestant.prepare is not None:
        state = contestant.prepare()
        start = pyperf.perf_counter()
        result = call(state)
        elapsed = pyperf.perf_counter() - start
        del result
        return elapsed
    if loops > 1:
        # The contestant before this one has filled the processor's caches with its own data.
        call()
    repeats = itertools.repeat(None, loops)
    start = pyperf.perf_counter()
    for _ in repeats:
        call()
    return (pyperf.perf_counter() - start) / loops


def _undisturbed(contestant: Contestant, loops: int) -> float:
    """Return the sample, of up to ATTEMPTS, in which the system took the processor away least often."""
    fewest, best = math.inf, math.nan
    for _ in range(ATTEMPTS):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        elapsed = _time_once(contestant, loops)
        switches = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - before
        if switches < fewest:
            fewest, best = switches, elapsed
        if not switches:
            break
    return best


def _calibrate(contestant: Contestant, min_time: float) -> int:
    """Warm up (first calls compile, allocate, specialise) and return the loops that fill `min_time`."""
    loops = 1
    _time_once(contestant, loops)
    if contestant.prepare is not None:
        return loops
    while True:
        elapsed = _time_once(contestant, loops) * loops
        if elapsed >= min_time:
            return loops
        loops = math.ceil(loops * min(10.0, max(1.5, 1.2 * min_time / max(elapsed, 1e-9))))


def controls() -> dict[str, Contestant]:
    """Return what tells whether the machine is slow: a Python float operation and a copy in memory."""
    chain = chains.fresh(chains.mul_add_loop)
    source = np.ones(COPY_CONTROL_BYTES, dtype=np.uint8)
    target = np.zeros_like(source)
    return {
        FLOAT_CONTROL: Contestant(lambda: chain(0.5, 0.9, 0.1, FLOAT_CONTROL_OPS)),
        COPY_CONTROL: Contestant(lambda: np.copyto(target, source)),
    }


def interleave(contestants: Mapping[str, Contestant], profile: Profile) -> Samples:
    """Time all contestants and the controls, round by round, in an order that differs from round to round."""
    every = {**controls(), **contestants}
    loops = {name: _calibrate(contestant, profile.min_time) for name, contestant in every.items()}
    seconds: dict[str, list[float]] = {name: [] for name in every}
    order, shuffle = list(every), random.Random(0).shuffle
    wall, cpu = time.perf_counter(), time.process_time()
    for done in range(profile.rounds):
        if done >= profile.min_rounds and time.perf_counter() - wall > profile.budget:
            break
        shuffle(order)
        for name in order:
            seconds[name].append(_undisturbed(every[name], loops[name]))
    cores = (time.process_time() - cpu) / (time.perf_counter() - wall)
    return Samples(seconds, loops, cores)
