"""What is alive, as a list shows it: with what it is about, its teams, and where its message stands. It only reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.escalation.machine import ALIVE
from monitor.model import Escalation
from monitor.store import rows


@dataclass(frozen=True, slots=True)
class Entry:
    """`about`: the discussion's title, or the brand; `rule`: the title of the rule in charge; `teams`: those that have
    been told or are told first, the one that it was handed over to at the head. `channel` and `ts` name its message, or
    the summary that stands for it; None while there is none."""

    escalation: Escalation
    about: str
    url: str | None
    rule: str
    teams: tuple[str, ...]
    mentions: int = 0
    negative: int = 0
    channel: str | None = None
    ts: str | None = None


_ALIVE = f"""
SELECT e.*, d.title AS about, d.url, d.mentions, d.negative, r.title AS rule_title, o.sent_channel, o.sent_ts,
    json_extract(r.snapshot, '$.tiers') AS tiers
FROM escalations e
LEFT JOIN discussions d ON d.id = e.discussion_id
LEFT JOIN escalation_rules r ON r.escalation_id = e.id AND r.rule_id = e.rule_id
LEFT JOIN outbox m ON m.id = (SELECT max(id) FROM outbox WHERE escalation_id = e.id AND kind = 'root')
LEFT JOIN outbox o ON o.id = coalesce(m.folded_into, m.id) AND o.sent_ts IS NOT NULL
WHERE e.state IN ({",".join(f"'{state}'" for state in ALIVE)})
ORDER BY CASE e.severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, e.id DESC
"""


def alive(connection: sqlite3.Connection) -> tuple[Entry, ...]:
    """Everything that has not ended, the most severe first, then the newest."""
    return tuple(_entry(row) for row in connection.execute(_ALIVE))


def message_of(connection: sqlite3.Connection, escalation_id: int) -> tuple[str, str] | None:
    """Channel and `ts` of its one message, or of the summary that stands for it."""
    row = connection.execute(
        "SELECT o.sent_channel, o.sent_ts FROM outbox m JOIN outbox o ON o.id = coalesce(m.folded_into, m.id)"
        " WHERE m.escalation_id = ? AND m.kind = 'root' AND o.sent_ts IS NOT NULL ORDER BY m.id DESC LIMIT 1",
        [escalation_id],
    ).fetchone()
    return (row[0], row[1]) if row else None


def escalation_of_message(connection: sqlite3.Connection, channel: str, ts: Iterable[str]) -> int | None:
    """The escalation of the message in `channel` that has one of these names, a reply or its thread."""
    names = list(ts)
    marks = ",".join("?" for _ in names)
    row = connection.execute(
        f"SELECT escalation_id FROM outbox WHERE sent_channel = ? AND sent_ts IN ({marks})"
        " AND escalation_id IS NOT NULL ORDER BY id DESC LIMIT 1",
        [channel, *names],
    ).fetchone()
    return int(row[0]) if row else None


def mention_of_url(connection: sqlite3.Connection, url: str) -> int | None:
    """The latest mention whose post has this address, with or without a last slash; else the latest on this page, where
    posts have addresses with a `#`."""
    bare = url.rstrip("/")
    query = "SELECT m.id FROM posts p JOIN mentions m ON m.post_id = p.id WHERE {} ORDER BY m.id DESC LIMIT 1"
    exact = query.format("p.url IN (?, ?)"), [bare, f"{bare}/"]
    # All that begins with the address and #: $ is the character after it.
    on_page = query.format("p.url > ? AND p.url < ? OR p.url > ? AND p.url < ?"), [
        f"{bare}#", f"{bare}$", f"{bare}/#", f"{bare}/$",
    ]  # fmt: skip
    for statement, values in (exact, on_page):
        if row := connection.execute(statement, values).fetchone():
            return int(row[0])
    return None


def _entry(row: sqlite3.Row) -> Entry:
    escalation = rows.escalation(row)
    return Entry(
        escalation=escalation,
        about=row["about"] or escalation.brand,
        url=row["url"],
        rule=row["rule_title"] or escalation.rule_id,
        teams=_teams(escalation, json.loads(row["tiers"] or "[]")),
        mentions=row["mentions"] or 0,
        negative=row["negative"] or 0,
        channel=row["sent_channel"],
        ts=row["sent_ts"],
    )


def _teams(escalation: Escalation, tiers: list[dict[str, object]]) -> tuple[str, ...]:
    """Of several tiers those that have been told; one that it was handed over to takes the place of the first."""
    told = [str(tier.get("team")) for tier in tiers[: max(escalation.tier, 1)]]
    if escalation.team:
        told[:1] = [escalation.team]
    return tuple(dict.fromkeys(told))
