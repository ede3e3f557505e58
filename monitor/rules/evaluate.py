"""Whether a rule fires on a discussion or a brand, and why (not): every condition with what it asks and what was found.

Each mention counts at its own time, however late it is seen: a rule is judged as of the time of every mention whose
windows a new one falls into, so that the order of arrival decides nothing. It reads no store; what follows from a
verdict is decided by escalation/machine.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from monitor.model import Condition, Coverage, Verdict
from monitor.rules import alerts
from monitor.rules.rule import Rule

#: What is longer ago is history, not news: no rule is judged as of then.
NEWS = timedelta(hours=24)
#: Scores are differences of probabilities: 0.2 - 0.7 is not quite -0.5.
ROUNDING = 1e-9

_at = attrgetter("at")


@dataclass(frozen=True, slots=True)
class Counted:
    """What a rule needs to know of a mention. Answers, posts of our own accounts, are not counted and never come here.

    `author` tells authors apart; `reach` is the author's followers. `score` and `confidence` are None until judged.
    """

    id: int
    at: datetime
    brand: str
    source: str
    language: str | None = None
    topics: frozenset[str] = frozenset()
    author: str = ""
    reach: int = 0
    score: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The discussion (or, for the scope brand, the brand) as a whole: all mentions, distinct authors' reach summed."""

    mentions: int
    reach: int

    @classmethod
    def of(cls, mentions: Sequence[Counted]) -> Totals:
        reach: dict[str, int] = {}
        for mention in mentions:
            reach[mention.author] = max(mention.reach, reach.get(mention.author, 0))
        return cls(len(mentions), sum(reach.values()))


# -- one mention -------------------------------------------------------------------------------------------------


class _Test(NamedTuple):
    """One condition on a single mention."""

    name: str
    asked: str
    holds: Callable[[Counted], bool]
    found: Callable[[Counted], str]

    def of(self, mention: Counted) -> Condition:
        return Condition(self.name, self.asked, self.found(mention), self.holds(mention))


def matches(rule: Rule, mention: Counted) -> bool:
    """Whether the mention counts at all for the rule (`match`)."""
    return all(test.holds(mention) for test in _match_tests(rule))


def is_negative(rule: Rule, mention: Counted) -> bool:
    """Whether the rule counts the mention, and as negative; without `negative_if` it does so with all it counts."""
    return all(test.holds(mention) for test in (*_match_tests(rule), *_negative_tests(rule)))


def mention_conditions(rule: Rule, mention: Counted) -> tuple[Condition, ...]:
    """Each condition of `match` and `negative_if` for one mention, named `match.…` and `negative_if.…`."""
    return tuple(test.of(mention) for test in (*_match_tests(rule), *_negative_tests(rule)))


def _match_tests(rule: Rule) -> list[_Test]:
    match, tests = rule.match, []
    if match.brands:
        brands = frozenset(match.brands)
        tests.append(_Test("match.brands", " or ".join(match.brands), lambda m: m.brand in brands, lambda m: m.brand))
    if match.sources:
        tests.append(_one_of("match.sources", match.sources, lambda m: m.source))
    if match.languages:
        tests.append(_one_of("match.languages", match.languages, lambda m: m.language or "unknown"))
    if match.topics:
        wanted, unwanted = frozenset(match.topics.any_of), frozenset(match.topics.none_of)
        if wanted:
            asked = f"any of {', '.join(match.topics.any_of)}"
            tests.append(_Test("match.topics", asked, lambda m: not wanted.isdisjoint(m.topics), _topics))
        if unwanted:
            asked = f"none of {', '.join(match.topics.none_of)}"
            tests.append(_Test("match.topics", asked, lambda m: unwanted.isdisjoint(m.topics), _topics))
    if (least := match.author_reach) is not None:
        asked = f"at least {least:,}"
        tests.append(_Test("match.author_reach", asked, lambda m: m.reach >= least, lambda m: f"{m.reach:,}"))
    return tests


def _one_of(name: str, names: Sequence[str], of: Callable[[Counted], str]) -> _Test:
    # Sources and languages are typed by hand in the configuration and here: their case says nothing.
    folded = frozenset(name.casefold() for name in names)
    return _Test(name, " or ".join(names), lambda m: of(m).casefold() in folded, of)


def _topics(mention: Counted) -> str:
    return ", ".join(sorted(mention.topics)) or "none"


def _negative_tests(rule: Rule) -> list[_Test]:
    wanted, tests = rule.negative_if, []
    if wanted is None:
        return []
    if (most := wanted.sentiment_at_most) is not None:
        tests.append(
            _Test(
                "negative_if.sentiment",
                f"at most {most:g}",
                lambda m: m.score is not None and m.score <= most + ROUNDING,
                lambda m: "not judged yet" if m.score is None else f"{m.score:.3f}",
            )
        )
    if (least := wanted.confidence_at_least) is not None:
        tests.append(
            _Test(
                "negative_if.confidence",
                f"at least {least:g}",
                lambda m: m.confidence is not None and m.confidence >= least - ROUNDING,
                lambda m: "not judged yet" if m.confidence is None else f"{m.confidence:.3f}",
            )
        )
    return tests


