"""Who may act on an escalation from Slack. Pure; who somebody is was asked elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from monitor.rules.people.rota import Team
from monitor.slack.text import one_line
from monitor.wording.text import Text, say

_LONGEST_NAME = 80


class Kind(StrEnum):
    """What somebody is to our workspace; a `stranger` belongs to another one."""

    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    DELETED = "deleted"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody, as Slack describes them; `zone` is the name of a time zone, `language` such as "it-IT"."""

    id: str
    name: str
    kind: Kind = Kind.MEMBER
    zone: str | None = None
    language: str | None = None


def known(user: Mapping[str, Any], workspaces: Collection[str]) -> Known:
    """From what users.info answers. `workspaces`: the ids of ours, its organisation's included."""
    profile = user.get("profile")
    profile = profile if isinstance(profile, Mapping) else {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    id = str(user.get("id", ""))
    name = next((shown for name in names if isinstance(name, str) and (shown := one_line(name, _LONGEST_NAME))), id)
    zone, locale = user.get("tz"), user.get("locale")
    return Known(
        id,
        name,
        _kind(user, workspaces),
        zone if isinstance(zone, str) else None,
        locale if isinstance(locale, str) else None,
    )


def _kind(user: Mapping[str, Any], workspaces: Collection[str]) -> Kind:
    if user.get("deleted"):
        return Kind.DELETED
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == "USLACKBOT":
        return Kind.BOT
    organisation = user.get("enterprise_user")
    organisation = organisation if isinstance(organisation, Mapping) else {}
    theirs = {user.get("team_id"), organisation.get("enterprise_id"), *(organisation.get("teams") or ())} - {None, ""}
    if user.get("is_stranger") or (theirs and workspaces and theirs.isdisjoint(workspaces)):
        return Kind.STRANGER
    return Kind.GUEST if user.get("is_restricted") or user.get("is_ultra_restricted") else Kind.MEMBER


def asked_groups(teams: Sequence[Team]) -> tuple[str, ...]:
    """The user groups whose members must be known to judge; none where everybody of the workspace may."""
    groups = [team.user_group for team in teams]
    return tuple(dict.fromkeys(group for group in groups if group)) if all(groups) else ()


def refusal(who: Known, teams: Sequence[Team], groups: Mapping[str, Collection[str]]) -> Text | None:
    """Why `who` may not act on an escalation that `teams` were told of; None if they may. `groups`: the members, by id,
    of the user groups that `asked_groups` names."""
    match who.kind:
        case Kind.GUEST:
            return say("Guests of this workspace cannot do this. Ask a member of the team.")
        case Kind.BOT | Kind.DELETED:
            return say("Only people of this workspace can do this.")
        case Kind.STRANGER:
            return say("Only members of the workspace that this app belongs to can do this.")
    if not asked_groups(teams):
        return None
    for team in teams:
        # Deputies are members of the team.
        if who.id in team.members.values() or who.id in groups.get(team.user_group or "", ()):
            return None
    names = ", ".join(dict.fromkeys(team.id for team in teams))
    if len(teams) == 1:
        return say("Only members of the team {team} can do this. Nothing was changed.", team=names)
    return say("Only members of the teams {teams} can do this. Nothing was changed.", teams=names)
