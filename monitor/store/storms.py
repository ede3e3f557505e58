"""The SQL of storms: which messages crowd a channel, folding them into a summary, and what that summary shows.

Everything here runs inside the caller's transaction. What a storm is decides `monitor.escalation.storm`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.escalation.machine import ALIVE
from monitor.escalation.storm import WORST, YOUNG, Crowd, Folded, StormView
from monitor.model import Severity, State
from monitor.outgoing import MessageKind, OutboxMessage
from monitor.store.outbox import NEWEST_ROOT, OF, SILENCED, SPEAKS, Outbox
from monitor.store.times import to_text

#: Those that wait and may be folded. What was unfolded (`folded_into` stays) is never folded again.
_CROWDING = f"""
SELECT o.id, coalesce(r.channel, o.channel) AS channel, o.escalation_id, o.kind, o.severity_rank,
    CASE o.kind WHEN 'root' THEN 'roots' WHEN 'notice' THEN 'notices' ELSE 'calls' END AS crowd,
    r.state = 'folded' AS in_summary
FROM outbox o JOIN escalations e ON e.id = o.escalation_id
LEFT JOIN outbox r ON o.kind = 'reply' AND r.id = {NEWEST_ROOT}
WHERE o.state NOT IN ('sent', 'folded') AND o.state = 'ready' AND o.not_before <= ?1 AND o.folded_into IS NULL
    AND o.severity <> 'critical' AND e.severity <> 'critical'
    AND (o.kind IN ('root', 'call', 'notice') OR o.kind = 'reply' AND r.state IN ('sent', 'folded') AND {SPEAKS})
    AND NOT {SILENCED}
