"""Who is called: turns across clock changes, deputies of deputies, and never nobody."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.rules.people.rota import Deputy, Rota, Team, called, on_duty
from monitor.rules.people.wallclock import first_at

ZONES = sorted(available_timezones())
DAY = timedelta(days=1)
MEMBERS = {"anna": "U000ANNA", "bruno": "U00BRUNO", "carla": "U00CARLA"}
WEEKLY = Rota("Europe/Rome", ("anna", "bruno", "carla"), date(2026, 1, 5))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def away(who: str, by: str, since: str = "2026-08-10", until: str = "2026-08-21") -> Deputy:
    return Deputy(who, by, date.fromisoformat(since), date.fromisoformat(until))


def team(*deputies: Deputy, rota: Rota | None = WEEKLY, group: str | None = None) -> Team:
    return Team("social", "#social", group, MEMBERS, "Europe/Rome", rota=rota, deputies=deputies)


# -- turns -------------------------------------------------------------------------------------------------------

SHARED = Rota("Europe/Rome", ("anna", "bruno", "anna"), date(2026, 3, 27), time(2, 30), DAY)
MIDNIGHT = Rota("America/St_Johns", ("anna", "bruno"), date(2006, 10, 28), time(0), DAY)
TURNS = {
    "before the first turn": (WEEKLY, "2026-01-05T08:59:59+01:00", None),
    "the first turn": (WEEKLY, "2026-01-05T09:00:00+01:00", "anna"),
    "until the time of change": (WEEKLY, "2026-01-12T08:59:59+01:00", "anna"),
    "from the time of change": (WEEKLY, "2026-01-12T09:00:00+01:00", "bruno"),
    "asked in another zone": (WEEKLY, "2026-01-12T03:00:00-05:00", "bruno"),
    "all over again": (WEEKLY, "2026-01-26T09:00:00+01:00", "anna"),
    "in summer time, before": (WEEKLY, "2026-03-30T08:59:59+02:00", "carla"),
    "in summer time, from nine o'clock": (WEEKLY, "2026-03-30T09:00:00+02:00", "anna"),
    "years later": (WEEKLY, "2031-01-06T09:00:00+01:00", "anna"),
    "the clock skips the change, before": (SHARED, "2026-03-29T00:59:59Z", "bruno"),
    "the clock skips the change, after": (SHARED, "2026-03-29T01:00:00Z", "anna"),
    "a second turn in one round": (SHARED, "2026-03-30T02:29:59+02:00", "anna"),
    "the clock shows the change twice": (SHARED, "2026-10-25T02:30:00+02:00", "anna"),
    "and does not change twice": (SHARED, "2026-10-25T02:29:59+01:00", "anna"),
    "a minute after midnight the clock shows the evening again": (MIDNIGHT, "2006-10-29T02:45:00Z", "bruno"),
    "before it shows it the first time": (SHARED, "2026-10-25T02:29:59+02:00", "bruno"),
}


@pytest.mark.parametrize(("rota", "moment", "who"), TURNS.values(), ids=list(TURNS))
def test_whose_turn_it_is(rota: Rota, moment: str, who: str | None) -> None:
    assert rota.on_duty(at(moment)) == who


@settings(max_examples=300, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    since=st.dates(date(2012, 1, 1), date(2030, 1, 1)),
    change_at=st.times().map(lambda moment: time(moment.hour, moment.minute)),
    days=st.integers(1, 30),
    people=st.integers(1, 5),
    turn=st.integers(0, 400),
)
def test_every_turn_begins_when_the_clock_shows_the_time_of_change(
    zone: str, since: date, change_at: time, days: int, people: int, turn: int
) -> None:
    order = tuple(map(str, range(people)))
    rota = Rota(zone, order, since, change_at, days * DAY)
    minutes = change_at.hour * 60 + change_at.minute
    begins = first_at(ZoneInfo(zone), since + days * turn * DAY, minutes)
    ends = first_at(ZoneInfo(zone), since + days * (turn + 1) * DAY, minutes)
    shown = begins.astimezone(ZoneInfo(zone))
    assert shown.date() == since + days * turn * DAY and shown.time() >= change_at
    second = timedelta(seconds=1)
    for moment in (begins, begins + (ends - begins) / 2, ends - second):
        assert rota.on_duty(moment) == order[turn % people]
    assert rota.on_duty(begins - second) == (order[(turn - 1) % people] if turn else None)


# -- deputies ----------------------------------------------------------------------------------------------------

#: 10 August 2026 is a Monday in the second turn of a round (bruno's), 17 August in the third (carla's).
CALLS = {
    "on duty": (team(), "2026-08-10T12:00:00+02:00", "bruno"),
    "the deputy": (team(away("bruno", "anna")), "2026-08-10T12:00:00+02:00", "anna"),
    "the deputy of somebody else": (team(away("anna", "bruno")), "2026-08-17T12:00:00+02:00", "carla"),
    "on the first day from midnight": (
        team(away("carla", "anna", "2026-08-18")),
        "2026-08-18T00:00:00+02:00",
        "anna",
    ),
    "not before the first day": (team(away("carla", "anna", "2026-08-18")), "2026-08-17T23:59:59+02:00", "carla"),
    "on the last day until midnight": (team(away("carla", "anna")), "2026-08-21T23:59:59+02:00", "anna"),
    "not after the last day": (team(away("carla", "anna")), "2026-08-22T00:00:00+02:00", "carla"),
    "the deputy's deputy": (
        team(away("bruno", "anna"), away("anna", "carla")),
        "2026-08-10T12:00:00+02:00",
        "carla",
    ),
    "the second deputy, for the first is away": (
        team(away("bruno", "anna"), away("bruno", "carla"), away("anna", "bruno")),
        "2026-08-10T12:00:00+02:00",
        "carla",
    ),
    "both away, each for the other: the next": (
        team(away("bruno", "anna"), away("anna", "bruno")),
        "2026-08-10T12:00:00+02:00",
        "carla",
    ),
    "the next after those away": (
        team(away("carla", "anna"), away("anna", "carla")),
        "2026-08-17T12:00:00+02:00",
        "bruno",
    ),
}


@pytest.mark.parametrize(("people", "moment", "who"), CALLS.values(), ids=list(CALLS))
def test_the_one_on_duty_or_whoever_stands_in_is_called(people: Team, moment: str, who: str) -> None:
    assert on_duty(people, at(moment)) == (who,)
    assert called(people, at(moment)) == (MEMBERS[who],)


ALL_AWAY = (away("anna", "bruno"), away("bruno", "carla"), away("carla", "anna"))
SEVERAL = {
    "no rota": (team(rota=None), "2026-08-10T12:00:00+02:00", ("anna", "bruno", "carla"), None),
    "no rota, one away": (team(away("anna", "bruno"), rota=None), "2026-08-10T12:00:00Z", ("bruno", "carla"), None),
    "no rota, all away": (team(*ALL_AWAY, rota=None), "2026-08-10T12:00:00Z", ("anna", "bruno", "carla"), None),
    "a rota, all away": (team(*ALL_AWAY), "2026-08-10T12:00:00Z", ("anna", "bruno", "carla"), None),
    "before the first turn": (team(), "2025-12-24T12:00:00Z", ("anna", "bruno", "carla"), None),
    "a user group": (
        team(away("anna", "bruno"), rota=None, group="S00GROUP"),
        "2026-08-10T12:00:00Z",
        ("bruno", "carla"),
        "S00GROUP",
    ),
    "a user group whose members Slack alone knows": (
        Team("leads", "#leads", "S00GROUP"),
        "2026-08-10T12:00:00Z",
        ("S00GROUP",),
        "S00GROUP",
    ),
    "a user group and a rota, all away": (
        team(*ALL_AWAY, group="S00GROUP"),
        "2026-08-10T12:00:00Z",
        ("anna", "bruno", "carla"),
        "S00GROUP",
    ),
}


@pytest.mark.parametrize(("people", "moment", "names", "group"), SEVERAL.values(), ids=list(SEVERAL))
def test_without_one_on_duty_the_user_group_is_called_or_all_who_are_there(
    people: Team, moment: str, names: tuple[str, ...], group: str | None
) -> None:
    assert on_duty(people, at(moment)) == names
    assert called(people, at(moment)) == ((group,) if group else tuple(MEMBERS[name] for name in names))


def test_the_rota_goes_before_the_user_group() -> None:
    assert called(team(group="S00GROUP"), at("2026-08-10T12:00:00Z")) == ("U00BRUNO",)


def test_a_team_without_people_calls_nobody() -> None:
    assert called(Team("social", "#social"), at("2026-08-10T12:00:00Z")) == ()


names = st.sampled_from(sorted(MEMBERS))


@given(
    st.lists(st.builds(away, names, names, st.sampled_from(["2026-08-10", "2026-08-12"])), max_size=8),
    st.booleans(),
    st.integers(0, 15),
)
def test_somebody_of_the_team_is_always_called(deputies: list[Deputy], rota: bool, day: int) -> None:
    moment = at("2026-08-08T12:00:00Z") + day * DAY
    people = team(*deputies, rota=WEEKLY if rota else None)
    ids = called(people, moment)
    assert ids and set(ids) <= set(MEMBERS.values())
    absent = {one.absent for one in deputies if one.since <= moment.date() <= one.until}
    assert not absent & set(on_duty(people, moment)) or absent == set(MEMBERS)
