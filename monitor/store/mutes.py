"""Mutes: until when a rule posts nothing, by whom and why; those of rule files and those given by a command."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from monitor.escalation.machine import BY_HOURS
from monitor.store.times import from_text, to_text

FILE, COMMAND = "file", "command"


@dataclass(frozen=True, slots=True)
class Mute:
    rule_id: str
    since: datetime
    until: datetime
    who: str
    why: str = ""
    origin: str = COMMAND


def add(connection: sqlite3.Connection, mute: Mute) -> None:
    """Messages of its that still wait to be sent wait for its end as well (see `store.outbox`)."""
    connection.execute(
        "INSERT INTO mutes (rule_id, since, until, who, why, origin) VALUES (?,?,?,?,?,?)",
        [mute.rule_id, to_text(mute.since), to_text(mute.until), mute.who, mute.why, mute.origin],
    )


def muted_until(connection: sqlite3.Connection, rule_id: str, now: datetime) -> datetime | None:
    """When the mutes that silence the rule now have all ended, those that follow on without a pause included."""
    until = None
    for row in connection.execute(
        "SELECT since, until FROM mutes WHERE rule_id = ? AND until > ? ORDER BY since", [rule_id, to_text(now)]
    ):
        if from_text(row["since"]) <= (until or now):
            until = max(until or now, from_text(row["until"]))
    return until


def in_force(connection: sqlite3.Connection, now: datetime) -> tuple[Mute, ...]:
    """Those that silence a rule now or will, the first to end first."""
    found = connection.execute("SELECT * FROM mutes WHERE until > ? ORDER BY until", [to_text(now)])
    return tuple(
        Mute(row["rule_id"], from_text(row["since"]), from_text(row["until"]), row["who"], row["why"], row["origin"])
        for row in found
    )


def end(connection: sqlite3.Connection, rule_id: str, now: datetime) -> int:
    """End the mutes that commands gave to a rule, and let what waits for them go on; return how many there were."""
    ended = _ends(connection, now).get(rule_id, ())
    changed = connection.execute(
        "UPDATE mutes SET until = ? WHERE rule_id = ? AND until > ? AND origin = ?",
        [to_text(now), rule_id, to_text(now), COMMAND],
    ).rowcount
    if changed:
        _wake(connection, rule_id, ended, now)
    return changed


def replace_those_of_files(connection: sqlite3.Connection, wanted: Iterable[Mute], now: datetime) -> None:
    """Rule files are in force as a whole, and so are their mutes; what waits for one that is gone goes on."""
    before = _ends(connection, now)
    connection.execute("DELETE FROM mutes WHERE origin = ?", [FILE])
    for mute in wanted:
        add(connection, mute)
    after = _ends(connection, now)
    for rule_id, ends in before.items():
        _wake(connection, rule_id, ends - after.get(rule_id, set()), now)


def _ends(connection: sqlite3.Connection, now: datetime) -> dict[str, set[str]]:
    """By rule, every end of a mute that something may be waiting for: it was the last when that was decided."""
    ends: dict[str, set[str]] = {}
    for row in connection.execute("SELECT rule_id, until FROM mutes WHERE until > ?", [to_text(now)]):
        ends.setdefault(row["rule_id"], set()).add(row["until"])
    return ends


def _wake(connection: sqlite3.Connection, rule_id: str, ended: Iterable[str], now: datetime) -> None:
    """Whatever waited for exactly such an end, or for a team that is there only after it, is due now: the state machine
    decides anew about each."""
    for end_ in ended:
        connection.execute(
            "UPDATE timers SET due_at = ?1 WHERE (due_at = ?2 OR due_at > ?2 AND kind IN (?4, ?5)) AND escalation_id IN"
            " (SELECT escalation_id FROM escalation_rules WHERE rule_id = ?3)",
            [to_text(now), end_, rule_id, *BY_HOURS],
        )
