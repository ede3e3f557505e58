"""The figures of a stretch of time, as reports use them: values, no decisions. `monitor.store.figures` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from monitor.model import Outcome, Severity


@dataclass(frozen=True, slots=True)
class BrandFigures:
    """`discussions`: in how many the brand was mentioned; `begun`: how many of those began then. Our own posts are
    `answers` and no mentions, and what people said is not about the brand is not counted."""

    brand: str
    discussions: int
    begun: int
    mentions: int
    negative: int
    answers: int

    @property
    def negative_share(self) -> float:
        return self.negative / self.mentions if self.mentions else 0.0


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took in the `count` of `of` alerts where it has happened; None where it never has."""

    count: int = 0
    of: int = 0
    median: timedelta | None = None
    worst: timedelta | None = None

    @classmethod
    def among(cls, lengths: Sequence[timedelta | None]) -> Times:
        known = [length for length in lengths if length is not None]
        if not known:
            return cls(of=len(lengths))
        return cls(len(known), len(lengths), timedelta(seconds=median(map(timedelta.total_seconds, known))), max(known))


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """`alerts` that the rule was part of; of the `resolved` ones, `wrong` ended as not negative or not about us.
    `corrected`: mentions that people corrected on its alerts."""

    rule_id: str
    alerts: int = 0
    resolved: int = 0
    wrong: int = 0
    corrected: int = 0

    @property
    def precision(self) -> float | None:
        """The share of its resolved alerts that were right; None while none is resolved."""
        return 1 - self.wrong / self.resolved if self.resolved else None


@dataclass(frozen=True, slots=True)
class GapFigures:
    """What was not seen of one source: all its gaps together, and the longest."""

    source: str
    name: str
    count: int
    length: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Figures:
    """From `since` until before `until`. `told` counts from when the rule fired (its first wait and a hold outside
    hours included) until the message stood in Slack; `taken`, `answered` and `resolved` count from when it was told.
    `alive`: alerts that have not ended; `sources`: how many are read at present."""

    since: datetime
    until: datetime
    brands: tuple[BrandFigures, ...] = ()
    alerts: Mapping[Severity, int] = field(default_factory=dict)
    dropped: int = 0
    alive: int = 0
    told: Times = Times()
    taken: Times = Times()
    answered: Times = Times()
    resolved: Times = Times()
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    rules: tuple[RuleFigures, ...] = ()
    corrections: Mapping[str, int] = field(default_factory=dict)
    gaps: tuple[GapFigures, ...] = ()
    sources: int = 0
