"""Asks Slack whether all that the configuration and the teams name is there, and whether the app may do its work.

Every problem is a sentence that says what to click or write to mend it. Nothing is posted or changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.amounts import number
from monitor.errors import DeliveryError, DeliveryLimited, DeliveryRefused
from monitor.fields import closest
from monitor.slack.api import SlackApi, header
from monitor.slack.refusals import in_words

#: All that the app does needs these; docs/slack-app.yaml asks for them.
SCOPES = (
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "usergroups:read",
    "users:read",
)
#: How many public channels are looked through for one that the app is not in.
_CHANNELS_A_PAGE, _MOST_PAGES = 1000, 10

_TEAMS = "rules/teams.yaml"
_NO_CHANNEL = (
    "Slack knows no channel {channel}{meant}. Check how it is written; where it is private, open it in Slack and type "
    "`/invite` and the app's name; or name another channel in monitor.yaml at `slack.channel`, or in rules/teams.yaml."
)
_NO_GROUP = (
    "Team {team} names the user group {id}, which Slack does not know: in Slack, open Directories and User groups, "
    f"choose the group, then ⋮ and Copy group ID, and write it at `user_group` in {_TEAMS}."
)
_DISABLED = (
    "The user group {name} ({id}) of team {team} is disabled: in Slack, open Directories and User groups, choose it, "
    f"then ⋮ and Enable group; or name another at `user_group` in {_TEAMS}."
)
_EMPTY = (
    "Nobody is in the user group {name} ({id}) of team {team}: calling it reaches nobody. In Slack, open Directories "
    "and User groups, choose it, and add its members."
)
_NO_GROUPS = (
    "This workspace has no user groups (they need a paid plan of Slack): in rules/teams.yaml, write `members` in place "
    "of `user_group`."
)
_NO_MEMBER = (
    "{who} is {id} in rules/teams.yaml, and Slack knows no such member: in Slack, open the person's profile, then ⋮ "
    "and Copy member ID, and write that."
)
_GONE = (
    "{who} ({id}) is deactivated in Slack and hears no call: take the name out of `members`{rota} in rules/teams.yaml, "
    "or, if they are back, ask an administrator of the workspace to activate the account."
)
_ROBOT = "{who} ({id}) is an app, not a person, and answers no call: write a person's member ID in rules/teams.yaml."
_GUEST = "{who} ({id}) is a guest of the workspace: guests are called, but their clicks and commands are refused."
_STRANGER = "{who} ({id}) belongs to another workspace: they are called, but their clicks and commands are refused."
_PERSONAL = (
    "SLACK_BOT_TOKEN is the token of a person ({user}), not of the app: open https://api.slack.com/apps, choose the "
    "app, then OAuth & Permissions, and store its Bot User OAuth Token (xoxb-…)."
)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody whom a team names: `rota` where calls go to them by the rota."""

    id: str
    name: str
    team: str
    rota: bool = False

    def __str__(self) -> str:
        return f"{self.name} of team {self.team}" if self.name != self.id else f"A member of team {self.team}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be in Slack: channels by `#name` or id, the teams by the ids of their user groups, people."""

    channels: Sequence[str] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    members: Sequence[Member] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """One sentence of the report. A `problem` keeps the app from working; a `note` should be known."""

    text: str
    problem: bool = False
    note: bool = False


