"""Numbers and lists about the whole database, for `status` and `check`."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from monitor.store.rows import optional_time
from monitor.store.times import from_text, to_text


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source stands, as people read it. `note` is what its last answer told the operator (a move, say)."""

    source: str
    name: str
    state: str
    last_success: datetime | None
    next_due: datetime
    failures: int
    error: str
    note: str


@dataclass(frozen=True, slots=True)
class Volume:
    """How much is stored; `mentions_today` are those since the start of the UTC day."""

    posts: int
    mentions: int
    mentions_today: int
    last_mention: datetime | None


def source_states(connection: sqlite3.Connection) -> tuple[SourceStatus, ...]:
    """Those in trouble first."""
    found = connection.execute("SELECT * FROM cursors ORDER BY state = 'active', failures = 0, name, source")
    return tuple(
        SourceStatus(
            source=row["source"],
            name=row["name"],
            state=row["state"],
            last_success=optional_time(row["last_success_at"]),
            next_due=from_text(row["due_at"]),
            failures=row["failures"],
            error=row["error"],
            note=row["note"],
        )
        for row in found
    )


def volume(connection: sqlite3.Connection, now: datetime) -> Volume:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    row = connection.execute(
        # What is dismissed has an index of its own: to look at each mention would take long.
        "SELECT (SELECT count(*) FROM posts),"
        " (SELECT count(*) FROM mentions) - (SELECT count(*) FROM mentions WHERE dismissed),"
        " (SELECT count(*) FROM mentions WHERE at >= ? AND NOT dismissed), (SELECT max(at) FROM mentions)",
        [to_text(midnight)],
    ).fetchone()
    return Volume(row[0], row[1], row[2], optional_time(row[3]))


def count_posts(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM posts").fetchone()[0])
