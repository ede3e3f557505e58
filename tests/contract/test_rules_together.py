"""Several rules that fire on one discussion at once, at night: what may be said is said, the rest in the morning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from monitor.rules.load import load_rules
from monitor.rules.testing.results import MomentKind
from monitor.rules.testing.testcase import Expectation, Said
from monitor.simulate import Simulation

#: A Monday, past the day's work.
NIGHT = datetime(2026, 3, 30, 22, tzinfo=UTC)
MORNING = datetime(2026, 3, 31, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULE = """\
id: {id}
title: Trouble
owner: ada@example.com
status: live
severity: {severity}
match: {{brands: [acme]}}
negative_if: {{sentiment: {{at_most: -0.5}}}}
alert_when_any: [negative_mentions: {{at_least: 1, within: 60m}}]
timing: {{wait_first: {wait}, repeat_at_most: 0}}
escalate: [{{after: 0m, team: {team}}}]
"""
TEAMS = """\
guard: {channel: "#guard"}
office: {channel: "#office", zone: UTC, hours: {open: {mon-fri: "09:00-18:00"}}}
"""


@contextmanager
def world(guard: str, office: str, wait: str) -> Iterator[Simulation]:
    """Two rules that fire on every complaint: one for a team that is always there, one for a team that is not."""
    rules = {
        "a.yaml": RULE.format(id="a", severity=guard, team="guard", wait=wait),
        "b.yaml": RULE.format(id="b", severity=office, team="office", wait=wait),
    }
    made = Simulation(load_rules({**rules, "teams.yaml": TEAMS}, ["Acme"]), ["Acme"], NIGHT)
    try:
        made.say(Said(at=NIGHT, every=timedelta(), count=1, brand="Acme", sentiment=-0.9, confidence=0.9))
        yield made
    finally:
        made.close()


def posts(world: Simulation) -> list[tuple[datetime, str]]:
    return [(one.at, one.text) for one in world.timeline if one.kind is MomentKind.POST]


@pytest.mark.parametrize("wait", ["0s", "30s"])
@pytest.mark.parametrize(
    ("guard", "office"),
    [
        pytest.param("high", "high", id="as severe"),
        pytest.param("high", "low", id="less severe"),
        pytest.param("low", "high", id="more severe"),
    ],
)
def test_the_team_that_is_there_hears_of_it_now_and_the_other_in_the_morning(
    guard: str, office: str, wait: str
) -> None:
    with world(guard, office, wait) as told:
        told.until(NIGHT + MINUTE)
        assert [where for _, where in posts(told)] == ["in #guard"]
        told.until(MORNING - MINUTE)
        assert len(posts(told)) == 1
        told.until(MORNING + MINUTE)
        assert [where for _, where in posts(told)] == ["in #guard", "in #office"]


def test_the_most_severe_that_may_speak_is_in_charge() -> None:
    with world("low", "high", "30s") as told:
        for at, rule in ((NIGHT + MINUTE, "a"), (MORNING + MINUTE, "b")):
            told.until(at)
            values = told.found(Expectation(at, {"rule": "", "state": ""}))
            assert isinstance(values, dict) and (values["rule"], values["state"]) == (rule, "open")
