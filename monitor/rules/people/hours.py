"""When the people of a team are there: spans of the week in their time zone, without holidays and other closed days.

A span is wall-clock time and belongs to the day on which it begins: one that begins on Friday evening runs into a
closed Saturday, and none begins in the evening of a holiday. If the clock skips its beginning it begins when the clock
is set forward; if the clock shows its end twice it ends the second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import PlainSerializer

from monitor.rules.people.calendars import holidays_in
from monitor.rules.people.wallclock import first_at, last_at

DAY = timedelta(days=1)
#: No calendar closes a weekday for so long; what is still closed then is not waited for.
_LONGEST = 3 * 366 * DAY


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until before `end`, in minutes after midnight; an `end` beyond 1440 lies on the next day."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hours:
    """`week` holds the spans of Monday to Sunday; `holidays` are regions such as `IT` or `DE-BY`."""

    zone: str
    week: tuple[tuple[Span, ...], ...]
    holidays: tuple[str, ...] = ()
    closed: Annotated[frozenset[date], PlainSerializer(sorted)] = frozenset()

    def __post_init__(self) -> None:
        if len(self.week) != 7 or not any(self.week):
            raise ValueError("hours need a span on one of seven days")

    def is_open(self, at: datetime) -> bool:
        today = self._day(at)
        # Tomorrow too: a clock that is set back across midnight has shown it already.
        days = (today - DAY, today, today + DAY)
        return any(begins <= at < ends for day in days for begins, ends in self._on(day))

    def open_until(self, at: datetime) -> datetime | None:
        """When the doors that are open at `at` close; None if they are closed, or do not close for a week."""
        closes = at
        while closes < at + 7 * DAY:
            today = self._day(closes)
            days = (today - DAY, today, today + DAY)
            ends = [ends for day in days for begins, ends in self._on(day) if begins <= closes < ends]
            if not ends:
                return closes if closes > at else None
            closes = max(ends)
        return None

    def next_open(self, at: datetime) -> datetime:
        """`at` itself where that is open, else the next moment (UTC) that is.

        Should the holidays of several countries leave no day open for years, it is `at`: an alert that comes outside
        hours is better than none.
        """
        day = self._day(at) - DAY
        last = max((day, *self.closed)) + _LONGEST
        while day <= last:
            # Clocks show later times later, so no later day begins before this one.
            if ahead := [begins for begins, ends in self._on(day) if at < ends]:
                first = min(ahead)
                return first if first > at else at
            day += DAY
        return at

    def _day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def _on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The spans that begin on `day`, as moments; none of those that the clock skips."""
        spans = self.week[day.weekday()]
        if not spans or day in self.closed or any(day in holidays_in(region, day.year) for region in self.holidays):
            return
        zone = ZoneInfo(self.zone)
        for span in spans:
            begins, ends = first_at(zone, day, span.start), last_at(zone, day, span.end)
            if begins < ends:
                yield begins, ends
