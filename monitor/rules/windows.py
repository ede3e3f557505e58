"""Whether a rule fires on a discussion or a brand, and why (not), while its mentions come in one after another.

Each mention counts at its own time, however late it is seen: a rule is judged as of the time of every mention that it
counts and whose windows a new one falls into, so that the order of arrival decides nothing. What one more costs hardly
grows with how many are held. It reads no store; what follows from a verdict is decided by escalation/machine.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from monitor.model import Condition, Verdict
from monitor.rules import alerts
from monitor.rules.counted import Counted, Totals, matching, negative
from monitor.rules.rule import AuthorReach, NegativeShare, Rule
from monitor.rules.times import NOTHING, Covered, Reaches, length, micros, moment

#: What is longer ago is history, not news: no rule is judged as of then.
NEWS = timedelta(hours=24)


class Moment(NamedTuple):
    """When a rule was judged, and whether it fires as of then."""

    at: datetime
    fires: bool


def horizon(rule: Rule) -> timedelta:
    """How far back from a moment its mentions matter, baselines included."""
    return max(map(alerts.horizon, rule.alert_when_any), default=timedelta())


class _Asked:
    """What a rule asks for, made ready once for all its windows."""

    def __init__(self, rule: Rule) -> None:
        self.counts = matching(rule)
        self.negative = negative(rule)
        self.all_negative = rule.negative_if is None
        self.floor = rule.discussion is not None
        #: How many followers make a voice loud, for each condition that asks for one.
        self.loud: list[int] = []
        self.alerts: list[alerts.Alert] = []
        for condition in rule.alert_when_any:
            self.alerts.append(alerts.alert(condition, len(self.loud)))
            if isinstance(condition, AuthorReach):
                self.loud.append(condition.at_least)
        self.holds = tuple(asked.holds for asked in self.alerts)
        #: How long a mention can make any condition hold.
        self.longest = length(max(map(alerts.window, rule.alert_when_any), default=timedelta()))
        #: How far back from a moment negative mentions matter, and how far friendly ones: for shares alone.
        self.needed = length(horizon(rule))
        shares = [asked.within for asked in rule.alert_when_any if isinstance(asked, NegativeShare)]
        self.matched = self.needed if self.all_negative else length(max(shares, default=timedelta()))


_asked = lru_cache(maxsize=256)(_Asked)


class Windows:
    """What one rule holds of the mentions of one discussion or brand: little more than when they were made.

    Whoever asks says each time what is not held: the discussion's `totals`, and what was `covered` (for a spike).
    """

    __slots__ = ("_asked", "_seen", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._asked = _asked(rule)
        self._seen = alerts.Seen(all_negative=self._asked.all_negative, loud=len(self._asked.loud))

    def empty(self) -> Windows:
        """Another one of the same rule, with nothing in it: for the next of very many discussions."""
        made = object.__new__(Windows)
        made.rule, made._asked = self.rule, self._asked
        made._seen = alerts.Seen(all_negative=self._asked.all_negative, loud=len(self._asked.loud))
        return made

    @classmethod
    def of(cls, rule: Rule, mentions: Iterable[Counted]) -> Windows:
        """With all of `mentions`, in any order: to ask about a moment they must reach `horizon(rule)` back from it."""
        made = cls(rule)
        for mention in mentions:
            made.add(mention)
        return made

    def __len__(self) -> int:
        """How many numbers are held, of eight bytes each."""
        return len(self._seen)

    # -- what is held --------------------------------------------------------------------------------------------

    def add(self, mention: Counted) -> bool:
        """Take a mention in, in any order; return whether the rule counts it."""
        if not self._asked.counts(mention):
            return False
        self._add(mention, micros(mention.at))
        return True

    def _add(self, mention: Counted, at: int) -> None:
        seen, asked = self._seen, self._asked
        seen.matched.add(at)
        if not asked.negative(mention):
            return
        if not asked.all_negative:
            seen.negative.add(at)
        if asked.loud:
            if seen.reaches is None:
                seen.reaches = Reaches()
            seen.reaches.add(at, mention.reach)
            for least, loud in zip(asked.loud, seen.loud, strict=True):
                if mention.reach >= least:
                    loud.add(at)

    def counts(self, mention: Counted) -> bool:
        """Whether the rule counts the mention at all."""
        return self._asked.counts(mention)

    def negative(self, mention: Counted) -> bool:
        """Whether the rule counts the mention, and as negative."""
        return self._asked.counts(mention) and self._asked.negative(mention)

    def prune(self, now: datetime) -> None:
        """Drop what no moment since `now - NEWS` needs; it may not be asked about earlier ones any more."""
        news, seen, asked = micros(now - NEWS), self._seen, self._asked
        # A moment of itself is needed, a window is open at its start.
        seen.matched.drop(news - max(asked.matched, 1))
        if not asked.all_negative:
            seen.negative.drop(news - asked.needed)
        if seen.reaches is not None:
            seen.reaches.drop(news - length(alerts.LOUD))
        for loud in seen.loud:
            loud.drop(news - length(alerts.LOUD))

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
        asked, matched = self._asked, self._seen.matched
        # A mention that does not count may still lift the discussion over its floor.
        causes = sorted(micros(mention.at) for mention in new if asked.floor or asked.counts(mention))
        may_fire = self._over_floor(totals)
        last: int | None = None
        for start, end in self._touched(causes, micros(now - NEWS)):
            low, high = matched.rank(start - 1), matched.rank(end - 1)
            uncounted = [cause for cause in causes if start <= cause < end] if asked.floor else []
            if last is None:
                last = max([*uncounted[-1:], *([matched.at(high - 1)] if low < high else [])], default=None)
            if may_fire and (fired := self._last_firing(low, high, uncounted, covered)) is not None:
                return Moment(moment(fired), True)
        return None if last is None else Moment(moment(last), False)

    def arrives(self, mention: Counted, totals: Totals, covered: Covered = NOTHING) -> bool:
        """Take in a mention later than all others and return whether it makes the rule fire as of its time: what
        `add` and `latest` do for it, at the speed that replaying very many needs."""
        counts = self._asked.counts(mention)
        if not counts and not self._asked.floor:
            return False
        at = micros(mention.at)
        if counts:
            self._add(mention, at)
        return self._fires(at, totals, covered)

    def fires(self, as_of: datetime, totals: Totals, covered: Covered = NOTHING) -> bool:
        return self._fires(micros(as_of), totals, covered)

    def verdict(self, as_of: datetime, totals: Totals, covered: Covered = NOTHING) -> Verdict:
        """As of one moment, with every condition, also those that do not hold."""
        at, rule, seen = micros(as_of), self.rule, self._seen
        asked = (alerts.judged(one, seen, at, covered) for one in self._asked.alerts)
        floors = (
            Condition(name, f"at least {least:,}", f"{found:,}", found >= least)
            for name, least, found in self._floors(totals)
        )
        return Verdict(rule.id, self._fires(at, totals, covered), rule.severity, as_of, (*floors, *asked))

    def progress(self, as_of: datetime, totals: Totals, covered: Covered = NOTHING) -> float:
        """How near the rule is to firing as of a moment, by its nearest condition: from 0 to 1, which is firing."""
        floors = [min(1.0, found / least) for _, least, found in self._floors(totals)]
        return min([max(self.parts(as_of, covered), default=0.0), *floors])

    def parts(self, as_of: datetime, covered: Covered = NOTHING) -> tuple[float, ...]:
        """How near each condition of `alert_when_any` is to holding as of a moment, in their order: from 0 to 1."""
        at = micros(as_of)
        return tuple(asked.progress(self._seen, at, covered) for asked in self._asked.alerts)

    def nearest(self, moments: Iterable[datetime], totals: Totals, covered: Covered = NOTHING) -> datetime | None:
        """Of `moments` the latest that fires, else the one that came nearest to it; None for none."""
        return max(moments, key=lambda at: (self.progress(at, totals, covered), at), default=None)

    # -- how -----------------------------------------------------------------------------------------------------

    def _fires(self, at: int, totals: Totals, covered: Covered) -> bool:
        return self._over_floor(totals) and self._any_holds(at, covered)

    def _any_holds(self, at: int, covered: Covered) -> bool:
        seen = self._seen
        for holds in self._asked.holds:  # noqa: SIM110 (asked a million times: a generator would double the time)
            if holds(seen, at, covered):
                return True
        return False

    def _over_floor(self, totals: Totals) -> bool:
        return not self._asked.floor or all(found >= least for _, least, found in self._floors(totals))

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
            touched.append((start, cause + self._asked.longest))
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
            last = self._seen.matched.at(high - 1)
            if self._any_holds(last, covered):
                return last
            first = self._seen.matched.at(low)
            if first < last and self._any_may_hold(first, last, covered):
                middle = (low + high) // 2
                waiting += [(low, middle), (middle, high - 1)]
        return None

    def _any_may_hold(self, first: int, last: int, covered: Covered) -> bool:
        return any(asked.may_hold(self._seen, first, last, covered) for asked in self._asked.alerts)