"""
_ALIVE = ", ".join(repr(str(state)) for state in ALIVE)
_RANKS = " ".join(f"WHEN '{severity}' THEN {severity.rank}" for severity in Severity)


@dataclass(frozen=True, slots=True)
class Crowding:
    """`count` messages wait for `channel`; `in_summary`: escalations among them that have no message of their own."""

    channel: str
    crowd: Crowd
    count: int
    in_summary: tuple[int, ...]


def crowding(connection: sqlite3.Connection, now: datetime) -> tuple[Crowding, ...]:
    found = connection.execute(
        "SELECT channel, crowd, count(*) AS count,"
        " json_group_array(escalation_id) FILTER (WHERE in_summary) AS in_summary"
        f" FROM ({_CROWDING}) GROUP BY channel, crowd",
        [to_text(now)],
    ).fetchall()
    return tuple(
        Crowding(row["channel"], Crowd(row["crowd"]), row["count"], tuple(dict.fromkeys(json.loads(row["in_summary"]))))
        for row in found
    )


def fold(connection: sqlite3.Connection, channel: str, crowd: Crowd, now: datetime) -> tuple[int, int]:
    """Let a summary in `channel` stand for all that crowd it now; return how many they are, and the summary's id.

    A young one that is not all settled takes them in and is brought up to date, else there is a new one.
    """
    outbox, at = Outbox(connection), to_text(now)
    rows = connection.execute(
        f"SELECT id, severity_rank, escalation_id FROM ({_CROWDING}) WHERE channel = ?2 AND crowd = ?3",
        [at, channel, crowd],
    ).fetchall()
    severity = max((rank for _, rank, _ in rows), default=0)
    worst = next(one for one in Severity if one.rank == severity)
    summary = _young(connection, channel, crowd, now)
    if summary is None:
        new = outbox.enqueue(
            kind=MessageKind.SUMMARY, channel=channel, severity=worst, payload={"crowd": crowd}, now=now
        )
        assert new is not None
        summary = new
    connection.executemany(
        "UPDATE outbox SET state = 'folded', folded_into = ?, not_before = ? WHERE id = ? AND state = 'ready'",
        [(summary, at, id) for id, _, _ in rows],
    )
    if crowd is Crowd.ROOTS:
        _fold_news(connection, summary, [escalation_id for _, _, escalation_id in rows], at)
    outbox.refresh(summary, worst, now)
    return len(rows), summary


def _young(connection: sqlite3.Connection, channel: str, crowd: Crowd, now: datetime) -> int | None:
    row = connection.execute(
        "SELECT id FROM outbox WHERE escalation_id IS NULL AND kind = 'summary' AND channel = ? AND created_at > ?"
        " AND json_extract(payload, '$.crowd') = ? ORDER BY id DESC LIMIT 1",
        [channel, to_text(now - YOUNG), crowd],
    ).fetchone()
    if row is None:
        return None
    unsettled = connection.execute(
        "SELECT 1 FROM outbox o JOIN escalations e ON e.id = o.escalation_id"
        f" WHERE o.folded_into = ? AND o.state = 'folded' AND e.state IN ({_ALIVE}) LIMIT 1",
        [row["id"]],
    ).fetchone()
    return int(row["id"]) if unsettled else None


def _fold_news(connection: sqlite3.Connection, summary: int, escalation_ids: Sequence[int], at: str) -> None:
    """What waits for the roots that were folded: the summary, shown as things are, stands for that as well."""
    connection.executemany(
        "UPDATE outbox AS o SET state = 'folded', folded_into = ?, not_before = ? WHERE escalation_id = ?"
        f" AND state = 'ready' AND (kind = 'update' AND {OF} IS NULL OR kind = 'reply' AND NOT {SPEAKS})",
        [(summary, at, id) for id in escalation_ids],
    )


def take_over(connection: sqlite3.Connection, message: OutboxMessage) -> None:
    """`message` was an update of a summary that is gone, and is to be posted in its place."""
    gone = Outbox(connection).get(int(message.payload["of"]))
    payload = {**gone.payload, **{name: value for name, value in message.payload.items() if name != "of"}}
    connection.execute(
        "UPDATE outbox SET payload = ? WHERE id = ?", [json.dumps(payload, ensure_ascii=False), message.id]
    )
    connection.execute("UPDATE outbox SET folded_into = ? WHERE folded_into = ?", [message.id, gone.id])


# -- telling escalations that their summary stands there -----------------------------------------------------------


def shown(connection: sqlite3.Connection, summary_id: int, now: datetime) -> None:
    """What became of the summary is known: the escalations that are folded into it are to be told so."""
    connection.execute(
        "UPDATE outbox SET sent_at = ? WHERE folded_into = ? AND kind = 'root' AND state = 'folded'"
        " AND sent_at IS NULL",
        [to_text(now), summary_id],
    )


def to_tell(connection: sqlite3.Connection, limit: int) -> tuple[tuple[int, int, bool], ...]:
    """Roots whose summary showed them (`sent_at`), while it is not noted where (`sent_channel`): each with its
    escalation, which is still to be told and whether the summary stands there; else it was refused."""
    found = connection.execute(
        "SELECT o.id, o.escalation_id, s.state = 'sent' AS stands FROM outbox o JOIN outbox s ON s.id = o.folded_into"
        " WHERE o.state = 'folded' AND o.sent_at IS NOT NULL AND o.sent_channel IS NULL LIMIT ?",
        [limit],
    )
    return tuple((row[0], row[1], bool(row[2])) for row in found)


def note_told(connection: sqlite3.Connection, root_ids: Sequence[int]) -> None:
    connection.executemany(
        "UPDATE outbox SET (sent_channel, sent_ts) = (SELECT coalesce(s.sent_channel, s.channel), s.sent_ts"
        " FROM outbox s WHERE s.id = outbox.folded_into) WHERE id = ?",
        [(id,) for id in root_ids],
    )


# -- what a summary shows ------------------------------------------------------------------------------------------


def view(connection: sqlite3.Connection, summary: OutboxMessage) -> StormView:
    members = (
        "SELECT e.* FROM escalations e WHERE e.id IN"
        " (SELECT escalation_id FROM outbox WHERE folded_into = ? AND state = 'folded')"
    )
    counts = connection.execute(
        f"SELECT brand, severity, state, count(*) AS count FROM ({members}) GROUP BY brand, severity, state",
        [summary.id],
    ).fetchall()
    worst = connection.execute(
        "SELECT e.id, e.brand, e.severity, e.state, e.assignee, d.title, d.url, d.mentions, d.negative, d.reach"
        f" FROM ({members}) e LEFT JOIN discussions d ON d.id = e.discussion_id"
        " ORDER BY CASE e.state WHEN 'resolved' THEN 2 WHEN 'dropped' THEN 2 WHEN 'open' THEN 0 ELSE 1 END,"
        f" CASE e.severity {_RANKS} END DESC, d.negative DESC, d.reach DESC, e.id LIMIT ?",
        [summary.id, WORST],
    ).fetchall()
    return StormView(
        crowd=Crowd(summary.payload.get("crowd", Crowd.ROOTS)),
        total=sum(row["count"] for row in counts),
        apart=connection.execute(
            "SELECT count(DISTINCT escalation_id) FROM outbox WHERE folded_into = ? AND state <> 'folded'", [summary.id]
        ).fetchone()[0],
        brands=_sums(counts, "brand"),
        severities={Severity(name): count for name, count in _sums(counts, "severity").items()},
        states={State(name): count for name, count in _sums(counts, "state").items()},
        worst=tuple(_folded(row) for row in worst),
        homes=_homes(connection, summary),
        called=_called(connection, summary.id),
    )


def _sums(rows: Sequence[sqlite3.Row], name: str) -> dict[str, int]:
    """The largest first."""
    sums: dict[str, int] = {}
    for row in rows:
        sums[row[name]] = sums.get(row[name], 0) + row["count"]
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _folded(row: sqlite3.Row) -> Folded:
    return Folded(
        escalation_id=row["id"],
        brand=row["brand"],
        severity=Severity(row["severity"]),
        state=State(row["state"]),
        assignee=row["assignee"],
        title=row["title"] or "",
        url=row["url"],
        mentions=row["mentions"],
        negative_share=row["negative"] / row["mentions"] if row["mentions"] else 0.0,
        reach=row["reach"] or 0,
    )


def _homes(connection: sqlite3.Connection, summary: OutboxMessage) -> tuple[str, ...]:
    """Channels, other than its own, in which first messages of what is folded into it stand."""
    found = connection.execute(
        "SELECT r.channel, count(*) FROM outbox o"
        " JOIN outbox r ON r.escalation_id = o.escalation_id AND r.kind = 'root'"
        " WHERE o.folded_into = ? AND o.state = 'folded' AND r.channel <> ?"
        " GROUP BY r.channel ORDER BY 2 DESC, 1 LIMIT 5",
        [summary.id, summary.channel],
    )
    return tuple(row[0] for row in found)


def _called(connection: sqlite3.Connection, summary_id: int) -> tuple[str, ...]:
    found = connection.execute(
        "SELECT n.value FROM outbox o JOIN escalations e ON e.id = o.escalation_id, json_each(o.payload, '$.notify') n"
        f" WHERE o.folded_into = ? AND o.state = 'folded' AND e.state IN ({_ALIVE})"
        " GROUP BY n.value ORDER BY min(o.id) LIMIT 20",
        [summary_id],
    )
    return tuple(str(row[0]) for row in found)
