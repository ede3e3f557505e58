"""How near to alerting the rules came that did not fire in a test: what whoever expected them to fire wants to know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from monitor.model import Coverage, Scope
from monitor.rules.counted import Counted, Totals
from monitor.rules.rule import Rule
from monitor.rules.testing.results import Moment, MomentKind
from monitor.rules.testing.testcase import RuleTest, Said
from monitor.rules.times import Covered
from monitor.rules.windows import Windows


def counted(said: Said) -> Counted:
    """A mention of a test as rules look at it."""
    return Counted(
        id=0,
        at=said.at,
        brand=said.brand,
        source=said.source,
        language=said.language,
        topics=frozenset(said.topics or ()),
        author=said.author or "",
        reach=said.author_reach,
        score=said.sentiment,
        confidence=said.confidence,
    )


def nearest(rules: Iterable[Rule], test: RuleTest) -> Iterator[Moment]:
    """For each of the rules the moment at which it came nearest, in the discussion in which it did; the topics of the
    test's mentions are known."""
    for rule in rules:
        found = [one for name, mentions in _subjects(rule, test) if (one := _nearest(rule, name, mentions))]
        if found:
            yield max(found, key=lambda one: (one[0], one[1].at))[1]
        else:
            first = min(said.at for said in test.mentions)
            yield Moment(first, MomentKind.SILENCE, f"{rule.id} counts none of what is said")


def _subjects(rule: Rule, test: RuleTest) -> Iterator[tuple[str, list[Counted]]]:
    """What the rule judges, each with its mentions; answers are none."""
    by_name: dict[str, list[Counted]] = {}
    number = 0
    for said in test.mentions:
        name = said.brand if rule.scope is Scope.BRAND else said.discussion
        for at in said.times() if not said.answer else ():
            number += 1
            one = replace(counted(said), at=at, author=said.author or f"author {number}")
            by_name.setdefault(name, []).append(one)
    yield from by_name.items()


def _nearest(rule: Rule, name: str, mentions: list[Counted]) -> tuple[float, Moment] | None:
    windows = Windows(rule)
    times = [mention.at for mention in mentions if windows.add(mention)]
    if not times:
        return None
    totals = Totals.of(mentions)
    # As in the simulation, in which nobody polls: read from the first mention on.
    covered = Covered([Coverage(min(times) - timedelta(microseconds=1), max(times))])
    at = windows.nearest(times, totals, covered)
    assert at is not None
    verdict = windows.verdict(at, totals, covered)
    lacking = "; ".join(f"{one.name}: {one.found} (asked: {one.asked})" for one in verdict.conditions if not one.holds)
    moment = Moment(at, MomentKind.SILENCE, f"{rule.id} comes nearest to alerting: {lacking}", name)
    return windows.progress(at, totals, covered), moment
