"""People in Slack who call themselves what others are called, or who are none: whose name it is, who is reminded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.carry_out import _whoever_has_it
from monitor.model import State
from monitor.slack.tags import Deed
from tests.fakes.office import Office
from tests.fakes.slack_server import TOKEN
from tests.fakes.slack_socket import SocketSlack, member
from tests.fakes.slack_workspace import APP_TOKEN
from tests.fakes.world import THREAD

ANNA, BRUNO, EVE, LUCA, OTHER_LUCA = "U0000ANNA", "U000BRUNO", "U0000EVIL", "U0000LUCA", "U0001LUCA"


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SocketSlack]:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", APP_TOKEN)
    with SocketSlack() as slack:
        slack.workspace.members = {
            ANNA: member(ANNA, "Anna in Slack"),
            EVE: member(EVE, "Eve"),
            LUCA: member(LUCA, "Luca Rossi"),
            OTHER_LUCA: member(OTHER_LUCA, "Luca Rossi"),
        }
        yield slack


@pytest.fixture
def office(tmp_path: Path, slack: SocketSlack) -> Iterator[Office]:
    made = Office(tmp_path, slack, thread=THREAD)
    made.escalated()
    made.start()
    yield made
    made.stop()
    made.app.close()


def reminded(office: Office) -> tuple[str, ...]:
    """Whom the next reminder calls."""
    with office.app.store.read() as connection:
        return _whoever_has_it(connection, office.escalation())


def has(office: Office, user: str) -> str:
    """`user` takes it; as whom the message shows them."""
    applied = len(office.inbox())
    office.press(user, Deed.ACKNOWLEDGE)
    office.until_applied(applied + 1)
    return office.escalation().assignee or ""


@pytest.mark.parametrize("name", ["anna", "ANNA", "ａｎｎａ", "an\u200bna", " anna ", "@anna", ANNA, f"@{ANNA}"])
def test_whoever_calls_themselves_as_somebody_of_a_team_is_not_taken_for_them(
    office: Office, slack: SocketSlack, name: str
) -> None:
    slack.workspace.members[EVE] = member(EVE, name)
    shown = has(office, EVE)
    assert EVE in shown and shown.casefold() != "anna"
    assert reminded(office) == (EVE,)


def test_an_alert_given_to_a_namesake_is_not_given_to_the_other(office: Office, slack: SocketSlack) -> None:
    slack.workspace.members[EVE] = member(EVE, "Bruno")
    office.form(ANNA, Deed.ASSIGN, anybody={"selected_user": EVE})
    office.until_state(State.ACKNOWLEDGED)
    assert reminded(office) == (EVE,)


def test_two_of_the_same_name_are_told_apart(office: Office) -> None:
    assert has(office, LUCA) == "Luca Rossi"
    office.press(OTHER_LUCA, Deed.ACKNOWLEDGE)
    office.slack.until(lambda: office.whispers(OTHER_LUCA))
    assert office.whispers(OTHER_LUCA) == ["Luca Rossi has it already. Nothing was changed."]
    assert reminded(office) == (LUCA,)


def test_a_name_that_somebody_had_stays_theirs(office: Office, slack: SocketSlack) -> None:
    """Luca takes it, is renamed, and somebody else takes his name."""
    has(office, LUCA)
    slack.workspace.members[LUCA] = member(LUCA, "Luca Bianchi")
    slack.workspace.members[EVE] = member(EVE, "Luca Rossi")
    office.now = office.now.replace(hour=(office.now.hour + 2) % 24)
    for user in (LUCA, EVE):
        office.press(user, Deed.NOT_NEGATIVE)
    office.until_applied(3)
    assert reminded(office) == (LUCA,)


def test_a_name_that_calls_everybody_calls_nobody(office: Office, slack: SocketSlack) -> None:
    slack.workspace.members[EVE] = member(EVE, "<!channel> <@U0000ANNA>")
    assert has(office, EVE) == "<!channel> <@U0000ANNA>"
    shown = office.shown()
    assert "&lt;!channel&gt;" in shown
    for text in (text for text in texts(office.message()) if "<!channel>" in text["text"]):
        assert text["type"] in ("text", "plain_text")


def texts(part: Any) -> Iterator[dict[str, Any]]:
    """All that have a text and say how it is to be read."""
    if isinstance(part, str) and part[:1] in "[{":
        import json

        part = json.loads(part)
    if isinstance(part, dict):
        if isinstance(part.get("text"), str) and "type" in part:
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from texts(one)


@pytest.mark.parametrize(
    "user",
    [{"is_bot": True}, {"is_restricted": True}, {"deleted": True}, {"team_id": "T0OTHER"}],
)
def test_nobody_gets_it_who_may_not_act_on_it(office: Office, slack: SocketSlack, user: dict[str, Any]) -> None:
    slack.workspace.members[EVE] = member(EVE, "Eve", **user)
    office.form(ANNA, Deed.ASSIGN, anybody={"selected_user": EVE})
    slack.until(lambda: office.whispers(ANNA))
    assert "Eve" in office.whispers(ANNA)[0] and "Nothing was changed" in office.whispers(ANNA)[0]
    assert office.escalation().state is State.OPEN


def test_the_owner_of_a_rule_is_not_whoever_is_called_so(office: Office, slack: SocketSlack) -> None:
    """An owner stands in the file as text; only a member of a team, or a Slack id, is known to be that person."""
    owner = next(rule.owner for rule in office.app.rules.rules if rule.id == "thread")
    slack.workspace.members[EVE] = member(EVE, owner)
    slack.acked(slack.command(EVE, "mute thread for 1h because I can"))
    slack.until(lambda: slack.answers)
    assert "may mute it" in slack.answers[-1][1]["text"]
