"""What a backtest needs of the database: mentions in the order of their times, and what people said of alerts.

The mentions come as a stream: a million of them are never held at once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice

from monitor.model import Label, Outcome
from monitor.rules.backtesting.opinions import Correction, Past, Talk
from monitor.rules.counted import Counted
from monitor.store.rows import COUNTS, topics_of
from monitor.store.times import from_text, to_text

CHUNK = 5_000


def first(connection: sqlite3.Connection, brand: str, since: datetime, until: datetime) -> datetime | None:
    """When the first mention after `since`, up to `until`, was made."""
    query = f"SELECT min(at) FROM mentions WHERE brand = ? AND at > ? AND at <= ? AND {COUNTS}"
    at = connection.execute(query, [brand, to_text(since), to_text(until)]).fetchone()[0]
    return from_text(at) if at else None


def count(connection: sqlite3.Connection, brand: str, since: datetime, until: datetime) -> int:
    """Mentions after `since`, up to `until`; our own answers never count."""
    query = f"SELECT count(*) FROM mentions WHERE brand = ? AND at > ? AND at <= ? AND {COUNTS}"
    return int(connection.execute(query, [brand, to_text(since), to_text(until)]).fetchone()[0])


def last(connection: sqlite3.Connection) -> datetime | None:
    """When the latest mention was made."""
    at = connection.execute(f"SELECT max(at) FROM mentions WHERE {COUNTS}").fetchone()[0]
    return from_text(at) if at else None


def played(
    connection: sqlite3.Connection, brand: str, since: datetime, until: datetime
) -> Iterator[list[tuple[Counted, int]]]:
    """The same mentions, each with its discussion, in the order of their times, in chunks."""
    cursor = connection.cursor()
    cursor.row_factory = None
    cursor.execute(
        "SELECT id, at, source, language, topics, author, reach, score, confidence, discussion_id FROM mentions"
        f" WHERE brand = ? AND at > ? AND at <= ? AND {COUNTS} ORDER BY at, id",
        [brand, to_text(since), to_text(until)],
    )
    while rows := cursor.fetchmany(CHUNK):
        yield [
            (Counted(id, from_text(at), brand, source, language, topics_of(topics), author, reach, score, sure), about)
            for id, at, source, language, topics, author, reach, score, sure, about in rows
        ]


def searched(
    connection: sqlite3.Connection,
    brand: str,
    since: datetime,
    until: datetime,
    search: Callable[[str | None, str, str | None, frozenset[str]], frozenset[str]],
) -> Iterator[list[tuple[Counted, int]]]:
    """As `played`, with the topics that `search` finds by the title, the text, the language and the stored topics."""
    cursor = connection.cursor()
    cursor.row_factory = None
    cursor.execute(
        "SELECT m.id, m.at, m.source, m.language, m.topics, m.author, m.reach, m.score, m.confidence, m.discussion_id,"
        " p.title, p.text FROM mentions m JOIN posts p ON p.id = m.post_id"
        f" WHERE m.brand = ? AND m.at > ? AND m.at <= ? AND {COUNTS} ORDER BY m.at, m.id",
        [brand, to_text(since), to_text(until)],
    )
    # One by one: a text can be long, and none is kept.
    found = (
        (
            Counted(
                id, from_text(at), brand, source, language, search(title, text, language, topics_of(topics)), author,
                reach, score, sure,
            ),
            about,
        )
        for id, at, source, language, topics, author, reach, score, sure, about, title, text in cursor
    )  # fmt: skip
    while chunk := list(islice(found, CHUNK)):
        yield chunk


def known(connection: sqlite3.Connection, brand: str, before: datetime) -> Iterator[tuple[int, str, int, int]]:
    """Discussion, author, mentions and reach of what was said until `before` in discussions that went on after it."""
    cursor = connection.cursor()
    cursor.row_factory = None
    yield from cursor.execute(
        "SELECT m.discussion_id, m.author, count(*), max(m.reach) FROM discussions d JOIN mentions m"
        " ON m.discussion_id = d.id WHERE d.brand = ?1 AND d.started_at <= ?2 AND d.last_at > ?2 AND m.at <= ?2"
        f" AND {COUNTS} GROUP BY m.discussion_id, m.author",
        [brand, to_text(before)],
    )


def strongly_negative(
    connection: sqlite3.Connection, brand: str, since: datetime, until: datetime, score: float, many: int
) -> list[Talk]:
    """Discussions with at least `many` mentions in that time whose score is at most `score`, or, where people said how
    a mention feels, that they called negative; the most first."""
    found = connection.execute(
        "SELECT d.id, d.title, d.url, s.first, s.strong FROM (SELECT m.discussion_id, min(m.at) AS first,"
        " sum(coalesce(l.label = 'negative', m.score <= ?)) AS strong FROM mentions m"
        " LEFT JOIN (SELECT mention_id, label, max(id) FROM labels GROUP BY mention_id) l ON l.mention_id = m.id"
        f" WHERE m.brand = ? AND m.at > ? AND m.at <= ? AND {COUNTS} GROUP BY m.discussion_id HAVING strong >= ?) s"
        " JOIN discussions d ON d.id = s.discussion_id ORDER BY s.strong DESC, d.id",
        [score, brand, to_text(since), to_text(until), many],
    )
    return [Talk(id, brand, title, url, from_text(at), strong) for id, title, url, at, strong in found]


def past(connection: sqlite3.Connection, since: datetime, until: datetime) -> list[Past]:
    """The escalations that lived in that time, oldest first; one that is alive has no end."""
    found = connection.execute(
        "SELECT id, brand, discussion_id, rule_id, created_at, outcome,"
        " CASE WHEN state IN ('resolved', 'dropped') THEN coalesce(resolved_at, changed_at) END AS ended_at"
        " FROM escalations WHERE created_at <= ?2 AND coalesce(ended_at, ?1) >= ?1 ORDER BY id",
        [to_text(since), to_text(until)],
    )
    return [
        Past(
            id=row["id"],
            brand=row["brand"],
            discussion_id=row["discussion_id"],
            rule_id=row["rule_id"],
            at=from_text(row["created_at"]),
            until=from_text(row["ended_at"]) if row["ended_at"] else None,
            outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        )
        for row in found
    ]


def corrections(connection: sqlite3.Connection, since: datetime, until: datetime) -> list[Correction]:
    """What people last said of each mention of that time."""
    found = connection.execute(
        "SELECT m.discussion_id, m.at, l.label, max(l.id) FROM labels l JOIN mentions m ON m.id = l.mention_id"
        " WHERE m.at > ? AND m.at <= ? GROUP BY l.mention_id",
        [to_text(since), to_text(until)],
    )
    return [Correction(about, from_text(at), Label(label)) for about, at, label, _ in found]


def talks(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, Talk]:
    """What reports call discussions."""
    found = connection.execute(
        "SELECT id, brand, title, url, started_at FROM discussions WHERE id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(ids))],
    )
    return {id: Talk(id, brand, title, url, from_text(at)) for id, brand, title, url, at in found}
