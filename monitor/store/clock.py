"""What is stored about the future moves with the clock: when it is set back, nothing may wait for the old time."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from monitor.store.times import from_text, to_text

_MOVED = (
    ("timers", "due_at", "1"),
    ("cursors", "due_at", "1"),
    ("outbox", "not_before", "state <> 'sent'"),
    # Tiers count from it.
    ("escalations", "told_at", "told_at IS NOT NULL AND state NOT IN ('resolved', 'dropped')"),
)


def set_back(connection: sqlite3.Connection, by: timedelta) -> None:
    """Move every time at which something is to happen, or from which that counts, `by` so much towards the past."""
    for table, column, where in _MOVED:
        rows = connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {where} ORDER BY {column}").fetchall()
        # The earliest first: what has been moved is never taken for what has still to be.
        for (time,) in rows:
            moved = to_text(from_text(time) - by)
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ? AND {where}", [moved, time])
