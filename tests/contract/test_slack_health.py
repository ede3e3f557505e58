"""`check --online` in Slack: every mistake of a set-up is named, with what to click to mend it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.check import findings
from monitor.slack import handshake
from monitor.slack.handshake import Handshake
from monitor.slack.health import SCOPES, Health, Member, Seen, Wanted
from tests.fakes.hello_server import HelloServer
from tests.fakes.proofs import prove_all
from tests.fakes.slack_server import (
    GARBLED_BODY,
    RATE_LIMITED,
    TOKEN,
    Fault,
    SlackServer,
    refused,
)
from tests.fakes.slack_workspace import APP_TOKEN

ALERTS, FALLBACK = "#brand-alerts", "#fallback"
ANNA, GROUP = "U0123456789", "S0123456789"
HELLO = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0BRANDMON"}}
CONFIG = """\
brands: [{{name: Acme, terms: [acme]}}]
slack: {{channel: "#brand-alerts", fallback_channel: "#fallback", api_url: "{url}"}}
rules: rules/
store: b.db
"""
TEAMS = """\
social:
  channel: "#brand-alerts"
  members: {anna: U0123456789, bruno: U0234567890}
  zone: Europe/Rome
  rota: {order: [anna], since: "2026-03-23"}
legal: {channel: "#legal", user_group: S0123456789}
"""


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as running:
        yield running


def look(slack: SlackServer, wanted: Wanted | None = None, token: str = TOKEN) -> list[Seen]:
    return list(Health(token, api_url=slack.url).look(wanted or Wanted()))


def problems(slack: SlackServer, wanted: Wanted | None = None, token: str = TOKEN) -> list[str]:
    return [seen.text for seen in look(slack, wanted, token) if seen.problem]


def greet(slack: SlackServer, token: str = APP_TOKEN, app_id: str = "A0BRANDMON") -> Seen:
    (seen,) = Handshake(token, api_url=slack.url).look(app_id)
    assert token not in seen.text and "ticket" not in seen.text
    return seen


# -- the bot token -----------------------------------------------------------------------------------------------


def test_all_is_well(slack: SlackServer) -> None:
    slack.workspace.member(ANNA)
    slack.workspace.group(GROUP, "legal")
    wanted = Wanted([ALERTS, "C00000002"], {GROUP: "legal"}, [Member(ANNA, "anna", "social")])
    assert [seen.text for seen in look(slack, wanted)] == [
        "Slack: brand-monitor in Acme",
        "Slack: the app is in 2 channels: #brand-alerts, C00000002",
        "Slack: 1 user group of the teams found",
        "Slack: 1 member of the teams found",
    ]
    assert not any(seen.problem or seen.note for seen in look(slack, wanted))


@pytest.mark.parametrize("scope", SCOPES)
def test_every_permission_that_is_missing_is_named(slack: SlackServer, scope: str) -> None:
    slack.scopes = ",".join(other for other in SCOPES if other != scope)
    (missing,) = problems(slack)
    assert f"add {scope} to its Bot Token Scopes and press Reinstall to Workspace" in missing


def test_what_may_not_be_asked_is_not_told_twice(slack: SlackServer) -> None:
    slack.scopes = "chat:write"
    wanted = Wanted(["#nowhere"], {GROUP: "legal"}, [Member(ANNA, "anna", "social")])
    (missing,) = problems(slack, wanted)
    assert "users:read" in missing and "usergroups:read" in missing and "channels:read" in missing


@pytest.mark.parametrize(
    "fault, words",
    [
        (refused("invalid_auth"), "does not accept the bot token"),
        (refused("token_revoked"), "was revoked"),
        (refused("account_inactive"), "was removed from the workspace"),
        (Fault(404, body="garbled"), "HTTP 404"),
        (GARBLED_BODY, "cannot be read"),
    ],
)
def test_a_token_that_does_not_work_is_all_that_is_told(slack: SlackServer, fault: Fault, words: str) -> None:
    slack.script("auth.test", fault)
    (problem,) = problems(slack, Wanted([ALERTS]))
    assert words in problem and TOKEN not in problem


def test_a_persons_token_is_not_the_apps(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(slack.me, "bot_id", None)
    (problem,) = problems(slack, Wanted([ALERTS]))
    assert "token of a person (brand-monitor)" in problem and "Bot User OAuth Token" in problem


# -- channels ----------------------------------------------------------------------------------------------------


def test_a_channel_that_does_not_exist_or_hides(slack: SlackServer) -> None:
    slack.workspace.private.add("fallback")
    slack.not_joined.add("fallback")
    typo, private = problems(slack, Wanted(["#brand-alert", FALLBACK]))
    assert 'no channel #brand-alert (did you mean "#brand-alerts"?)' in typo
    assert "no channel #fallback. Check" in private and "where it is private" in private and "/invite" in private


def test_a_channel_that_the_app_is_not_in(slack: SlackServer) -> None:
    slack.not_joined |= {"brand-alerts", "fallback"}
    by_name, by_id = problems(slack, Wanted([ALERTS, "C00000002"]))
    assert "not in #brand-alerts" in by_name and "/invite" in by_name
    assert "not in C00000002" in by_id


def test_an_archived_channel(slack: SlackServer) -> None:
    slack.archived |= {"brand-alerts", "fallback"}
    slack.not_joined.add("fallback")
    joined, left = problems(slack, Wanted([ALERTS, FALLBACK]))
    assert "#brand-alerts is archived" in joined and "#fallback is archived" in left and "Unarchive" in left


def test_an_id_that_is_no_channel(slack: SlackServer) -> None:
    (problem,) = problems(slack, Wanted(["C09999999"]))
    assert "no channel C09999999" in problem


# -- people ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "group, problem, words",
    [
        (None, True, "Team legal names the user group S0123456789, which Slack does not know"),
        ({"date_delete": 1_700_000_000}, True, "user group @legal (S0123456789) of team legal is disabled"),
        ({"user_count": "0"}, False, "Nobody is in the user group @legal"),
        ({"user_count": 0}, False, "Nobody is in the user group @legal"),
    ],
)
def test_a_user_group_that_calls_nobody(slack: SlackServer, group: object, problem: bool, words: str) -> None:
    if isinstance(group, dict):
        slack.workspace.group(GROUP, "legal", **group)
    _, seen = look(slack, Wanted(groups={GROUP: "legal"}))
    assert (seen.problem, seen.note) == (problem, not problem)
    assert words in seen.text and "in Slack, open Directories and User groups" in seen.text.replace("In", "in")


def test_a_workspace_without_user_groups(slack: SlackServer) -> None:
    slack.script("usergroups.list", refused("paid_teams_only"))
    (problem,) = problems(slack, Wanted(groups={GROUP: "legal"}))
    assert "write `members` in place of `user_group`" in problem


@pytest.mark.parametrize(
    "user, problem, words",
    [
        (None, True, "anna of team social is U0123456789 in rules/teams.yaml, and Slack knows no such member"),
        ({"deleted": True}, True, "is deactivated in Slack and hears no call: take the name out of `members` and the"),
        ({"is_bot": True}, True, "is an app, not a person"),
        ({"is_restricted": True}, False, "is a guest"),
        ({"is_ultra_restricted": True}, False, "is a guest"),
        ({"is_stranger": True}, False, "belongs to another workspace"),
    ],
)
def test_a_member_who_cannot_answer(slack: SlackServer, user: object, problem: bool, words: str) -> None:
    if isinstance(user, dict):
        slack.workspace.member(ANNA, **user)
    _, seen = look(slack, Wanted(members=[Member(ANNA, "anna", "social", rota=True)]))
    assert (seen.problem, seen.note) == (problem, not problem)
    assert words in seen.text and ANNA in seen.text


def test_a_pause_that_slack_asks_for_is_told_and_the_rest_goes_on(slack: SlackServer) -> None:
    slack.workspace.member(ANNA)
    slack.script("usergroups.list", RATE_LIMITED)
    _, paused, people = look(slack, Wanted(groups={GROUP: "legal"}, members=[Member(ANNA, "anna", "social")]))
    assert paused.note and "not all user groups" in paused.text
    assert people.text == "Slack: 1 member of the teams found"


# -- the app token -----------------------------------------------------------------------------------------------


def test_clicks_reach_us(slack: SlackServer) -> None:
    with HelloServer(json.dumps(HELLO)) as server:
        slack.workspace.socket_url = server.url
        assert greet(slack) == Seen("Slack: clicks and commands reach this machine")


@pytest.mark.parametrize(
    "code, words",
    [
        ("invalid_auth", "does not accept the app token: open https://api.slack.com/apps"),
        ("missing_scope", "generate a token with the scope connections:write"),
        ("a_new_code", "Slack opens no socket"),
        ("not_allowed_token_type", "must hold the token that begins with xapp-"),
    ],
)
def test_an_app_token_that_does_not_work(slack: SlackServer, code: str, words: str) -> None:
    slack.script("apps.connections.open", refused(code))
    seen = greet(slack)
    assert seen.problem and words in seen.text and f"({code})" in seen.text


def test_the_app_token_is_sent_where_slack_reads_it(slack: SlackServer) -> None:
    assert "does not accept" in greet(slack, token="xapp-another").text
    (_, arguments) = slack.requests[-1]
    assert arguments == {}


@pytest.mark.parametrize(
    "said, words",
    [
        ({"type": "disconnect", "reason": "link_disabled"}, "Socket Mode is switched off"),
        ({"type": "disconnect", "reason": "a_new_reason"}, "(a_new_reason)"),
        ({**HELLO, "connection_info": {"app_id": "A0OTHERAPP"}}, "to another Slack app (A0OTHERAPP)"),
        ([], "port 443"),
    ],
)
def test_a_socket_that_brings_no_clicks(slack: SlackServer, said: object, words: str) -> None:
    with HelloServer(json.dumps(said)) as server:
        slack.workspace.socket_url = server.url
        seen = greet(slack)
    assert seen.problem and words in seen.text


def test_a_socket_without_a_word(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "PATIENCE", 0.2)
    with HelloServer("") as server:
        slack.workspace.socket_url = server.url
        assert "port 443" in greet(slack).text


# The SDK leaves a socket whose handshake was refused to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_socket_that_is_refused(slack: SlackServer) -> None:
    with HelloServer("", takes_calls=False) as server:
        slack.workspace.socket_url = server.url
        assert "port 443" in greet(slack).text
    assert "port 443" in greet(slack).text  # nobody listens there any more


def test_several_programs_on_one_app(slack: SlackServer) -> None:
    with HelloServer(json.dumps({**HELLO, "num_connections": 3})) as server:
        slack.workspace.socket_url = server.url
        seen = greet(slack)
    assert seen.note and not seen.problem and "3 programs are connected" in seen.text


# -- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, slack: SlackServer) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "teams.yaml").write_text(TEAMS, "utf-8")
    (tmp_path / "monitor.yaml").write_text(CONFIG.format(url=slack.url), "utf-8")
    prove_all(tmp_path / "rules")
    return tmp_path


def told(folder: Path, *, online: bool = True) -> list[tuple[int, str]]:
    return [(finding.status, finding.text) for finding in findings(folder / "monitor.yaml", online)]


def test_check_online_asks_for_all_that_config_and_teams_name(
    folder: Path, slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", APP_TOKEN)
    slack.channels["legal"] = "C00000003"
    slack.workspace.member(ANNA)
    slack.workspace.group(GROUP, "legal")
    with HelloServer(json.dumps(HELLO)) as server:
        slack.workspace.socket_url = server.url
        said = told(folder)
    found = [text for status, text in said if text.startswith("Slack")]
    assert found == [
        "Slack: brand-monitor in Acme",
        "Slack: the app is in 3 channels: #brand-alerts, #fallback, #legal",
        "Slack: 1 user group of the teams found",
        "Slack: clicks and commands reach this machine",
    ]
    (problem,) = [text for status, text in said if status and "Slack" in text]
    assert problem.startswith("bruno of team social is U0234567890")
    assert TOKEN not in str(said) and APP_TOKEN not in str(said)


@pytest.mark.parametrize(
    "bot, app, status, words",
    [
        ("xapp-1", "xoxb-1", 1, "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are mixed up"),
        ("xapp-1", None, 1, "it is an app token, which belongs into SLACK_APP_TOKEN"),
        ("xoxp-1", None, 1, "is no bot token: those begin with xoxb-"),
        ("xoxb-1", "xoxb-1", 1, "it is a bot token, which belongs into SLACK_BOT_TOKEN"),
        ("xoxb-1", "xoxp-1", 1, "is no app token: those begin with xapp-"),
        ("xoxb-1", None, 0, "no SLACK_APP_TOKEN: messages are posted, but there are no buttons"),
        (None, "xapp-1", 0, "SLACK_APP_TOKEN is of no use without SLACK_BOT_TOKEN"),
        (None, None, 0, "no SLACK_BOT_TOKEN: messages go to the console"),
    ],
)
def test_tokens_that_are_missing_or_mixed_up_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, bot: str | None, app: str | None, status: int, words: str
) -> None:
    for name, value in (("SLACK_BOT_TOKEN", bot), ("SLACK_APP_TOKEN", app)):
        if value:
            monkeypatch.setenv(name, value)
    said = told(folder, online=False)
    assert [found for found, text in said if words in text] == [status]
