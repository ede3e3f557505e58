"""The SQL of who is who in Slack: people and user groups, as Slack described them when it was last asked."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
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


def folded(name: str) -> str:
    """What is the same for two names that people would take for one."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().removeprefix("@").split())


def bearer(connection: sqlite3.Connection, name: str) -> str | None:
    """The Slack id of whoever was called so first; None where nobody was."""
    row = connection.execute("SELECT id FROM slack_names WHERE name = ?", [folded(name)]).fetchone()
    return str(row["id"]) if row else None


def give_name(connection: sqlite3.Connection, name: str, id: str) -> bool:
    """From now on `name` is that of `id`; False where it is somebody else's already."""
    connection.execute("INSERT INTO slack_names (name, id) VALUES (?,?) ON CONFLICT DO NOTHING", [folded(name), id])
    return bearer(connection, name) == id


def id_of(connection: sqlite3.Connection, name: str | None) -> str | None:
    """The Slack id of somebody by the name that they were shown by, or by that id; None where nobody has it."""
    if name is None:
        return None
    row = connection.execute(
        "SELECT id FROM slack_people WHERE id = coalesce((SELECT id FROM slack_names WHERE name = ?), ?) AND kind = ?",
        [folded(name), name, Kind.MEMBER],
    ).fetchone()
    return str(row["id"]) if row else None


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
