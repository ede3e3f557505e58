"""Escalations with their rules, timers and audit log: written by `monitor.escalate`, read by messages and people.

The snapshot of a rule, kept with every escalation that it made, is JSON that `monitor.rules.snapshot` reads and writes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.escalation.events import TimerKind
from monitor.escalation.machine import ALIVE, BY_HOURS, LASTING
from monitor.model import (
    Condition,
    Escalation,
    EscalationView,
    FiredRule,
    Guideline,
    Scope,
    Severity,
    State,
    Verdict,
)
from monitor.store import discussions, mentions, rows, story
from monitor.store.times import from_text, to_text

#: How many mentions a message quotes, and how far back those of a brand-wide escalation are looked for.
QUOTED = 3
BRAND_STRETCH = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class DueTimer:
    escalation_id: int
    kind: TimerKind
    generation: int
    due_at: datetime


# -- escalations -------------------------------------------------------------------------------------------------


def by_id(connection: sqlite3.Connection, escalation_id: int) -> Escalation | None:
    row = connection.execute("SELECT * FROM escalations WHERE id = ?", [escalation_id]).fetchone()
    return rows.escalation(row) if row else None


def latest(
    connection: sqlite3.Connection, brand: str, scope: Scope, discussion_id: int | None, rule_id: str
) -> Escalation | None:
    """The latest escalation of this subject: a discussion's, whatever its rule, or a brand's of this rule."""
    subject = ("discussion_id = ?", discussion_id) if scope is Scope.DISCUSSION else ("rule_id = ?", rule_id)
    row = connection.execute(
        f"SELECT * FROM escalations WHERE brand = ? AND scope = ? AND {subject[0]} ORDER BY id DESC LIMIT 1",
        [brand, scope, subject[1]],
    ).fetchone()
    return rows.escalation(row) if row else None


def ended_before(connection: sqlite3.Connection, escalation: Escalation) -> datetime | None:
    """When what had alerted on the same subject before was resolved last, this escalation itself included where it has
    come back since."""
    subject = (
        ("discussion_id", escalation.discussion_id) if escalation.discussion_id else ("rule_id", escalation.rule_id)
    )
    before = connection.execute(
        f"SELECT max(resolved_at) FROM escalations WHERE brand = ? AND scope = ? AND {subject[0]} = ? AND id < ?",
        [escalation.brand, escalation.scope, subject[1], escalation.id],
    ).fetchone()[0]
    itself = None
    if escalation.state in ALIVE:
        itself = connection.execute(
            "SELECT max(at) FROM events WHERE escalation_id = ? AND what = 'resolved'", [escalation.id]
        ).fetchone()[0]
    return rows.optional_time(max(before or "", itself or "") or None)


def having_state(connection: sqlite3.Connection, states: Iterable[State], limit: int = 1000) -> tuple[Escalation, ...]:
    """Most severe first, then newest."""
    wanted = [str(state) for state in states]
    marks = ",".join("?" for _ in wanted)
    found = connection.execute(
        f"SELECT * FROM escalations WHERE state IN ({marks})"
        " ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, id DESC"
        " LIMIT ?",
        [*wanted, limit],
    )
    return tuple(rows.escalation(row) for row in found)


def alive_of_discussions(connection: sqlite3.Connection, discussion_ids: Iterable[int]) -> tuple[Escalation, ...]:
    wanted = list(discussion_ids)
    marks, states = ",".join("?" for _ in wanted), ",".join("?" for _ in ALIVE)
    found = connection.execute(
        f"SELECT * FROM escalations WHERE discussion_id IN ({marks}) AND state IN ({states})", [*wanted, *ALIVE]
    )
    return tuple(rows.escalation(row) for row in found)


def create(
    connection: sqlite3.Connection,
    brand: str,
    scope: Scope,
    discussion_id: int | None,
    rule_id: str,
    severity: Severity,
    now: datetime,
) -> Escalation:
    """A new, pending escalation."""
    cursor = connection.execute(
        "INSERT INTO escalations (brand, scope, discussion_id, rule_id, severity, state, created_at, changed_at)"
        " VALUES (?,?,?,?,?,?,?,?)",
        [brand, scope, discussion_id, rule_id, severity, State.PENDING, to_text(now), to_text(now)],
    )
    created = by_id(connection, cursor.lastrowid or 0)
    assert created is not None
    return created


def save(connection: sqlite3.Connection, escalation: Escalation) -> None:
    values = asdict(escalation)
    del values["id"], values["created_at"]
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = to_text(value)
        elif isinstance(value, tuple):
            values[name] = json.dumps(value)
    assignments = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE escalations SET {assignments} WHERE id = ?", [*values.values(), escalation.id])


# -- their rules -------------------------------------------------------------------------------------------------


def add_rule(
    connection: sqlite3.Connection,
    escalation_id: int,
    rule: FiredRule,
    snapshot: Mapping[str, Any],
    *,
    anew: bool = False,
) -> bool:
    """Note that a rule fired on an escalation, with its latest reasons; return whether it is new there. Its first cause
    stays, unless the escalation begins `anew`."""
    known = connection.execute(
        "SELECT 1 FROM escalation_rules WHERE escalation_id = ? AND rule_id = ?", [escalation_id, rule.rule_id]
    ).fetchone()
    connection.execute(
        "INSERT INTO escalation_rules (escalation_id, rule_id, title, severity, reasons, at, cause, snapshot)"
        " VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET reasons = excluded.reasons, at = excluded.at,"
        " cause = CASE WHEN ? THEN excluded.cause ELSE coalesce(cause, excluded.cause) END",
        [
            escalation_id, rule.rule_id, rule.title, rule.severity, _reasons(rule.reasons),
            to_text(rule.at), rule.cause, json.dumps(snapshot, ensure_ascii=False), anew,
        ],
    )  # fmt: skip
    return known is None


def renew_reasons(connection: sqlite3.Connection, escalation_id: int, verdict: Verdict) -> None:
    """Why a rule fires now that mentions were corrected."""
    connection.execute(
        "UPDATE escalation_rules SET reasons = ? WHERE escalation_id = ? AND rule_id = ?",
        [_reasons(verdict.reasons), escalation_id, verdict.rule_id],
    )


def _reasons(reasons: Iterable[Condition]) -> str:
    return json.dumps([asdict(reason) for reason in reasons], ensure_ascii=False)


def fired_rules(connection: sqlite3.Connection, escalation_id: int) -> tuple[FiredRule, ...]:
    """Most severe first."""
    found = connection.execute("SELECT * FROM escalation_rules WHERE escalation_id = ? ORDER BY at", [escalation_id])
    return tuple(sorted((rows.fired_rule(row) for row in found), key=lambda rule: -rule.severity.rank))


def snapshot(connection: sqlite3.Connection, escalation: Escalation, rule_id: str) -> dict[str, Any]:
    """The snapshot of one of the escalation's rules, as it was when it first fired on it."""
    row = connection.execute(
        "SELECT snapshot FROM escalation_rules WHERE escalation_id = ? AND rule_id = ?", [escalation.id, rule_id]
    ).fetchone()
    return dict(json.loads(row["snapshot"])) if row else {}


