"""How a sentence names a moment: as short as it can be said on the day on which it is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

#: So far away a day of the week says which day is meant.
A_WEEK = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Spoken:
    """Moments as somebody says them `now`, in the time zone of whoever listens."""

    now: datetime
    zone: tzinfo = UTC

    def time(self, at: datetime) -> str:
        """ "14:05", "Fri 14:05", "30 March 2026 14:05"."""
        day, time = self._parts(at)
        return f"{day} {time}" if day else time

    def at(self, at: datetime) -> str:
        """ "at 14:05", "on Fri at 14:05", "on 30 March 2026 at 14:05"."""
        day, time = self._parts(at)
        return f"on {day} at {time}" if day else f"at {time}"

    def _parts(self, at: datetime) -> tuple[str, str]:
        there, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        time = f"{there:%H:%M}"
        if there.date() == today.date():
            return "", time
        if abs(there.date() - today.date()) <= A_WEEK:
            return f"{there:%a}", time
        return f"{there.day} {there:%B %Y}", time
