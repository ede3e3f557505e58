"""When a team is there: overnight, on holidays, and across every change of every clock."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.rules.people.hours import Hours, Span
from monitor.rules.people.timewords import days_of, week_of

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = sorted(available_timezones())


def span(text: str) -> Span:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return Span(start, end if end > start else end + 24 * 60)


def hours(zone: str, holidays: tuple[str, ...] = (), closed: tuple[str, ...] = (), **days: str) -> Hours:
    """`mon_fri="09:00-13:00 14:00-18:00"`"""
    said = {key.replace("_", "-"): tuple(map(span, spans.split())) for key, spans in days.items()}
    return Hours(zone, week_of(said), holidays, frozenset(map(date.fromisoformat, closed)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


OFFICE = hours("Europe/Rome", ("IT",), ("2026-12-24",), mon_fri="09:00-13:00 14:00-18:00", sat="10:00-13:00")
NIGHT = hours("Europe/Rome", ("IT",), ("2026-08-08",), fri="22:00-06:00", sun="20:00-24:00")
ROUND_THE_CLOCK = hours("Europe/Rome", mon_sun="00:00-24:00")
EARLY = hours("Europe/Rome", sun="02:30-04:00")
UNTIL_REPEATED = hours("Europe/Rome", sun="01:00-02:30")
IN_REPEATED = hours("Europe/Rome", sun="02:30-02:45")
IN_GAP = hours("Europe/Rome", sun="02:10-02:50 12:00-13:00")
OVER_GAP = hours("Europe/Rome", sat="22:00-02:30")

NEXT = {
    "open now": (OFFICE, "2026-03-30T09:00:00+02:00", None),
    "before it opens": (OFFICE, "2026-03-30T08:59:59+02:00", "2026-03-30T07:00:00Z"),
    "lunch": (OFFICE, "2026-03-30T13:00:00+02:00", "2026-03-30T12:00:00Z"),
    "over the weekend of the clock change": (OFFICE, "2026-03-28T23:30:00+01:00", "2026-03-30T07:00:00Z"),
    "over Easter Monday": (OFFICE, "2026-04-04T13:00:00+02:00", "2026-04-07T07:00:00Z"),
    "over Christmas": (OFFICE, "2026-12-23T18:00:00+01:00", "2026-12-28T08:00:00Z"),
    "asked in another zone": (OFFICE, "2026-03-29T22:00:00-07:00", "2026-03-30T07:00:00Z"),
    "overnight, on the day after": (NIGHT, "2026-07-04T05:59:59+02:00", None),
    "overnight, at its end": (NIGHT, "2026-07-04T06:00:00+02:00", "2026-07-05T18:00:00Z"),
    "overnight into a closed day": (NIGHT, "2026-08-08T03:00:00+02:00", None),
    "no night that begins on a holiday": (NIGHT, "2026-12-25T23:00:00+01:00", "2026-12-27T19:00:00Z"),
    "until midnight": (NIGHT, "2026-07-06T00:00:00+02:00", "2026-07-10T20:00:00Z"),
    "round the clock, in the gap": (ROUND_THE_CLOCK, "2026-03-29T01:00:00Z", None),
    "begins in the gap": (EARLY, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
    "begins when the clock is set": (EARLY, "2026-03-29T01:00:00Z", None),
    "begins in the repeat, the first time": (EARLY, "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"),
    "ends in the repeat, between the two": (UNTIL_REPEATED, "2026-10-25T00:45:00Z", None),
    "ends in the repeat, the second time": (UNTIL_REPEATED, "2026-10-25T01:30:00Z", "2026-11-01T00:00:00Z"),
    "from the first time to the second": (IN_REPEATED, "2026-10-25T01:15:00Z", None),
    "the whole span is left out": (IN_GAP, "2026-03-29T00:59:00Z", "2026-03-29T10:00:00Z"),
    "overnight, ends in the gap": (OVER_GAP, "2026-03-29T00:59:59Z", None),
    "overnight, ended in the gap": (OVER_GAP, "2026-03-29T01:00:00Z", "2026-04-04T20:00:00Z"),
    "midnight is left out": (hours("Africa/Cairo", fri="00:00-24:00"), "2026-04-23T20:00:00Z", "2026-04-23T22:00:00Z"),
    "half an hour": (hours("Australia/Lord_Howe", sun="01:45-03:00"), "2026-04-04T14:50:00Z", None),
    "a day is left out": (hours("Pacific/Apia", fri="09:00-18:00"), "2011-12-28T00:00:00Z", "2012-01-05T19:00:00Z"),
    "overnight into a day left out": (
        hours("Pacific/Apia", thu="22:00-06:00"),
        "2011-12-30T10:00:00Z",
        "2012-01-05T08:00:00Z",
    ),
    "a holiday of Bavaria": (
        hours("Europe/Berlin", ("DE-BY",), tue="09:00-18:00"),
        "2026-01-06T10:00:00+01:00",
        "2026-01-13T08:00:00Z",
    ),
    "not of all Germany": (hours("Europe/Berlin", ("DE",), tue="09:00-18:00"), "2026-01-06T10:00:00+01:00", None),
    "of one of two regions": (
        hours("Europe/Berlin", ("IT", "DE-BE"), mon="09:00-18:00"),
        "2026-04-06T10:00:00+02:00",
        "2026-04-13T07:00:00Z",
    ),
    "years that no calendar knows": (hours("UTC", ("IN", "TR"), mon="09:00-18:00"), "2190-01-04T10:00:00Z", None),
}


@pytest.mark.parametrize(("times", "asked", "opens"), NEXT.values(), ids=list(NEXT))
def test_the_next_open_moment(times: Hours, asked: str, opens: str | None) -> None:
    moment = at(asked)
    assert times.is_open(moment) is (opens is None)
    assert times.next_open(moment) == (at(opens) if opens else moment)


def test_what_is_closed_for_years_opens_after_that() -> None:
    closed = tuple((date(2026, 1, 1) + DAY * day).isoformat() for day in range(2000))
    times = hours("UTC", closed=closed, mon_sun="09:00-10:00")
    assert times.next_open(at("2026-01-01T00:00:00Z")) == at("2031-06-24T09:00:00Z")


@pytest.mark.parametrize("week", [((),) * 7, ((Span(0, 60),),)], ids=["never", "no whole week"])
def test_hours_that_can_never_open_are_refused(week: tuple[tuple[Span, ...], ...]) -> None:
    with pytest.raises(ValueError, match="a span on one of seven days"):
        Hours("UTC", week)


def test_a_range_of_days_may_go_over_the_weekend() -> None:
    assert (days_of("sat-mon"), days_of("wed"), days_of("mon-sun")) == ([5, 6, 0], [2], list(range(7)))


# -- against a slow clock that is read every minute --------------------------------------------------------------


@cache
def changes(zone: str, first: int, last: int) -> tuple[datetime, ...]:
    """When the clock of `zone` is set, in the years from `first` to `last`."""
    place, found = ZoneInfo(zone), []
    day = datetime(first, 1, 1, tzinfo=UTC)
    while day.year <= last:
        before, after = day, day + DAY
        if before.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            while after - before > timedelta(seconds=1):
                middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
                same = middle.astimezone(place).utcoffset() == day.astimezone(place).utcoffset()
                before, after = (middle, after) if same else (before, middle)
            found.append(after)
        day += DAY
    return tuple(found)


class Clock:
    """The clock on the wall, read every minute for some days around a moment; knows nothing of offsets or folds."""

    def __init__(self, zone: str, around: datetime, days: int = 3) -> None:
        place = ZoneInfo(zone)
        self.start = around - days * DAY
        self.shown = [
            (self.start + MINUTE * n).astimezone(place).replace(tzinfo=None) for n in range(2 * days * 24 * 60)
        ]
        self.last = {shown: n for n, shown in enumerate(self.shown)}
        self.latest = list(self.shown)
        for n in range(1, len(self.shown)):
            self.latest[n] = max(self.latest[n - 1], self.shown[n])
        self.earliest = list(self.shown)
        for n in range(len(self.shown) - 2, -1, -1):
            self.earliest[n] = min(self.earliest[n + 1], self.shown[n])

    def open_minutes(self, times: Hours) -> list[bool]:
        """Open from when the clock first shows the start, or a later time, until it shows the end for the last time, or
        only later times."""
        found = [False] * len(self.shown)
        day = self.shown[0].date() - DAY
        while day <= self.shown[-1].date() + DAY:
            for one in times.week[day.weekday()] if day not in times.closed else ():
                midnight = datetime(day.year, day.month, day.day)
                begins = bisect_left(self.latest, midnight + MINUTE * one.start)
                end = midnight + MINUTE * one.end
                ends = self.last.get(end, bisect_left(self.earliest, end))
                found[begins:ends] = [True] * max(0, ends - begins)
            day += DAY
        return found

    def agrees(self, times: Hours, minutes: range) -> None:
        is_open = self.open_minutes(times)
        following = len(is_open)
        nexts = [0] * len(is_open)
        for n in range(len(is_open) - 1, -1, -1):
            following = n if is_open[n] else following
            nexts[n] = following
        for n in minutes:
            moment = self.start + MINUTE * n
            assert times.is_open(moment) is is_open[n], (times.zone, moment.isoformat())
            if nexts[n] < len(is_open):
                assert times.next_open(moment) == self.start + MINUTE * nexts[n], (times.zone, moment.isoformat())


def around_change(clock: Clock) -> range:
    middle = len(clock.shown) // 2
    return range(middle - 150, middle + 150)


def awkward(zone: str, change: datetime) -> list[Hours]:
    day = change.astimezone(ZoneInfo(zone)).date()
    closed = (day.isoformat(),)
    return [
        hours(zone, mon_sun="00:30-01:10 01:20-02:05 02:10-02:40 02:50-03:20 23:50-00:20"),
        hours(zone, closed=closed, mon_sun="22:00-02:30 00:00-00:01"),
        hours(zone, closed=((day - DAY).isoformat(),), mon_sun="00:00-24:00"),
        hours(zone, mon_sun="03:00-01:30"),
    ]


def test_every_kind_of_clock_change_agrees_with_a_clock_on_the_wall() -> None:
    kinds = {}
    for zone in ZONES:
        for change in changes(zone, 2026, 2028):
            place = ZoneInfo(zone)
            before, after = (moment.astimezone(place) for moment in (change - MINUTE, change))
            # How the clock is set, and what it shows then, is all that matters; the year is not.
            kinds[before.timetz().replace(tzinfo=None), before.utcoffset(), after.utcoffset()] = zone, change
    assert len(kinds) > 20
    for zone, change in kinds.values():
        clock = Clock(zone, change)
        for times in awkward(zone, change):
            clock.agrees(times, around_change(clock))


ODD = {
    "a day left out": ("Pacific/Apia", 2011),
    "another day left out": ("Pacific/Fakaofo", 2011),
    "New Year's Eve left out": ("Pacific/Kiritimati", 1994),
    "a day left out in August": ("Pacific/Kwajalein", 1993),
    "a day shown twice": ("Pacific/Kwajalein", 1969),
    "a minute after midnight": ("America/St_Johns", 2006),
    "a quarter of an hour": ("Asia/Kathmandu", 1985),
    "half an hour back for good": ("Asia/Pyongyang", 2015),
    "half an hour": ("Australia/Lord_Howe", 2026),
    "three quarters past two": ("Pacific/Chatham", 2026),
    "two hours": ("Antarctica/Troll", 2026),
    "winter time in Ramadan": ("Africa/Casablanca", 2026),
    "back across midnight": ("America/Havana", 2026),
}


@pytest.mark.parametrize(("zone", "year"), ODD.values(), ids=list(ODD))
def test_odd_clock_changes_agree_with_a_clock_on_the_wall(zone: str, year: int) -> None:
    assert changes(zone, year, year)
    for change in changes(zone, year, year):
        clock = Clock(zone, change)
        for times in awkward(zone, change):
            clock.agrees(times, range(24 * 60, len(clock.shown) - 24 * 60, 17))
            clock.agrees(times, around_change(clock))


# -- whatever zone, hours and moment -----------------------------------------------------------------------------


def holds(times: Hours, moment: datetime) -> None:
    """The next open moment is no earlier, is open, and nothing is open before it."""
    opens = times.next_open(moment)
    assert opens >= moment and times.is_open(opens), (times.zone, moment.isoformat())
    assert (opens == moment) is times.is_open(moment)
    if opens > moment:
        assert not times.is_open(opens - timedelta(seconds=1)) or opens - moment < timedelta(seconds=1)
        for part in range(1, 8):
            assert not times.is_open(moment + (opens - moment) * part / 8), (times.zone, moment.isoformat())


def test_next_open_holds_around_every_clock_change_of_every_zone() -> None:
    for zone in ZONES:
        times = hours(zone, mon_fri="02:30-02:40 09:00-18:00", sat="23:30-00:30")
        for change in changes(zone, 2026, 2028):
            for ahead in (-20 * HOUR, -HOUR, -MINUTE, timedelta(), 30 * MINUTE, 20 * HOUR):
                holds(times, change + ahead)


minutes = st.integers(0, 24 * 60 - 1)
spans = st.builds(lambda start, length: Span(start, start + length), minutes, st.integers(1, 24 * 60))
weeks = st.lists(st.lists(spans, max_size=2).map(tuple), min_size=7, max_size=7).map(tuple).filter(any)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))
regions = st.lists(st.sampled_from(["IT", "DE-BY", "US-CA", "JP", "IN", "SA", "NO"]), max_size=2).map(tuple)


@settings(max_examples=300, deadline=None)
@given(zone=st.sampled_from(ZONES), week=weeks, holidays=regions, moment=moments, off=st.sets(st.integers(-1, 9)))
def test_next_open_holds_whatever_is_asked(
    zone: str, week: tuple[tuple[Span, ...], ...], holidays: tuple[str, ...], moment: datetime, off: set[int]
) -> None:
    closed = frozenset(moment.date() + DAY * days for days in off)
    holds(Hours(zone, week, holidays, closed), moment)


@settings(max_examples=40, deadline=None)
@given(zone=st.sampled_from([zone for zone in ZONES if changes(zone, 2027, 2027)]), week=weeks, data=st.data())
def test_any_week_agrees_with_a_clock_on_the_wall(
    zone: str, week: tuple[tuple[Span, ...], ...], data: st.DataObject
) -> None:
    clock = Clock(zone, data.draw(st.sampled_from(changes(zone, 2027, 2027))))
    clock.agrees(Hours(zone, week), range(24 * 60, 5 * 24 * 60, 11))
