"""What comes from Slack, understood or passed over, whatever its shape."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.slack.requests import Click, Command, FormSubmitted, HomeOpened, Sender, request
from monitor.slack.tags import Deed, Tag

TAG = Tag(Deed.ACKNOWLEDGE, 7, 12, "9f86d081884c7d65")
CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U0123456789", "username": "anna", "name": "anna", "team_id": "T0123456789"},
    "api_app_id": "A1",
    "token": "verification",
    "container": {"type": "message", "message_ts": "1763000000.000100", "channel_id": "C01", "is_ephemeral": False},
    "trigger_id": "123.456.secret",
    "team": {"id": "T0123456789", "domain": "acme"},
    "channel": {"id": "C0123456789", "name": "brand-alerts"},
    "response_url": "https://hooks.slack.example/actions/secret",
    "actions": [{"type": "button", "action_id": "ack", "value": str(TAG), "action_ts": "1763000001.000200"}],
}
FORM: dict[str, Any] = {
    "type": "view_submission",
    "user": CLICK["user"],
    "trigger_id": "123.456.secret",
    "view": {"id": "V0123", "private_metadata": str(TAG), "state": {"values": {}}, "hash": "1.abc"},
}
COMMAND: dict[str, Any] = {
    "command": "/brand", "text": "open legal", "user_id": "U0123456789", "user_name": "anna", "team_id": "T01",
    "channel_id": "C0123456789", "response_url": "https://hooks.slack.example/secret", "trigger_id": "1.2.secret",
}  # fmt: skip
HOME: dict[str, Any] = {"team_id": "T01", "event": {"type": "app_home_opened", "user": "U0123456789", "tab": "home"}}
ALL = [("interactive", CLICK), ("interactive", FORM), ("slash_commands", COMMAND), ("events_api", HOME)]


def test_a_click_says_who_what_and_where() -> None:
    found = request("interactive", CLICK)
    assert isinstance(found, Click)
    assert found.sender == Sender("U0123456789", "anna", "T0123456789") and found.tag == TAG
    assert (found.channel, found.message_ts) == ("C0123456789", "1763000000.000100")
    assert found.trigger_id == "123.456.secret"


def test_a_choice_of_a_menu_is_a_click() -> None:
    chosen = {"type": "overflow", "selected_option": {"value": str(TAG)}, "action_ts": "1.2"}
    found = request("interactive", {**CLICK, "actions": [chosen]})
    assert isinstance(found, Click) and found.tag == TAG


def test_in_app_home_no_message_was_clicked() -> None:
    at_home = {**CLICK, "container": {"type": "view", "view_id": "V1"}}
    del at_home["channel"]
    found = request("interactive", at_home)
    assert isinstance(found, Click) and found.channel == found.message_ts == ""


def test_a_message_that_one_person_sees_is_none_that_could_be_brought_up_to_date() -> None:
    found = request("interactive", {**CLICK, "container": {**CLICK["container"], "is_ephemeral": True}})
    assert isinstance(found, Click) and found.channel and not found.message_ts


def test_two_clicks_of_one_person_differ_by_when_and_what() -> None:
    later = {**CLICK, "actions": [{**CLICK["actions"][0], "action_ts": "1763000009.000200"}]}
    other = {**CLICK, "user": {**CLICK["user"], "id": "U0999999999"}}
    keys = {found.key for one in (CLICK, later, other) if isinstance(found := request("interactive", one), Click)}
    assert len(keys) == 3


def test_forms_commands_and_app_home() -> None:
    form, command, home = request("interactive", FORM), request("slash_commands", COMMAND), request("events_api", HOME)
    assert isinstance(form, FormSubmitted) and (form.tag, form.view_id) == (TAG, "V0123")
    assert isinstance(command, Command) and command.text == "open legal" and "secret" in command.response_url
    assert isinstance(home, HomeOpened) and home.sender.id == "U0123456789"


@pytest.mark.parametrize(("kind", "payload"), ALL)
def test_what_lets_others_act_stands_in_no_repr(kind: str, payload: Mapping[str, Any]) -> None:
    assert "secret" not in repr(request(kind, payload))


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("hello", {}),
        ("interactive", {**CLICK, "type": "message_action"}),
        ("interactive", {**CLICK, "actions": []}),
        ("interactive", {**CLICK, "user": {"id": "<!channel>"}}),
        ("interactive", {**CLICK, "actions": [{**CLICK["actions"][0], "value": "ack:7"}]}),
        ("interactive", {**CLICK, "actions": [{**CLICK["actions"][0], "action_ts": "now"}]}),
        ("interactive", {**FORM, "view": {"id": "V1", "private_metadata": "{}"}}),
        ("interactive", {**FORM, "type": "view_closed"}),
        ("slash_commands", {**COMMAND, "user_id": None}),
        ("events_api", {**HOME, "event": {**HOME["event"], "tab": "messages"}}),
        ("events_api", {**HOME, "event": {"type": "message", "user": "U0123456789"}}),
    ],
)
def test_what_is_not_for_us_is_passed_over(kind: str, payload: object) -> None:
    assert request(kind, payload) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_whatever_stands_in_the_place_of_a_value_nothing_breaks(data: st.DataObject) -> None:
    kind, payload = data.draw(st.sampled_from(ALL))
    broken: Any = copy.deepcopy(payload)
    here: Any = broken
    for _ in range(data.draw(st.integers(1, 4))):
        keys = list(here) if isinstance(here, dict) else list(range(len(here))) if isinstance(here, list) else []
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(here[key], dict | list) or data.draw(st.booleans()):
            here[key] = data.draw(_JSON)
            break
        here = here[key]
    found = request(kind, broken)
    assert found is None or found.sender.id.isalnum()
    if isinstance(found, Click):
        assert found.channel == "" or found.channel.isalnum()
