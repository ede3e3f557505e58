"""App Home of a person: what it shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime

from monitor.commands.openings import everything, of_teams
from monitor.commands.reader import Reader
from monitor.commands.reading import to_read
from monitor.rules.load import RuleSet
from monitor.rules.people.rota import Team, next_change, on_duty
from monitor.slack.home import Health, Home, OnDuty


def front(connection: sqlite3.Connection, rules: RuleSet, health: Health, reader: Reader, now: datetime) -> Home:
    found = everything(connection, reader)
    theirs = [one for one in found if one.theirs]
    rest = [one for one in found if not one.theirs]
    others = of_teams(rest, reader.teams) if reader.teams else rest
    return Home(
        name=reader.name,
        teams=reader.teams,
        theirs=theirs,
        others=others,
        elsewhere=len(rest) - len(others),
        duty=tuple(duty(rules, reader, now)),
        unread=to_read(connection, rules, reader, now),
        health=health,
    )


def duty(rules: RuleSet, reader: Reader, now: datetime) -> Iterator[OnDuty]:
    """Who is on duty in each team, the reader's first."""
    for team in sorted(rules.teams.values(), key=lambda team: (team.id not in reader.teams, team.id)):
        until = next_change(team, now)
        opens = team.hours.next_open(now) if team.hours else now
        yield OnDuty(
            team=team.id,
            now=_names(team, on_duty(team, now)),
            until=until,
            then=_names(team, on_duty(team, until)) if until else (),
            opens=opens if opens > now else None,
            closes=team.hours.open_until(now) if team.hours else None,
        )


def _names(team: Team, names: Sequence[str]) -> tuple[str, ...]:
    """Of a group whose members are known to Slack alone there are no names."""
    return tuple(name for name in names if name in team.members)
