"""The conditions of `alert_when_any`, each asked as of any moment, with its answer in words for people.

Which mentions count, and which of them as negative, was decided before (counted.py). A window ends with its moment and
is open at its start: (as_of - within, as_of]. Moments and lengths are whole microseconds (times.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Protocol

from monitor.durations import duration_text
from monitor.rules.rule import AlertCondition, AuthorReach, NegativeMentions, NegativeShare, Spike
from monitor.rules.times import Covered, Reaches, Times, length

#: How long a loud negative voice is enough by itself.
LOUD = timedelta(hours=24)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Alert(Protocol):
    """A condition on what is held of the mentions; it follows what is added to that.

    `holds` is asked at every moment, `found` only at the one that is told. `may_hold` is true if the condition holds
    at any moment from `first` to `last`, and rarely else: with it a search skips very many moments at once. `progress`
    is the share of what is asked that was found, at most 1, and 1 where the condition holds.
    """

    name: ClassVar[str]

    def asked(self) -> str: ...

    def holds(self, as_of: int, covered: Covered) -> bool: ...

    def may_hold(self, first: int, last: int, covered: Covered) -> bool: ...

    def found(self, as_of: int, covered: Covered) -> str: ...

    def progress(self, as_of: int, covered: Covered) -> float: ...


def alert(asked: AlertCondition, matched: Times, negative: Times) -> Alert:
    match asked:
        case NegativeMentions():
            return _Negative(asked, negative)
        case NegativeShare():
            return _Share(asked, matched, negative)
        case Spike():
            return _Spike(asked, negative)
        case AuthorReach():
            return Reach(asked)


def in_words(asked: AlertCondition) -> tuple[str, str]:
    """The condition's key in a rule file, and what it asks for."""
    condition = alert(asked, Times(), Times())
    return condition.name, condition.asked()


def window(asked: AlertCondition) -> timedelta:
    """How long a mention can make the condition hold."""
    return LOUD if isinstance(asked, AuthorReach) else asked.within


def horizon(asked: AlertCondition) -> timedelta:
    """How far back from a moment mentions matter: the window and, for a spike, the baseline before it."""
    return window(asked) + (asked.baseline if isinstance(asked, Spike) else timedelta())


class _Negative:
    name: ClassVar[str] = "negative_mentions"

    def __init__(self, rule: NegativeMentions, negative: Times) -> None:
        self._rule = rule
        self._times = negative
        self._within = length(rule.within)

    def asked(self) -> str:
        return f"at least {self._rule.at_least:,} within {duration_text(self._rule.within)}"

    def holds(self, as_of: int, covered: Covered) -> bool:
        return self._times.count(as_of - self._within, as_of) >= self._rule.at_least

    def may_hold(self, first: int, last: int, covered: Covered) -> bool:
        return self._times.count(first - self._within, last) >= self._rule.at_least

    def found(self, as_of: int, covered: Covered) -> str:
        return f"{self._times.count(as_of - self._within, as_of):,}"

    def progress(self, as_of: int, covered: Covered) -> float:
        return _part(self._times.count(as_of - self._within, as_of), self._rule.at_least)


class _Share:
    name: ClassVar[str] = "negative_share"

    def __init__(self, rule: NegativeShare, matched: Times, negative: Times) -> None:
        self._rule = rule
        self._matched = matched
        self._negative = negative
        self._within = length(rule.within)
        #: Of no mentions there is no share.
        self._least = max(rule.minimum_total, 1)

    def asked(self) -> str:
        least, within = f"{100 * self._rule.at_least:.6g} %", duration_text(self._rule.within)
        return f"at least {least} of at least {self._rule.minimum_total:,} within {within}"

    def holds(self, as_of: int, covered: Covered) -> bool:
        start = as_of - self._within
        total = self._matched.count(start, as_of)
        return total >= self._least and self._negative.count(start, as_of) / total >= self._rule.at_least

    def may_hold(self, first: int, last: int, covered: Covered) -> bool:
        start = first - self._within
        if self._matched.count(start, last) < self._least:
            return False
        # All negative mentions that any of these windows holds, and the friendly ones that every one of them holds.
        negative, common = self._negative.count(start, last), (last - self._within, max(first, last - self._within))
        friendly = self._matched.count(*common) - self._negative.count(*common)
        return negative > 0 and negative / (negative + friendly) >= self._rule.at_least

    def found(self, as_of: int, covered: Covered) -> str:
        negative, total = self._counts(as_of)
        if not total:
            return "no mention"
        # Rounded down: 39.96 % must not read as the 40 % that were asked.
        return f"{negative:,} of {total:,} = {1000 * negative // total / 10:g} %"

    def progress(self, as_of: int, covered: Covered) -> float:
        negative, total = self._counts(as_of)
        return min(_part(negative / max(total, 1), self._rule.at_least), _part(total, self._least))

    def _counts(self, as_of: int) -> tuple[int, int]:
        start = as_of - self._within
        return self._negative.count(start, as_of), self._matched.count(start, as_of)


