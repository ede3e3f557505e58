"""What rules need to know of stored mentions, loaded as `rules.windows` takes it."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from monitor.rules.counted import Counted, Totals
from monitor.store.rows import author_key
from monitor.store.times import from_text, to_text


def counted(connection: sqlite3.Connection, brand: str, discussion_id: int | None, since: datetime) -> list[Counted]:
    """The mentions of a discussion, or of the whole brand, after `since`, oldest first; our own answers never count."""
    subject, value = ("m.discussion_id = ?", discussion_id) if discussion_id is not None else ("m.brand = ?", brand)
    found = connection.execute(
        "SELECT m.id, m.at, m.topics, m.score, m.confidence, p.source, p.language, p.author_id, p.author_handle,"
        " p.author_name, p.author_followers FROM mentions m JOIN posts p ON p.id = m.post_id"
        f" WHERE {subject} AND m.at > ? AND NOT m.answer ORDER BY m.at, m.id",
        [value, to_text(since)],
    )
    return [
        Counted(
            id=row["id"],
            at=from_text(row["at"]),
            brand=brand,
            source=row["source"],
            language=row["language"],
            topics=frozenset(json.loads(row["topics"])) if row["topics"] != "[]" else frozenset(),
            author=author_key(row["source"], row["author_id"], row["author_handle"], row["author_name"]),
            reach=row["author_followers"] or 0,
            score=row["score"],
            confidence=row["confidence"],
        )
        for row in found
    ]


def totals(connection: sqlite3.Connection, discussion_id: int | None) -> Totals:
    """All mentions of a discussion and its authors' reach. Rules about a brand as a whole have no such floor."""
    if discussion_id is None:
        return Totals(0, 0)
    row = connection.execute("SELECT mentions, reach FROM discussions WHERE id = ?", [discussion_id]).fetchone()
    return Totals(row["mentions"], row["reach"])


def latest_mention(connection: sqlite3.Connection) -> int:
    """The id of the mention that was stored last; 0 for none."""
    return int(connection.execute("SELECT max(id) FROM mentions").fetchone()[0] or 0)


def added_to_brand(
    connection: sqlite3.Connection, brand: str, after: int, since: datetime
) -> list[tuple[int, datetime]]:
    """Ids and times of the brand's mentions that came after mention `after` and count later than `since`."""
    # The plus keeps SQLite from going through all of the brand: few mentions are new.
    found = connection.execute(
        "SELECT id, at FROM mentions WHERE id > ? AND +brand = ? AND +at > ? AND NOT answer",
        [after, brand, to_text(since)],
    )
    return [(row["id"], from_text(row["at"])) for row in found]