def alive_snapshots(connection: sqlite3.Connection) -> list[tuple[int, str, dict[str, Any]]]:
    """Escalation, rule and snapshot of everything that is alive."""
    marks = ",".join("?" for _ in ALIVE)
    found = connection.execute(
        "SELECT r.escalation_id, r.rule_id, r.snapshot FROM escalation_rules r JOIN escalations e"
        f" ON e.id = r.escalation_id WHERE e.state IN ({marks})",
        list(ALIVE),
    )
    return [(row["escalation_id"], row["rule_id"], json.loads(row["snapshot"])) for row in found.fetchall()]


def save_snapshot(connection: sqlite3.Connection, escalation_id: int, rule_id: str, kept: Mapping[str, Any]) -> None:
    connection.execute(
        "UPDATE escalation_rules SET snapshot = ? WHERE escalation_id = ? AND rule_id = ?",
        [json.dumps(kept, ensure_ascii=False), escalation_id, rule_id],
    )


# -- timers ------------------------------------------------------------------------------------------------------


def start_timer(connection: sqlite3.Connection, escalation: Escalation, kind: TimerKind, due_at: datetime) -> bool:
    """Where one of this kind runs already, the earlier stands; return whether none did."""
    running = connection.execute(
        "SELECT 1 FROM timers WHERE escalation_id = ? AND kind = ?", [escalation.id, kind]
    ).fetchone()
    connection.execute(
        "INSERT INTO timers (escalation_id, kind, generation, due_at) VALUES (?,?,?,?)"
        " ON CONFLICT DO UPDATE SET due_at = min(due_at, excluded.due_at), generation = excluded.generation",
        [escalation.id, kind, escalation.generation, to_text(due_at)],
    )
    return running is None


