"""How a sentence names a moment: as short as it can be said on the day on which it is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from monitor.wording.text import Text, say

#: So far away a day of the week says which day is meant.
A_WEEK = timedelta(days=6)
WEEKDAYS = (say("Mon"), say("Tue"), say("Wed"), say("Thu"), say("Fri"), say("Sat"), say("Sun"))


@dataclass(frozen=True, slots=True)
class Spoken:
    """Moments as somebody says them `now`, in the time zone of whoever listens, in texts for their language.

    Each way to say one is a text of its own: in many languages a preposition goes together with what follows.
    """

    now: datetime
    zone: tzinfo = UTC

    def time(self, at: datetime) -> Text:
        """ "14:05", "Fri 14:05", "30 March 2026 14:05"."""
        clock, weekday, day = self._parts(at)
        if day:
            return say("{date} {time}", date=day, time=clock)
        return say("{weekday} {time}", weekday=weekday, time=clock) if weekday else Text("{time}", {"time": clock})

    def at(self, at: datetime) -> Text:
        """ "at 14:05", "on Fri at 14:05", "on 30 March 2026 at 14:05"."""
        clock, weekday, day = self._parts(at)
        if day:
            return say("on {date} at {time}", date=day, time=clock)
        if weekday:
            return say("on {weekday} at {time}", weekday=weekday, time=clock)
        return say("at {time}", time=clock)

    def as_of(self, at: datetime) -> Text:
        """ "as of 14:05", "as of Fri 14:05"."""
        _, weekday, day = self._parts(at)
        if day:
            return say("as of {date}", date=self.time(at))
        return say("as of {day}", day=self.time(at)) if weekday else say("as of {time}", time=self.time(at))

    def until(self, at: datetime) -> Text:
        """ "until 14:05", "until Fri 14:05"."""
        _, weekday, day = self._parts(at)
        if day:
            return say("until {date}", date=self.time(at))
        return say("until {day}", day=self.time(at)) if weekday else say("until {time}", time=self.time(at))

    def since(self, at: datetime) -> Text:
        """ "since 14:05", "since Fri 14:05"."""
        _, weekday, day = self._parts(at)
        if day:
            return say("since {date}", date=self.time(at))
        return say("since {day}", day=self.time(at)) if weekday else say("since {time}", time=self.time(at))

    def before(self, at: datetime) -> Text:
        """ "before 14:05", "before Fri 14:05"."""
        _, weekday, day = self._parts(at)
        if day:
            return say("before {date}", date=self.time(at))
        return say("before {day}", day=self.time(at)) if weekday else say("before {time}", time=self.time(at))

    def _parts(self, at: datetime) -> tuple[str, Text | None, date | None]:
        """The time of day and, of another day, its name or its date."""
        there, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        clock = f"{there:%H:%M}"
        if there.date() == today.date():
            return clock, None, None
        if abs(there.date() - today.date()) <= A_WEEK:
            return clock, WEEKDAYS[there.weekday()], None
        return clock, None, there.date()
