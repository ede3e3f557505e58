"""Mentions played through rules made in a test, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from monitor.rules.backtesting.backtest import SWEEP, Alert, Replay
from monitor.rules.backtesting.hindsight import Backtest, Played, compare
from monitor.rules.backtesting.opinions import Correction, Past, People, Talk
from monitor.rules.counted import Counted
from monitor.rules.load import RuleSet
from monitor.rules.people.rota import Team
from monitor.rules.rule import Rule
from monitor.rules.times import Covered
from tests.fakes.counted import DAY, NOW

SINCE = NOW - 30 * DAY


def rule_set(*rules: Rule, teams: Mapping[str, Team] | None = None) -> RuleSet:
    return RuleSet(rules=rules, teams=teams or {}, hash=repr(sorted(rule.id for rule in rules)))


def played(
    mentions: Iterable[tuple[Counted, int]], *sets: RuleSet, sweep: timedelta = SWEEP, covered: Covered | None = None
) -> list[list[Alert]]:
    """The alerts of each set; each mention comes with its discussion."""
    replay = Replay("Acme", sets, {"Globex"}, lambda rule: covered or Covered(), sweep=sweep)
    for mention, discussion in sorted(mentions, key=lambda one: (one[0].at, one[0].id)):
        replay.take(mention, discussion)
    return [replay.alerts(number) for number in range(len(sets))]


def compared(
    mentions: Sequence[tuple[Counted, int]],
    new: RuleSet,
    old: RuleSet | None = None,
    *,
    past: Iterable[Past] = (),
    corrections: Iterable[Correction] = (),
    strong: Sequence[Talk] = (),
    since: datetime = SINCE,
) -> Backtest:
    sets = [new, old] if old else [new]
    alerts = played(mentions, *sets)
    talks = {number: Talk(number, "Acme", f"Talk {number}", None, NOW) for _, number in mentions}
    return compare(
        Played("rules/", new, tuple(alerts[0])),
        Played("old/", old, tuple(alerts[1])) if old else None,
        People(past, corrections), talks, strong, since=since, until=NOW, mentions=len(mentions),
    )  # fmt: skip
