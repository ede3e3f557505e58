"""Who has read which guideline: only the very version counts, and only those whom a rule calls are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.rules.load import RuleSet, load_rules
from monitor.rules.people.hours import Hours, Span
from monitor.rules.people.rota import Deputy, Rota, Team, next_change, on_duty
from monitor.rules.readership import Readership, readership
from monitor.slack.tags import Deed, Tag, tag

AT, TODAY = datetime(2026, 3, 30, 10, tzinfo=UTC), date(2026, 3, 30)
PLAYBOOK = """\
---
owner: community@example.com
approved_by: head of communications
review_by: 2026-04-30
---
# When a thread turns angry
Answer once.
"""
RULE = """\
id: {id}
title: Trouble
owner: ada@example.com
status: {status}
severity: high
match: {{brands: [acme]}}
alert_when_any: [negative_mentions: {{at_least: 1, within: 60m}}]
escalate: [{{after: 0m, team: {team}}}]
playbook: playbooks/angry.md
"""
TEAMS = """\
social: {channel: "#s", members: {anna: U0123456789, bruno: U0234567890}}
legal: {channel: "#l", members: {lena: U0345678901}}
"""


@dataclass(frozen=True)
class Read:
    name: str
    slack_id: str | None = None
    version: str = ""
    path: str = "playbooks/angry.md"
    at: datetime = AT


def rules(**status: str) -> RuleSet:
    files = {"teams.yaml": TEAMS, "playbooks/angry.md": PLAYBOOK}
    for team, state in status.items():
        files[f"{team}.yaml"] = RULE.format(id=f"r-{team}", status=state, team=team)
    return load_rules(files, ["Acme"])


def found(loaded: RuleSet, *reads: Read, today: date = TODAY) -> Readership:
    version = loaded.guidelines["playbooks/angry.md"].version
    known = [Read(one.name, one.slack_id, one.version or version, one.path, one.at) for one in reads]
    [only] = readership(loaded, known, today)
    return only


def test_those_whom_its_rules_call_should_read_it() -> None:
    one = found(rules(social="live", legal="off"))
    assert (one.teams, one.unread, dict(one.read)) == (("social",), ("anna", "bruno"), {})
    assert found(rules(social="live", legal="test")).unread == ("anna", "bruno", "lena")
    assert found(rules()).unread == ()


def test_only_the_present_version_counts() -> None:
    one = found(rules(social="live"), Read("anna", "U0123456789"), Read("bruno", "U0234567890", version="deadbeef"))
    assert dict(one.read) == {"anna": AT}
    assert one.unread == ("bruno",)


def test_a_name_from_the_command_line_is_that_member() -> None:
    assert found(rules(social="live"), Read("bruno")).unread == ("anna",)


def test_somebody_else_with_the_same_name_in_slack_is_not() -> None:
    one = found(rules(social="live"), Read("anna", "U0999999999"))
    assert one.unread == ("anna", "bruno")
    assert one.others == ("anna",)


def test_its_review_is_overdue_the_day_after() -> None:
    assert not found(rules(social="live"), today=date(2026, 4, 30)).overdue
    assert found(rules(social="live"), today=date(2026, 5, 1)).overdue


# -- who is on duty until when -----------------------------------------------------------------------------------


def team(**more: object) -> Team:
    rota = Rota("Europe/Rome", ("anna", "bruno"), date(2026, 3, 2))
    given = {"id": "social", "channel": "#s", "members": {"anna": "U1", "bruno": "U2"}, "zone": "Europe/Rome",
             "rota": rota}  # fmt: skip
    return Team(**{**given, **more})  # type: ignore[arg-type]


def test_a_turn_lasts_until_the_next_one_begins() -> None:
    # Monday 30 March, noon in Rome: Anna's second turn ends a week after it began, at nine.
    assert next_change(team(), AT) == datetime(2026, 4, 6, 7, tzinfo=UTC)
    assert on_duty(team(), datetime(2026, 4, 6, 7, tzinfo=UTC)) == ("bruno",)


def test_a_deputy_ends_it_sooner() -> None:
    deputies = (Deputy("anna", "bruno", date(2026, 4, 1), date(2026, 4, 2)),)
    assert next_change(team(deputies=deputies), AT) == datetime(2026, 3, 31, 22, tzinfo=UTC)


def test_without_a_rota_nobody_follows() -> None:
    assert next_change(team(rota=None), AT) is None
    assert next_change(team(rota=Rota("Europe/Rome", ("anna",), date(2026, 3, 2))), AT) is None


@settings(deadline=None)
@given(st.integers(0, 60 * 24 * 40))
def test_until_then_nobody_else_is_on_duty(minutes: int) -> None:
    at = AT + timedelta(minutes=minutes)
    until = next_change(team(), at)
    assert until is not None
    assert on_duty(team(), until) != on_duty(team(), until - timedelta(seconds=1)) == on_duty(team(), at)


WEEK = ((Span(540, 780), Span(840, 1080)),) * 4 + ((Span(540, 1440),), (Span(0, 120),), ())


@pytest.mark.parametrize(
    ("at", "closes"),
    [
        pytest.param("2026-03-30T10:00", "2026-03-30T11:00", id="before the break"),
        pytest.param("2026-03-30T11:30", None, id="in the break"),
        pytest.param("2026-04-03T20:00", "2026-04-04T00:00", id="over midnight into the next span"),
    ],
)
def test_when_the_doors_close(at: str, closes: str | None) -> None:
    hours = Hours("Europe/Rome", WEEK)
    found = hours.open_until(datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert found == (datetime.fromisoformat(closes).replace(tzinfo=UTC) if closes else None)


def test_doors_that_never_close() -> None:
    assert Hours("Europe/Rome", ((Span(0, 1440),),) * 7).open_until(AT) is None


# -- what its button carries -------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.sampled_from(Deed), st.integers(0, 10**12 - 1), st.text("0123456789abcdef", min_size=8, max_size=8))
def test_a_button_brings_back_which_version(deed: Deed, number: int, version: str) -> None:
    for one in (Tag(deed, number, 3, "9f86d081"), Tag(deed, number, 3, "9f86d081", (1, 2), version)):
        assert tag(str(one)) == one
