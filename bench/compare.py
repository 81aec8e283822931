"""Questions that consist of cases: a library's call against a reference call, timed in the same rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.figures import Answer, Figure
from bench.measure import Contestant, interleave
from bench.profiles import Profile


@dataclass(frozen=True)
class Case:
    """A call whose result has been found right, and what it is compared with; `over` names the reference."""

    name: str
    call: Callable[[], Any]
    over: str
    reference: Callable[[], Any]
    note: str = ""


def answer(cases: Iterable[Case], profile: Profile) -> Answer | None:
    """Time the cases one after the other; None if there are none."""
    found = Answer()
    for case in cases:
        contestants = {case.over: Contestant(case.reference), "call": Contestant(case.call)}
        samples = interleave(contestants, profile)
        ratios = samples.ratios("call", case.over)
        found.figures.append(Figure(case.name, "second", samples.seconds["call"], case.over, ratios, note=case.note))
        found.timings |= {f"{case.name}: {name}": seconds for name, seconds in samples.seconds.items()}
        found.cores = max(found.cores, samples.cores)
    return found if found.figures else None
