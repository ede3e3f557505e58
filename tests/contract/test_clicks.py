"""People act in Slack: over a real socket, with the real application, whatever breaks in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.inbound.clicks import RETRIES
from monitor.model import State
from monitor.outgoing import MessageState
from monitor.slack.tags import Deed
from monitor.store.outbox import Outbox
from tests.fakes.office import Office, office_at_work, slack_at_work
from tests.fakes.slack_server import HTTP_500_AFTER_ACCEPTING, HTTP_500_BEFORE_ACCEPTING, TOKEN, refused
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


# -- one click ---------------------------------------------------------------------------------------------------


def test_a_click_is_acknowledged_carried_out_and_seen_in_the_message(office: Office) -> None:
    assert office.slack.acked(office.press(ANNA, Deed.ACKNOWLEDGE)) == {}
    taken = office.until_state(State.ACKNOWLEDGED)
    # By the name that teams.yaml has, not the one in Slack.
    assert taken.assignee == "anna" and "anna" in office.shown()
    assert office.whispers(ANNA) == []


def test_a_click_is_committed_before_it_is_acknowledged(office: Office) -> None:
    other = sqlite3.connect(office.app.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    envelope = office.press(ANNA, Deed.ACKNOWLEDGE)
    with pytest.raises(AssertionError):
        office.slack.acked(envelope, seconds=0.5)
    other.execute("ROLLBACK")
    other.close()
    office.slack.acked(envelope)
    assert office.inbox()


def test_an_envelope_that_comes_again_is_one(office: Office) -> None:
    """As after a kill between the commit and the acknowledgement."""
    envelope = office.press(ANNA, Deed.ACKNOWLEDGE)
    office.until_applied()
    office.killed()
    office.start()
    office.slack.redeliver(envelope)
    office.slack.acked(envelope)
    office.until_applied()
    assert len(office.inbox()) == 1 and office.events("acknowledged") == 1


def test_the_same_click_in_another_envelope_is_one(office: Office) -> None:
    office.slack.acked(office.press(ANNA, Deed.ACKNOWLEDGE))
    office.until_applied()
    with office.app.store.read() as connection:
        (envelope,) = connection.execute("SELECT envelope_id FROM inbox").fetchone()
    told = office.slack.envelope(envelope)
    office.slack.acked(office.slack.send("interactive", told, envelope="another"))
    assert len(office.inbox()) == 1


def test_what_was_kept_but_not_carried_out_is_at_the_start(office: Office) -> None:
    """Killed between the acknowledgement and the act."""
    with office.app.store.write() as connection:
        connection.execute("UPDATE escalations SET note = 'as it was'")
    office.slack.acked(office.press(ANNA, Deed.ACKNOWLEDGE))
    office.until_applied()
    office.stop()
    with office.app.store.write() as connection:
        connection.execute("UPDATE inbox SET applied_at = NULL")
        connection.execute("UPDATE escalations SET state = 'open', assignee = NULL, acknowledged_by = NULL")
    office.killed()
    office.start()
    assert office.until_state(State.ACKNOWLEDGED).assignee == "anna"


def test_what_was_carried_out_but_not_shown_is_shown_at_the_next_start(office: Office) -> None:
    office.press(ANNA, Deed.ACKNOWLEDGE)
    office.until_applied()
    office.killed()
    assert "anna" in office.shown()


def test_a_click_while_nothing_runs_is_carried_out_when_slack_tells_again(office: Office) -> None:
    office.stop()
    office.start()
    envelope = office.press(ANNA, Deed.ACKNOWLEDGE)
    office.slack.acked(envelope)
    office.until_state(State.ACKNOWLEDGED)


def test_a_click_proves_that_the_message_stands_there(tmp_path: Path, slack: SocketSlack) -> None:
    """Slack failed after it had taken the post: nobody knows whether it arrived, until somebody clicks on it."""
    office = Office(tmp_path, slack, thread=THREAD)
    slack.script("chat.postMessage", HTTP_500_AFTER_ACCEPTING)
    for _ in range(3):
        office.say("acme is bad")
    office.wait(seconds=30)
    office.app.delivery.step(office.now)
    assert office.escalation().told_at is None
    office.start()
    office.press(ANNA, Deed.ACKNOWLEDGE)
    office.until_state(State.ACKNOWLEDGED)
    with office.app.store.read() as connection:
        root = Outbox(connection).root_of(1)
    assert root and root.state is MessageState.SENT and root.sent_ts == office.message()["ts"]
    assert office.escalation().told_at is not None
    assert "anna" in office.shown() and slack.calls("chat.postMessage") == 1
    office.stop()
    office.app.close()


# -- what does not go well ---------------------------------------------------------------------------------------


def test_of_two_who_click_at_once_the_second_is_told_who_was_faster(office: Office) -> None:
    first, second = office.press(ANNA, Deed.ACKNOWLEDGE), office.press(BRUNO, Deed.ACKNOWLEDGE)
    office.slack.acked(first)
    office.slack.acked(second)
    office.until_applied(2)
    office.slack.until(lambda: office.whispers(BRUNO))
    assert office.escalation().assignee == "anna" and office.whispers(ANNA) == []
    # Bruno's Slack speaks Italian.
    assert office.whispers(BRUNO) == ["Se ne occupa già anna. Non è cambiato nulla."]


def test_a_click_after_the_end_changes_nothing_and_says_so(office: Office) -> None:
    with office.app.store.write() as connection:
        connection.execute("UPDATE escalations SET state = 'resolved', resolved_by = 'carla'")
    office.press(ANNA, Deed.ACKNOWLEDGE)
    office.slack.until(lambda: office.whispers(ANNA))
    assert office.whispers(ANNA) == ["carla has resolved it already. Nothing was changed."]
    office.press(ANNA, Deed.ASSIGN)
    office.slack.until(lambda: len(office.whispers(ANNA)) == 2)
    assert office.whispers(ANNA)[1] == office.whispers(ANNA)[0] and not office.slack.views, "before a form is filled in"
    assert office.escalation().state is State.RESOLVED


def test_an_acknowledgement_and_a_timer_at_once(tmp_path: Path, slack: SocketSlack) -> None:
    """Whichever is first: one history, and nobody is called after somebody has it."""
    later = "escalate: [{after: 0m, team: social}, {after: 10m, unless: acknowledged, team: legal}]"
    office = Office(tmp_path, slack, thread=THREAD.replace("escalate: [{after: 0m, team: social}]", later))
    office.escalated()
    office.start()
    office.now += timedelta(minutes=10)
    envelope = office.press(ANNA, Deed.ACKNOWLEDGE)
    office.app.settle()
    office.slack.acked(envelope)
    office.until_state(State.ACKNOWLEDGED)
    office.deliver()
    office.app.settle()
    called = office.slack.posts("legal")
    assert len(called) <= 1 and office.escalation().tier == 1 + len(called)
    office.stop()
    office.app.close()


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"is_restricted": True}, "Guests"),
        ({"is_ultra_restricted": True}, "Guests"),
        ({"team_id": "T0OTHER"}, "members of the workspace"),
        ({"is_stranger": True}, "members of the workspace"),
        ({"is_bot": True}, "Only people"),
        ({"deleted": True}, "Only people"),
    ],
)
def test_who_is_no_member_is_refused_alone(office: Office, user: dict[str, object], words: str) -> None:
    office.slack.workspace.members["U000GUEST"] = member("U000GUEST", "Gina", **user)
    office.press("U000GUEST", Deed.ACKNOWLEDGE)
    office.slack.until(lambda: office.whispers("U000GUEST"))
    assert words in office.whispers("U000GUEST")[0]
    assert office.escalation().state is State.OPEN


def test_somebody_whom_slack_does_not_show_is_a_stranger(office: Office) -> None:
    office.press("U00NOBODY", Deed.ACKNOWLEDGE)
    office.slack.until(lambda: office.whispers("U00NOBODY"))
    assert office.escalation().state is State.OPEN


def test_where_a_team_has_a_user_group_only_its_people_may(tmp_path: Path, slack: SocketSlack) -> None:
    teams = 'social: {channel: "#social", user_group: S0000SOCIAL, members: {anna: U0000ANNA}}\n'
    slack.workspace.in_group["S0000SOCIAL"] = [BRUNO]
    office = Office(tmp_path, slack, teams, thread=THREAD)
    office.escalated()
    office.start()
    office.press(CARLA, Deed.ACKNOWLEDGE)
    slack.until(lambda: office.whispers(CARLA))
    assert office.whispers(CARLA) == ["Only members of the team social can do this. Nothing was changed."]
    office.press(BRUNO, Deed.ACKNOWLEDGE)
    assert office.until_state(State.ACKNOWLEDGED).assignee == "Bruno"
    # Who is in the group is remembered, also while Slack cannot be asked.
    asked = slack.calls("usergroups.users.list")
    office.press(CARLA, Deed.NOT_NEGATIVE)
    slack.until(lambda: len(office.whispers(CARLA)) == 2)
    assert slack.calls("usergroups.users.list") == asked
    office.now += timedelta(hours=2)
    slack.script("usergroups.users.list", *[HTTP_500_BEFORE_ACCEPTING] * 5)
    slack.script("users.info", *[HTTP_500_BEFORE_ACCEPTING] * 5)
    office.press(CARLA, Deed.ACKNOWLEDGE)
    slack.until(lambda: len(office.whispers(CARLA)) == 3)
    assert "team social" in office.whispers(CARLA)[-1]
    office.stop()
    office.app.close()


def test_while_slack_does_not_say_who_it_is_the_click_waits(office: Office) -> None:
    office.slack.script("users.info", HTTP_500_BEFORE_ACCEPTING)
    office.slack.acked(office.press(ANNA, Deed.ACKNOWLEDGE))
    office.slack.until(lambda: office.slack.calls("users.info"))
    # Others go on meanwhile.
    office.press(BRUNO, Deed.NOT_NEGATIVE)
    office.slack.until(lambda: (True, "") not in office.inbox() and any(done for done, _ in office.inbox()))
    office.later(seconds=RETRIES[0])
    office.until_applied(2)


def test_what_cannot_be_judged_in_ten_minutes_is_told(office: Office) -> None:
    office.slack.script("users.info", *[HTTP_500_BEFORE_ACCEPTING] * 50)
    office.slack.acked(office.press(ANNA, Deed.ACKNOWLEDGE))
    begun = office.now
    for tried in range(1, len(RETRIES) + 1):
        office.slack.until(lambda tried=tried: attempts(office) == tried)
        office.later(seconds=60)
    office.slack.until(lambda: office.whispers(ANNA))
    assert "does not tell who may do this" in office.whispers(ANNA)[0]
    assert office.now - begun > timedelta(minutes=10) and office.escalation().state is State.OPEN


def attempts(office: Office) -> int:
    with office.app.store.read() as connection:
        return int(connection.execute("SELECT attempts FROM inbox").fetchone()[0])


def test_a_permission_that_the_app_lacks_is_told_at_once(office: Office) -> None:
    office.slack.script("users.info", refused("missing_scope"))
    office.press(ANNA, Deed.ACKNOWLEDGE)
    office.slack.until(lambda: office.whispers(ANNA))
    assert "missing_scope" in office.whispers(ANNA)[0]


def test_one_row_that_cannot_be_read_stops_no_other(office: Office) -> None:
    with office.app.store.write() as connection:
        connection.execute(
            "INSERT INTO inbox (envelope_id, request, received_at, not_before) VALUES ('bad', '{\"user\": 3}', '', '')"
        )
    office.press(ANNA, Deed.ACKNOWLEDGE)
    office.until_state(State.ACKNOWLEDGED)
    office.until_applied(2)


@pytest.mark.parametrize("value", ["", "ack:1", "ack:1:1:x:y", "fly:1:1:abc", "ack:99999999999999:1:abc", "<!channel>"])
def test_a_button_that_is_none_of_ours_is_acknowledged_and_forgotten(office: Office, value: str) -> None:
    assert office.slack.acked(office.slack.press(ANNA, value)) == {}
    assert office.inbox() == []


def test_a_button_of_another_installation_is_told_so(office: Office) -> None:
    office.press(ANNA, Deed.ACKNOWLEDGE, install="0123456789abcdef")
    office.slack.until(lambda: office.whispers(ANNA))
    assert "another installation" in office.whispers(ANNA)[0]
    assert office.escalation().state is State.OPEN


def test_an_escalation_that_is_gone_is_told_so(office: Office) -> None:
    value = office.tag(Deed.ACKNOWLEDGE).replace(":1:", ":7:", 1)
    office.slack.press(ANNA, value, channel=office.slack.channels["social"], ts=office.message()["ts"])
    office.slack.until(lambda: office.whispers(ANNA))
    assert "no longer stored" in office.whispers(ANNA)[0]


def test_whoever_cannot_be_told_in_the_channel_is_told_by_the_app(office: Office) -> None:
    office.slack.script("chat.postEphemeral", refused("user_not_in_channel"))
    office.press("U00NOBODY", Deed.ACKNOWLEDGE)
    office.slack.until(lambda: office.whispers("U00NOBODY"))
    (_, _, arguments) = office.slack.whispers[0]
    assert arguments["channel"] == "U00NOBODY"


def test_nothing_that_lets_others_act_is_stored(office: Office) -> None:
    office.press(ANNA, Deed.ACKNOWLEDGE)
    office.slack.acked(office.slack.command(ANNA, "mute thread for 1h because of works"))
    office.until_applied(2)
    with office.app.store.read() as connection:
        dump = "\n".join(str(tuple(row)) for row in connection.execute("SELECT * FROM inbox"))
        dump += "\n".join(str(tuple(row)) for row in connection.execute("SELECT * FROM facts"))
    assert "respond" not in dump and "trigger" not in dump and TOKEN not in dump and APP_TOKEN not in dump
