"""What is stored about the future moves with the clock: when it is set back, nothing may wait for the old time.

So does what the future is counted from: when an escalation was told, for its tiers, and what has begun already.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from monitor.escalation.machine import ALIVE
from monitor.store.mutes import COMMAND
from monitor.store.times import from_text, to_text

_ALIVE = f"state IN ({', '.join(map(repr, map(str, ALIVE)))})"
_MOVING = (
    ("timers", "due_at", "1"),
    ("cursors", "due_at", "1"),
    ("outbox", "not_before", "state NOT IN ('sent', 'folded')"),
    ("escalations", "told_at", _ALIVE),
    ("escalations", "held_until", _ALIVE),
    ("escalations", "snoozed_until", _ALIVE),
    # A mute of a rule file ends on the day that stands there.
    ("mutes", "until", f"origin = '{COMMAND}'"),
    ("inbox", "not_before", "applied_at IS NULL"),
)


def set_back(connection: sqlite3.Connection, by: timedelta, now: datetime) -> None:
    """Move every time at which something is to happen, or from which that counts, `by` so much towards the past; it is
    `now` by the new clock."""
    begun = ("mutes", "since", f"since <= '{to_text(now + by)}'")
    for table, column, where in (*_MOVING, begun):
        where = f"{where} AND {column} IS NOT NULL"
        rows = connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {where} ORDER BY {column}").fetchall()
        # The earliest first: what has been moved is never taken for what has still to be.
        for (time,) in rows:
            moved = to_text(from_text(time) - by)
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ? AND {where}", [moved, time])
