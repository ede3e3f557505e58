"""The conditions of `alert_when_any`, each asked as of any moment, with its answer in texts for people.

Which mentions count, and which of them as negative, was decided before (counted.py). A window ends with its moment and
is open at its start: (as_of - within, as_of]. Moments and lengths are whole microseconds (times.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Protocol

from monitor.durations import duration_text
from monitor.model import Condition
from monitor.rules.rule import AlertCondition, AuthorReach, NegativeMentions, NegativeShare, Spike
from monitor.rules.times import Covered, Reaches, Times, length
from monitor.wording.text import Text, english, say

#: How long a loud negative voice is enough by itself.
LOUD = timedelta(hours=24)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Seen:
    """What is held of the mentions that a rule counts. Without reaches where no condition asks for them."""

    __slots__ = ("loud", "matched", "negative", "reaches")

    def __init__(self, *, all_negative: bool, loud: int) -> None:
        """`all_negative`: what counts does so as negative, and is held once. `loud`: how many conditions ask for a
        loud voice."""
        self.matched = Times()
        self.negative = self.matched if all_negative else Times()
        self.reaches: Reaches | None = None
        #: For each condition that asks for a loud voice, when one spoke: it need not look at the quiet ones.
        self.loud = tuple(Times() for _ in range(loud))

    def __len__(self) -> int:
        """How many numbers are held, of eight bytes each."""
        negative = 0 if self.negative is self.matched else len(self.negative)
        reaches = 2 * len(self.reaches) if self.reaches is not None else 0
        return len(self.matched) + negative + reaches + sum(map(len, self.loud))


class Alert(Protocol):
    """A condition, asked about what was `seen` as of a moment.

    `holds` is asked at every moment, `found` only at the one that is told. `may_hold` is true if the condition holds
    at any moment from `first` to `last`, and rarely else: with it a search skips very many moments at once. `progress`
    is the share of what is asked that was found, at most 1, and 1 where the condition holds.
    """

    name: ClassVar[str]

    def asked(self) -> Text: ...

    def holds(self, seen: Seen, as_of: int, covered: Covered) -> bool: ...

    def may_hold(self, seen: Seen, first: int, last: int, covered: Covered) -> bool: ...

    def found(self, seen: Seen, as_of: int, covered: Covered) -> Text: ...

    def progress(self, seen: Seen, as_of: int, covered: Covered) -> float: ...


def alert(condition: AlertCondition, loud: int = 0) -> Alert:
    """`loud`: the place of its loud voices in what is seen, for a condition that asks for one."""
    match condition:
        case NegativeMentions():
            return _Negative(condition)
        case NegativeShare():
            return _Share(condition)
        case Spike():
            return _Spike(condition)
        case AuthorReach():
            return _Reach(condition, loud)


def in_words(condition: AlertCondition) -> tuple[str, str]:
    """The condition's key in a rule file, and what it asks for."""
    asked = alert(condition)
    return asked.name, english(asked.asked())


def judged(asked: Alert, seen: Seen, as_of: int, covered: Covered) -> Condition:
    """What the condition asks and what was found as of a moment: in English, and as texts for other languages."""
    what, found = asked.asked(), asked.found(seen, as_of, covered)
    said = {"asked": what.to_json(), "found": found.to_json()}
    return Condition(asked.name, english(what), english(found), asked.holds(seen, as_of, covered), said)


def window(asked: AlertCondition) -> timedelta:
    """How long a mention can make the condition hold."""
    return LOUD if isinstance(asked, AuthorReach) else asked.within


def horizon(asked: AlertCondition) -> timedelta:
    """How far back from a moment mentions matter: the window and, for a spike, the baseline before it."""
    return window(asked) + (asked.baseline if isinstance(asked, Spike) else timedelta())


class _Negative:
    name: ClassVar[str] = "negative_mentions"

    def __init__(self, rule: NegativeMentions) -> None:
        self._rule = rule
        self._within = length(rule.within)
        self._least = rule.at_least

    def asked(self) -> Text:
        return say("at least {least} within {time}", least=self._rule.at_least, time=span(self._rule.within))

    def holds(self, seen: Seen, as_of: int, covered: Covered) -> bool:
        return seen.negative.has(self._least, as_of - self._within, as_of)

    def may_hold(self, seen: Seen, first: int, last: int, covered: Covered) -> bool:
        return seen.negative.has(self._least, first - self._within, last)

    def found(self, seen: Seen, as_of: int, covered: Covered) -> Text:
        return Text("{count}", {"count": seen.negative.count(as_of - self._within, as_of)})

    def progress(self, seen: Seen, as_of: int, covered: Covered) -> float:
        return _part(seen.negative.count(as_of - self._within, as_of), self._rule.at_least)


