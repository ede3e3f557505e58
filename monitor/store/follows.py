"""Feeds of the comments on posts that mention a brand: read for a while, and never so many that others have to wait."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from monitor.store.times import from_text, to_text

#: Whoever writes the posts writes these addresses, too: so many are followed for one source, and in all.
MOST_OF_ONE, MOST = 50, 500


@dataclass(frozen=True, slots=True)
class Follow:
    """A feed of the comments on a post that mentions a brand, read until `until`."""

    source: str
    url: str
    name: str
    conversation_id: str
    parent_id: str | None
    until: datetime


def follow(connection: sqlite3.Connection, follow: Follow) -> None:
    """Follow one more, or longer; the ones that would end first give way where there are too many."""
    connection.execute(
        "INSERT INTO follows (source, url, name, conversation_id, parent_id, until) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
        [follow.source, follow.url, follow.name, follow.conversation_id, follow.parent_id, to_text(follow.until)],
    )
    for where, values, most in (("name = ?", [follow.name], MOST_OF_ONE), ("1", [], MOST)):
        connection.execute(
            f"DELETE FROM follows WHERE source IN (SELECT source FROM follows WHERE {where}"
            " ORDER BY until DESC, rowid DESC LIMIT -1 OFFSET ?)",
            [*values, most],
        )


def follows(connection: sqlite3.Connection, now: datetime) -> tuple[Follow, ...]:
    found = connection.execute("SELECT * FROM follows WHERE until > ?", [to_text(now)])
    return tuple(
        Follow(
            row["source"], row["url"], row["name"], row["conversation_id"], row["parent_id"], from_text(row["until"])
        )
        for row in found
    )


def unfollow_ended(connection: sqlite3.Connection, now: datetime) -> None:
    connection.execute("DELETE FROM follows WHERE until <= ?", [to_text(now)])
