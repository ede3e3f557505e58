"""Posts, mentions and discussions: written by ingest, read by rules, messages, `search` and `discussions`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from monitor.discussions import discussion_key, discussion_title
from monitor.model import PERSON, Finding, Label, Mention, Post
from monitor.store import labels, rows
from monitor.store.times import from_text, to_text

T = TypeVar("T")

#: Bound parameters of one statement stay under SQLite's limit.
MANY = 500
#: The worst mentions are looked for among so many of the latest, so that a huge discussion is told as fast as a small.
LATEST = 5_000


@dataclass(frozen=True, slots=True)
class Added:
    """A mention that is new; `at` is when it counts."""

    mention_id: int
    discussion_id: int
    brand: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """One of our own accounts spoke in a discussion, at that time."""

    discussion_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing one post did: its new mentions, and our own answers."""

    edited: bool
    added: tuple[Added, ...] = ()
    answered: tuple[Answer, ...] = ()


def known_texts(connection: sqlite3.Connection, posts: Sequence[Post]) -> dict[tuple[str, str], tuple[str | None, str]]:
    """Title and text, as stored, of those of `posts` that are stored already, by (source, native id)."""
    known: dict[tuple[str, str], tuple[str | None, str]] = {}
    for post in posts:
        # One by one: for a list of pairs SQLite would rather read the whole table than the index.
        row = _stored(connection, post)
        if row is not None:
            known[post.source, post.native_id] = (row["title"], row["text"])
    return known


def _stored(connection: sqlite3.Connection, post: Post) -> sqlite3.Row | None:
    query = "SELECT id, title, text, seen_at FROM posts WHERE source = ? AND native_id = ?"
    row: sqlite3.Row | None = connection.execute(query, [post.source, post.native_id]).fetchone()
    return row


def brands_named(connection: sqlite3.Connection, source: str, native_ids: Iterable[str]) -> set[str]:
    """The brands that one of these posts names, or that published it: a reply to it is about them, too."""
    wanted = list(native_ids)
    marks = ",".join("?" for _ in wanted)
    query = (
        "SELECT DISTINCT m.brand FROM posts p JOIN mentions m ON m.post_id = p.id"
        f" WHERE p.source = ? AND p.native_id IN ({marks}) AND (m.terms <> '[]' OR m.answer) AND NOT m.dismissed"
    )
    return {row[0] for row in connection.execute(query, [source, *wanted])}


def brands_discussed(connection: sqlite3.Connection, key: str) -> set[str]:
    """The brands that have a discussion of this key."""
    return {row[0] for row in connection.execute("SELECT brand FROM discussions WHERE key = ?", [key])}


def save(connection: sqlite3.Connection, post: Post, findings: Sequence[Finding], now: datetime) -> Stored:
    """Store a post with its mentions, once: the same post again changes nothing, an edited one is updated."""
    row = _stored(connection, post)
    if row is None:
        post_id, edited, seen_at, same_words = _insert_post(connection, post, now), False, now, True
    else:
        post_id, edited = row["id"], (row["title"], row["text"]) != (post.title, post.text)
        seen_at, same_words = from_text(row["seen_at"]), _words(row) == _words(post)
        _update_post(connection, post_id, post, now if edited else None)
    at = min(post.published_at, seen_at)
    added: list[Added] = []
    answered: list[Answer] = []
    for finding in findings:
        old = connection.execute(
            "SELECT * FROM mentions WHERE post_id = ? AND brand = ?", [post_id, finding.brand]
        ).fetchone()
        if old is None:
            discussion_id = _discussion(connection, post, finding.brand, at)
            mention_id = _insert_mention(connection, post, post_id, discussion_id, finding, at)
            _count(connection, discussion_id, post, finding, at)
            if finding.answer:
                answered.append(Answer(discussion_id, at))
            else:
                added.append(Added(mention_id, discussion_id, finding.brand, at))
        elif edited:
            _judge_again(connection, old, finding, same_words=same_words)
    if edited:
        _forget_unnamed(connection, post_id, {finding.brand for finding in findings})
    return Stored(edited, tuple(added), tuple(answered))


def _insert_post(connection: sqlite3.Connection, post: Post, now: datetime) -> int:
    author, engagement = post.author, post.engagement
    cursor = connection.execute(
        "INSERT INTO posts (source, native_id, url, title, text, author_id, author_handle, author_name,"
        " author_followers, published_at, seen_at, conversation_id, parent_id, language, likes, reposts, replies)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [
            post.source, post.native_id, post.url, post.title, post.text,
            author.id, author.handle, author.name, author.followers,
            to_text(post.published_at), to_text(now), post.conversation_id, post.parent_id, post.language,
            engagement.likes, engagement.reposts, engagement.replies,
        ],
    )  # fmt: skip
    return _new_id(cursor)


