"""Corrections, forms, commands and App Home in Slack, and what status tells of the connection over which they come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.app import buttons
from monitor.inbound.hearing import hearing
from monitor.inbound.talking import Talking
from monitor.model import Outcome, State
from monitor.slack.tags import Deed
from monitor.status import status
from monitor.store.lock import hold
from tests.fakes.office import QUICK, Office, office_at_work, slack_at_work
from tests.fakes.slack_server import NOT_READ, refused
from tests.fakes.slack_socket import SocketSlack, member
from tests.fakes.slack_workspace import APP_TOKEN
from tests.fakes.world import THREAD

ANNA, BRUNO, CARLA = "U0000ANNA", "U000BRUNO", "U000CARLA"


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SocketSlack]:
    anna, bruno = member(ANNA, "Anna in Slack"), member(BRUNO, "Bruno", locale="it-IT")
    with slack_at_work(monkeypatch, anna, bruno, member(CARLA, "Carla")) as slack:
        yield slack


@pytest.fixture
def office(tmp_path: Path, slack: SocketSlack) -> Iterator[Office]:
    with office_at_work(tmp_path, slack) as office:
        yield office


# -- corrections -------------------------------------------------------------------------------------------------


def test_not_negative_corrects_what_was_seen_and_tells_what_came_of_it(office: Office) -> None:
    office.press(ANNA, Deed.NOT_NEGATIVE, 1, 2, 3)
    resolved = office.until_state(State.RESOLVED)
    assert resolved.outcome is Outcome.NOT_NEGATIVE
    office.slack.until(lambda: office.whispers(ANNA))
    assert "3 mentions were corrected" in office.whispers(ANNA)[0]
    office.press(ANNA, Deed.NOT_NEGATIVE, 1, 2, 3)
    office.slack.until(lambda: len(office.whispers(ANNA)) == 2)
    assert "already" in office.whispers(ANNA)[1]


# -- forms -------------------------------------------------------------------------------------------------------


def option(value: str) -> dict[str, object]:
    return {"selected_option": {"value": value}}


def test_a_form_opens_at_once_and_what_is_sent_is_carried_out(office: Office) -> None:
    envelope = office.form(ANNA, Deed.RESOLVE, outcome=option("no action"), note={"value": "left alone"})
    assert office.slack.acked(envelope) == {}
    resolved = office.until_state(State.RESOLVED)
    assert (resolved.outcome, resolved.note, resolved.resolved_by) == (Outcome.NO_ACTION, "left alone", "anna")
    trigger, _ = office.slack.views[0]
    assert trigger.startswith("trigger-")


def test_what_is_wrong_in_a_form_is_said_in_the_form_and_nothing_is_kept(office: Office) -> None:
    answer = office.slack.acked(office.form(ANNA, Deed.RESOLVE, note={"value": "hm"}))
    assert answer["response_action"] == "errors" and "outcome" in answer["errors"]
    assert office.inbox() == []


def test_it_can_be_given_to_anybody_and_is_known_by_their_name(office: Office) -> None:
    office.form(ANNA, Deed.ASSIGN, anybody={"selected_user": CARLA})
    assert office.until_state(State.ACKNOWLEDGED).assignee == "Carla"
    office.form(BRUNO, Deed.ASSIGN, person=option(BRUNO))
    office.until(lambda one: one.assignee == "bruno")


def test_whoever_was_given_it_in_slack_is_called_by_the_reminder(tmp_path: Path, slack: SocketSlack) -> None:
    office = Office(tmp_path, slack, thread=f"{THREAD}acknowledged: {{remind_after: 30m}}\n")
    office.escalated()
    office.start()
    office.form(ANNA, Deed.ASSIGN, anybody={"selected_user": CARLA})
    office.until_state(State.ACKNOWLEDGED)
    office.wait(minutes=31)
    office.deliver()
    replies = [post for post in slack.posts("social") if post.get("thread_ts")]
    assert f"<@{CARLA}>" in json.dumps(replies[-1])
    office.stop()
    office.app.close()


def test_snooze_and_hand_over(office: Office) -> None:
    office.form(ANNA, Deed.SNOOZE, until=option("in:3600"))
    snoozed = office.until_state(State.SNOOZED)
    assert snoozed.snoozed_until == office.now + timedelta(hours=1)
    office.form(ANNA, Deed.HAND_OVER, team=option("legal"))
    assert office.until(lambda one: one.team).team == "legal"


def test_a_form_that_came_too_late_is_told(office: Office) -> None:
    office.slack.script("views.open", refused("expired_trigger_id"))
    office.press(ANNA, Deed.RESOLVE)
    office.slack.until(lambda: office.whispers(ANNA))
    assert "too late" in office.whispers(ANNA)[0]


def test_a_form_that_slack_did_not_take_is_asked_for_anew(office: Office) -> None:
    office.slack.script("views.open", NOT_READ)
    office.press(ANNA, Deed.RESOLVE)
    office.slack.until(lambda: office.whispers(ANNA))
    assert "Press the button again." in office.whispers(ANNA)[0]
    assert "by itself" not in office.whispers(ANNA)[0], "nobody but a person opens it"


def test_who_may_not_gets_no_form(office: Office) -> None:
    office.slack.workspace.members["U000GUEST"] = member("U000GUEST", "Gina", is_restricted=True)
    office.press("U000GUEST", Deed.RESOLVE)
    office.slack.until(lambda: office.whispers("U000GUEST"))
    assert office.slack.views == []


# -- commands, App Home ------------------------------------------------------------------------------------------


def test_a_command_is_answered_to_whoever_typed_it(office: Office) -> None:
    office.slack.acked(office.slack.command(ANNA, "open"))
    office.slack.until(lambda: office.slack.answers)
    (_, answer) = office.slack.answers[0]
    assert answer["response_type"] == "ephemeral" and answer["text"]


def test_a_command_that_changes_something_is_kept_first(office: Office) -> None:
    office.slack.acked(office.slack.command(ANNA, "mute thread for 1h because of works"))
    office.until_applied()
    office.slack.until(lambda: office.slack.answers)
    with office.app.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM mutes").fetchone()[0] == 1


def test_app_home_is_shown_when_it_is_opened(office: Office) -> None:
    office.slack.acked(office.slack.open_home(ANNA))
    office.slack.until(lambda: office.slack.homes)
    user, view = office.slack.homes[0]
    assert user == ANNA and view["type"] == "home"


def test_a_button_of_app_home_acts_and_app_home_shows_it(office: Office) -> None:
    office.slack.press(ANNA, f"ack:1:0:{office.install}")
    office.until_state(State.ACKNOWLEDGED)
    office.slack.until(lambda: office.slack.homes)


# -- how it stands, tokens ---------------------------------------------------------------------------------------


def noted(office: Office) -> dict[str, Any]:
    with office.app.store.read() as connection:
        return dict(hearing(connection))


def test_a_deaf_socket_is_built_anew_and_told_by_status(office: Office) -> None:
    with hold(office.app.store.path):
        office.slack.until(lambda: noted(office).get("state") == "connected")
        office.slack.silent = True
        office.slack.until(lambda: noted(office)["state"] == "connecting")
        office.now += timedelta(minutes=3)
        assert "people cannot act in Slack" in " ".join(status(office.app.store, office.now).problems)
        office.slack.silent = False
        office.slack.until(lambda: noted(office)["state"] == "connected")
        found = status(office.app.store, office.now)
    assert "silent" in found.socket["trouble"] and found.socket["reconnects"] == 1
    assert not [problem for problem in found.problems if "Slack" in problem]
    office.press(ANNA, Deed.ACKNOWLEDGE)
    office.until_state(State.ACKNOWLEDGED)


def test_without_an_app_token_nothing_is_heard_and_that_is_no_problem(
    tmp_path: Path, slack: SocketSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLACK_APP_TOKEN")
    office = Office(tmp_path, slack, thread=THREAD)
    office.talking = talking = Talking(office.app, lambda: None, pace=QUICK)
    talking.start()
    slack.until(lambda: noted(office))
    with hold(office.app.store.path):
        found = status(office.app.store, office.now)
    assert found.socket["state"] == "off" and found.problems == () and not buttons()
    # A reload takes over the token that is there by then.
    monkeypatch.setenv("SLACK_APP_TOKEN", APP_TOKEN)
    assert office.app.prepare(office.app.config).buttons
    talking.take_over()
    slack.until(lambda: slack.connections)
    slack.workspace.app_token = "xapp-another"
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-another")
    talking.take_over()
    slack.until(lambda: slack.opened == 2 and slack.connections == 1)
    office.stop()
    office.app.close()


def test_an_app_token_alone_is_a_problem(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    assert office.talking
    office.talking.take_over()
    office.slack.until(lambda: noted(office).get("state") == "off")
    with hold(office.app.store.path):
        assert "without SLACK_BOT_TOKEN" in " ".join(status(office.app.store, office.now).problems)
    office.slack.until(lambda: not office.slack.connections)
