"""What is stored about the future moves with the clock: when it is set back, nothing may wait for the old time."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from monitor.store.times import from_text, to_text

_FUTURE = (
    ("timers", "due_at", "1"),
    ("cursors", "due_at", "1"),
    ("outbox", "not_before", "state <> 'sent'"),
)


def shift(connection: sqlite3.Connection, by: timedelta) -> None:
    """Move every time at which something is to happen."""
    for table, column, where in _FUTURE:
        # By rowid or key alike: these tables hold little that is still to come.
        rows = connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {where}").fetchall()
        ascending = by.total_seconds() < 0
        for (text,) in sorted(rows, key=lambda row: str(row[0]), reverse=not ascending):
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE {column} = ? AND {where}", [to_text(from_text(text) + by), text]
            )