class _Share:
    name: ClassVar[str] = "negative_share"

    def __init__(self, rule: NegativeShare) -> None:
        self._rule = rule
        self._within = length(rule.within)
        #: Of no mentions there is no share.
        self._least = max(rule.minimum_total, 1)

    def asked(self) -> Text:
        least, within = exactly(float(f"{100 * self._rule.at_least:.6g}")), span(self._rule.within)
        return say(
            "at least {share} % of at least {total} within {time}",
            share=least, total=self._rule.minimum_total, time=within,
        )  # fmt: skip

    def holds(self, seen: Seen, as_of: int, covered: Covered) -> bool:
        start = as_of - self._within
        total = seen.matched.count(start, as_of)
        return total >= self._least and seen.negative.count(start, as_of) / total >= self._rule.at_least

    def may_hold(self, seen: Seen, first: int, last: int, covered: Covered) -> bool:
        start = first - self._within
        if seen.matched.count(start, last) < self._least:
            return False
        # All negative mentions that any of these windows holds, and the friendly ones that every one of them holds.
        negative, common = seen.negative.count(start, last), (last - self._within, max(first, last - self._within))
        friendly = seen.matched.count(*common) - seen.negative.count(*common)
        return negative > 0 and negative / (negative + friendly) >= self._rule.at_least

    def found(self, seen: Seen, as_of: int, covered: Covered) -> Text:
        negative, total = self._counts(seen, as_of)
        if not total:
            return say("no mention")
        # Rounded down: 39.96 % must not read as the 40 % that were asked.
        values = {"negative": negative, "total": total, "share": exactly(1000 * negative // total / 10)}
        if total < self._least:
            return say("{negative} of {total} = {share} %, too few to count", **values)
        return say("{negative} of {total} = {share} %", **values)

    def progress(self, seen: Seen, as_of: int, covered: Covered) -> float:
        negative, total = self._counts(seen, as_of)
        return min(_part(negative / max(total, 1), self._rule.at_least), _part(total, self._least))

    def _counts(self, seen: Seen, as_of: int) -> tuple[int, int]:
        start = as_of - self._within
        return seen.negative.count(start, as_of), seen.matched.count(start, as_of)


class _Spike:
    """Nobody knows what is usual from a few mentions, nor from less time than one window."""

    name: ClassVar[str] = "spike"

    def __init__(self, rule: Spike) -> None:
        self._rule = rule
        self._within = length(rule.within)
        self._before = length(rule.baseline)

    def asked(self) -> Text:
        return say(
            "at least {least} within {time}, and {times} times the usual of the {before} before",
            least=self._rule.minimum_now, time=span(self._rule.within), times=exactly(self._rule.times),
            before=self._baseline,
        )  # fmt: skip

    def holds(self, seen: Seen, as_of: int, covered: Covered) -> bool:
        now = seen.negative.count(as_of - self._within, as_of)
        if now < self._rule.minimum_now:
            return False
        before, length = self._usually(seen, as_of, covered)
        return self._enough(before, length) and now >= self._rule.times * self._usual(before, length)

    def may_hold(self, seen: Seen, first: int, last: int, covered: Covered) -> bool:
        now = seen.negative.count(first - self._within, last)
        if now < self._rule.minimum_now:
            return False
        # The baselines of these moments: the time that any of them holds, and that which all of them hold.
        start, end = first - self._within - self._before, last - self._within
        length = covered.length(start, end)
        if not self._enough(covered.count(seen.negative, start, end), length):
            return False
        fewest = covered.count(seen.negative, end - self._before, first - self._within)
        return now >= self._rule.times * self._usual(fewest, length)

    def found(self, seen: Seen, as_of: int, covered: Covered) -> Text:
        now = seen.negative.count(as_of - self._within, as_of)
        before, length = self._usually(seen, as_of, covered)
        read_for = timedelta(microseconds=length)
        whole = read_for - read_for % (HOUR if read_for >= HOUR else MINUTE)
        read = {"read": span(whole), "before": self._baseline}
        if length < self._within:
            return say(
                "{now}; only {read} of the {before} before were read: too little to know the usual", now=now, **read
            )
        if before < self._rule.minimum_baseline:
            return say(
                "{now}; only {found} in the {before} before, {needed} are needed to know the usual",
                now=now, found=before, before=self._baseline, needed=self._rule.minimum_baseline,
            )  # fmt: skip
        usual = self._usual(before, length)
        if usual:
            compared = say(
                "{now}; usually {usual}: {times} times", now=now, usual=_usual(usual), times=_times(now / usual)
            )
        else:
            compared = say("{now}; usually none", now=now)
        if length < self._before:
            return say("{compared} ({read} of the {before} before were read)", compared=compared, **read)
        return compared

    def progress(self, seen: Seen, as_of: int, covered: Covered) -> float:
        now = seen.negative.count(as_of - self._within, as_of)
        before, length = self._usually(seen, as_of, covered)
        enough = min(_part(before, self._rule.minimum_baseline), _part(length, self._within))
        usual = self._usual(before, length) if length else 0.0
        return min(enough, _part(now, self._rule.minimum_now), _part(now, self._rule.times * usual))

    @property
    def _baseline(self) -> timedelta | str:
        return span(self._rule.baseline)

    def _enough(self, before: int, length: int) -> bool:
        return before >= self._rule.minimum_baseline and length >= self._within

    def _usual(self, before: int, length: int) -> float:
        """Mentions to expect in one window."""
        return before * self._within / length

    def _usually(self, seen: Seen, as_of: int, covered: Covered) -> tuple[int, int]:
        """Mentions in the covered time of the baseline, and how much time that is."""
        end = as_of - self._within
        start = end - self._before
        return covered.count(seen.negative, start, end), covered.length(start, end)


class _Reach:
    name: ClassVar[str] = "author_reach"

    def __init__(self, rule: AuthorReach, number: int) -> None:
        self._rule = rule
        self._number = number
        self._within = length(LOUD)

    def asked(self) -> Text:
        return say(
            "a negative mention by an author with at least {least} followers within {time}",
            least=self._rule.at_least, time=span(LOUD),
        )  # fmt: skip

    def holds(self, seen: Seen, as_of: int, covered: Covered) -> bool:
        return seen.loud[self._number].has(1, as_of - self._within, as_of)

    def may_hold(self, seen: Seen, first: int, last: int, covered: Covered) -> bool:
        return seen.loud[self._number].has(1, first - self._within, last)

    def found(self, seen: Seen, as_of: int, covered: Covered) -> Text:
        largest = self._largest(seen, as_of)
        return say("no negative mention") if largest is None else say("the loudest has {largest}", largest=largest)

    def progress(self, seen: Seen, as_of: int, covered: Covered) -> float:
        return _part(self._largest(seen, as_of) or 0, self._rule.at_least)

    def _largest(self, seen: Seen, as_of: int) -> int | None:
        return seen.reaches.largest(as_of - self._within, as_of) if seen.reaches is not None else None


def _part(found: float, asked: float) -> float:
    return 1.0 if found >= asked else found / asked


def span(length: timedelta) -> timedelta | str:
    """A length of time as it is said in a sentence, where nothing of it is lost in that; else as files write it."""
    text = duration_text(length)
    exact = int(text[:-1]) * {"d": 86_400, "h": 3_600, "m": 60, "s": 1}[text[-1]] == length.total_seconds()
    # "1 day" and "2 days" are said as such, but what is said of 150 minutes is "2 hours".
    short = text[-1] == "d" or int(text[:-1]) < {"h": 48, "m": 120, "s": 100}[text[-1]]
    return length if exact and short else text


def exactly(value: float) -> float | str:
    """With as many decimals as it has; a language's own form has two at most."""
    return value if round(value, 2) == value else f"{value:g}"


def _times(value: float) -> float | Text:
    """With one decimal, rounded down: 2.96 times must not read as the 3 times that were asked."""
    return int(10 * value) / 10 if value >= 0.1 else say("less than 0.1")


def _usual(value: float) -> float | str | Text:
    """Of less than one two digits, so that the times that stand beside it can be reckoned again."""
    return _times(value) if value >= 1 else exactly(float(f"{value:.2g}"))
