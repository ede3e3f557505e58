"""Runs the tests that stand beside the rules, and says what they prove: which fail, and what of the rules none reaches.

A live rule needs one test in which it fires and one in which it stays silent; else nobody knows what it does. How one
test is played is the business of `monitor.play`, how results are told that of `rules.testing.results`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.errors import Problem
from monitor.play import OutOfTime, play, under_test
from monitor.rules import alerts
from monitor.rules.counted import Counted, mention_conditions
from monitor.rules.load import RuleSet
from monitor.rules.rule import Rule, Status
from monitor.rules.testing.nearness import counted
from monitor.rules.testing.results import TestResult, Untested, unproven
from monitor.rules.testing.testcase import Said
from monitor.yamlfile import Document, KeyPath, parse_yaml

#: Longer than this (seconds) no reload may take; the tests of a real folder take one or two.
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Proof:
    """`problems` are what keeps the rules from being used: tests that fail, and live rules that none proves."""

    results: tuple[TestResult, ...]
    untested: tuple[Untested, ...]
    problems: tuple[Problem, ...]


@dataclass
class _Reached:
    """What the tests have reached: conditions that held, tiers that were told, conditions that kept a mention out."""

    reasons: set[tuple[str, str, str]]
    tiers: set[tuple[str, int]]
    kept_out: set[tuple[str, str, str]]


def prove(
    rules: RuleSet,
    brands: Collection[str],
    folder: str,
    stopwatch: Callable[[], float],
    *,
    competitors: Collection[str] = (),
    files: Collection[str] = (),
    patience: float = PATIENCE,
    progress: Callable[[TestResult], None] = lambda result: None,
) -> Proof:
    """Run all tests of the folder, or only those of `files` (names in the folder); then what is unproven is not told.

    `folder` names the folder in problems; of `brands` the `competitors` are watched only by rules that name them.
    `stopwatch` tells seconds; `progress` hears of each result as it is there.
    """
    began = stopwatch()
    results: list[TestResult] = []
    reached = _Reached(set(), set(), set())
    problems: list[Problem] = []
    for file in rules.tests:
        if files and file.name not in files:
            continue
        chosen = under_test(rules, file)
        for test in file.tests:
            try:
                played = play(chosen, brands, file, test, stopwatch, competitors, began + patience)
            except OutOfTime:
                what = f"by here the tests take longer than {patience:.0f} s, so they end here: make them smaller"
                problems.append(Problem(file.file, test.line, test.column, "", what))
                return Proof(tuple(results), (), tuple([*_failures(results), *problems]))
            results.append(played.result)
            progress(played.result)
            reached.reasons |= played.reasons
            reached.tiers |= played.tiers
            reached.kept_out |= set(_kept_out(chosen.rules, played.result.test.mentions))
    places = {rule.id: parse_yaml(rules.files[rule.file], f"{folder.rstrip('/')}/{rule.file}") for rule in rules.rules}
    tested = {name for file in rules.tests if not files or file.name in files for name in file.rules}
    untested = [one for rule in rules.rules if rule.file in tested for one in _untested(rule, places[rule.id], reached)]
    problems += _failures(results)
    if not files:
        problems += _unproven(rules, places, results)
    untested.sort(key=lambda one: (one.file, one.line))
    return Proof(tuple(results), tuple(untested), tuple(problems))


def _failures(results: Collection[TestResult]) -> Iterator[Problem]:
    """One for each test that failed, at the first thing in it that is not as expected."""
    for result in results:
        if result.failures:
            first, *more = result.failures
            what = f"{first.key}: {first.message}" if first.key else first.message
            what += f", and {len(more)} more" if more else ""
            what += "; `brand-monitor rules test` shows what happened"
            yield Problem(first.file, first.line, first.column, f"“{result.test.name}”", what)


def _unproven(rules: RuleSet, places: Mapping[str, Document], results: Collection[TestResult]) -> Iterator[Problem]:
    live = {rule.id: rule for rule in rules.rules if rule.status is Status.LIVE}
    lacks: dict[str, list[str]] = {}
    for rule_id, what in unproven(live, results):
        lacks.setdefault(rule_id, []).append(what)
    for rule_id, whats in lacks.items():
        name = f"tests/{live[rule_id].file}"
        mend = f"write one in {name}, or set `status: test` until there is"
        yield places[rule_id].problem(("status",), f"a live rule must be proven: {' and '.join(whats)}; {mend}")


# -- what no test reaches ----------------------------------------------------------------------------------------


def _untested(rule: Rule, document: Document, reached: _Reached) -> Iterator[Untested]:
    def at(path: KeyPath, what: str) -> Untested:
        return Untested(rule.id, document.file, document.where(path)[0], what)

    for index, asked in enumerate(rule.alert_when_any):
        name, words = alerts.in_words(asked)
        if (rule.id, name, words) not in reached.reasons:
            yield at(("alert_when_any", index), f"{name} ({words}) never holds")
    for number, tier in enumerate(rule.escalate, 1):
        if (rule.id, number) not in reached.tiers:
            yield at(("escalate", number - 1), f"tier {number} ({tier.team}) is never told")
    kept_out = {(rule_id, name, words) for rule_id, name, words in reached.kept_out if rule_id == rule.id}
    for condition in mention_conditions(rule, _ANY):
        # A brand is asked for to name it, not to keep others out.
        if condition.name != "match.brands" and (rule.id, condition.name, condition.asked) not in kept_out:
            path = tuple(condition.name.split("."))
            yield at(path, f"{condition.name} ({condition.asked}) never keeps a mention out")


def _kept_out(rules: Collection[Rule], mentions: Collection[Said]) -> Iterator[tuple[str, str, str]]:
    for said in mentions:
        for rule in rules:
            for condition in mention_conditions(rule, counted(said)):
                if not condition.holds:
                    yield rule.id, condition.name, condition.asked


#: To be asked for the conditions of a rule, whatever they find.
_ANY = Counted(id=0, at=datetime.min.replace(tzinfo=UTC), brand="", source="")
