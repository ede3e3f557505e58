"""Who has read the guidelines that rules name: those whom a rule calls should know what it tells them to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from monitor.rules.load import RuleSet
from monitor.rules.rule import Status


class Reading(Protocol):
    """That somebody has read a version of a guideline; `slack_id` where that is known."""

    @property
    def path(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def slack_id(self) -> str | None: ...
    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Readership:
    """`rules` are those, not off, that name it, `teams` those whom they call. Of their members, by name, `read` have
    read this very version (with when), `unread` have not; `others` have read it, too. `overdue`: its review."""

    path: str
    title: str
    version: str
    owner: str
    review_by: str
    overdue: bool
    rules: tuple[str, ...]
    teams: tuple[str, ...]
    read: Mapping[str, datetime]
    unread: tuple[str, ...]
    others: tuple[str, ...] = ()


def readership(rules: RuleSet, readings: Iterable[Reading], today: date) -> tuple[Readership, ...]:
    """Of every guideline, in the order of their paths."""
    known: dict[tuple[str, str], list[Reading]] = {}
    for one in readings:
        known.setdefault((one.path, one.version), []).append(one)
    found = []
    for path, guideline in sorted(rules.guidelines.items()):
        naming = [rule for rule in rules.rules if rule.playbook == path and rule.status is not Status.OFF]
        teams = tuple(dict.fromkeys(tier.team for rule in naming for tier in rule.escalate))
        members = {id: name for team in teams if team in rules.teams for name, id in rules.teams[team].members.items()}
        read, others, ids = dict[str, datetime](), list[str](), set[str]()
        by_name = {name: id for id, name in members.items()}
        for one in known.get((path, guideline.version), ()):
            # Two people in Slack may have one name; on the command line there is nothing else.
            id = one.slack_id or by_name.get(one.name)
            if id not in members:
                others.append(one.name)
            elif id and id not in ids:
                ids.add(id)
                read[members[id]] = one.at
        found.append(
            Readership(
                path=path,
                title=guideline.title,
                version=guideline.version,
                owner=guideline.owner,
                review_by=guideline.review_by,
                overdue=date.fromisoformat(guideline.review_by) < today,
                rules=tuple(rule.id for rule in naming),
                teams=teams,
                read=read,
                unread=tuple(sorted(name for id, name in members.items() if id not in ids)),
                others=tuple(dict.fromkeys(others)),
            )
        )
    return tuple(found)
