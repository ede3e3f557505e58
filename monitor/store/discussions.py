"""Discussions, as people read them: one with its pace and trend, or those that are going on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from monitor.discussions import pace, trend
from monitor.model import Discussion
from monitor.store import rows
from monitor.store.times import from_text, to_text

#: Pace and trend look at no more than so many of the latest mentions.
TIMES = 5_000


def by_id(connection: sqlite3.Connection, discussion_id: int) -> Discussion | None:
    row = connection.execute("SELECT * FROM discussions WHERE id = ?", [discussion_id]).fetchone()
    if row is None:
        return None
    found = connection.execute(
        f"SELECT at FROM mentions WHERE discussion_id = ? AND {rows.COUNTS} ORDER BY at DESC LIMIT ?",
        [discussion_id, TIMES],
    )
    times = sorted(from_text(at) for (at,) in found)
    return rows.discussion(row, pace(times), trend(times))


def listed(connection: sqlite3.Connection, *, brand: str | None, since: datetime, limit: int) -> Sequence[Discussion]:
    """Discussions active since `since`, the most negative mentions first."""
    found = connection.execute(
        "SELECT * FROM discussions WHERE last_at >= ? AND mentions > 0 AND (? IS NULL OR brand = ?)"
        " ORDER BY negative DESC, last_at DESC LIMIT ?",
        [to_text(since), brand, brand, limit],
    )
    return [rows.discussion(row) for row in found]
