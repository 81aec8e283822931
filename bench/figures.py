"""The records that questions hand to the report, and their passage through JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Figure:
    """One measured quantity of one library: all its samples, and how it compares with a reference.

    `values` are seconds or bytes, `ratios` are the same samples over those of `over`, formed round by round.
    `main` says which of the two the tables show first.
    """

    case: str
    unit: str
    values: list[float]
    over: str = ""
    ratios: list[float] = field(default_factory=list)
    main: str = "value"
    note: str = ""

    @property
    def value(self) -> float:
        """The median of the values."""
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """The median of the ratios."""
        return statistics.median(self.ratios) if self.ratios else None

    def spread(self) -> float:
        """Return half the interquartile range of the main samples over their median."""
        samples = self.ratios if self.main == "ratio" else self.values
        return half_quartiles(samples)

    def merge(self, other: Figure) -> None:
        """Add another process's samples."""
        self.values += other.values
        self.ratios += other.ratios

    def summary(self) -> dict[str, Any]:
        """Return what the JSON file holds: medians and spread first, then every sample."""
        return {"value": self.value, "ratio": self.ratio, "spread": self.spread(), **asdict(self)}


def half_quartiles(samples: Sequence[float]) -> float:
    """Return half the distance between the quartiles, over the median; 0 for fewer than two samples."""
    if len(samples) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(samples, n=4, method="inclusive")
    return abs((high - low) / 2 / middle) if middle else 0.0


@dataclass
class Answer:
    """What one process found for one library and question.

    `timings` are the raw seconds per call of every contestant, as pyperf stores them; `error` is set when the
    library failed or computed something wrong, and then there are no figures. A `remark` is no failure.
    """

    figures: list[Figure] = field(default_factory=list)
    timings: dict[str, list[float]] = field(default_factory=dict)
    version: str = ""
    cores: float = 0.0
    error: str = ""
    remark: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Answer:
        """Undo `to_json`."""
        return cls(**{**data, "figures": [Figure(**figure) for figure in data["figures"]]})
