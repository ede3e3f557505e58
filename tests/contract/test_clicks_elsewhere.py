"""Clicks on the messages of a drill, and on a summary that stands for many escalations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.drill import place
from monitor.drill.place import Setup
from monitor.escalation.storm import Crowd
from monitor.model import Author, Escalation, Finding, Outcome, Post, Scope, Severity, State
from monitor.outgoing import MessageKind
from monitor.slack.tags import Deed, Tag
from monitor.store import Store, escalations, facts, mentions, storms
from monitor.store.outbox import Outbox
from tests.fakes.office import Office
from tests.fakes.slack_server import TOKEN
from tests.fakes.slack_socket import SocketSlack, member
from tests.fakes.slack_workspace import APP_TOKEN
from tests.fakes.world import THREAD

ANNA = "U0000ANNA"
INSTALL = "drill-0123456789abcdef"


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", APP_TOKEN)
    with SocketSlack() as slack:
        slack.workspace.members = {ANNA: member(ANNA, "Anna")}
        made = Office(tmp_path, slack, thread=THREAD)
        yield made
        made.stop()
        made.app.close()


# -- a drill -----------------------------------------------------------------------------------------------------


def drill(office: Office) -> Store:
    """One that plays ten times as fast as life, with one open escalation."""
    store = place.renewed(place.database(office.app.config.store))
    setup = Setup("#social", speed=10, install=INSTALL)
    with store.write() as connection:
        fact = {"title": "t", "brand": "Acme", "targets": {}, "posts": 0, "channel": setup.channel}
        facts.remember(connection, "drill", {**fact, "speed": setup.speed, "install": setup.install}, office.now)
        post = Post("forum", "p1", "acme is bad", office.now, author=Author(id="1"))
        saved = mentions.save(connection, post, [Finding("Acme", ("acme",), "acme is bad")], office.now)
        about = saved.added[0].discussion_id
        made = escalations.create(connection, "Acme", Scope.DISCUSSION, about, "thread", Severity.HIGH, office.now)
        connection.execute("UPDATE escalations SET state = 'open', opened_at = created_at WHERE id = ?", [made.id])
        Outbox(connection).enqueue(
            kind=MessageKind.ROOT, channel="#social", severity=Severity.HIGH, now=office.now, escalation_id=made.id
        )
    return store


def of_drill(store: Store) -> Escalation:
    with store.read() as connection:
        found = escalations.by_id(connection, 1)
    assert found is not None
    return found


def test_a_click_in_a_drill_counts_there_by_its_own_clock(office: Office) -> None:
    office.start()
    store = drill(office)
    began = office.now
    office.now += timedelta(minutes=1)
    office.slack.press(ANNA, f"ack:1:1:{INSTALL}")
    office.slack.until(lambda: of_drill(store).state is State.ACKNOWLEDGED)
    assert of_drill(store).acknowledged_at == began + timedelta(minutes=10)
    office.until_applied()
    with office.app.store.read() as connection:
        assert escalations.by_id(connection, 1) is None
    # What a form asks for is meant by that clock as well.
    office.form_of(ANNA, f"snooze:1:1:{INSTALL}", until={"selected_option": {"value": "in:1800"}})
    office.slack.until(lambda: of_drill(store).state is State.SNOOZED)
    assert of_drill(store).snoozed_until == began + timedelta(minutes=40)
    store.close()


def test_after_its_end_a_click_in_a_drill_changes_nothing(office: Office) -> None:
    office.start()
    store = drill(office)
    place.end(store, office.now, early=True, nearest="")
    office.slack.press(ANNA, f"ack:1:1:{INSTALL}")
    office.slack.until(lambda: office.whispers(ANNA))
    assert "drill is over" in office.whispers(ANNA)[0] and of_drill(store).state is State.OPEN
    store.close()


def test_the_message_of_an_earlier_drill_is_of_another_installation(office: Office) -> None:
    office.start()
    drill(office).close()
    office.slack.press(ANNA, "ack:1:1:drill-fedcba9876543210")
    office.slack.until(lambda: office.whispers(ANNA))
    assert "another installation" in office.whispers(ANNA)[0]


# -- a summary ---------------------------------------------------------------------------------------------------


def storm(office: Office) -> int:
    """Three escalations whose messages one summary stands for; its id in the outbox."""
    for thread in ("t1", "t2", "t3"):
        for _ in range(3):
            office.say("acme is bad", conversation_id=thread)
    office.wait(seconds=30)
    with office.app.store.write() as connection:
        _, summary = storms.fold(connection, "#social", Crowd.ROOTS, office.now)
    return summary


def states(office: Office) -> set[State]:
    return set(office.states())


def test_all_that_a_summary_stands_for_are_taken_at_once(office: Office) -> None:
    summary = storm(office)
    office.start()
    value = str(Tag(Deed.ACKNOWLEDGE_ALL, 0, summary, office.install))
    office.slack.press(ANNA, value)
    office.slack.until(lambda: office.whispers(ANNA))
    assert states(office) == {State.ACKNOWLEDGED} and office.whispers(ANNA) == ["You have 3 escalations now."]
    office.slack.press(ANNA, value)
    office.slack.until(lambda: len(office.whispers(ANNA)) == 2)
    assert office.whispers(ANNA)[1] == "There was nothing left to do."


def test_all_that_a_summary_stands_for_are_resolved_by_one_form(office: Office) -> None:
    summary = storm(office)
    office.start()
    value = str(Tag(Deed.RESOLVE_ALL, 0, summary, office.install))
    office.form_of(ANNA, value, outcome={"selected_option": {"value": "no action"}})
    office.slack.until(lambda: office.whispers(ANNA))
    assert states(office) == {State.RESOLVED} and "3 escalations were resolved" in office.whispers(ANNA)[0]
    assert office.escalation().outcome is Outcome.NO_ACTION


def test_one_of_a_summary_can_have_a_message_of_its_own(office: Office) -> None:
    summary = storm(office)
    office.start()
    value = str(Tag(Deed.SHOW, 2, summary, office.install))
    office.slack.acked(office.slack.press(ANNA, value))
    office.until_applied()
    with office.app.store.read() as connection:
        assert Outbox(connection).members(summary) == (1, 3)
    office.slack.press(ANNA, value)
    office.slack.until(lambda: office.whispers(ANNA))
    assert office.whispers(ANNA) == ["It has a message of its own already."]
