"""What is known of each source: its cursor, when it is due, how it stands, what was covered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from monitor.model import Coverage
from monitor.schedule import PollState, SourceState
from monitor.store.rows import optional_time
from monitor.store.times import from_text, to_text


def cursor_of(connection: sqlite3.Connection, source: str) -> dict[str, Any]:
    row = connection.execute("SELECT cursor FROM cursors WHERE source = ?", [source]).fetchone()
    return dict(json.loads(row["cursor"])) if row else {}


def states(connection: sqlite3.Connection) -> dict[str, SourceState]:
    """How each source that was ever scheduled stands, by its key."""
    return {
        row["source"]: SourceState(
            key=row["source"],
            name=row["name"],
            due_at=from_text(row["due_at"]),
            state=PollState(row["state"]),
            failures=row["failures"],
            error=row["error"],
            last_success_at=optional_time(row["last_success_at"]),
        )
        for row in connection.execute("SELECT * FROM cursors")
    }


def save_state(connection: sqlite3.Connection, state: SourceState, note: str | None = None) -> None:
    """Write when the source is due and how it stands; its cursor stays as it is, its note unless one is given."""
    connection.execute(
        "INSERT INTO cursors (source, name, due_at, state, failures, error, last_success_at, note)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(?8, '')) ON CONFLICT DO UPDATE SET name = ?2, due_at = ?3,"
        " state = ?4, failures = ?5, error = ?6, last_success_at = ?7, note = coalesce(?8, note)",
        [
            state.key, state.name, to_text(state.due_at), state.state, state.failures, state.error,
            to_text(state.last_success_at) if state.last_success_at else None, note,
        ],
    )  # fmt: skip


def save_cursor(connection: sqlite3.Connection, source: str, cursor: Mapping[str, Any]) -> None:
    connection.execute(
        "UPDATE cursors SET cursor = ? WHERE source = ?", [json.dumps(cursor, separators=(",", ":")), source]
    )


def cover(connection: sqlite3.Connection, source: str, stretch: Coverage) -> None:
    """Record a stretch of time as read or as a gap; it grows the row before where it goes on in the same way."""
    last = connection.execute(
        "SELECT id, end, complete, reason FROM coverage WHERE source = ? ORDER BY end DESC, id DESC LIMIT 1", [source]
    ).fetchone()
    same = last is not None and (bool(last["complete"]), last["reason"]) == (stretch.complete, stretch.reason)
    if last is not None and same and to_text(stretch.start) <= last["end"]:
        connection.execute("UPDATE coverage SET end = max(end, ?) WHERE id = ?", [to_text(stretch.end), last["id"]])
        return
    connection.execute(
        "INSERT INTO coverage (source, start, end, complete, reason) VALUES (?,?,?,?,?)",
        [source, to_text(stretch.start), to_text(stretch.end), stretch.complete, stretch.reason],
    )


def coverage(
    connection: sqlite3.Connection, brand: str, start: datetime, end: datetime, names: Collection[str]
) -> list[Coverage]:
    """The stretches between `start` and `end` in which sources were read; of those called `names`, if any are given.

    Where none of them is polled (their posts come by `ingest`) it counts as read from the brand's first mention on.
    """
    found = connection.execute(
        "SELECT v.start, v.end, v.complete, v.reason, c.name FROM coverage v LEFT JOIN cursors c ON c.source = v.source"
        " WHERE v.end > ? AND v.start < ?",
        [to_text(start), to_text(end)],
    )
    wanted = {name.casefold() for name in names}
    stretches = [
        Coverage(from_text(row["start"]), from_text(row["end"]), bool(row["complete"]), row["reason"])
        for row in found
        if not names or (row["name"] or "").casefold() in wanted
    ]
    polled = [row["name"].casefold() for row in connection.execute("SELECT name FROM cursors")]
    if not stretches and not (wanted.intersection(polled) if wanted else polled):
        first = connection.execute("SELECT min(at) FROM mentions WHERE brand = ?", [brand]).fetchone()[0]
        # A stretch is open at its start, and the first mention belongs to it.
        return [Coverage(from_text(first) - timedelta(microseconds=1), end)] if first else []
    return stretches


def gaps(connection: sqlite3.Connection, since: datetime) -> tuple[sqlite3.Row, ...]:
    """Gaps that ended after `since`, newest first: `source`, `start`, `end`, `reason`."""
    query = "SELECT source, start, end, reason FROM coverage WHERE NOT complete AND end > ? ORDER BY end DESC"
    return tuple(connection.execute(query, [to_text(since)]))


def forget_sources(connection: sqlite3.Connection, keep: Iterable[str]) -> None:
    """Sources that are no longer configured or followed leave the schedule; their coverage stays as history."""
    kept = json.dumps(list(keep))
    connection.execute("DELETE FROM cursors WHERE source NOT IN (SELECT value FROM json_each(?))", [kept])
