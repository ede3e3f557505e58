"""What happened to one escalation, out of the audit log: for its timeline, and who has read its guideline."""

from __future__ import annotations

import json
import sqlite3

from monitor.escalation.acts import READ
from monitor.escalation.audit import Logged
from monitor.store import rows
from monitor.timeline import person


def of(connection: sqlite3.Connection, escalation_id: int) -> tuple[Logged, ...]:
    """The oldest first."""
    query = "SELECT at, who, what, why, data FROM events WHERE escalation_id = ? ORDER BY id"
    return tuple(rows.logged(row) for row in connection.execute(query, [escalation_id]))


def readers(connection: sqlite3.Connection, escalation_id: int) -> tuple[tuple[str, str, str], ...]:
    """Who (as the audit log has it), by which name, read which version of its guideline, in that order."""
    query = "SELECT who, data FROM events WHERE escalation_id = ? AND what = ? ORDER BY id"
    found = [(row["who"], json.loads(row["data"])) for row in connection.execute(query, [escalation_id, READ])]
    # Those of older versions have no name of their own.
    return tuple((who, data.get("name") or person(who) or who, data.get("version", "")) for who, data in found)


def read_by(connection: sqlite3.Connection, escalation_id: int) -> tuple[str, ...]:
    """The names of those who have read its guideline, the first first."""
    return tuple(dict.fromkeys(name for _, name, _ in readers(connection, escalation_id)))
