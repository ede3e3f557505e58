"""How the monitoring stands, read from the database alone, so that it can be told whether the daemon runs or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.inbound.hearing import hearing, hearing_problems
from monitor.model import State
from monitor.outgoing import MessageState
from monitor.rules.load import RuleSet
from monitor.rules.readership import Readership, readership
from monitor.store import Store, escalations, facts, mutes, sources, stats
from monitor.store.lock import held
from monitor.store.mutes import Mute
from monitor.store.outbox import Outbox
from monitor.store.readings import readings
from monitor.store.stats import SourceStatus
from monitor.wording.catalogs import words as words_of
from monitor.wording.words import Words

#: Gaps that ended longer ago are no news.
RECENT = timedelta(days=7)
#: A source that a running daemon leaves alone for so long after its time.
OVERDUE = timedelta(minutes=15)
#: Failures in a row that are worth a word.
MANY = 3
#: A message that waits longer than this is worth a word.
WAITING_LONG = timedelta(minutes=5)
#: How the command line says it: moments with their date, in UTC.
_PLAIN = words_of(moment=lambda at: f"{at:%Y-%m-%d %H:%M} UTC")


@dataclass(frozen=True, slots=True)
class Status:
    """`running`: a daemon holds this database now. `queue`: polls under way and polls that wait to be stored, as the
    daemon noted them last (`at`). `muted`: how many messages wait for the end of a mute. `rules`: what was taken over
    last (`why`: how many, which content, by whom) and when; `mutes` are those in force or to come. `guidelines`: who
    has (not) read which. `problems` are sentences that say what to mend, in the language and time of whoever asked.
    `socket`: how the connection stands over which Slack tells of clicks."""

    running: bool
    daemon: Mapping[str, Any]
    queue: Mapping[str, Any]
    socket: Mapping[str, Any]
    sources: tuple[SourceStatus, ...]
    gaps: tuple[Mapping[str, Any], ...]
    posts: int
    mentions: int
    mentions_today: int
    last_mention: datetime | None
    outbox: Mapping[MessageState, int]
    muted: int
    oldest_waiting: datetime | None
    escalations: Mapping[State, int]
    rules: Mapping[str, Any]
    mutes: tuple[Mute, ...]
    guidelines: tuple[Readership, ...]
    problems: tuple[str, ...]


def status(store: Store, now: datetime, words: Words = _PLAIN, rules: RuleSet | None = None) -> Status:
    """`rules` are those whose guidelines people should have read, where they are known."""
    with store.read() as connection:
        outbox = Outbox(connection)
        waiting = outbox.oldest_waiting(now)
        listed = stats.source_states(connection)
        gaps = tuple(dict(row) for row in sources.gaps(connection, now - RECENT))
        running = held(store.path)
        daemon = facts.recall(connection, "daemon")
        queue = facts.recall(connection, "queue") if running else None
        socket = hearing(connection) if running else {}
        problems = [
            *_daemon_problems(running, connection, words),
            *(_source_problem(source, words) for source in listed if _in_trouble(source)),
            *(_overdue_problem(source, words) for source in listed if running and now - source.next_due > OVERDUE),
            *(
                words.say(
                    "message {id} for {channel} cannot be sent: {error}", id=str(m.id), channel=m.channel, error=m.error
                )
                for m in outbox.in_state(MessageState.BLOCKED)
            ),
        ]
        if waiting and now - waiting > WAITING_LONG:
            problems.append(words.say("a message has been waiting to be sent since {time}", time=waiting))
        problems += hearing_problems(socket, now, words)
        volume = stats.volume(connection, now)
        return Status(
            running=running,
            daemon=dict(daemon[0]) if daemon and isinstance(daemon[0], dict) else {},
            queue={**queue[0], "at": queue[1]} if queue and isinstance(queue[0], dict) else {},
            socket=socket,
            sources=listed,
            gaps=gaps,
            posts=volume.posts,
            mentions=volume.mentions,
            mentions_today=volume.mentions_today,
            last_mention=volume.last_mention,
            outbox=outbox.counts(),
            muted=outbox.muted(now),
            oldest_waiting=waiting,
            escalations=escalations.count_by_state(connection),
            rules=escalations.last_event(connection, "rules", "loaded"),
            mutes=mutes.in_force(connection, now),
            guidelines=readership(rules, readings(connection), now.date()) if rules else (),
            problems=tuple(problems),
        )


def _in_trouble(source: SourceStatus) -> bool:
    """One failure of a feed that could be read before is no news; one that never could be read is."""
    return source.state != "active" or source.failures >= MANY or (source.last_success is None and source.error != "")


def _overdue_problem(source: SourceStatus, words: Words) -> str:
    return words.say(
        "source {name} ({source}) was due at {time} and is not read: the daemon's log says why",
        name=source.name, source=source.source, time=source.next_due,
    )  # fmt: skip


def _source_problem(source: SourceStatus, words: Words) -> str:
    named = {"name": source.name, "source": source.source, "error": source.error}
    if source.last_success is None:
        return words.say("source {name} ({source}) has not been read since the beginning: {error}", **named)
    time = source.last_success
    return words.say("source {name} ({source}) has not been read since {time}: {error}", time=time, **named)


def _daemon_problems(running: bool, connection: sqlite3.Connection, words: Words) -> list[str]:
    problems = []
    if not running and facts.recall(connection, "daemon"):
        start = "`brand-monitor run`", "`systemctl start brand-monitor`"
        problems.append(
            words.say("the daemon does not run: start it with {command} or {other}", command=start[0], other=start[1])
        )
    rules = facts.recall(connection, "rules_problem")
    if rules and rules[0]:
        problems.append(words.say("not reloaded; what was last good is in force:") + f"\n{rules[0]}")
    return problems
