"""The SQL of the outbox. `monitor.escalation.outbox` decides what becomes of a message; `monitor.deliver` sends.

Everything here runs inside the caller's transaction: a message is written together with the change that caused it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from monitor.escalation.outbox import FLOOR_MARGIN, Waiting, after_unknown
from monitor.model import Severity
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.store.times import from_text, to_text

_COLUMNS = (
    "id", "op_key", "kind", "state", "channel", "severity", "escalation_id", "payload", "created_at", "not_before",
    "attempts", "floor_at", "absent_reads", "plain", "repeated", "error", "sent_at", "sent_channel", "sent_ts",
    "unknown_at", "folded_into",
)  # fmt: skip
#: A restored database leaves out so many ids.
SKIPPED_IDS = 1_000_000
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM outbox"

#: Mutes that silence the rule in charge of message `o`: nothing of its is posted, whatever became of it before. What
#: stands in Slack is kept up to date, and looked for there.
_SILENCED_BY = """FROM escalations e JOIN mutes m ON m.rule_id = e.rule_id AND m.since <= ?1 AND m.until > ?1
    WHERE e.id = o.escalation_id AND o.kind <> 'update' AND o.state IN ('ready', 'blocked')"""
#: Those whose time has come, each channel's first, with the root that a reply or update needs: it must have been sent.
_DUE = f"""
SELECT id, root FROM (
    SELECT o.id, r.id AS root, row_number() OVER (
        PARTITION BY coalesce(r.channel, o.channel) ORDER BY o.severity_rank DESC, o.created_at, o.id
    ) AS place
    FROM outbox o LEFT JOIN outbox r ON o.kind IN ('reply', 'update') AND r.id = (
        SELECT max(id) FROM outbox WHERE escalation_id = o.escalation_id AND kind = 'root'
    )
    WHERE o.state <> 'sent' AND o.state <> 'sending' AND o.not_before <= ?1
        AND (o.kind IN ('root', 'call', 'notice') OR r.state = 'sent')
        AND NOT EXISTS (SELECT 1 {_SILENCED_BY})
) WHERE place = 1
"""


class Outbox:
    """The table `outbox` on `connection` (isolation_level None; the caller begins and commits)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._cursor = connection.cursor()
        self._cursor.row_factory = None

    def enqueue(
        self,
        *,
        kind: MessageKind,
        channel: str,
        severity: Severity,
        now: datetime,
        escalation_id: int | None = None,
        tier: int = 0,
        payload: Mapping[str, Any] | None = None,
        op_key: str | None = None,
    ) -> int | None:
        """Put a message into the outbox; return its id, or None where it stands there already.

        It stands there if its `op_key` was used before (without one, the next free `escalation:tier:kind:repeat` is
        taken), or if it is an update and one of the same escalation still waits: that one, shown as things are when
        it is sent, serves for both and takes the higher severity.
        """
        if kind is MessageKind.UPDATE and self._joined(escalation_id, severity):
            return None
        if op_key is None:
            op_key = self._next_key(f"{escalation_id or '-'}:{tier}:{kind}")
        self._cursor.execute(
            "INSERT INTO outbox (op_key, kind, state, channel, severity, severity_rank, escalation_id, payload,"
            " created_at, not_before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (op_key) DO NOTHING",
            (
                op_key, kind, MessageState.READY, channel, severity, severity.rank, escalation_id,
                _json(payload or {}), to_text(now), to_text(now),
            ),
        )  # fmt: skip
        return self._cursor.lastrowid if self._cursor.rowcount else None

    def _joined(self, escalation_id: int | None, severity: Severity) -> bool:
        self._cursor.execute(
            "SELECT id, severity_rank FROM outbox"
            " WHERE escalation_id = ? AND kind = 'update' AND state IN ('ready', 'blocked') LIMIT 1",
            (escalation_id,),
        )
        if (waiting := self._cursor.fetchone()) is None:
            return False
        if waiting[1] < severity.rank:
            self._cursor.execute(
                "UPDATE outbox SET severity = ?, severity_rank = ? WHERE id = ?", (severity, severity.rank, waiting[0])
            )
        return True

    def _next_key(self, prefix: str) -> str:
        # ";" follows ":" in ASCII: the range of all keys that begin with the prefix, answered by the unique index.
        self._cursor.execute(
            "SELECT max(CAST(substr(op_key, length(?1) + 2) AS INTEGER)) FROM outbox"
            " WHERE op_key >= ?1 || ':' AND op_key < ?1 || ';'",
            (prefix,),
        )
        return f"{prefix}:{(self._cursor.fetchone()[0] or 0) + 1}"

    def due(self, now: datetime) -> tuple[Waiting, ...]:
        """The first due message of each channel: critical first, then the oldest."""
        found = self._cursor.execute(_DUE, (to_text(now),)).fetchall()
        return tuple(Waiting(self.get(id), self.get(root) if root else None) for id, root in found)

    def next_due(self, now: datetime) -> datetime | None:
        """When the next waiting message that is not yet due, or is silenced by a mute, may become so."""
        self._cursor.execute(
            "SELECT min(at) FROM (SELECT not_before AS at FROM outbox WHERE state <> 'sent' AND not_before > ?1"
            f" UNION ALL SELECT (SELECT max(m.until) {_SILENCED_BY}) FROM outbox o WHERE o.state <> 'sent')",
            (to_text(now),),
        )
        return _time(self._cursor.fetchone()[0])

    def get(self, id: int) -> OutboxMessage:
        return _message(self._cursor.execute(f"{_SELECT} WHERE id = ?", (id,)).fetchone())

    def where(self, id: int) -> str | None:
        """The id of the channel in which message `id` stands; None where there is none."""
        row = self._cursor.execute("SELECT sent_channel FROM outbox WHERE id = ?", (id,)).fetchone()
        return row[0] if row else None

    def root_of(self, escalation_id: int) -> OutboxMessage | None:
        """The newest root of the escalation, in whatever state: a message that was deleted in Slack gets a new one."""
        row = self._cursor.execute(
            f"{_SELECT} WHERE escalation_id = ? AND kind = 'root' ORDER BY id DESC LIMIT 1", (escalation_id,)
        ).fetchone()
        return _message(row) if row else None

    def claim(self, message: OutboxMessage, floor: datetime) -> OutboxMessage | None:
        """Take a ready or blocked message for sending; None if another sender was faster.

        The earliest floor stays: a first copy that comes to light late is still found.
        """
        self._cursor.execute(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, floor_at = coalesce(floor_at, ?)"
            " WHERE id = ? AND state IN ('ready', 'blocked')",
            (to_text(floor), message.id),
        )
        return self.get(message.id) if self._cursor.rowcount else None

    def save(self, message: OutboxMessage) -> bool:
        """Write what became of a message; False if it was sent meanwhile, which is final."""
        self._cursor.execute(
            "UPDATE outbox SET kind = ?, state = ?, channel = ?, payload = ?, not_before = ?, absent_reads = ?,"
            " plain = ?, repeated = ?, error = ?, sent_at = ?, sent_channel = ?, sent_ts = ?, unknown_at = ?"
            " WHERE id = ? AND state <> 'sent'",
            (
                message.kind, message.state, message.channel, _json(message.payload), to_text(message.not_before),
                message.absent_reads, message.plain, message.repeated, message.error, _text(message.sent_at),
                message.sent_channel, message.sent_ts, _text(message.unknown_at), message.id,
            ),
        )  # fmt: skip
        return self._cursor.rowcount == 1

    def in_state(self, state: MessageState) -> tuple[OutboxMessage, ...]:
        """Oldest first; meant for the states that few messages are in."""
        rows = self._cursor.execute(f"{_SELECT} WHERE state = ? ORDER BY created_at, id", (state,)).fetchall()
        return tuple(_message(row) for row in rows)

    def doubt_what_waits(self, now: datetime) -> int:
        """After an old backup was restored: what waits to be posted may have been posted since. Return how many do."""
        self._cursor.execute("SELECT value FROM facts WHERE name = 'restored'")
        if self._cursor.fetchone() is None:
            return 0
        self._cursor.execute("DELETE FROM facts WHERE name = 'restored'")
        # Ids that the lost database gave to later messages stand in Slack.
        self._cursor.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'outbox'", (SKIPPED_IDS,))
        waiting = [
            after_unknown(message, "The database was restored from a backup.", now)
            for state in (MessageState.READY, MessageState.BLOCKED)
            for message in self.in_state(state)
        ]
        for message in waiting:
            self.save(message)
            floor = to_text(message.created_at - FLOOR_MARGIN)
            self._cursor.execute("UPDATE outbox SET floor_at = ? WHERE id = ?", (floor, message.id))
        return len(waiting)

    def release_blocked(self, now: datetime) -> int:
        """Let all blocked messages be tried at once; return how many there are."""
        self._cursor.execute("UPDATE outbox SET not_before = ? WHERE state = 'blocked'", (to_text(now),))
        return self._cursor.rowcount

    def counts(self) -> dict[MessageState, int]:
        """How many messages are in each state that occurs."""
        rows = self._cursor.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall()
        return {MessageState(state): count for state, count in rows}

    def oldest_waiting(self) -> datetime | None:
        """Since when the oldest message that is not sent yet waits."""
        self._cursor.execute("SELECT min(created_at) FROM outbox WHERE state <> 'sent'")
        return _time(self._cursor.fetchone()[0])


def _message(row: Sequence[Any]) -> OutboxMessage:
    values = dict(zip(_COLUMNS, row, strict=True))
    for name, read in _READ.items():
        values[name] = read(values[name])
    return OutboxMessage(**values)


def _time(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _text(time: datetime | None) -> str | None:
    return to_text(time) if time else None


def _json(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "kind": MessageKind, "state": MessageState, "severity": Severity, "payload": json.loads,
    "plain": bool, "repeated": bool,
    "created_at": _time, "not_before": _time, "floor_at": _time, "sent_at": _time, "unknown_at": _time,
}  # fmt: skip
