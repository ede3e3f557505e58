"""Clicks that are forged, stand elsewhere, come at the worst moment, or are too many: nothing is lost or believed."""

from __future__ import annotations

import dataclasses
import http.server
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.drill import place
from monitor.drill.place import Setup
from monitor.inbound import talking
from monitor.inbound.clicks import RETRIES
from monitor.model import State
from monitor.outgoing import MessageState, OutboxMessage
from monitor.slack.tags import Deed, Tag
from monitor.store import Store, facts, inbox
from monitor.store.outbox import Outbox
from tests.fakes.office import Office
from tests.fakes.slack_server import HTTP_500_AFTER_ACCEPTING, TOKEN, refused
from tests.fakes.slack_socket import SocketSlack, member
from tests.fakes.slack_workspace import APP_TOKEN
from tests.fakes.world import THREAD

ANNA, BRUNO = "U0000ANNA", "U000BRUNO"
INSTALL = "drill-0123456789abcdef"


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SocketSlack]:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", APP_TOKEN)
    with SocketSlack() as slack:
        slack.workspace.members = {ANNA: member(ANNA, "Anna"), BRUNO: member(BRUNO, "Bruno")}
        yield slack


@pytest.fixture
def office(tmp_path: Path, slack: SocketSlack) -> Iterator[Office]:
    made = Office(tmp_path, slack, thread=THREAD)
    yield made
    made.stop()
    made.app.close()


# -- where a message stands --------------------------------------------------------------------------------------


def doubtful(office: Office) -> OutboxMessage:
    """The message of the escalation was taken by Slack, which then failed: nobody knows where it stands."""
    office.slack.script("chat.postMessage", HTTP_500_AFTER_ACCEPTING)
    for _ in range(3):
        office.say("acme is bad")
    office.wait(seconds=30)
    office.app.delivery.step(office.now)
    office.start()
    return root(office)


def root(office: Office) -> OutboxMessage:
    with office.app.store.read() as connection:
        found = Outbox(connection).root_of(1)
    assert found is not None
    return found


@pytest.mark.parametrize("container", [{"type": "message_attachment"}, {"type": "view"}, {"is_ephemeral": True}, {}])
def test_only_a_click_on_the_message_itself_tells_where_it_stands(office: Office, container: dict[str, Any]) -> None:
    message = doubtful(office)
    assert message.state is MessageState.UNKNOWN
    where = {"message_ts": office.message()["ts"], "channel_id": office.slack.channels["social"], **container}
    value = office.tag(Deed.ACKNOWLEDGE)
    office.slack.press(ANNA, value, channel=where["channel_id"], ts=where["message_ts"], container=where)
    office.until_state(State.ACKNOWLEDGED)
    assert root(office).state is MessageState.UNKNOWN


def test_a_click_does_not_place_the_message_of_another_escalation(office: Office) -> None:
    message = doubtful(office)
    for escalation in (7, 0):
        forged = str(Tag(Deed.ACKNOWLEDGE, escalation, message.id, office.install))
        office.slack.press(ANNA, forged, channel=office.slack.channels["social"], ts=office.message()["ts"])
    office.until_applied(2)
    assert root(office).state is MessageState.UNKNOWN


def test_a_click_on_what_stood_there_before_places_nothing(office: Office) -> None:
    """As after a database was restored by hand, whose ids name other messages by now."""
    doubtful(office)
    before = f"{office.now.timestamp() - 86_400:.6f}"
    office.slack.press(ANNA, office.tag(Deed.ACKNOWLEDGE), channel=office.slack.channels["social"], ts=before)
    office.until_state(State.ACKNOWLEDGED)
    assert root(office).state is MessageState.UNKNOWN


def test_what_was_never_sent_stands_nowhere(office: Office) -> None:
    for _ in range(3):
        office.say("acme is bad")
    office.wait(seconds=30)
    office.start()
    office.slack.press(
        ANNA, office.tag(Deed.ACKNOWLEDGE), channel="C0000FOREIGN", ts=f"{office.now.timestamp() + 5:.6f}"
    )
    office.until_state(State.ACKNOWLEDGED)
    assert root(office).state is MessageState.READY
    assert "anna" in office.shown()


# -- rows that do not go well ------------------------------------------------------------------------------------


def drill_in_doubt(office: Office) -> Path:
    path = place.database(office.app.config.store)
    store = place.renewed(path)
    with store.write() as connection:
        fact = {"title": "t", "brand": "Acme", "targets": {}, "posts": 0, "channel": "#social", "speed": 1.0}
        facts.remember(connection, "drill", {**fact, "install": Setup("#social", install=INSTALL).install}, office.now)
        connection.execute(
            "INSERT INTO outbox (op_key, kind, state, channel, severity, severity_rank, payload, created_at,"
            " not_before, floor_at) VALUES ('1', 'root', 'unknown', '#social', 'high', 2, '{}', '', '', '')"
        )
    store.close()
    return path


