"""When a clock on the wall of a time zone shows a time, whatever has been done to that clock meanwhile.

A clock that is set forward never shows some times, one that is set back shows some twice; Samoa left out the whole of
30 December 2011. `first_at` and `last_at` give an answer for each of these, so that a span from one time to another
always has a beginning and an end, the end never before the beginning.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def first_at(zone: ZoneInfo, day: date, minutes: int) -> datetime:
    """The moment (UTC) at which the clock first shows `minutes` after the midnight of `day`, or a later time.

    A time that is left out comes when the clock is set forward; one that is shown twice comes the first time.
    """
    return _moments(zone, day, minutes)[0]


def last_at(zone: ZoneInfo, day: date, minutes: int) -> datetime:
    """As `first_at`, but of a time that is shown twice the second time: from then on the clock is never before it."""
    return _moments(zone, day, minutes)[1]


#: The same few days are asked for again and again.
@lru_cache(maxsize=4096)
def _moments(zone: ZoneInfo, day: date, minutes: int) -> tuple[datetime, datetime]:
    shown = datetime.combine(day, time()) + timedelta(minutes=minutes)
    # PEP 495: of a time shown twice, fold says which; of one left out, fold 1 gives a moment before the change.
    early = shown.replace(tzinfo=zone).astimezone(UTC)
    late = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if early <= late:
        return early, late
    changed = _set_forward(zone, shown, late, early)
    return changed, changed


def _set_forward(zone: ZoneInfo, shown: datetime, before: datetime, after: datetime) -> datetime:
    """The change between the two moments that makes the clock skip `shown`; changes come at whole seconds."""
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).replace(tzinfo=None) < shown:
            before = middle
        else:
            after = middle
    return after
