"""The figures of a stretch of time, read from what a real day left in the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli import cli
from monitor.escalation.events import Acknowledge, Resolve
from monitor.figures import BrandFigures, Figures, RuleFigures, Times
from monitor.model import Author, Coverage, Outcome, Severity
from monitor.store import sources
from monitor.store.figures import figures
from monitor.store.times import to_text
from tests.fakes.working_day import Day, working_day

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    with working_day(tmp_path) as made:
        yield made


def read(day: Day, back: timedelta = DAY, until: datetime | None = None) -> Figures:
    end = until or day.now
    with day.app.store.read() as connection:
        return figures(connection, end - back, end)


def change(day: Day, statement: str, *values: object) -> None:
    with day.app.store.write() as connection:
        connection.execute(statement, values)


def test_what_was_said(day: Day) -> None:
    assert read(day).brands == (BrandFigures("Acme", discussions=3, begun=3, mentions=9, negative=9, answers=1),)
    assert read(day, until=day.now - 2 * HOUR).brands == ()


def test_what_people_said_is_not_about_us_does_not_count(day: Day) -> None:
    change(day, "UPDATE mentions SET dismissed = 1 WHERE id IN (1, 2)")
    [acme] = read(day).brands
    assert (acme.mentions, acme.negative) == (7, 7)


def test_a_discussion_that_began_before_is_not_new(day: Day) -> None:
    change(day, "UPDATE discussions SET started_at = ? WHERE id = 1", to_text(day.now - 3 * DAY))
    [acme] = read(day).brands
    assert (acme.discussions, acme.begun) == (3, 2)


def test_what_alerted_and_how_it_ended(day: Day) -> None:
    found = read(day)
    assert found.alerts == {Severity.CRITICAL: 1, Severity.HIGH: 2}
    assert (found.outcomes, found.alive, found.dropped) == ({Outcome.NOT_NEGATIVE: 1}, 2, 0)


def test_an_alert_that_was_dropped_before_anybody_was_told_is_none(day: Day) -> None:
    change(day, "UPDATE escalations SET state = 'dropped' WHERE id = 2")
    found = read(day)
    assert (found.alerts, found.dropped) == ({Severity.HIGH: 2}, 1)
    assert found.told.of == 2


def test_how_fast(day: Day) -> None:
    """Told 30 seconds and more after the rule fired; taken 10, resolved 40 minutes later."""
    found = read(day)
    assert (found.told.count, found.told.of) == (3, 3)
    assert found.told.worst is not None and 30 <= found.told.worst.total_seconds() <= 45
    assert (found.taken.count, found.taken.of) == (2, 3)
    assert found.taken.worst == found.resolved.worst == 40 * MINUTE - timedelta(seconds=1)
    assert found.taken.median == 25 * MINUTE - timedelta(seconds=1)
    assert found.resolved == Times(1, 3, found.resolved.worst, found.resolved.worst)


def test_the_first_time_that_it_was_taken_counts_even_if_it_was_reopened_since(day: Day) -> None:
    day.did(1, Resolve("anna", Outcome.ANSWERED), "anna (Slack U0123456789)")
    change(day, "UPDATE escalations SET state = 'open', acknowledged_at = NULL")
    found = read(day)
    assert found.taken.count == 2
    assert (found.resolved.count, found.outcomes, found.alive) == (0, {}, 3)
    assert {rule.precision for rule in found.rules} == {None}


def test_who_never_took_it_but_resolved_it_took_it_then(day: Day) -> None:
    day.did(2, Resolve("lena", Outcome.NO_ACTION), "lena (command line)")
    found = read(day)
    assert (found.taken.count, found.resolved.count) == (3, 2)


def test_an_answer_of_ours_counts_from_when_it_was_told_and_never_less_than_nothing(day: Day) -> None:
    """e1 was answered before anybody was told, e2 is now; what is forgotten when e1 changes hands stays counted."""
    day.say("we are there", conversation_id="t2", author=Author(id="acme_help", handle="acme_help"))
    change(day, "UPDATE escalations SET answered_at = NULL")
    answered = read(day).answered
    assert (answered.count, answered.of) == (2, 3)
    assert answered.worst == 45 * MINUTE
    assert answered.median == answered.worst / 2


def test_in_a_storm_the_summary_told_of_it(day: Day) -> None:
    """Its own message was folded into one that was sent."""
    change(
        day, "UPDATE outbox SET folded_into = (SELECT id FROM outbox WHERE escalation_id = 1 AND kind = 'root'),"
        " state = 'folded', sent_at = NULL WHERE escalation_id = 2 AND kind = 'root'",
    )  # fmt: skip
    assert read(day).told.count == 3


def test_how_often_a_rule_was_right(day: Day) -> None:
    found = {rule.rule_id: rule for rule in read(day).rules}
    assert found["thread"] == RuleFigures("thread", alerts=2, resolved=1, wrong=1)
    assert found["thread"].precision == 0.0
    assert found["loud"].precision is None
    day.did(1, Acknowledge("anna"), "anna (command line)")
    day.did(1, Resolve("anna", Outcome.ANSWERED), "anna (command line)")
    [thread] = [rule for rule in read(day).rules if rule.rule_id == "thread"]
    assert thread.precision == 0.5


def test_what_the_report_says_of_a_rule_rules_list_says_too(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what was dropped or is pending neither speaks; both count a rule's part in what another rule opened."""
    change(day, "UPDATE escalations SET state = 'dropped' WHERE id = 1")
    monkeypatch.setattr("monitor.app.utc_now", lambda: day.now)
    asked = ["--config", str(day.folder / "monitor.yaml"), "rules", "list", "--days", "1", "--json"]
    listed = {rule["id"]: rule for rule in json.loads(CliRunner().invoke(cli, asked).output)}
    for rule in read(day).rules:
        did = listed[rule.rule_id]
        assert (did["alerts"], did["judged"], did["dismissed"]) == (rule.alerts, rule.resolved, rule.wrong)
    assert sum(did["alerts"] for did in listed.values()) == sum(rule.alerts for rule in read(day).rules)


def test_the_last_word_on_a_mention_counts(day: Day) -> None:
    def label(mention: int, correction: str, at: datetime) -> None:
        change(
            day, "INSERT INTO labels (mention_id, label, who, at, correction, rule_id) VALUES (?,?,?,?,?,?)",
            mention, "neutral", "anna", to_text(at), correction, "thread",
        )  # fmt: skip

    label(1, "not negative", day.now - HOUR)
    label(1, "negative", day.now - MINUTE)
    label(2, "not negative", day.now - HOUR)
    label(2, "not about us", day.now - MINUTE)
    label(3, "not negative", day.now - 9 * DAY)
    label(4, "not negative", day.now - HOUR)
    change(day, "UPDATE labels SET outdated = 1 WHERE mention_id = 4")
    found = read(day)
    assert found.corrections == {"not about us": 1}
    assert [(rule.rule_id, rule.corrected) for rule in found.rules] == [("thread", 1), ("loud", 0)]


def test_gaps_are_clipped_and_those_that_overlap_count_once(day: Day) -> None:
    with day.app.store.write() as connection:
        for start, end in ((30, 20), (22, 19)):
            stretch = Coverage(day.now - start * HOUR, day.now - end * HOUR, False, f"down {start}")
            sources.cover(connection, "feed:https://f.example/x", stretch)
    [gap] = read(day).gaps
    assert (gap.name, gap.count) == ("Forum", 2)
    assert gap.longest == 5 * HOUR, "from 24 hours ago on, until 19 hours ago"
    assert gap.length == 8 * HOUR
