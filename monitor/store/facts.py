"""Small named facts about this installation, as JSON: its id, the daemon's last word, the rules in force."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from monitor.store.times import from_text, to_text


def remember(connection: sqlite3.Connection, name: str, value: object, now: datetime) -> None:
    """Keep a small fact about this installation (its id, the daemon's last word, the rules in force) as JSON."""
    connection.execute(
        "INSERT INTO facts (name, value, at) VALUES (?,?,?)"
        " ON CONFLICT DO UPDATE SET value = excluded.value, at = excluded.at",
        [name, json.dumps(value, ensure_ascii=False), to_text(now)],
    )


def recall(connection: sqlite3.Connection, name: str) -> tuple[object, datetime] | None:
    """A fact and when it was noted."""
    row = connection.execute("SELECT value, at FROM facts WHERE name = ?", [name]).fetchone()
    return (json.loads(row["value"]), from_text(row["at"])) if row else None
