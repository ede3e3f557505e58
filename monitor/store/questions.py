"""What `rules explain` asks of the database beyond what rules are judged on: lives of escalations, what is due, mutes.

It only reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from monitor.escalation.events import TimerKind
from monitor.model import Escalation, Scope
from monitor.rules.explaining.inquiry import Life, Silence
from monitor.rules.snapshot import snapshot_from_json
from monitor.store import escalations, rows
from monitor.store.escalations import DueTimer
from monitor.store.outbox import Outbox
from monitor.store.times import from_text, to_text

#: The latest escalations of a subject say enough.
MOST_LIVES = 50


def lives(connection: sqlite3.Connection, brand: str, scope: Scope, discussion_id: int | None) -> tuple[Life, ...]:
    """The latest escalations of a discussion, or of a brand as a whole, oldest first."""
    of, value = ("discussion_id = ?", discussion_id) if scope is Scope.DISCUSSION else ("discussion_id IS ?", None)
    found = connection.execute(
        f"SELECT * FROM escalations WHERE brand = ? AND scope = ? AND {of} ORDER BY id DESC LIMIT ?",
        [brand, scope, value, MOST_LIVES],
    ).fetchall()
    return tuple(life(connection, rows.escalation(row)) for row in reversed(found))


def life(connection: sqlite3.Connection, escalation: Escalation) -> Life:
    fired = escalations.fired_rules(connection, escalation.id)
    return Life(
        escalation=escalation,
        fired={rule.rule_id: rule for rule in fired},
        kept={
            rule.rule_id: snapshot_from_json(escalations.snapshot(connection, escalation, rule.rule_id))
            for rule in fired
        },
        events=tuple(rows.logged(row) for row in escalations.history(connection, escalation.id)),
        root=Outbox(connection).root_of(escalation.id),
    )


def timers(connection: sqlite3.Connection, escalation_id: int) -> tuple[DueTimer, ...]:
    """What is due next, the first first."""
    found = connection.execute("SELECT * FROM timers WHERE escalation_id = ? ORDER BY due_at", [escalation_id])
    return tuple(
        DueTimer(row["escalation_id"], TimerKind(row["kind"]), row["generation"], from_text(row["due_at"]))
        for row in found
    )


def silences(connection: sqlite3.Connection, since: datetime) -> dict[str, tuple[Silence, ...]]:
    """The mutes that had not ended by then, by the ids of their rules."""
    found: dict[str, tuple[Silence, ...]] = {}
    for row in connection.execute("SELECT * FROM mutes WHERE until > ? ORDER BY id", [to_text(since)]):
        silence = Silence(from_text(row["since"]), from_text(row["until"]), row["who"], row["why"])
        found[row["rule_id"]] = (*found.get(row["rule_id"], ()), silence)
    return found


def would_have_alerted(connection: sqlite3.Connection, rule_id: str, discussion_id: int | None) -> tuple[datetime, ...]:
    """When a rule in test has recorded that it would have alerted."""
    query = "SELECT at FROM events WHERE what = 'would have alerted' AND who = ? AND discussion_id IS ? ORDER BY at"
    return tuple(from_text(row["at"]) for row in connection.execute(query, [f"rule {rule_id}", discussion_id]))


def read_late(connection: sqlite3.Connection, mention_ids: Iterable[int]) -> dict[int, datetime]:
    """When mentions were read, of those that were read later than they count."""
    query = (
        "SELECT m.id, p.seen_at FROM json_each(?) j JOIN mentions m ON m.id = j.value JOIN posts p ON p.id = m.post_id"
        " WHERE p.seen_at > m.at"
    )
    return {row["id"]: from_text(row["seen_at"]) for row in connection.execute(query, [json.dumps(list(mention_ids))])}
