"""The SQL of who is who in Slack: people and user groups, as Slack described them when it was last asked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime

from monitor.slack.permits import Kind, Known
from monitor.store.times import from_text, to_text


def person(connection: sqlite3.Connection, id: str) -> tuple[Known, datetime] | None:
    """Who it is, and when Slack said so."""
    row = connection.execute("SELECT * FROM slack_people WHERE id = ?", [id]).fetchone()
    if row is None:
        return None
    return Known(row["id"], row["name"], Kind(row["kind"]), row["zone"], row["language"]), from_text(row["seen_at"])


def remember_person(connection: sqlite3.Connection, person: Known, now: datetime) -> None:
    connection.execute(
        "INSERT INTO slack_people (id, name, kind, zone, language, seen_at) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET name = excluded.name, kind = excluded.kind, zone = excluded.zone,"
        " language = excluded.language, seen_at = excluded.seen_at",
        [person.id, person.name, person.kind, person.zone, person.language, to_text(now)],
    )


def id_of(connection: sqlite3.Connection, name: str | None) -> str | None:
    """The Slack id of somebody by name; None where nobody, or more than one, has it."""
    rows = connection.execute(
        "SELECT id FROM slack_people WHERE (name = ? OR id = ?) AND kind = ?", [name, name, Kind.MEMBER]
    ).fetchall()
    return str(rows[0]["id"]) if len(rows) == 1 else None


def group(connection: sqlite3.Connection, id: str) -> tuple[frozenset[str], datetime] | None:
    """The ids of a user group's members, and when Slack said so."""
    row = connection.execute("SELECT members, seen_at FROM slack_groups WHERE id = ?", [id]).fetchone()
    return (frozenset(json.loads(row["members"])), from_text(row["seen_at"])) if row else None


def remember_group(connection: sqlite3.Connection, id: str, members: Collection[str], now: datetime) -> None:
    connection.execute(
        "INSERT INTO slack_groups (id, handle, members, seen_at) VALUES (?,'',?,?)"
        " ON CONFLICT DO UPDATE SET members = excluded.members, seen_at = excluded.seen_at",
        [id, json.dumps(sorted(members)), to_text(now)],
    )