def stop_timers(connection: sqlite3.Connection, escalation_id: int, kinds: Collection[TimerKind] = ()) -> None:
    """Those of `kinds`; without any, all that end with a state."""
    ending = kinds or [kind for kind in TimerKind if kind not in LASTING]
    marks = ",".join("?" for _ in ending)
    connection.execute(f"DELETE FROM timers WHERE escalation_id = ? AND kind IN ({marks})", [escalation_id, *ending])


def due_timers(connection: sqlite3.Connection, now: datetime, limit: int = 100) -> tuple[DueTimer, ...]:
    found = connection.execute("SELECT * FROM timers WHERE due_at <= ? ORDER BY due_at LIMIT ?", [to_text(now), limit])
    return tuple(
        DueTimer(row["escalation_id"], TimerKind(row["kind"]), row["generation"], from_text(row["due_at"]))
        for row in found
    )


def next_timer(connection: sqlite3.Connection) -> datetime | None:
    """When the next timer is due."""
    row = connection.execute("SELECT min(due_at) FROM timers").fetchone()
    return from_text(row[0]) if row[0] else None


def hasten_timers(connection: sqlite3.Connection, escalation_id: int, now: datetime) -> None:
    """Let the state machine decide anew what waits for a team: its hours have changed."""
    connection.execute(
        "UPDATE timers SET due_at = min(due_at, ?) WHERE escalation_id = ? AND kind IN (?, ?)",
        [to_text(now), escalation_id, *BY_HOURS],
    )


def take_timer(connection: sqlite3.Connection, timer: DueTimer) -> bool:
    """Fire a timer: true for the one caller that may act on it."""
    taken = connection.execute(
        "DELETE FROM timers WHERE escalation_id = ? AND kind = ? AND generation = ?",
        [timer.escalation_id, timer.kind, timer.generation],
    )
    return taken.rowcount == 1


def put_off(connection: sqlite3.Connection, timer: DueTimer, until: datetime) -> None:
    connection.execute(
        "UPDATE timers SET due_at = ? WHERE escalation_id = ? AND kind = ?",
        [to_text(until), timer.escalation_id, timer.kind],
    )


# -- audit log ---------------------------------------------------------------------------------------------------


