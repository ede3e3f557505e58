"""Who has read which version of which guideline: entries of the audit log, with an escalation or without."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from monitor.escalation.acts import READ, Person, logged_person
from monitor.store import escalations
from monitor.store.times import from_text


@dataclass(frozen=True, slots=True)
class Reading:
    """The first time that somebody read this version. `slack_id` is known of those who read it in Slack."""

    path: str
    version: str
    name: str
    slack_id: str | None
    at: datetime


def readings(connection: sqlite3.Connection) -> tuple[Reading, ...]:
    """All there are, one a person and version."""
    found = connection.execute(
        "SELECT who, json_extract(data, '$.path') AS path, json_extract(data, '$.version') AS version, min(at) AS at"
        " FROM events WHERE what = ? AND json_extract(data, '$.path') IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 4",
        [READ],
    )
    return tuple(
        Reading(row["path"], row["version"] or "", *_person(row["who"]), from_text(row["at"])) for row in found
    )


def log_reading(connection: sqlite3.Connection, path: str, version: str, who: Person, now: datetime) -> bool:
    """Record that somebody has read it, of no escalation; False where that was known already."""
    if any(
        (one.path, one.version) == (path, version) and (who.slack_id or who.name) in (one.slack_id, one.name)
        for one in readings(connection)
    ):
        return False
    why = f"{path}, version {version}"
    escalations.log(connection, now, str(who), READ, why, data={"path": path, "version": version})
    return True


def _person(who: str) -> tuple[str, str | None]:
    """Name and Slack id of a person in the audit log."""
    found = logged_person(who)
    return (found.name, found.slack_id) if found else (who, None)
