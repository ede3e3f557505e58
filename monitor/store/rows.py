"""Rows of the database as the values of `monitor.model`, and back."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from functools import lru_cache

from monitor.escalation.audit import Logged
from monitor.model import (
    Author,
    Condition,
    Discussion,
    Engagement,
    Escalation,
    FiredRule,
    Mention,
    Outcome,
    Post,
    Scope,
    Sentiment,
    Severity,
    State,
)
from monitor.store.times import from_text

#: What `mention` reads: `SELECT {MENTION} FROM mentions m JOIN posts p ON p.id = m.post_id`.
MENTION = (
    "m.id AS mention_id, m.brand, m.discussion_id, m.at, m.terms, m.snippet, m.answer, m.dismissed,"
    " m.negative, m.neutral, m.positive, m.model, m.topics, p.*"
)

#: Of a mention: our own answers, and what a person said is not about us, count nowhere.
COUNTS = "NOT answer AND NOT dismissed"


def optional_time(text: str | None) -> datetime | None:
    return from_text(text) if text else None


@lru_cache(maxsize=1024)
def topics_of(text: str) -> frozenset[str]:
    """Those of a mention; few sets of them recur again and again."""
    return frozenset(json.loads(text))


def author_key(source: str, id: str | None, handle: str | None, name: str | None) -> str:
    """One string an author: the id, else the handle, else the name; all nameless authors of a source are one."""
    return f"{source}:{id or handle or name or ''}"


def post(row: sqlite3.Row) -> Post:
    return Post(
        source=row["source"],
        native_id=row["native_id"],
        text=row["text"],
        published_at=from_text(row["published_at"]),
        url=row["url"],
        title=row["title"],
        author=Author(row["author_id"], row["author_handle"], row["author_name"], row["author_followers"]),
        conversation_id=row["conversation_id"],
        parent_id=row["parent_id"],
        language=row["language"],
        engagement=Engagement(row["likes"], row["reposts"], row["replies"]),
    )


def mention(row: sqlite3.Row) -> Mention:
    judged = row["model"] is not None
    return Mention(
        id=row["mention_id"],
        post=post(row),
        brand=row["brand"],
        terms=tuple(json.loads(row["terms"])),
        snippet=row["snippet"],
        at=from_text(row["at"]),
        discussion_id=row["discussion_id"],
        sentiment=Sentiment(row["negative"], row["neutral"], row["positive"], row["model"]) if judged else None,
        topics=tuple(json.loads(row["topics"])),
        answer=bool(row["answer"]),
        dismissed=bool(row["dismissed"]),
    )


def discussion(row: sqlite3.Row, pace: float = 0.0, trend: tuple[int, ...] = ()) -> Discussion:
    return Discussion(
        id=row["id"],
        brand=row["brand"],
        key=row["key"],
        source=row["source"],
        title=row["title"],
        url=row["url"],
        started_at=from_text(row["started_at"]),
        last_at=from_text(row["last_at"]),
        mentions=row["mentions"],
        negative=row["negative"],
        reach=row["reach"],
        authors=row["authors"],
        answers=row["answers"],
        answered_at=optional_time(row["answered_at"]),
        pace=pace,
        trend=trend,
    )


def escalation(row: sqlite3.Row) -> Escalation:
    return Escalation(
        id=row["id"],
        brand=row["brand"],
        scope=Scope(row["scope"]),
        discussion_id=row["discussion_id"],
        rule_id=row["rule_id"],
        severity=Severity(row["severity"]),
        state=State(row["state"]),
        tier=row["tier"],
        generation=row["generation"],
        created_at=from_text(row["created_at"]),
        changed_at=from_text(row["changed_at"]),
        opened_at=optional_time(row["opened_at"]),
        acknowledged_at=optional_time(row["acknowledged_at"]),
        acknowledged_by=row["acknowledged_by"],
        assignee=row["assignee"],
        snoozed_until=optional_time(row["snoozed_until"]),
        resolved_at=optional_time(row["resolved_at"]),
        resolved_by=row["resolved_by"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        note=row["note"],
        told_at=optional_time(row["told_at"]),
        repeats=row["repeats"],
        held_until=optional_time(row["held_until"]),
        answered_at=optional_time(row["answered_at"]),
        team=row["team"],
        passed_over=tuple(json.loads(row["passed_over"])),
        waiting_since=optional_time(row["waiting_since"]),
    )


def fired_rule(row: sqlite3.Row) -> FiredRule:
    return FiredRule(
        rule_id=row["rule_id"],
        title=row["title"],
        severity=Severity(row["severity"]),
        reasons=tuple(Condition(**reason) for reason in json.loads(row["reasons"])),
        at=from_text(row["at"]),
        cause=row["cause"],
    )


def logged(row: sqlite3.Row) -> Logged:
    return Logged(from_text(row["at"]), row["who"], row["what"], row["why"], json.loads(row["data"]))
