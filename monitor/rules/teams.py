"""What `teams.yaml` holds: who is called, and where in Slack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, with_config

from monitor.fields import FILE, Channel, Matching, Name, Text, checked, fault, json_schema
from monitor.rules.rule import Team
from monitor.yamlfile import Document

#: Keys that the rule language foresees; whoever writes one must know that nobody reads it.
_LATER = ("hours", "rota", "deputies", "holidays")

UserGroup = Annotated[Text, Matching("S[A-Z0-9]{7,20}", "is no id of a Slack user group; it looks like S0123456789")]
Member = Annotated[Text, Matching("[UW][A-Z0-9]{7,20}", "is no id of a Slack member; it looks like U0123456789")]


def _at_any_time(entry: object) -> object:
    for key in entry if isinstance(entry, dict) else ():
        if key in _LATER:
            raise fault("this version calls a team at any time, whoever is on duty; delete this key", key)
    return entry


@with_config(FILE)
@dataclass(frozen=True, slots=True)
class _Entry:
    channel: Channel
    """Where its alerts go."""
    user_group: UserGroup | None = None
    """The id of its Slack user group, called by tiers with `mention`."""
    members: tuple[Member, ...] = ()
    """The ids of its people in Slack, called where there is no user group."""


_File = Mapping[Name, Annotated[_Entry, BeforeValidator(_at_any_time), Field(examples=[{"channel": "#brand-alerts"}])]]


@cache
def _file() -> TypeAdapter[_File]:
    return TypeAdapter(_File)


def parse_teams(document: Document) -> dict[str, Team]:
    """The teams by name; raises `ConfigError` with all problems."""
    entries = checked(_file(), document).items()
    return {name: Team(name, entry.channel, entry.user_group, entry.members) for name, entry in entries}


def teams_schema() -> dict[str, Any]:
    """The JSON Schema of `teams.yaml`."""
    return json_schema(_file(), "The teams of brand-monitor")
