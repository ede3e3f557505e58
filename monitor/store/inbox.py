"""The SQL of the inbox: what people did in Slack, kept before Slack is told that it arrived, until it is carried out.

A row that came twice is one: by the id of its envelope, and by who did what when. What is kept is who, what and where;
nothing that would let anybody act.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.store.times import from_text, to_text

#: Nothing is put off for longer.
LONGEST_WAIT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Kept:
    """`attempts`: how often it could not be carried out yet; `request` as it was given to `keep`."""

    id: int
    envelope_id: str
    request: Mapping[str, Any]
    received_at: datetime
    attempts: int


def keep(
    connection: sqlite3.Connection, envelope_id: str, action_key: str, request: Mapping[str, Any], now: datetime
) -> bool:
    """Whether it is new."""
    added = connection.execute(
        "INSERT INTO inbox (envelope_id, action_key, request, received_at, not_before) VALUES (?,?,?,?,?)"
        " ON CONFLICT DO NOTHING",
        [envelope_id, action_key, json.dumps(request), to_text(now), to_text(now)],
    )
    return added.rowcount == 1


def due(connection: sqlite3.Connection, now: datetime, limit: int = 50) -> tuple[Kept, ...]:
    """What is to be carried out now, in the order in which it came."""
    rows = connection.execute(
        "SELECT id, envelope_id, request, received_at, attempts FROM inbox INDEXED BY inbox_waiting"
        " WHERE applied_at IS NULL"
        # Nothing waits before it was tried, or for longer than that: then the clock was set back.
        " AND (not_before <= ? OR attempts = 0 OR not_before > ?) ORDER BY id LIMIT ?",
        [to_text(now), to_text(now + LONGEST_WAIT), limit],
    )
    return tuple(_kept(row, now) for row in rows.fetchall())


def _kept(row: sqlite3.Row, now: datetime) -> Kept:
    try:
        request, received_at = json.loads(row["request"]), from_text(row["received_at"])
    except ValueError:
        # Whoever carries it out finds nothing in it, and goes on to the next.
        request, received_at = {}, now
    return Kept(row["id"], row["envelope_id"], request, received_at, row["attempts"])


def next_due(connection: sqlite3.Connection) -> datetime | None:
    """When the next that waits is to be carried out."""
    row = connection.execute("SELECT min(not_before) FROM inbox WHERE applied_at IS NULL").fetchone()
    return from_text(row[0]) if row[0] else None


def applied(connection: sqlite3.Connection, id: int, result: str, now: datetime) -> bool:
    """Note that it is carried out, and what came of it; False if it was already."""
    done = connection.execute(
        "UPDATE inbox SET applied_at = ?, result = ? WHERE id = ? AND applied_at IS NULL", [to_text(now), result, id]
    )
    return done.rowcount == 1


def put_off(connection: sqlite3.Connection, id: int, until: datetime) -> None:
    """It cannot be carried out now: it is tried again."""
    connection.execute(
        "UPDATE inbox SET not_before = ?, attempts = attempts + 1 WHERE id = ? AND applied_at IS NULL",
        [to_text(until), id],
    )


def forget(connection: sqlite3.Connection, before: datetime) -> int:
    """Delete what was carried out long ago: the audit log knows of it. Return how many rows that were."""
    return connection.execute("DELETE FROM inbox WHERE applied_at < ?", [to_text(before)]).rowcount
