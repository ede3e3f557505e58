"""Whether a rule fires on a discussion or a brand, and why (not), while its mentions come in one after another.

Each mention counts at its own time, however late it is seen: a rule is judged as of the time of every mention that it
counts and whose windows a new one falls into, so that the order of arrival decides nothing. What one more costs hardly
grows with how many are held. It reads no store; what follows from a verdict is decided by escalation/machine.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.model import Condition, Verdict
from monitor.rules import alerts
from monitor.rules.counted import Counted, Totals, matching, negative
from monitor.rules.rule import NegativeShare, Rule
from monitor.rules.times import NOTHING, Covered, Times, length, micros, moment

#: What is longer ago is history, not news: no rule is judged as of then.
NEWS = timedelta(hours=24)


class Moment(NamedTuple):
    """When a rule was judged, and whether it fires as of then."""

    at: datetime
    fires: bool


def horizon(rule: Rule) -> timedelta:
    """How far back from a moment its mentions matter, baselines included."""
    return max(map(alerts.horizon, rule.alert_when_any), default=timedelta())


class Windows:
    """What one rule holds of the mentions of one discussion or brand: little more than when they were made.

    Whoever asks says each time what is not held: the discussion's `totals`, and what was `covered` (for a spike).
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.counts = matching(rule)
        """Whether a mention counts at all."""
        self._negative_if = negative(rule)
        self._matched = Times()
        # Without `negative_if` all that counts is negative: held once.
        self._negative = Times() if rule.negative_if else self._matched
        self._alerts = [alerts.alert(asked, self._matched, self._negative) for asked in rule.alert_when_any]
        self._reach = [asked for asked in self._alerts if isinstance(asked, alerts.Reach)]
        self._holds = [asked.holds for asked in self._alerts]
        self._longest = length(max(map(alerts.window, rule.alert_when_any), default=timedelta()))
        shares = [asked.within for asked in rule.alert_when_any if isinstance(asked, NegativeShare)]
        self._needed = length(horizon(rule))
        self._matched_needed = length(max(shares, default=timedelta())) if rule.negative_if else self._needed

    @classmethod
    def of(cls, rule: Rule, mentions: Iterable[Counted]) -> Windows:
        """With all of `mentions`, in any order: to ask about a moment they must reach `horizon(rule)` back from it."""
        made = cls(rule)
        for mention in mentions:
            made.add(mention)
        return made

    def __len__(self) -> int:
        """How many numbers are held, of eight bytes each."""
        shared = self._negative is self._matched
        return len(self._matched) + (0 if shared else len(self._negative)) + sum(map(len, self._reach))

    # -- what is held --------------------------------------------------------------------------------------------

    def add(self, mention: Counted) -> bool:
        """Take a mention in, in any order; return whether the rule counts it."""
        if not self.counts(mention):
            return False
        self._add(mention, micros(mention.at))
        return True

    def _add(self, mention: Counted, at: int) -> None:
        self._matched.add(at)
        if self._negative_if(mention):
            if self._negative is not self._matched:
                self._negative.add(at)
            for asked in self._reach:
                asked.add(at, mention.reach)

    def negative(self, mention: Counted) -> bool:
        """Whether the rule counts the mention, and as negative."""
        return self.counts(mention) and self._negative_if(mention)

    def prune(self, now: datetime) -> None:
        """Drop what no moment since `now - NEWS` needs; it may not be asked about earlier ones any more."""
        news = micros(now - NEWS)
        # A moment of itself is needed, a window is open at its start.
        self._matched.drop(news - max(self._matched_needed, 1))
        if self._negative is not self._matched:
            self._negative.drop(news - self._needed)
        for asked in self._reach:
            asked.drop(news - length(alerts.LOUD))

    # -- asking --------------------------------------------------------------------------------------------------

    def judge(
        self, new: Iterable[Counted], totals: Totals, now: datetime, covered: Covered = NOTHING
    ) -> Verdict | None:
        """What the mentions `new`, taken in before, change: the verdict as of the `latest` moment, with its reasons."""
        found = self.latest(new, totals, now, covered)
        return self.verdict(found.at, totals, covered) if found else None

    def latest(
        self, new: Iterable[Counted], totals: Totals, now: datetime, covered: Covered = NOTHING
    ) -> Moment | None:
        """The latest moment that fires among those which the mentions `new`, taken in before, touch; else the latest.

        None: they change nothing, as the rule does not count them, or what they change is history (`NEWS`). A late
        mention in a baseline judges no past moment anew: what is usual decides only about what comes.
        """
        floor = self.rule.discussion is not None
        # A mention that does not count may still lift the discussion over its floor.
        causes = sorted(micros(mention.at) for mention in new if floor or self.counts(mention))
        may_fire = self._over_floor(totals)
        last: int | None = None
        for start, end in self._touched(causes, micros(now - NEWS)):
            low, high = self._matched.rank(start - 1), self._matched.rank(end - 1)
            uncounted = [cause for cause in causes if start <= cause < end] if floor else []
            if last is None:
                last = max([*uncounted[-1:], *([self._matched.at(high - 1)] if low < high else [])], default=None)
            if may_fire and (fired := self._last_firing(low, high, uncounted, covered)) is not None:
                return Moment(moment(fired), True)
        return None if last is None else Moment(moment(last), False)

    def arrives(self, mention: Counted, totals: Totals, covered: Covered = NOTHING) -> bool:
        """Take in a mention later than all others and return whether it makes the rule fire as of its time: what
        `add` and `latest` do for it, at the speed that replaying very many needs."""
        counts = self.counts(mention)
        if not counts and self.rule.discussion is None:
            return False
        at = micros(mention.at)
        if counts:
            self._add(mention, at)
        return self._fires(at, totals, covered)

    def fires(self, as_of: datetime, totals: Totals, covered: Covered = NOTHING) -> bool:
        return self._fires(micros(as_of), totals, covered)

    def verdict(self, as_of: datetime, totals: Totals, covered: Covered = NOTHING) -> Verdict:
        """As of one moment, with every condition, also those that do not hold."""
        at, rule = micros(as_of), self.rule
        asked = (Condition(a.name, a.asked(), a.found(at, covered), a.holds(at, covered)) for a in self._alerts)
        floors = tuple(Condition(n, f"at least {least:,}", f"{found:,}", found >= least)
                       for n, least, found in self._floors(totals))  # fmt: skip
        return Verdict(rule.id, self._fires(at, totals, covered), rule.severity, as_of, (*floors, *asked))

    def progress(self, as_of: datetime, totals: Totals, covered: Covered = NOTHING) -> float:
        """How near the rule is to firing as of a moment, by its nearest condition: from 0 to 1, which is firing."""
        at = micros(as_of)
        floors = [min(1.0, found / least) for _, least, found in self._floors(totals)]
        return min((max((asked.progress(at, covered) for asked in self._alerts), default=0.0), *floors))

    def nearest(self, moments: Iterable[datetime], totals: Totals, covered: Covered = NOTHING) -> datetime | None:
        """Of `moments` the latest that fires, else the one that came nearest to it; None for none."""
        return max(moments, key=lambda at: (self.progress(at, totals, covered), at), default=None)

    # -- how -----------------------------------------------------------------------------------------------------

    def _fires(self, at: int, totals: Totals, covered: Covered) -> bool:
        return self._over_floor(totals) and self._any_holds(at, covered)

    def _any_holds(self, at: int, covered: Covered) -> bool:
        for holds in self._holds:  # noqa: SIM110 (asked a million times: a generator would double the time)
            if holds(at, covered):
                return True
        return False

    def _over_floor(self, totals: Totals) -> bool:
        return self.rule.discussion is None or all(found >= least for _, least, found in self._floors(totals))

    def _floors(self, totals: Totals) -> list[tuple[str, int, int]]:
        """What the discussion must reach before any condition is asked: name, what is asked, what was found."""
        if (floor := self.rule.discussion) is None:
            return []
        mentions = ("discussion.mentions", floor.mentions, totals.mentions)
        reach = ("discussion.reach", floor.reach, totals.reach)
        return [found for found in (mentions, reach) if found[1]]

    def _touched(self, causes: Sequence[int], news: int) -> list[tuple[int, int]]:
        """The time [start, end) in which the latest of `causes` before lies in the longest window; the last first."""
        touched: list[tuple[int, int]] = []
        for cause in causes:
            start = touched.pop()[0] if touched and cause < touched[-1][1] else cause
            touched.append((start, cause + self._longest))
        return [(max(start, news), end) for start, end in reversed(touched) if end > news]

    def _last_firing(self, low: int, high: int, uncounted: Sequence[int], covered: Covered) -> int | None:
        """The latest that fires of the moments of ranks [low, high) and of `uncounted`, which is ascending."""
        fired = self._last_counted_firing(low, high, covered)
        for at in reversed(uncounted):
            if fired is not None and at <= fired:
                break
            if self._any_holds(at, covered):
                return at
        return fired

    def _last_counted_firing(self, low: int, high: int, covered: Covered) -> int | None:
        """Halves the moments again and again, the later half first, and skips those among which none can fire."""
        waiting = [(low, high)]
        while waiting:
            low, high = waiting.pop()
            if low >= high:
                continue
            last = self._matched.at(high - 1)
            if self._any_holds(last, covered):
                return last
            first = self._matched.at(low)
            if first < last and any(asked.may_hold(first, last, covered) for asked in self._alerts):
                middle = (low + high) // 2
                waiting += [(low, middle), (middle, high - 1)]
        return None
