"""The conditions of `alert_when_any`, each asked as of any moment of a timeline, with its answer in words for people.

Which mentions count, and which of them as negative, was decided before (evaluate.py). A window ends with its moment
and is open at its start: (as_of - within, as_of].
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from monitor.fields import duration_text
from monitor.rules.rule import AlertCondition, AuthorReach, NegativeMentions, NegativeShare, Spike

#: How long a loud negative voice is enough by itself.
LOUD = timedelta(hours=24)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Timeline:
    """When the mentions that a rule counts were made, ascending; `reach` goes with `negative`.

    `covered` is the time that was read: disjoint stretches in order.
    """

    matched: Sequence[datetime]
    negative: Sequence[datetime]
    reach: Sequence[int]
    covered: Sequence[tuple[datetime, datetime]] = ()


class Alert(Protocol):
    """A condition on a timeline. `holds` is asked at every moment, `found` only at the one that is told."""

    name: ClassVar[str]

    def asked(self) -> str: ...

    def holds(self, as_of: datetime) -> bool: ...

    def found(self, as_of: datetime) -> str: ...


def alert(asked: AlertCondition, seen: Timeline) -> Alert:
    match asked:
        case NegativeMentions():
            return _Negative(asked, seen)
        case NegativeShare():
            return _Share(asked, seen)
        case Spike():
            return _Spike(asked, seen)
        case AuthorReach():
            loud = [time for time, reach in zip(seen.negative, seen.reach, strict=True) if reach >= asked.at_least]
            return _Reach(asked, seen, loud)


def window(asked: AlertCondition) -> timedelta:
    """How long a mention can make the condition hold."""
    return LOUD if isinstance(asked, AuthorReach) else asked.within


def horizon(asked: AlertCondition) -> timedelta:
    """How far back from a moment mentions matter: the window and, for a spike, the baseline before it."""
    return window(asked) + (asked.baseline if isinstance(asked, Spike) else timedelta())


@dataclass(frozen=True, slots=True)
class _Negative:
    rule: NegativeMentions
    seen: Timeline
    name: ClassVar[str] = "negative_mentions"

    def asked(self) -> str:
        return f"at least {self.rule.at_least:,} within {duration_text(self.rule.within)}"

    def holds(self, as_of: datetime) -> bool:
        return self._count(as_of) >= self.rule.at_least

    def found(self, as_of: datetime) -> str:
        return f"{self._count(as_of):,}"

    def _count(self, as_of: datetime) -> int:
        return _count(self.seen.negative, as_of - self.rule.within, as_of)


@dataclass(frozen=True, slots=True)
class _Share:
    rule: NegativeShare
    seen: Timeline
    name: ClassVar[str] = "negative_share"

    def asked(self) -> str:
        least, within = f"{100 * self.rule.at_least:.6g} %", duration_text(self.rule.within)
        return f"at least {least} of at least {self.rule.minimum_total:,} within {within}"

    def holds(self, as_of: datetime) -> bool:
        negative, total = self._counts(as_of)
        return total >= max(self.rule.minimum_total, 1) and negative / total >= self.rule.at_least

    def found(self, as_of: datetime) -> str:
        negative, total = self._counts(as_of)
        if not total:
            return "no mention"
        # Rounded down: 39.96 % must not read as the 40 % that were asked.
        return f"{negative:,} of {total:,} = {1000 * negative // total / 10:g} %"

    def _counts(self, as_of: datetime) -> tuple[int, int]:
        start = as_of - self.rule.within
        return _count(self.seen.negative, start, as_of), _count(self.seen.matched, start, as_of)


@dataclass(frozen=True, slots=True)
class _Spike:
    """Nobody knows what is usual from a few mentions, nor from less time than one window."""

    rule: Spike
    seen: Timeline
    name: ClassVar[str] = "spike"

    def asked(self) -> str:
        least, within = f"at least {self.rule.minimum_now:,}", duration_text(self.rule.within)
        return f"{least} within {within}, and {self.rule.times:g} times the usual of the {self._baseline} before"

    def holds(self, as_of: datetime) -> bool:
        now, before, covered = self._measured(as_of)
        return (
            now >= self.rule.minimum_now
            and before >= self.rule.minimum_baseline
            and covered >= self.rule.within
            and now >= self.rule.times * self._usual(before, covered)
        )

    def found(self, as_of: datetime) -> str:
        now, before, covered = self._measured(as_of)
        whole = covered - covered % (HOUR if covered >= HOUR else MINUTE)
        read = f"{duration_text(whole)} of the {self._baseline} before were read"
        if covered < self.rule.within:
            return f"{now:,}; only {read}: too little to know the usual"
        if before < self.rule.minimum_baseline:
            few = f"only {before:,} in the {self._baseline} before"
            return f"{now:,}; {few}, {self.rule.minimum_baseline:,} are needed to know the usual"
        usual = self._usual(before, covered)
        compared = f"usually {_number(usual)}: {_number(now / usual)} times" if usual else "usually none"
        return f"{now:,}; {compared}" + (f" ({read})" if covered < self.rule.baseline else "")

    @property
    def _baseline(self) -> str:
        return duration_text(self.rule.baseline)

    def _usual(self, before: int, covered: timedelta) -> float:
        """Mentions to expect in one window."""
        return before * self.rule.within / covered

    def _measured(self, as_of: datetime) -> tuple[int, int, timedelta]:
        """Mentions in the window, those in the covered time of the baseline, and how much time that is."""
        end = as_of - self.rule.within
        start = end - self.rule.baseline
        before, covered = 0, timedelta()
        for since, until in self.seen.covered:
            since, until = max(since, start), min(until, end)
            if since < until:
                before += _count(self.seen.negative, since, until)
                covered += until - since
        return _count(self.seen.negative, end, as_of), before, covered


@dataclass(frozen=True, slots=True)
class _Reach:
    rule: AuthorReach
    seen: Timeline
    loud: Sequence[datetime]
    name: ClassVar[str] = "author_reach"

    def asked(self) -> str:
        followers = f"at least {self.rule.at_least:,} followers"
        return f"a negative mention by an author with {followers} within {duration_text(LOUD)}"

    def holds(self, as_of: datetime) -> bool:
        return _count(self.loud, as_of - LOUD, as_of) > 0

    def found(self, as_of: datetime) -> str:
        start, end = bisect_right(self.seen.negative, as_of - LOUD), bisect_right(self.seen.negative, as_of)
        loudest = max(self.seen.reach[start:end], default=None)
        return "no negative mention" if loudest is None else f"the loudest has {loudest:,}"


def _count(times: Sequence[datetime], start: datetime, end: datetime) -> int:
    """How many of the ascending `times` lie in (start, end]."""
    return bisect_right(times, end) - bisect_right(times, start)


def _number(value: float) -> str:
    """With one decimal, rounded down: 2.96 times must not read as the 3 times that were asked."""
    return f"{int(10 * value) / 10:,.1f}".removesuffix(".0") if value >= 0.1 else "less than 0.1"