# -- all mentions ------------------------------------------------------------------------------------------------


def evaluate(
    rule: Rule, mentions: Iterable[Counted], totals: Totals, as_of: datetime, coverage: Iterable[Coverage] = ()
) -> Verdict:
    """The rule as of one moment; the verdict has every condition, also those that do not hold.

    `mentions`, in any order, reach back at least to `as_of - horizon(rule)`; older and later ones do no harm.
    `coverage` is when the sources of the rule were read: a baseline takes only time that one of them covered.
    """
    return _Evidence(rule, sorted(mentions, key=_at), totals, coverage).verdict(as_of)


def judge(
    rule: Rule,
    mentions: Iterable[Counted],
    new: Collection[int],
    totals: Totals,
    now: datetime,
    coverage: Iterable[Coverage] = (),
) -> Verdict | None:
    """What the mentions with the ids `new` change: the verdict of the latest moment that fires, else of the latest.

    `mentions` are those of the discussion (or brand) after `needed_since`, the new ones among them. None: they change
    nothing, as the rule does not count them, or what they change is history (`NEWS`).
    """
    ordered, new, tests = sorted(mentions, key=_at), frozenset(new), _match_tests(rule)
    # A mention that does not count may still lift the discussion over its floor.
    causes = [m.at for m in ordered if m.id in new and (rule.discussion or all(test.holds(m) for test in tests))]
    longest = max(map(alerts.window, rule.alert_when_any), default=timedelta())
    changed = moments(causes, list(map(_at, ordered)), longest, now)
    if not changed:
        return None
    evidence = _Evidence(rule, ordered, totals, coverage)
    return evidence.verdict(next((at for at in reversed(changed) if evidence.fires(at)), changed[-1]))


def moments(causes: Sequence[datetime], times: Sequence[datetime], window: timedelta, now: datetime) -> list[datetime]:
    """The times of mentions at which mentions at `causes` may change a verdict: those whose window holds a cause.

    Ascending like both arguments, and none older than `NEWS`. A late mention in a baseline judges no past moment
    anew: what is usual decides only about what comes.
    """
    if not causes:
        return []
    start = max(causes[0], now - NEWS)
    found = dict.fromkeys(times[bisect_left(times, start) :])
    return [time for time in found if time - causes[bisect_right(causes, time) - 1] < window]


def needed_since(rule: Rule, new_times: Iterable[datetime], now: datetime) -> datetime:
    """Mentions after this are all that `judge` needs when some at `new_times` (one or more) have come."""
    return max(min(new_times), now - NEWS) - horizon(rule)


def horizon(rule: Rule) -> timedelta:
    """How far back from a moment its mentions matter, baselines included."""
    return max(map(alerts.horizon, rule.alert_when_any), default=timedelta())


class _Evidence:
    """What a rule makes of mentions in the order of time, ready to be asked about any moment."""

    def __init__(self, rule: Rule, mentions: list[Counted], totals: Totals, coverage: Iterable[Coverage]) -> None:
        for test in _match_tests(rule):
            mentions = list(filter(test.holds, mentions))
        negative = mentions
        for test in _negative_tests(rule):
            negative = list(filter(test.holds, negative))
        seen = alerts.Timeline(
            matched=list(map(_at, mentions)),
            negative=list(map(_at, negative)),
            reach=[mention.reach for mention in negative],
            covered=_merged(coverage),
        )
        self._rule = rule
        self._floor = _floor(rule, totals)
        self._alerts = [alerts.alert(asked, seen) for asked in rule.alert_when_any]

    def fires(self, as_of: datetime) -> bool:
        return all(floor.holds for floor in self._floor) and any(alert.holds(as_of) for alert in self._alerts)

    def verdict(self, as_of: datetime) -> Verdict:
        asked = (Condition(a.name, a.asked(), a.found(as_of), a.holds(as_of)) for a in self._alerts)
        return Verdict(self._rule.id, self.fires(as_of), self._rule.severity, as_of, (*self._floor, *asked))


def _floor(rule: Rule, totals: Totals) -> tuple[Condition, ...]:
    if rule.discussion is None:
        return ()
    floors = (
        ("discussion.mentions", rule.discussion.mentions, totals.mentions),
        ("discussion.reach", rule.discussion.reach, totals.reach),
    )
    return tuple(Condition(name, f"at least {n:,}", f"{found:,}", found >= n) for name, n, found in floors if n)


def _merged(coverage: Iterable[Coverage]) -> list[tuple[datetime, datetime]]:
    """The time that any source covered completely, as disjoint stretches in order."""
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted((stretch.start, stretch.end) for stretch in coverage if stretch.complete):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