def log(
    connection: sqlite3.Connection,
    at: datetime,
    who: str,
    what: str,
    why: str = "",
    *,
    escalation_id: int | None = None,
    discussion_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Append to `events`: who or what did what, when and why."""
    connection.execute(
        "INSERT INTO events (at, who, what, why, escalation_id, discussion_id, data) VALUES (?,?,?,?,?,?,?)",
        [to_text(at), who, what, why, escalation_id, discussion_id, json.dumps(data or {}, ensure_ascii=False)],
    )


def logged_since(
    connection: sqlite3.Connection, what: str, who: str, discussion_id: int | None, since: datetime
) -> bool:
    row = connection.execute(
        "SELECT 1 FROM events WHERE what = ? AND who = ? AND discussion_id IS ? AND at >= ? LIMIT 1",
        [what, who, discussion_id, to_text(since)],
    ).fetchone()
    return row is not None


def history(connection: sqlite3.Connection, escalation_id: int) -> tuple[sqlite3.Row, ...]:
    """Its events, oldest first: `at`, `who`, `what`, `why`, `data`."""
    return tuple(connection.execute("SELECT * FROM events WHERE escalation_id = ? ORDER BY id", [escalation_id]))


def last_event(connection: sqlite3.Connection, who: str, what: str) -> dict[str, Any]:
    """`at` and `why` of the latest event of this kind; nothing if there was none."""
    row = connection.execute(
        "SELECT at, why FROM events WHERE what = ? AND who = ? ORDER BY at DESC, id DESC LIMIT 1", [what, who]
    ).fetchone()
    return {"at": from_text(row["at"]), "why": row["why"]} if row else {}


def events_after(connection: sqlite3.Connection, event_id: int) -> tuple[sqlite3.Row, ...]:
    """All events after event `event_id`, oldest first, with their `id` and `escalation_id`."""
    return tuple(connection.execute("SELECT * FROM events WHERE id > ? ORDER BY id", [event_id]))


# -- what messages show ------------------------------------------------------------------------------------------


def subject_of(connection: sqlite3.Connection, escalation: Escalation) -> str:
    """What it is about, in a few words: the discussion's title, or the brand."""
    query = "SELECT title FROM discussions WHERE id = ?"
    row = connection.execute(query, [escalation.discussion_id]).fetchone() if escalation.discussion_id else None
    return str(row["title"]) if row else escalation.brand


def view(connection: sqlite3.Connection, escalation_id: int) -> EscalationView:
    """All that a message about this escalation shows, as of now."""
    escalation = by_id(connection, escalation_id)
    assert escalation is not None
    rule_snapshot = snapshot(connection, escalation, escalation.rule_id)
    guideline = rule_snapshot.get("guideline")
    counts: dict[str, int] = {}
    fired = fired_rules(connection, escalation_id)
    if escalation.discussion_id is not None:
        cause = next((rule.cause for rule in fired if rule.rule_id == escalation.rule_id), None)
        quoted = mentions.worst(connection, escalation.discussion_id, QUOTED, first=cause)
        about = discussions.by_id(connection, escalation.discussion_id)
    else:
        since = escalation.changed_at - BRAND_STRETCH
        quoted, about = mentions.worst_of_brand(connection, escalation.brand, since, QUOTED), None
        counts = mentions.counts_of_brand(connection, escalation.brand, since)
    return EscalationView(
        escalation=escalation,
        rules=fired,
        discussion=about,
        mentions=quoted,
        guideline=Guideline(**guideline) if guideline else None,
        counts=counts,
        read_by=story.read_by(connection, escalation_id),
    )


def last_told(connection: sqlite3.Connection, escalation_id: int) -> int:
    """The id of the latest mention that a message of this escalation, sent or waiting, has told of; 0 for none."""
    row = connection.execute(
        "SELECT max(json_extract(payload, '$.up_to')) FROM outbox WHERE escalation_id = ?", [escalation_id]
    ).fetchone()
    return int(row[0] or 0)


def mentions_after(connection: sqlite3.Connection, discussion_id: int, after: int) -> tuple[int, ...]:
    """Ids of the discussion's mentions that came after mention `after`, our own answers included."""
    query = "SELECT id FROM mentions WHERE discussion_id = ? AND id > ? AND NOT dismissed ORDER BY id"
    return tuple(row[0] for row in connection.execute(query, [discussion_id, after]))


def latest_mention(connection: sqlite3.Connection, discussion_id: int) -> int:
    row = connection.execute("SELECT max(id) FROM mentions WHERE discussion_id = ?", [discussion_id]).fetchone()
    return int(row[0] or 0)


def would_have_alerted(connection: sqlite3.Connection, since: datetime) -> dict[str, int]:
    """How often each rule recorded so while on test."""
    found = connection.execute(
        "SELECT who, count(*) FROM events WHERE what = 'would have alerted' AND at >= ? GROUP BY who", [to_text(since)]
    )
    return {who.removeprefix("rule "): count for who, count in found}


def known_rules(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The ids of all rules that ever alerted."""
    return tuple(row[0] for row in connection.execute("SELECT DISTINCT rule_id FROM escalation_rules"))


def count_by_state(connection: sqlite3.Connection) -> dict[State, int]:
    found = connection.execute("SELECT state, count(*) FROM escalations GROUP BY state")
    return {State(state): count for state, count in found}