def test_a_drill_whose_database_is_locked_holds_up_no_other_click(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.escalated()
    office.start()
    path = drill_in_doubt(office)
    monkeypatch.setattr("monitor.store.BUSY_MS", 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    office.slack.acked(office.slack.press(BRUNO, f"ack:1:1:{INSTALL}", channel="C00000003", ts="1.1"))
    office.press(ANNA, Deed.ACKNOWLEDGE)
    office.until_state(State.ACKNOWLEDGED)
    assert [done for done, _ in office.inbox()] == [False, True]
    # When it can be written again, it is carried out.
    other.execute("ROLLBACK")
    other.close()
    office.later(seconds=RETRIES[0])
    office.until_applied(2)


def test_a_click_that_is_carried_out_in_the_last_drill_is_not_in_the_next(office: Office) -> None:
    """The log of the one does not become that of the other."""
    path = drill_in_doubt(office)
    click = place.reopened(office.app.config.store)
    with click.write() as connection:
        facts.remember(connection, "clicked", True, office.now)
    new = place.renewed(path)
    with new.read() as connection:
        assert facts.recall(connection, "clicked") is None
    click.close()
    (last,) = path.parent.glob(f"{path.stem}-*{path.suffix}")
    before = Store(last)
    with before.read() as connection:
        assert facts.recall(connection, "clicked") is not None
    for store in (new, before):
        store.close()


def test_what_cannot_even_be_noted_stops_no_other(office: Office) -> None:
    """A lone half of a character, which no database takes."""
    office.escalated()
    office.start()
    office.slack.acked(office.slack.command(BRUNO, "mute \ud800 for 1h because \ud800"))
    office.form(BRUNO, Deed.HAND_OVER, team={"selected_option": {"value": "\ud800"}})
    office.press(ANNA, Deed.ACKNOWLEDGE)
    office.until_state(State.ACKNOWLEDGED)
    office.until_applied(3)


def test_a_clock_that_was_set_back_while_nothing_ran_holds_nothing_up(office: Office) -> None:
    office.escalated()
    office.start()
    office.now += timedelta(days=2)
    with office.app.store.write() as connection:
        kept = {"user": ANNA, "asked": {"tag": office.tag(Deed.ACKNOWLEDGE)}, "channel": "", "ts": ""}
        inbox.keep(connection, "e", "k", kept, office.now + timedelta(hours=3))
        inbox.keep(connection, "e2", "k2", {**kept, "user": BRUNO}, office.now + timedelta(hours=3))
        inbox.put_off(connection, 2, office.now + timedelta(hours=3))
    office.later(seconds=1)
    office.until_applied(2)


def test_two_hundred_clicks_at_once(office: Office) -> None:
    office.escalated()
    office.start()
    sent = [office.press((ANNA, BRUNO)[index % 2], Deed.ACKNOWLEDGE) for index in range(200)]
    for envelope in sent:
        office.slack.acked(envelope)
    office.until_applied(200)
    assert office.events("acknowledged") == 1 and office.escalation().assignee == "anna"


# -- forms that come late, twice or wrong ------------------------------------------------------------------------


def test_a_click_that_is_told_twice_opens_one_form_and_says_nothing(office: Office) -> None:
    office.escalated()
    office.start()
    envelope = office.press(ANNA, Deed.SNOOZE)
    office.slack.until(lambda: office.slack.views)
    office.slack.script("views.open", refused("exchanged_trigger_id"))
    office.slack.redeliver(envelope)
    office.slack.until(lambda: office.slack.calls("views.open") == 2)
    office.press(ANNA, Deed.NOT_NEGATIVE)
    office.slack.until(lambda: office.whispers(ANNA))
    assert "form" not in " ".join(office.whispers(ANNA))


FORGED: list[tuple[Deed, dict[str, Any]]] = [
    (Deed.SNOOZE, {"until": {"selected_option": {"value": "in:0"}}}),
    (Deed.SNOOZE, {"until": {"selected_option": {"value": "in:99999999999"}}}),
    (Deed.SNOOZE, {"until": {"selected_option": {"value": "at:1"}}}),
    (Deed.SNOOZE, {"until": {"selected_option": {"value": "at:99999999999"}}}),
    (Deed.SNOOZE, {"until": {"selected_option": {"value": "picked"}}, "picked": {"selected_date_time": 10**30}}),
    (Deed.SNOOZE, {"until": {"selected_option": []}}),
    (Deed.RESOLVE, {"outcome": {"selected_option": {"value": "dropped"}}}),
    (Deed.RESOLVE, {"outcome": {"selected_option": {"value": "answered"}}, "note": {"value": "x" * 100_000}}),
    (Deed.HAND_OVER, {"team": {"selected_option": {"value": "x" * 100_000}}}),
    (Deed.ASSIGN, {"anybody": {"selected_user": "<!channel>"}}),
]


@pytest.mark.parametrize(("deed", "values"), FORGED)
def test_what_no_form_of_ours_offers_is_refused_in_the_form(office: Office, deed: Deed, values: Any) -> None:
    office.escalated()
    office.start()
    answer = office.slack.acked(office.form(ANNA, deed, **values))
    assert answer["response_action"] == "errors" and office.inbox() == []


def test_a_team_that_goes_while_its_form_is_open_is_told(office: Office) -> None:
    office.escalated()
    office.start()
    assert office.talking
    rules = office.app.rules
    office.app.rules = dataclasses.replace(rules, teams={"social": rules.teams["social"]})
    office.form(ANNA, Deed.HAND_OVER, team={"selected_option": {"value": "legal"}})
    office.slack.until(lambda: office.whispers(ANNA))
    assert office.whispers(ANNA) == ["There is no team legal any more. Nothing was changed."]
    assert office.escalation().team is None


def test_a_snooze_that_is_carried_out_late_is_over_already(office: Office) -> None:
    """Kept just before the power failed."""
    office.escalated()
    until = (office.now + timedelta(minutes=30)).isoformat()
    with office.app.store.write() as connection:
        kept = {"user": ANNA, "asked": {"tag": office.tag(Deed.SNOOZE), "until": until}}
        inbox.keep(connection, "e", "k", kept, office.now)
    office.now += timedelta(hours=5)
    office.start()
    office.until_applied()
    office.app.settle()
    assert office.escalation().state is State.OPEN


# -- tokens that go ----------------------------------------------------------------------------------------------


def test_what_comes_while_the_tokens_are_taken_away_is_not_acknowledged(office: Office) -> None:
    office.escalated()
    office.start()
    assert office.talking
    office.talking._parts = None
    envelope = office.press(ANNA, Deed.ACKNOWLEDGE)
    with pytest.raises(AssertionError):
        office.slack.acked(envelope, seconds=0.5)
    office.talking.take_over()
    office.slack.until(lambda: office.slack.opened == 2 and office.slack.connections == 1)
    office.slack.redeliver(envelope)
    office.slack.acked(envelope)
    office.until_state(State.ACKNOWLEDGED)


def test_rows_wait_for_tokens_that_were_taken_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.escalated()
    office.start()
    assert office.talking
    monkeypatch.delenv("SLACK_APP_TOKEN")
    office.talking.take_over()
    office.slack.until(lambda: not office.slack.connections)
    with office.app.store.write() as connection:
        kept = {"user": ANNA, "asked": {"tag": office.tag(Deed.ACKNOWLEDGE)}, "channel": "", "ts": ""}
        inbox.keep(connection, "e", "k", kept, office.now)
    monkeypatch.setenv("SLACK_APP_TOKEN", APP_TOKEN)
    office.talking.take_over()
    office.until_state(State.ACKNOWLEDGED)


# -- secrets and addresses ---------------------------------------------------------------------------------------


def test_an_answer_goes_to_slack_alone(office: Office) -> None:
    """Wherever an envelope says that a command is to be answered."""
    asked: list[str] = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

    with http.server.HTTPServer(("127.0.0.2", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        office.start()
        payload = {
            "command": "/brand", "text": "help", "user_id": ANNA, "user_name": "a", "team_id": "T0ACME",
            "channel_id": "C00000003", "response_url": f"http://127.0.0.2:{server.server_port}/metadata",
        }  # fmt: skip
        office.slack.acked(office.slack.send("slash_commands", payload))
        office.slack.until(lambda: office.whispers(ANNA))
        server.shutdown()
    assert asked == []


def test_addresses_are_not_kept_for_ever(office: Office) -> None:
    office.escalated()
    office.start()
    envelope = office.slack.command(ANNA, "mute thread for 1h because of works")
    office.slack.acked(envelope)
    office.until_applied()
    office.slack.until(lambda: office.slack.answers)
    for _ in range(3):
        office.slack.redeliver(envelope)
        office.slack.acked(envelope)
    assert office.talking and office.talking._addresses == {}


def test_what_a_reload_replaces_does_not_show_the_token() -> None:
    shown = {one.name for one in dataclasses.fields(talking.Parts) if one.repr}
    assert "app_token" not in shown
