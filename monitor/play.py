"""Plays one rule test: its script on a simulated world, and what was found there against what it expects."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from monitor.errors import Problem
from monitor.matching import TopicMatcher
from monitor.rules.counted import negative
from monitor.rules.load import RuleSet
from monitor.rules.rule import Status
from monitor.rules.testing.nearness import counted, nearest
from monitor.rules.testing.results import Moment, MomentKind, TestResult, offset_text
from monitor.rules.testing.testcase import Click, Expectation, RuleTest, Said, TestFile
from monitor.simulate import Simulation


@dataclass(frozen=True, slots=True)
class Played:
    """`reasons`: rule, name and wording of the alerting conditions that held; `tiers`: rule and number of each told."""

    result: TestResult
    reasons: frozenset[tuple[str, str, str]]
    tiers: frozenset[tuple[str, int]]


class OutOfTime(Exception):
    """The test takes longer than anybody may wait."""


def _script(test: RuleTest) -> list[tuple[datetime, Callable[[Simulation], str], Expectation | None]]:
    """What is done, in its order: at one moment mutes go first, then what is said, then clicks, then what is asked."""
    steps: list[tuple[datetime, Callable[[Simulation], str], Expectation | None]] = []
    steps += [(mute.at, partial(Simulation.mute, mute=mute), None) for mute in test.mutes]
    steps += [(at, partial(Simulation.say, said=said), None) for said in test.mentions for at in said.times()]
    steps += [(click.at, partial(_click, click=click, start=test.start), None) for click in test.clicks]
    steps += [(asked.at, lambda world: "", asked) for asked in test.expect]
    return sorted(steps, key=lambda step: step[0])


def _click(world: Simulation, click: Click, start: datetime) -> str:
    trouble = world.click(click)
    return trouble and f"{click.user} presses {click.button} at {offset_text(click.at - start)}: {trouble}"


def under_test(rules: RuleSet, file: TestFile) -> RuleSet:
    """The rules that a test file puts into force, whatever their status says: a rule is tested before it goes live."""
    chosen = tuple(replace(rule, status=Status.LIVE) for rule in rules.rules if rule.file in file.rules)
    return replace(rules, rules=chosen)


def play(
    rules: RuleSet,
    brands: Collection[str],
    file: TestFile,
    test: RuleTest,
    stopwatch: Callable[[], float],
    competitors: Collection[str] = (),
    deadline: float = math.inf,
) -> Played:
    """Play one test. `rules` are those in force in it; `stopwatch` tells seconds, to say how long it took; of `brands`
    the `competitors` are watched only by rules that name them. Raises `OutOfTime` where it is not over when the
    stopwatch shows `deadline`."""
    began = stopwatch()
    test = _with_topics(rules, _in_local_time(rules, test))
    world = Simulation(rules, brands, test.start, competitors)
    failures: list[Problem] = []
    try:
        for at, do, expectation in _script(test):
            for _ in world.passing(at):
                if stopwatch() > deadline:
                    raise OutOfTime
            if trouble := do(world):
                failures.append(Problem(file.file, test.line, test.column, "clicks", trouble))
            if expectation is not None:
                failures += _compare(world, file, expectation)
        fired, reasons, tiers = world.fired(), world.reasons(), world.tiers()
        silent = [rule for rule in rules.rules if rule.id not in fired] if failures else []
        timeline = _with_mentions([*world.timeline, *nearest(silent, test)], rules, test)
    finally:
        world.close()
    first = min(said.at for said in test.mentions)
    if all(expectation.at < first for expectation in test.expect):
        last = test.expect[-1]
        what = "nothing has been said by then: it would pass whatever the rules say; ask at a later time"
        failures.append(Problem(file.file, last.line, last.column, "", what))
    ids = frozenset(rule.id for rule in rules.rules)
    silence = any(one.values.get("posts") == 0 or one.values.get("state") == "none" for one in test.expect)
    result = TestResult(
        file=file.file,
        test=test,
        failures=tuple(failures),
        timeline=timeline,
        fired=fired,
        silent=ids - fired if silence else frozenset(),
        seconds=stopwatch() - began,
    )
    return Played(result, reasons, tiers)


def _in_local_time(rules: RuleSet, test: RuleTest) -> RuleTest:
    """With a start that bears the time zone of a team that is called: the offset in the file is that of one season."""
    for rule in rules.rules:
        for tier in rule.escalate:
            team = rules.teams.get(tier.team)
            if team and team.zone and test.start.astimezone(ZoneInfo(team.zone)).utcoffset() == test.start.utcoffset():
                return replace(test, start=test.start.astimezone(ZoneInfo(team.zone)))
    return test


def _with_topics(rules: RuleSet, test: RuleTest) -> RuleTest:
    """With the topics that are found in texts, where a test gives none."""
    find = TopicMatcher(rules.topics).topics
    mentions = tuple(
        said if said.topics is not None else replace(said, topics=tuple(find(said.text, said.language)))
        for said in test.mentions
    )
    return replace(test, mentions=mentions)


def _compare(world: Simulation, file: TestFile, expectation: Expectation) -> Iterator[Problem]:
    found = world.found(expectation)
    if isinstance(found, str):
        yield Problem(file.file, expectation.line, expectation.column, "", found)
        return
    for key, wanted in expectation.values.items():
        actual = found[key]
        same = set(wanted) == set(actual) if key == "called" else str(wanted) == str(actual)  # type: ignore[call-overload]
        if not same:
            yield file.failure(expectation, key, actual)


def _with_mentions(timeline: list[Moment], rules: RuleSet, test: RuleTest) -> tuple[Moment, ...]:
    """The timeline with what was said in it; negative is what is so for one of the rules."""
    tests = [negative(rule) for rule in rules.rules]

    def is_negative(said: Said) -> bool:
        return not said.answer and any(holds(counted(said)) for holds in tests)

    said = [
        Moment(at, MomentKind.MENTIONS, "", one.discussion, 1, int(is_negative(one)))
        for one in test.mentions
        for at in one.times()
    ]
    return tuple(sorted([*said, *timeline], key=lambda one: (one.at, one.kind is not MomentKind.MENTIONS)))