class _Spike:
    """Nobody knows what is usual from a few mentions, nor from less time than one window."""

    name: ClassVar[str] = "spike"

    def __init__(self, rule: Spike, negative: Times) -> None:
        self._rule = rule
        self._times = negative
        self._within = length(rule.within)
        self._before = length(rule.baseline)

    def asked(self) -> str:
        least, within = f"at least {self._rule.minimum_now:,}", duration_text(self._rule.within)
        return f"{least} within {within}, and {self._rule.times:g} times the usual of the {self._baseline} before"

    def holds(self, as_of: int, covered: Covered) -> bool:
        now = self._times.count(as_of - self._within, as_of)
        if now < self._rule.minimum_now:
            return False
        before, length = self._usually(as_of, covered)
        return self._enough(before, length) and now >= self._rule.times * self._usual(before, length)

    def may_hold(self, first: int, last: int, covered: Covered) -> bool:
        now = self._times.count(first - self._within, last)
        if now < self._rule.minimum_now:
            return False
        # The baselines of these moments: the time that any of them holds, and that which all of them hold.
        start, end = first - self._within - self._before, last - self._within
        length = covered.length(start, end)
        if not self._enough(covered.count(self._times, start, end), length):
            return False
        fewest = covered.count(self._times, end - self._before, first - self._within)
        return now >= self._rule.times * self._usual(fewest, length)

    def found(self, as_of: int, covered: Covered) -> str:
        now = self._times.count(as_of - self._within, as_of)
        before, length = self._usually(as_of, covered)
        read_for = timedelta(microseconds=length)
        whole = read_for - read_for % (HOUR if read_for >= HOUR else MINUTE)
        read = f"{duration_text(whole)} of the {self._baseline} before were read"
        if length < self._within:
            return f"{now:,}; only {read}: too little to know the usual"
        if before < self._rule.minimum_baseline:
            few = f"only {before:,} in the {self._baseline} before"
            return f"{now:,}; {few}, {self._rule.minimum_baseline:,} are needed to know the usual"
        usual = self._usual(before, length)
        compared = f"usually {_number(usual)}: {_number(now / usual)} times" if usual else "usually none"
        return f"{now:,}; {compared}" + (f" ({read})" if length < self._before else "")

    def progress(self, as_of: int, covered: Covered) -> float:
        now = self._times.count(as_of - self._within, as_of)
        before, length = self._usually(as_of, covered)
        enough = min(_part(before, self._rule.minimum_baseline), _part(length, self._within))
        usual = self._usual(before, length) if length else 0.0
        return min(enough, _part(now, self._rule.minimum_now), _part(now, self._rule.times * usual))

    @property
    def _baseline(self) -> str:
        return duration_text(self._rule.baseline)

    def _enough(self, before: int, length: int) -> bool:
        return before >= self._rule.minimum_baseline and length >= self._within

    def _usual(self, before: int, length: int) -> float:
        """Mentions to expect in one window."""
        return before * self._within / length

    def _usually(self, as_of: int, covered: Covered) -> tuple[int, int]:
        """Mentions in the covered time of the baseline, and how much time that is."""
        end = as_of - self._within
        start = end - self._before
        return covered.count(self._times, start, end), covered.length(start, end)


class Reach:
    """What it counts is told to it by `add`: only such a rule needs to hold reaches."""

    name: ClassVar[str] = "author_reach"

    def __init__(self, rule: AuthorReach) -> None:
        self._rule = rule
        self._within = length(LOUD)
        self._reaches = Reaches()
        #: Where a loud one spoke, so that `holds` need not look at the quiet ones.
        self._loud = Times()

    def add(self, time: int, reach: int) -> None:
        """A negative mention."""
        self._reaches.add(time, reach)
        if reach >= self._rule.at_least:
            self._loud.add(time)

    def drop(self, until: int) -> None:
        self._reaches.drop(until)
        self._loud.drop(until)

    def __len__(self) -> int:
        return 2 * len(self._reaches) + len(self._loud)

    def asked(self) -> str:
        followers = f"at least {self._rule.at_least:,} followers"
        return f"a negative mention by an author with {followers} within {duration_text(LOUD)}"

    def holds(self, as_of: int, covered: Covered) -> bool:
        return self._loud.count(as_of - self._within, as_of) > 0

    def may_hold(self, first: int, last: int, covered: Covered) -> bool:
        return self._loud.count(first - self._within, last) > 0

    def found(self, as_of: int, covered: Covered) -> str:
        largest = self._reaches.largest(as_of - self._within, as_of)
        return "no negative mention" if largest is None else f"the loudest has {largest:,}"

    def progress(self, as_of: int, covered: Covered) -> float:
        return _part(self._reaches.largest(as_of - self._within, as_of) or 0, self._rule.at_least)


def _part(found: float, asked: float) -> float:
    return 1.0 if found >= asked else found / asked


def _number(value: float) -> str:
    """With one decimal, rounded down: 2.96 times must not read as the 3 times that were asked."""
    return f"{int(10 * value) / 10:,.1f}".removesuffix(".0") if value >= 0.1 else "less than 0.1"
