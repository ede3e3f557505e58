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


def add(connection: sqlite3.Connection, mute: Mute, now: datetime) -> None:
    """From now on, or from when it begins; messages of its that still wait to be sent wait for its end as well."""
    connection.execute(
        "INSERT INTO mutes (rule_id, since, until, who, why, origin) VALUES (?,?,?,?,?,?)",
        [mute.rule_id, to_text(mute.since), to_text(mute.until), mute.who, mute.why, mute.origin],
    )
    if until := muted_until(connection, mute.rule_id, now):
        connection.execute(
            "UPDATE outbox SET not_before = max(not_before, ?) WHERE state = 'ready' AND kind <> 'update'"
            " AND escalation_id IN (SELECT id FROM escalations WHERE rule_id = ?)",
            [to_text(until), mute.rule_id],
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
    ended = muted_until(connection, rule_id, now)
    changed = connection.execute(
        "UPDATE mutes SET until = ? WHERE rule_id = ? AND until > ? AND origin = ?",
        [to_text(now), rule_id, to_text(now), COMMAND],
    ).rowcount
    if ended:
        _shorten(connection, rule_id, ended, now)
    return changed


def replace_those_of_files(connection: sqlite3.Connection, wanted: Iterable[Mute], now: datetime) -> None:
    """Rule files are in force as a whole, and so are their mutes; what waits for one that is gone goes on."""
    rules = [row[0] for row in connection.execute("SELECT DISTINCT rule_id FROM mutes WHERE origin = ?", [FILE])]
    before = {rule_id: muted_until(connection, rule_id, now) for rule_id in rules}
    connection.execute("DELETE FROM mutes WHERE origin = ?", [FILE])
    for mute in wanted:
        add(connection, mute, now)
    for rule_id, ended in before.items():
        if ended:
            _shorten(connection, rule_id, ended, now)


def _shorten(connection: sqlite3.Connection, rule_id: str, ended: datetime, now: datetime) -> None:
    """What waited for the mutes to end at `ended` waits for what is left of them; the state machine then decides anew
    about each. So it does about what waits for a team that is there only after that end."""
    left = muted_until(connection, rule_id, now) or now
    if left >= ended:
        return
    connection.execute(
        "UPDATE timers SET due_at = ?1 WHERE (due_at = ?2 OR due_at > ?2 AND kind IN (?4, ?5)) AND escalation_id IN"
        " (SELECT escalation_id FROM escalation_rules WHERE rule_id = ?3)",
        [to_text(left), to_text(ended), rule_id, *BY_HOURS],
    )
    connection.execute(
        "UPDATE outbox SET not_before = ? WHERE not_before = ? AND state = 'ready' AND escalation_id IN"
        " (SELECT id FROM escalations WHERE rule_id = ?)",
        [to_text(left), to_text(ended), rule_id],
    )
