"""A team, and whom of it to call at a given moment: by its rota, and whoever stands in for those who are away.

Whether an alert waits for the team's hours is decided elsewhere; a rota goes on at night.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.rules.people.hours import Hours
from monitor.rules.people.wallclock import first_at

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rota:
    """The people in `order` are on duty one after the other, on and on, each for a `turn` of whole days.

    The first turn begins on the day `since`; each begins when the clock on the wall shows `change_at`, or when it is
    set forward past that. A name that stands in `order` twice has two turns.
    """

    zone: str
    order: tuple[str, ...]
    since: date
    change_at: time = time(9)
    turn: timedelta = timedelta(days=7)

    def on_duty(self, at: datetime) -> str | None:
        """Whose turn it is, away or not; None before the first turn."""
        return next(iter(self.from_turn(at)), None)

    def from_turn(self, at: datetime) -> Sequence[str]:
        """All in the order of their turns, first the one who is on duty; nobody before the first turn."""
        zone, today = ZoneInfo(self.zone), at.astimezone(ZoneInfo(self.zone)).date()
        minutes = self.change_at.hour * 60 + self.change_at.minute
        # Tomorrow too: a clock that is set back across midnight has shown it already.
        begun = next(day for day in (today + _DAY, today, today - _DAY) if first_at(zone, day, minutes) <= at)
        if begun < self.since:
            return ()
        now = (begun - self.since) // self.turn % len(self.order)
        return self.order[now:] + self.order[:now]


@dataclass(frozen=True, slots=True)
class Deputy:
    """`by` stands in for `absent` on the days from `since` to `until`, both included, of the team's time zone."""

    absent: str
    by: str
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Team:
    """`members` are Slack ids by the names that people are known by here; `user_group` is a Slack id as well.

    `zone` is that of its hours, its rota and its deputies; without `hours` it is there at any time. `language`: in
    which it is told; None for that of the configuration.
    """

    id: str
    channel: str
    user_group: str | None = None
    members: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    hours: Hours | None = None
    rota: Rota | None = None
    deputies: tuple[Deputy, ...] = ()
    language: str | None = None


def called(team: Team, at: datetime) -> tuple[str, ...]:
    """The Slack ids to call: the one on duty by the rota, else the user group, else all who are not away.

    For somebody who is away the deputy is called, and for a deputy who is away as well the deputy's deputy. If that
    ends with nobody, because two who are both away stand in for each other, the next in the rota is called. If all of a
    team are away, all are called, for somebody must be.
    """
    one = _by_rota(team, at)
    if one is None and team.user_group:
        return (team.user_group,)
    return tuple(team.members[name] for name in on_duty(team, at))


def on_duty(team: Team, at: datetime) -> tuple[str, ...]:
    """The names of those who are called, or who are there where the user group is called; of a group whose members are
    known to Slack alone its id."""
    one = _by_rota(team, at)
    if one is not None:
        return (one,)
    if not team.members:
        return (team.user_group,) if team.user_group else ()
    away = {deputy.absent for deputy in _standing_in(team, at)}
    return tuple(name for name in team.members if name not in away) or tuple(team.members)


def next_change(team: Team, at: datetime) -> datetime | None:
    """When others than now are on duty for the first time; None if that is not within the next two months."""
    if team.rota is None and not team.deputies:
        return None
    zone, now = ZoneInfo(team.zone or "UTC"), on_duty(team, at)
    times = {0} if team.deputies else set()
    if team.rota:
        times.add(team.rota.change_at.hour * 60 + team.rota.change_at.minute)
    today = at.astimezone(zone).date()
    moments = sorted(first_at(zone, today + ahead * _DAY, minutes) for ahead in range(-1, 62) for minutes in times)
    return next((moment for moment in moments if moment > at and on_duty(team, moment) != now), None)


def _by_rota(team: Team, at: datetime) -> str | None:
    if team.rota is None:
        return None
    deputies = _standing_in(team, at)
    there = (_there_for(name, deputies) for name in team.rota.from_turn(at))
    return next((name for name in there if name is not None), None)


def _standing_in(team: Team, at: datetime) -> list[Deputy]:
    if not team.deputies:
        return []
    today = at.astimezone(ZoneInfo(team.zone or "UTC")).date()
    return [deputy for deputy in team.deputies if deputy.since <= today <= deputy.until]


def _there_for(name: str, deputies: Sequence[Deputy]) -> str | None:
    """`name`, or who stands in; of several deputies the first one for whom somebody is there."""
    asked: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        deputies_of_one = [deputy.by for deputy in deputies if deputy.absent == one]
        if not deputies_of_one:
            return one
        asked.add(one)
        waiting += [by for by in reversed(deputies_of_one) if by not in asked]
    return None
