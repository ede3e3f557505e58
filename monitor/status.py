"""How the monitoring stands, read from the database alone, so that it can be told whether the daemon runs or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.model import MessageState, State
from monitor.store import Store, escalations, facts, sources
from monitor.store.lock import held
from monitor.store.outbox import Outbox
from monitor.store.rows import optional_time

#: Gaps that ended longer ago are no news.
RECENT = timedelta(days=7)
#: A message that waits longer than this is worth a word.
WAITING_LONG = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    source: str
    name: str
    state: str
    last_success: datetime | None
    next_due: datetime
    failures: int
    error: str
    note: str


@dataclass(frozen=True, slots=True)
class Status:
    """`running`: a daemon holds this database now. `problems` are sentences that say what to mend."""

    running: bool
    daemon: Mapping[str, Any]
    sources: tuple[SourceStatus, ...]
    gaps: tuple[Mapping[str, Any], ...]
    posts: int
    mentions: int
    mentions_today: int
    last_mention: datetime | None
    outbox: Mapping[MessageState, int]
    oldest_waiting: datetime | None
    escalations: Mapping[State, int]
    problems: tuple[str, ...]


def status(store: Store, now: datetime) -> Status:
    with store.read() as connection:
        outbox = Outbox(connection)
        waiting = outbox.oldest_waiting()
        listed = _sources(connection)
        gaps = tuple(dict(row) for row in sources.gaps(connection, now - RECENT))
        running = held(store.path)
        daemon = facts.recall(connection, "daemon")
        problems = [
            *_daemon_problems(running, connection),
            *(_source_problem(source) for source in listed if source.state != "active" or source.failures >= 3),
            *(
                f"message {m.id} for {m.channel} cannot be sent: {m.error}"
                for m in outbox.in_state(MessageState.BLOCKED)
            ),
        ]
        if waiting and now - waiting > WAITING_LONG:
            problems.append(f"a message has been waiting to be sent since {waiting:%Y-%m-%d %H:%M} UTC")
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM mentions), (SELECT max(at) FROM mentions),"
            " (SELECT count(*) FROM mentions WHERE at >= ?)",
            [f"{now:%Y-%m-%d}"],
        ).fetchone()
        return Status(
            running=running,
            daemon=dict(daemon[0]) if daemon and isinstance(daemon[0], dict) else {},
            sources=listed,
            gaps=gaps,
            posts=counts[0],
            mentions=counts[1],
            mentions_today=counts[3],
            last_mention=optional_time(counts[2]),
            outbox=outbox.counts(),
            oldest_waiting=waiting,
            escalations=escalations.count_by_state(connection),
            problems=tuple(problems),
        )


def _sources(connection: sqlite3.Connection) -> tuple[SourceStatus, ...]:
    found = connection.execute("SELECT * FROM cursors ORDER BY state = 'active', name, source")
    return tuple(
        SourceStatus(
            source=row["source"],
            name=row["name"],
            state=row["state"],
            last_success=optional_time(row["last_success_at"]),
            next_due=optional_time(row["due_at"]) or datetime.max,
            failures=row["failures"],
            error=row["error"],
            note=row["note"],
        )
        for row in found
    )


def _source_problem(source: SourceStatus) -> str:
    since = f"{source.last_success:%Y-%m-%d %H:%M} UTC" if source.last_success else "the beginning"
    return f"source {source.name} ({source.source}) has not been read since {since}: {source.error}"


def _daemon_problems(running: bool, connection: sqlite3.Connection) -> list[str]:
    problems = []
    if not running and facts.recall(connection, "daemon"):
        problems.append("the daemon does not run: start it with `brand-monitor run` or `systemctl start brand-monitor`")
    rules = facts.recall(connection, "rules_problem")
    if rules and rules[0]:
        problems.append(f"the rules could not be reloaded, the last good ones are in force:\n{rules[0]}")
    return problems