class Health(SlackApi):
    """Looks with the bot token. Afterwards `app_id` is the app's id, "" where it could not be asked."""

    app_id = ""

    def look(self, wanted: Wanted) -> Iterator[Seen]:
        """One thing after the other, so that a slow one does not hide the others' results."""
        try:
            me = self._call(self._client.auth_test)
        except DeliveryError as error:
            yield Seen(str(error), problem=True)
            return
        if not me.get("bot_id"):
            yield Seen(_PERSONAL.format(user=me.get("user", "?")), problem=True)
            return
        workspace = str(me.get("team", ""))
        yield Seen(f"Slack: {me.get('user', '')} in {workspace}")
        granted = header(me, "x-oauth-scopes")
        missing = [scope for scope in SCOPES if granted and scope not in re.split(r"[,\s]+", granted)]
        if missing:
            yield Seen(in_words("missing_scope", scope=", ".join(missing)), problem=True)
        parts: tuple[tuple[Iterator[Seen], bool, str, str], ...] = (
            (self._channels(wanted.channels), bool(wanted.channels), "channels:read", "channels"),
            (self._groups(wanted.groups), bool(wanted.groups), "usergroups:read", "user groups"),
            (self._members(wanted.members), bool(wanted.members), "users:read", "members"),
        )
        for looking, named, scope, what in parts:
            if named and scope not in missing:
                yield from _tried(looking, what)
        if "users:read" not in missing:
            self.app_id = self._app(str(me["bot_id"]))

    # -- channels ------------------------------------------------------------------------------------------------

    def _channels(self, channels: Sequence[str]) -> Iterator[Seen]:
        joined = self._joined()
        unknown = [channel for channel in channels if not _named(channel, joined)]
        others = self._others(unknown)
        problems = 0
        for channel in channels:
            found = _named(channel, joined) or _named(channel, others)
            if found is None:
                names = (str(item.get("name")) for item in (*joined, *others))
                close = closest(channel.removeprefix("#"), names)
                meant = f' (did you mean "#{close}"?)' if close else ""
                text = _NO_CHANNEL.format(channel=channel, meant=meant)
            elif found.get("is_archived"):
                text = in_words("is_archived", channel=channel)
            elif not _named(channel, joined):
                text = in_words("not_in_channel", channel=channel)
            else:
                continue
            problems += 1
            yield Seen(text, problem=True)
        if not problems:
            yield Seen(f"Slack: the app is in {number(len(channels), 'channel')}: {', '.join(channels)}")

    def _joined(self) -> list[dict[str, Any]]:
        method = self._client.users_conversations
        try:
            return list(self._pages(method, "channels", types="public_channel,private_channel"))
        except DeliveryRefused as error:
            if error.code != "missing_scope":
                raise
            return list(self._pages(method, "channels", types="public_channel"))

    def _others(self, unknown: Sequence[str]) -> list[dict[str, Any]]:
        """What the app may see of the channels that it is not in: those with an id one by one, else all public ones."""
        found: list[dict[str, Any]] = []
        by_name = [channel for channel in unknown if channel.startswith("#")]
        for id in set(unknown) - set(by_name):
            try:
                found.append(dict(self._call(self._client.conversations_info, channel=id)["channel"]))
            except DeliveryRefused as error:
                if error.code != "channel_not_found":
                    raise
        cursor = ""
        for _ in range(_MOST_PAGES if by_name else 0):
            more = {"cursor": cursor} if cursor else {}
            answer = self._call(self._client.conversations_list, types="public_channel", limit=_CHANNELS_A_PAGE, **more)
            found += answer.get("channels") or ()
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor or all(_named(channel, found) for channel in by_name):
                break
        return found

    # -- people --------------------------------------------------------------------------------------------------

    def _groups(self, groups: Mapping[str, str]) -> Iterator[Seen]:
        try:
            answer = self._call(self._client.usergroups_list, include_disabled=True, include_count=True)
        except DeliveryRefused as error:
            if error.code not in ("paid_teams_only", "plan_upgrade_required"):
                raise
            yield Seen(_NO_GROUPS, problem=True)
            return
        known = {str(group.get("id")): group for group in answer.get("usergroups") or ()}
        well = 0
        for id, team in groups.items():
            group = known.get(id, {})
            values = {"id": id, "team": team, "name": f"@{group.get('handle', '')}"}
            if not group:
                yield Seen(_NO_GROUP.format(**values), problem=True)
            elif group.get("date_delete"):
                yield Seen(_DISABLED.format(**values), problem=True)
            elif str(group.get("user_count", "")) == "0":
                yield Seen(_EMPTY.format(**values), note=True)
            else:
                well += 1
        if well == len(groups):
            yield Seen(f"Slack: {number(well, 'user group')} of the teams found")

    def _members(self, members: Sequence[Member]) -> Iterator[Seen]:
        well = 0
        for member in members:
            seen = self._member(member)
            if seen is None:
                well += 1
            else:
                yield seen
        if well == len(members):
            yield Seen(f"Slack: {number(well, 'member')} of the teams found")

    def _member(self, member: Member) -> Seen | None:
        """What is the matter with somebody; None where all is well."""
        values = {"who": str(member), "id": member.id, "rota": " and the rota" if member.rota else ""}
        try:
            user = self._call(self._client.users_info, user=member.id)["user"]
        except DeliveryRefused as error:
            if error.code not in ("user_not_found", "user_not_visible", "users_not_found"):
                raise
            return Seen(_NO_MEMBER.format(**values), problem=True)
        if user.get("deleted"):
            return Seen(_GONE.format(**values), problem=True)
        if user.get("is_bot") or member.id == "USLACKBOT":
            return Seen(_ROBOT.format(**values), problem=True)
        if user.get("is_stranger"):
            return Seen(_STRANGER.format(**values), note=True)
        if user.get("is_restricted") or user.get("is_ultra_restricted"):
            return Seen(_GUEST.format(**values), note=True)
        return None

    def _app(self, bot_id: str) -> str:
        """Whose bot it is, as the app's id: the socket must be the same app's."""
        try:
            bot = self._call(self._client.bots_info, bot=bot_id).get("bot") or {}
        except DeliveryError:
            return ""
        return str(bot.get("app_id") or "")


def _named(channel: str, items: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    wanted = channel.removeprefix("#")
    return next((item for item in items if wanted in (item.get("name"), item.get("id"))), None)


def _tried(looking: Iterator[Seen], what: str) -> Iterator[Seen]:
    """What `looking` finds, and what keeps it from looking further."""
    try:
        yield from looking
    except DeliveryLimited:
        yield Seen(f"Slack: not all {what} could be asked for, since Slack asks for a pause. Try it later.", note=True)
    except DeliveryError as error:
        yield Seen(str(error), problem=True)
