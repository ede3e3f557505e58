"""Who somebody in Slack is: asked there, remembered here for an hour, and longer where Slack cannot be asked."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.errors import DeliveryError
from monitor.rules.people.rota import Team
from monitor.slack.permits import Known
from monitor.store import people as kept

log = logging.getLogger(__name__)

FRESH = timedelta(hours=1)
#: While Slack cannot be asked it is asked so often about the same thing.
ASK_AGAIN = timedelta(minutes=1)

_ID = re.compile("[UW][A-Z0-9]{1,30}", re.IGNORECASE)

_T = TypeVar("_T")


class Directory(Protocol):
    """Slack, or what stands for it; raises `DeliveryError`s."""

    def person(self, id: str) -> Known: ...

    def members(self, group: str) -> frozenset[str]: ...


class Storage(Protocol):
    def write(self) -> AbstractContextManager[sqlite3.Connection]: ...

    def read(self) -> AbstractContextManager[sqlite3.Connection]: ...


class People:
    """May be used by any thread. `teams` are those of now: whoever stands there is known by the name that they have
    there, and nobody else by that."""

    def __init__(self, store: Storage, directory: Directory, teams: Mapping[str, Team]) -> None:
        self._store, self._directory = store, directory
        self._names = {id: name for team in teams.values() for name, id in team.members.items() if name != id}
        self._reserved = {kept.folded(name) for team in teams.values() for name in team.members}
        self._asked: dict[str, datetime] = {}

    def person(self, id: str, now: datetime) -> Known:
        """Raises `DeliveryError` where Slack cannot be asked and never said."""
        found = self._look_up(id, now, kept.person, self._directory.person, self._keep_person)
        return replace(found, name=self._names.get(id) or self._name_of(found))

    def _name_of(self, person: Known) -> str:
        """What Slack calls them, as long as it means nobody else: people choose these names, and by the name of whoever
        has an escalation they are found again. Once shown, a name stays with whoever had it first."""
        for name in (person.name, f"{person.name} ({person.id})"):
            if kept.folded(name) in self._reserved or (_ID.fullmatch(name.removeprefix("@")) and name != person.id):
                continue
            with self._store.read() as connection:
                bearer = kept.bearer(connection, name)
            if bearer is None:
                with self._store.write() as connection:
                    bearer = person.id if kept.give_name(connection, name, person.id) else None
            if bearer == person.id:
                return name
        return person.id

    def members(self, group: str, now: datetime) -> frozenset[str]:
        """Of a user group; the same errors."""
        return self._look_up(group, now, kept.group, self._directory.members, self._keep_group(group))

    def teams_of(self, id: str, teams: Mapping[str, Team], now: datetime) -> tuple[str, ...]:
        """The names of the teams that somebody belongs to, as far as that is known."""
        found = []
        for team in teams.values():
            if id in team.members.values() or (team.user_group and id in self._known_members(team.user_group, now)):
                found.append(team.id)
        return tuple(found)

    def _known_members(self, group: str, now: datetime) -> frozenset[str]:
        try:
            return self.members(group, now)
        except DeliveryError as error:
            log.warning("the members of user group %s are not known: %s", group, error)
            return frozenset()

    def _look_up(
        self,
        id: str,
        now: datetime,
        recall: Callable[[sqlite3.Connection, str], tuple[_T, datetime] | None],
        ask: Callable[[str], _T],
        keep: Callable[[sqlite3.Connection, _T, datetime], None],
    ) -> _T:
        with self._store.read() as connection:
            known = recall(connection, id)
        # A clock that was set back must not make it last for ever.
        if known and (abs(now - known[1]) < FRESH or abs(now - self._asked.get(id, known[1])) < ASK_AGAIN):
            return known[0]
        self._asked[id] = now
        try:
            found = ask(id)
        except DeliveryError as error:
            if known is None:
                raise
            log.warning("Slack cannot be asked about %s; what it said at %s is used: %s", id, known[1], error)
            return known[0]
        with self._store.write() as connection:
            keep(connection, found, now)
        return found

    @staticmethod
    def _keep_person(connection: sqlite3.Connection, person: Known, now: datetime) -> None:
        kept.remember_person(connection, person, now)

    @staticmethod
    def _keep_group(group: str) -> Callable[[sqlite3.Connection, frozenset[str], datetime], None]:
        return lambda connection, members, now: kept.remember_group(connection, group, members, now)


def zone_of(person: Known) -> tzinfo:
    """Their time zone; UTC where Slack names none that exists here."""
    try:
        return ZoneInfo(person.zone) if person.zone else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