def _update_post(connection: sqlite3.Connection, post_id: int, post: Post, edited_at: datetime | None) -> None:
    engagement = post.engagement
    connection.execute(
        "UPDATE posts SET likes = ?, reposts = ?, replies = ?, author_followers = coalesce(?, author_followers)"
        " WHERE id = ?",
        [engagement.likes, engagement.reposts, engagement.replies, post.author.followers, post_id],
    )
    if edited_at:
        connection.execute(
            "UPDATE posts SET title = ?, text = ?, url = ?, edited_at = ? WHERE id = ?",
            [post.title, post.text, post.url, to_text(edited_at), post_id],
        )


def _discussion(connection: sqlite3.Connection, post: Post, brand: str, at: datetime) -> int:
    key = discussion_key(post)
    row = connection.execute("SELECT id FROM discussions WHERE brand = ? AND key = ?", [brand, key]).fetchone()
    if row is not None:
        return int(row["id"])
    cursor = connection.execute(
        "INSERT INTO discussions (brand, key, source, title, url, started_at, last_at) VALUES (?,?,?,?,?,?,?)",
        [brand, key, post.source, discussion_title(post), post.url, to_text(at), to_text(at)],
    )
    return _new_id(cursor)


def _insert_mention(
    connection: sqlite3.Connection, post: Post, post_id: int, discussion_id: int, finding: Finding, at: datetime
) -> int:
    """What rules count of the post stands beside the mention and stays as it was: they are judged again later."""
    cursor = connection.execute(
        "INSERT INTO mentions (post_id, brand, discussion_id, at, terms, snippet, answer, topics, source, language,"
        " author, reach, negative, neutral, positive, score, confidence, label, model)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [
            post_id, finding.brand, discussion_id, to_text(at), _json(finding.terms), finding.snippet, finding.answer,
            _json(finding.topics), post.source, post.language, _author_key(post), post.author.followers or 0,
            *_judgement(finding),
        ],
    )  # fmt: skip
    return _new_id(cursor)


def _count(connection: sqlite3.Connection, discussion_id: int, post: Post, finding: Finding, at: datetime) -> None:
    when = to_text(at)
    if finding.answer:
        # What we publish before anybody else has spoken opens the discussion; it answers nobody.
        connection.execute(
            "UPDATE discussions SET answers = answers + (mentions > 0),"
            " answered_at = CASE WHEN mentions > 0 THEN max(coalesce(answered_at, ''), ?) ELSE answered_at END,"
            " started_at = min(started_at, ?), last_at = max(last_at, ?) WHERE id = ?",
            [when, when, when, discussion_id],
        )
        return
    author, followers = _author_key(post), post.author.followers or 0
    known = connection.execute(
        "SELECT followers FROM discussion_authors WHERE discussion_id = ? AND author = ?", [discussion_id, author]
    ).fetchone()
    more = max(0, followers - (known["followers"] if known else 0))
    connection.execute(
        "INSERT INTO discussion_authors (discussion_id, author, followers) VALUES (?,?,?)"
        " ON CONFLICT DO UPDATE SET followers = max(followers, excluded.followers)",
        [discussion_id, author, followers],
    )
    negative = finding.sentiment is not None and finding.sentiment.label is Label.NEGATIVE
    connection.execute(
        "UPDATE discussions SET mentions = mentions + 1, negative = negative + ?, reach = reach + ?,"
        " authors = authors + ?, started_at = min(started_at, ?), last_at = max(last_at, ?) WHERE id = ?",
        [negative, more, known is None, when, when, discussion_id],
    )


def _judge_again(connection: sqlite3.Connection, old: sqlite3.Row, finding: Finding, *, same_words: bool) -> None:
    """What a person said of a mention holds as long as its words are the same."""
    connection.execute(
        "UPDATE mentions SET terms = ?, snippet = ?, topics = ? WHERE id = ?",
        [_json(finding.terms), finding.snippet, _json(finding.topics), old["id"]],
    )
    if same_words and labels.stands(connection, old["id"]):
        return
    labels.outdate(connection, old["id"])
    *_, label, _ = judgement = _judgement(finding)
    connection.execute(
        "UPDATE mentions SET negative = ?, neutral = ?, positive = ?, score = ?, confidence = ?, label = ?, model = ?,"
        " dismissed = 0 WHERE id = ?",
        [*judgement, old["id"]],
    )
    if not finding.answer and not old["answer"]:
        labels.recount(connection, old, _counts(old), (1, int(label == Label.NEGATIVE)))


def _words(text: Post | sqlite3.Row) -> list[str]:
    """Of title and text: their case, and what lies between them, says nothing."""
    title, body = (text.title, text.text) if isinstance(text, Post) else (text["title"], text["text"])
    return f"{title or ''} {body}".casefold().split()


def _counts(old: sqlite3.Row) -> tuple[int, int]:
    """How many mentions, and how many negative ones, it is to its discussion."""
    counts = not old["answer"] and not old["dismissed"]
    return int(counts), int(counts and old["label"] == Label.NEGATIVE)


