"""What comes from Slack, understood: an envelope's type and payload become a request, or None for what is not for us.

Pure, and suspicious: every value is taken only in the shape that Slack documents. `trigger_id` and `response_url` let
whoever holds them act for a while; they are kept in memory, and stand in no repr and in nothing that is stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.slack.tags import Tag, tag
from monitor.slack.text import one_line

_USER = re.compile(r"[UW][A-Z0-9]{1,30}")
_TEAM = re.compile(r"[TE][A-Z0-9]{1,30}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{1,30}")
_TS = re.compile(r"\d{1,12}\.\d{1,9}")
_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LONGEST_NAME = 80
#: Slack lets people type about so much after a command.
_LONGEST_COMMAND = 4000
_LONGEST_SECRET = 2000


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent it: `name` is what Slack calls them in passing, `team` the id of the workspace that they belong to."""

    id: str
    name: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Click:
    """On a button, or a choice of a menu. `channel` and `message_ts` say where it stands, empty in App Home;
    `action_ts` is when: with who and what, it names the click."""

    sender: Sender
    tag: Tag
    action_ts: str
    channel: str = ""
    message_ts: str = ""
    trigger_id: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        return f"click {self.sender.id} {self.tag.deed} {self.message_ts} {self.action_ts}"


@dataclass(frozen=True, slots=True)
class FormSubmitted:
    """`view` as Slack sent it; what was asked for in it is read by `slack.forms`."""

    sender: Sender
    tag: Tag
    view_id: str
    view: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> str:
        return f"form {self.sender.id} {self.view_id}"


@dataclass(frozen=True, slots=True)
class Command:
    """`/brand` and what was typed behind it."""

    sender: Sender
    text: str
    channel: str = ""
    response_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HomeOpened:
    sender: Sender


Request = Click | FormSubmitted | Command | HomeOpened


def request(kind: str, payload: object) -> Request | None:
    """What an envelope of this type asks for. Never raises."""
    if not isinstance(payload, Mapping):
        return None
    match kind:
        case "interactive":
            match payload.get("type"):
                case "block_actions":
                    return _click(payload)
                case "view_submission":
                    return _form(payload)
        case "slash_commands":
            return _command(payload)
        case "events_api":
            return _event(payload)
    return None


def _click(payload: Mapping[str, Any]) -> Click | None:
    sender, actions = _sender(payload.get("user")), payload.get("actions")
    # Slack sends one action a click.
    action = actions[0] if isinstance(actions, list) and actions else None
    if sender is None or not isinstance(action, Mapping):
        return None
    what, action_ts = _tag_of(action), _fitting(_TS, action.get("action_ts"))
    if what is None or not action_ts:
        return None
    container = _mapping(payload, "container")
    channel = _fitting(_CHANNEL, _mapping(payload, "channel").get("id") or container.get("channel_id"))
    # What only one person sees, or what quotes a message, has a ts as well, but is not that message.
    itself = container.get("type") == "message" and not container.get("is_ephemeral")
    message_ts = _fitting(_TS, container.get("message_ts")) if itself else ""
    return Click(sender, what, action_ts, channel, message_ts if channel else "", _secret(payload.get("trigger_id")))


def _tag_of(action: Mapping[str, Any]) -> Tag | None:
    """A button has its value, a menu that of what was chosen."""
    value = action.get("value") or _mapping(action, "selected_option").get("value")
    return tag(value) if isinstance(value, str) else None


def _form(payload: Mapping[str, Any]) -> FormSubmitted | None:
    sender, view = _sender(payload.get("user")), payload.get("view")
    if sender is None or not isinstance(view, Mapping):
        return None
    about, view_id = view.get("private_metadata"), _fitting(_ID, view.get("id"))
    what = tag(about) if isinstance(about, str) else None
    return FormSubmitted(sender, what, view_id, view) if what and view_id else None


def _command(payload: Mapping[str, Any]) -> Command | None:
    known = {"id": payload.get("user_id"), "name": payload.get("user_name"), "team_id": payload.get("team_id")}
    sender, text, url = _sender(known), payload.get("text", ""), _secret(payload.get("response_url"))
    if sender is None or not isinstance(text, str):
        return None
    return Command(sender, text[:_LONGEST_COMMAND], _fitting(_CHANNEL, payload.get("channel_id")), url)


def _event(payload: Mapping[str, Any]) -> HomeOpened | None:
    event = _mapping(payload, "event")
    if event.get("type") != "app_home_opened" or event.get("tab", "home") != "home":
        return None
    sender = _sender({"id": event.get("user"), "team_id": payload.get("team_id")})
    return HomeOpened(sender) if sender else None


def _sender(user: object) -> Sender | None:
    if not isinstance(user, Mapping):
        return None
    id, name = _fitting(_USER, user.get("id")), user.get("name") or user.get("username") or ""
    if not id:
        return None
    return Sender(
        id, one_line(name, _LONGEST_NAME) if isinstance(name, str) else "", _fitting(_TEAM, user.get("team_id"))
    )


def _mapping(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = of.get(key)
    return value if isinstance(value, Mapping) else {}


def _fitting(shape: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and shape.fullmatch(value) else ""


def _secret(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_SECRET else ""
