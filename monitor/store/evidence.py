"""What rules need to know of stored mentions, as `rules.windows` takes it: all of a subject, or what is new of it.

It stands in the mentions themselves, as it was when they came in. No query here reads more than what it returns.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from monitor.rules.counted import Counted, Totals
from monitor.store.rows import COUNTS, topics_of
from monitor.store.times import from_text, to_text

_COUNTED = "SELECT id, at, brand, source, language, topics, author, reach, score, confidence FROM mentions WHERE"


class Subject(NamedTuple):
    """What rules are judged on: a discussion, or without one the brand as a whole."""

    brand: str
    discussion_id: int | None = None


class Mark(NamedTuple):
    """The mention that was stored last. An id alone names it not for ever: that of a deleted last one is used again."""

    id: int = 0
    post_id: int = 0
    brand: str = ""


def counted(connection: sqlite3.Connection, subject: Subject, since: datetime) -> Iterator[Counted]:
    """The mentions of a subject after `since`, as they are read; our own answers never count."""
    of, value = ("discussion_id", subject.discussion_id) if subject.discussion_id else ("brand", subject.brand)
    return _read(connection, f"{_COUNTED} {of} = ? AND at > ? AND {COUNTS}", [value, to_text(since)])


def added(connection: sqlite3.Connection, subject: Subject, after: int) -> Iterator[Counted]:
    """The mentions of a subject that were stored after mention `after`, as they are read, in that order."""
    # The plus keeps SQLite from going through all of the brand: few mentions are new.
    of, value = ("discussion_id", subject.discussion_id) if subject.discussion_id else ("+brand", subject.brand)
    return _read(connection, f"{_COUNTED} {of} = ? AND id > ? AND {COUNTS} ORDER BY id", [value, after])


def _read(connection: sqlite3.Connection, query: str, values: list[Any]) -> Iterator[Counted]:
    cursor = connection.cursor()
    # Plain tuples, and never all of them at once: a brand may have millions of mentions in a rule's baseline.
    cursor.row_factory = None
    for id, at, brand, source, language, topics, author, reach, score, confidence in cursor.execute(query, values):
        yield Counted(id, from_text(at), brand, source, language, topics_of(topics), author, reach, score, confidence)


def latest(connection: sqlite3.Connection) -> Mark:
    query = "SELECT id, post_id, brand FROM mentions WHERE id = (SELECT max(id) FROM mentions)"
    row = connection.execute(query).fetchone()
    return Mark(*row) if row else Mark()


def is_stored(connection: sqlite3.Connection, mark: Mark) -> bool:
    """Whether that mention still is what it was; then all that came after it has larger ids."""
    query = "SELECT 1 FROM mentions WHERE id = ? AND post_id = ? AND brand = ?"
    return mark == Mark() or connection.execute(query, mark).fetchone() is not None


def revision(connection: sqlite3.Connection, subject: Subject) -> int:
    """How often stored mentions of the subject have been changed or deleted."""
    query = "SELECT number FROM revisions WHERE brand = ? AND discussion_id = ?"
    row = connection.execute(query, [subject.brand, subject.discussion_id or 0]).fetchone()
    return int(row[0]) if row else 0


def totals(connection: sqlite3.Connection, subject: Subject) -> Totals:
    """All mentions of a discussion and its authors' reach. Rules about a brand as a whole have no such floor."""
    if subject.discussion_id is None:
        return Totals(0, 0)
    query = "SELECT mentions, reach FROM discussions WHERE id = ?"
    return Totals(*connection.execute(query, [subject.discussion_id]).fetchone())