def _forget_unnamed(connection: sqlite3.Connection, post_id: int, named: set[str]) -> None:
    """An edit took a brand's name out: the post no longer mentions it. Reach stays: those people have read it."""
    for old in connection.execute("SELECT * FROM mentions WHERE post_id = ?", [post_id]).fetchall():
        if old["brand"] in named:
            continue
        connection.execute("DELETE FROM mentions WHERE id = ?", [old["id"]])
        mentions, negative = _counts(old)
        connection.execute(
            "UPDATE discussions SET mentions = mentions - ?, negative = negative - ? WHERE id = ?",
            [mentions, negative, old["discussion_id"]],
        )


def _author_key(post: Post) -> str:
    author = post.author
    return rows.author_key(post.source, author.id, author.handle, author.name)


# -- reading -----------------------------------------------------------------------------------------------------


def by_ids(connection: sqlite3.Connection, ids: Iterable[int]) -> tuple[Mention, ...]:
    """In the order of `ids`; those that are no longer stored are left out."""
    wanted = list(ids)
    found: dict[int, Mention] = {}
    for chunk in _chunks(wanted):
        marks = ",".join("?" for _ in chunk)
        query = f"SELECT {rows.MENTION} FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.id IN ({marks})"
        found |= {row["mention_id"]: rows.mention(row) for row in connection.execute(query, chunk)}
    return tuple(found[i] for i in wanted if i in found)


def after(connection: sqlite3.Connection, mention_id: int, limit: int) -> tuple[Mention, ...]:
    """Mentions stored after mention `mention_id`, in the order in which they were stored."""
    query = (
        f"SELECT {rows.MENTION} FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.id > ? ORDER BY m.id LIMIT ?"
    )
    return tuple(rows.mention(row) for row in connection.execute(query, [mention_id, limit]))


def worst(
    connection: sqlite3.Connection, discussion_id: int, limit: int, *, first: int | None = None
) -> tuple[Mention, ...]:
    """The most negative of a discussion's latest mentions, those of the largest reach first where they are alike.
    Mention `first` goes before them all, if it counts and nobody has corrected it."""
    query = (
        f"SELECT {rows.MENTION} FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.id IN"
        f" (SELECT id FROM mentions WHERE discussion_id = ? AND {rows.COUNTS} ORDER BY id DESC LIMIT {LATEST})"
        " ORDER BY m.id IS ? AND m.model IS NOT ? DESC, m.label = 'negative' DESC, round(m.score, 1),"
        " p.author_followers DESC, m.at LIMIT ?"
    )
    return tuple(rows.mention(row) for row in connection.execute(query, [discussion_id, first, PERSON, limit]))


def worst_of_brand(connection: sqlite3.Connection, brand: str, since: datetime, limit: int) -> tuple[Mention, ...]:
    """As `worst`, of the brand's mentions after `since`."""
    query = (
        f"SELECT {rows.MENTION} FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.id IN"
        f" (SELECT id FROM mentions WHERE brand = ? AND at > ? AND {rows.COUNTS} ORDER BY at DESC LIMIT {LATEST})"
        " ORDER BY m.label = 'negative' DESC, round(m.score, 1), p.author_followers DESC, m.at LIMIT ?"
    )
    return tuple(rows.mention(row) for row in connection.execute(query, [brand, to_text(since), limit]))


def counts_of_brand(connection: sqlite3.Connection, brand: str, since: datetime) -> dict[str, int]:
    """How many mentions, and how many negative ones, a brand has had since `since`."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(label = 'negative'), 0) FROM mentions"
        f" WHERE brand = ? AND at > ? AND {rows.COUNTS}",
        [brand, to_text(since)],
    ).fetchone()
    return {"mentions": row[0], "negative": row[1]}


def negative_in(connection: sqlite3.Connection, discussion_id: int) -> int:
    """How many negative mentions the discussion has."""
    return int(connection.execute("SELECT negative FROM discussions WHERE id = ?", [discussion_id]).fetchone()[0])


def search(
    connection: sqlite3.Connection, query: str, *, brand: str | None = None, limit: int = 20
) -> tuple[Mention, ...]:
    """Mentions whose post holds all words of `query` (a last `*` ends a prefix), best first, then newest."""
    words = [f'"{word.rstrip("*")}"' + ("*" if word.endswith("*") else "") for word in query.replace('"', " ").split()]
    if not any(word.strip('"*') for word in words):
        return ()
    statement = (
        f"SELECT {rows.MENTION} FROM posts_fts f JOIN posts p ON p.id = f.rowid JOIN mentions m ON m.post_id = p.id"
        " WHERE posts_fts MATCH ? AND (? IS NULL OR m.brand = ?) ORDER BY f.rank, m.at DESC LIMIT ?"
    )
    return tuple(rows.mention(row) for row in connection.execute(statement, [" ".join(words), brand, brand, limit]))


def _judgement(finding: Finding) -> list[object]:
    s = finding.sentiment
    return [s.negative, s.neutral, s.positive, s.score, s.confidence, str(s.label), s.model] if s else [None] * 7


def _json(values: Sequence[str]) -> str:
    return json.dumps(values, ensure_ascii=False)


def _new_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + MANY] for start in range(0, len(items), MANY))
