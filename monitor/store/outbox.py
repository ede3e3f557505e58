"""The SQL of the outbox. `monitor.escalation.outbox` decides what becomes of a message; `monitor.deliver` sends.

Everything here runs inside the caller's transaction: a message is written together with the change that caused it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from monitor.escalation.outbox import ASKED, FLOOR_MARGIN, Waiting, after_unknown
from monitor.escalation.storm import REFRESH_AFTER
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

#: The newest root of the escalation of message `o`: one that was deleted in Slack gets a new one.
NEWEST_ROOT = "(SELECT max(id) FROM outbox WHERE escalation_id = o.escalation_id AND kind = 'root')"
#: The message that update `o` brings up to date where that is not its root: a call, or a summary.
OF = "json_extract(o.payload, '$.of')"
#: Whether reply `o` has something to say beside the new mentions.
SPEAKS = "coalesce(json_extract(o.payload, '$.text'), '') NOT IN ('', '[]')"
#: Mutes that silence message `o`: those of the rule in charge, or that it speaks for; of a summary, where no rule of
#: its escalations may speak. Nothing is posted, whatever became of it before. What stands in Slack is kept up to date,
#: and looked for there.
_SILENCED_BY = """FROM mutes m WHERE m.since <= ?1 AND m.until > ?1
    AND o.kind <> 'update' AND o.state IN ('ready', 'blocked') AND CASE o.kind WHEN 'summary' THEN NOT EXISTS (
        SELECT 1 FROM outbox f JOIN escalations e ON e.id = f.escalation_id
        WHERE f.folded_into = o.id AND f.state = 'folded' AND NOT EXISTS (
            SELECT 1 FROM mutes n WHERE n.since <= ?1 AND n.until > ?1 AND n.rule_id = e.rule_id
        )
    ) ELSE m.rule_id = coalesce(
        json_extract(o.payload, '$.rule'), (SELECT rule_id FROM escalations WHERE id = o.escalation_id)
    ) END"""
SILENCED = f"EXISTS (SELECT 1 {_SILENCED_BY})"
#: Those whose time has come, each lane's first, with the message that a reply or update needs: it must have been sent.
_DUE = f"""
SELECT id, root FROM (
    SELECT o.id, r.id AS root, row_number() OVER (
        PARTITION BY o.kind = 'update', CASE WHEN o.kind <> 'update' THEN coalesce(r.channel, o.channel) END
        ORDER BY json_extract(o.payload, '$.asked') IS NULL, o.severity_rank DESC, o.created_at, o.id
    ) AS place
    FROM outbox o
    LEFT JOIN outbox r ON o.kind IN ('reply', 'update') AND r.id = coalesce({OF}, {NEWEST_ROOT})
    WHERE o.state NOT IN ('sent', 'folded') AND o.state <> 'sending' AND o.not_before <= ?1
        AND (o.kind NOT IN ('reply', 'update') OR r.state = 'sent')
        AND NOT {SILENCED}
) WHERE place = 1
"""
_WAITS = "state NOT IN ('sent', 'folded')"


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
        asked: bool = False,
    ) -> int | None:
        """Put a message into the outbox; return its id, or None where it stands there already.

        It stands there if its `op_key` was used before (without one, the next free `escalation:tier:kind:repeat` is
        taken), or if it is an update and one of the same escalation still waits: that one, shown as things are when
        it is sent, serves for both and takes the higher severity. `asked`: a person waits to see this update.
        """
        payload, state, summary, wait = payload or {}, MessageState.READY, None, timedelta(0)
        if kind is MessageKind.UPDATE:
            if self._updated_otherwise(escalation_id, payload.get("of"), severity, asked, now):
                return None
            payload = {**payload, ASKED: True} if asked else payload
        if kind is MessageKind.REPLY and escalation_id and (summary := self._folded_into(escalation_id)):
            if severity is Severity.CRITICAL:
                summary = None if self.unfold(escalation_id, now) else summary
            elif payload.get("text"):
                # Whether it is posted, its root before it, or told with many others decides whoever sends it.
                summary = None
            state = MessageState.FOLDED if summary else state
        if kind is MessageKind.UPDATE and escalation_id is None and not asked:
            wait = REFRESH_AFTER
        if escalation_id:
            self._hasten_root(escalation_id, severity)
        if op_key is None:
            op_key = self._next_key(f"{escalation_id or '-'}:{tier}:{kind}")
        self._cursor.execute(
            "INSERT INTO outbox (op_key, kind, state, channel, severity, severity_rank, escalation_id, payload,"
            " created_at, not_before, folded_into) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (op_key) DO NOTHING",
            (
                op_key, kind, state, channel, severity, severity.rank, escalation_id, _json(payload),
                to_text(now), to_text(now + wait), summary,
            ),
        )  # fmt: skip
        return self._cursor.lastrowid if self._cursor.rowcount else None

    def _updated_otherwise(
        self, escalation_id: int | None, of: int | None, severity: Severity, asked: bool, now: datetime
    ) -> bool:
        """Whether an update that waits already, or one of the summary that stands for the message, shows it as well."""
        if of is None and escalation_id is not None:
            self._update_elsewhere(escalation_id, severity, asked, now)
            if self._folded_into(escalation_id):
                return True
        self._cursor.execute(
            "SELECT id, severity_rank FROM outbox o WHERE escalation_id IS ? AND kind = 'update'"
            f" AND state IN ('ready', 'blocked') AND {_WAITS} AND {OF} IS ? LIMIT 1",
            (escalation_id, of),
        )
        if (waiting := self._cursor.fetchone()) is None:
            return False
        if waiting[1] < severity.rank:
            self._raise(waiting[0], severity)
        if asked:
            self._cursor.execute(
                f"UPDATE outbox SET payload = json_set(payload, '$.{ASKED}', json('true')),"
                " not_before = min(not_before, ?) WHERE id = ?",
                (to_text(now), waiting[0]),
            )
        return True

    def _update_elsewhere(self, escalation_id: int, severity: Severity, asked: bool, now: datetime) -> None:
        """Its calls in other channels, and the summaries it is folded into, show how it stands, too."""
        self._cursor.execute(
            "SELECT id, channel FROM outbox WHERE escalation_id = ? AND kind = 'call'"
            " AND state IN ('sending', 'sent', 'unknown')",
            (escalation_id,),
        )
        for call, channel in self._cursor.fetchall():
            self.enqueue(
                kind=MessageKind.UPDATE, channel=channel, severity=severity, now=now, escalation_id=escalation_id,
                payload={"of": call}, asked=asked,
            )  # fmt: skip
        self._cursor.execute(
            "SELECT DISTINCT folded_into FROM outbox WHERE escalation_id = ? AND state = 'folded'",
            (escalation_id,),
        )
        for (summary,) in self._cursor.fetchall():
            self.refresh(summary, Severity.LOW, now, asked=asked)

    def refresh(self, summary_id: int, severity: Severity, now: datetime, *, asked: bool = False) -> None:
        """Bring a summary up to date, with what else comes up in the next seconds; one that still waits to be posted
        is shown as things are then."""
        self._cursor.execute("SELECT state, channel, severity_rank FROM outbox WHERE id = ?", (summary_id,))
        state, channel, rank = self._cursor.fetchone()
        if rank < severity.rank:
            self._raise(summary_id, severity)
        if state not in (MessageState.READY, MessageState.BLOCKED):
            self.enqueue(
                kind=MessageKind.UPDATE,
                channel=channel,
                severity=severity,
                now=now,
                payload={"of": summary_id},
                asked=asked,
            )

    def _hasten_root(self, escalation_id: int, severity: Severity) -> None:
        """A root that still waits when its escalation became more severe takes its place among those."""
        self._cursor.execute(
            f"SELECT id FROM outbox WHERE escalation_id = ? AND kind = 'root' AND severity_rank < ? AND {_WAITS}",
            (escalation_id, severity.rank),
        )
        for (root,) in self._cursor.fetchall():
            self._raise(root, severity)

    def _raise(self, id: int, severity: Severity) -> None:
        self._cursor.execute(
            "UPDATE outbox SET severity = ?, severity_rank = ? WHERE id = ?", (severity, severity.rank, id)
        )

    def _next_key(self, prefix: str) -> str:
        # ";" follows ":" in ASCII: the range of all keys that begin with the prefix, answered by the unique index.
        self._cursor.execute(
            "SELECT max(CAST(substr(op_key, length(?1) + 2) AS INTEGER)) FROM outbox"
            " WHERE op_key >= ?1 || ':' AND op_key < ?1 || ';'",
            (prefix,),
        )
        return f"{prefix}:{(self._cursor.fetchone()[0] or 0) + 1}"

    def due(self, now: datetime) -> tuple[Waiting, ...]:
        """The first due message of each lane: critical first, then the oldest."""
        found = self._cursor.execute(_DUE, (to_text(now),)).fetchall()
        return tuple(Waiting(self.get(id), self.get(root) if root else None) for id, root in found)

    def next_due(self, now: datetime) -> datetime | None:
        """When the next waiting message that is not yet due, or is silenced by a mute, may become so."""
        self._cursor.execute(
            f"SELECT min(at) FROM (SELECT not_before AS at FROM outbox WHERE {_WAITS} AND not_before > ?1"
            " UNION ALL SELECT CASE o.kind WHEN 'summary' THEN"
            f" (SELECT min(m.until) {_SILENCED_BY}) ELSE (SELECT max(m.until) {_SILENCED_BY}) END"
            f" FROM outbox o WHERE {_WAITS} AND EXISTS (SELECT 1 FROM mutes WHERE until > ?1))",
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

    def claim(self, message: OutboxMessage, floor: datetime, now: datetime) -> OutboxMessage | None:
        """Take a ready or blocked message for sending; None if somebody was faster: another sender, or a mute.

        The earliest floor stays: a first copy that comes to light late is still found.
        """
        self._cursor.execute(
            "UPDATE outbox AS o SET state = 'sending', attempts = attempts + 1, floor_at = coalesce(floor_at, ?2)"
            f" WHERE id = ?3 AND state IN ('ready', 'blocked') AND NOT {SILENCED}",
            (to_text(now), to_text(floor), message.id),
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

    def adopt(self, id: int, escalation_id: int, channel: str, ts: str, posted: datetime, now: datetime) -> bool:
        """Somebody clicked on the message, so it stands in `channel` (an id) as `ts`; whether that was not known yet.

        Not where the click can have been on none of its copies: it is of another escalation, was never given to Slack,
        or only after what was clicked had been `posted`. See `monitor.told.adopt`, which also tells its escalation.
        """
        self._cursor.execute(
            "UPDATE outbox SET state = 'sent', sent_at = ?, sent_channel = ?, sent_ts = ?, error = '',"
            f" unknown_at = NULL WHERE id = ? AND kind <> 'update' AND {_WAITS}"
            " AND (escalation_id IS NULL OR escalation_id = ?) AND floor_at <= ?",
            (to_text(now), channel, ts, id, escalation_id, to_text(posted)),
        )
        return self._cursor.rowcount == 1

    # -- storms: what is folded into a summary -----------------------------------------------------------------------

    def members(self, summary_id: int) -> tuple[int, ...]:
        """The escalations that the summary stands for, the most severe first; without those that were unfolded."""
        rows = self._cursor.execute(
            "SELECT escalation_id FROM outbox WHERE folded_into = ? AND state = 'folded' AND escalation_id IS NOT NULL"
            " GROUP BY escalation_id ORDER BY max(severity_rank) DESC, escalation_id",
            (summary_id,),
        )
        return tuple(row[0] for row in rows.fetchall())

    def unfold(self, escalation_id: int, now: datetime, summary_id: int | None = None) -> bool:
        """Give a folded escalation messages of its own: its root, and what else `summary_id` told of it; whether there
        was any. They are never folded again."""
        ids = [
            row[0]
            for row in self._cursor.execute(
                "SELECT id FROM outbox o WHERE escalation_id = ?1 AND state = 'folded'"
                f" AND (kind = 'root' AND id = {NEWEST_ROOT} OR folded_into = ?2 AND kind <> 'update'"
                f" AND (kind <> 'reply' OR {SPEAKS}))",
                (escalation_id, summary_id),
            ).fetchall()
        ]
        for id in ids:
            self._cursor.execute(
                "UPDATE outbox SET state = 'ready', not_before = ?, sent_at = NULL, sent_channel = NULL,"
                " sent_ts = NULL, (severity, severity_rank) = (SELECT e.severity, CASE e.severity"
                f" {' '.join(f'WHEN {str(one)!r} THEN {one.rank}' for one in Severity)} END"
                " FROM escalations e WHERE e.id = outbox.escalation_id) WHERE id = ?",
                (to_text(now), id),
            )
            self._cursor.execute("SELECT folded_into FROM outbox WHERE id = ?", (id,))
            self.refresh(self._cursor.fetchone()[0], Severity.LOW, now)
        return bool(ids)

    def _folded_into(self, escalation_id: int) -> int | None:
        """The summary that stands for its newest root, if one does."""
        self._cursor.execute(
            "SELECT CASE state WHEN 'folded' THEN folded_into END FROM outbox WHERE escalation_id = ? AND kind = 'root'"
            " ORDER BY id DESC LIMIT 1",
            (escalation_id,),
        )
        row = self._cursor.fetchone()
        return row[0] if row else None

    # -- how things stand --------------------------------------------------------------------------------------------

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

    def of_escalation(self, escalation_id: int) -> tuple[OutboxMessage, ...]:
        """All that was ever to be said of it, in the order in which it was written."""
        rows = self._cursor.execute(f"{_SELECT} WHERE escalation_id = ? ORDER BY id", (escalation_id,)).fetchall()
        return tuple(_message(row) for row in rows)

    def release_blocked(self, now: datetime) -> int:
        """Let all blocked messages be tried at once; return how many there are."""
        self._cursor.execute("UPDATE outbox SET not_before = ? WHERE state = 'blocked'", (to_text(now),))
        return self._cursor.rowcount

    def counts(self) -> dict[MessageState, int]:
        """How many messages are in each state that occurs."""
        rows = self._cursor.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall()
        return {MessageState(state): count for state, count in rows}

    def oldest_waiting(self, now: datetime) -> datetime | None:
        """Since when the oldest message that is not sent yet waits, though no mute holds it back."""
        self._cursor.execute(f"SELECT min(created_at) FROM outbox o WHERE {_WAITS} AND NOT {SILENCED}", (to_text(now),))
        return _time(self._cursor.fetchone()[0])

    def muted(self, now: datetime) -> int:
        """How many messages wait for nothing but the end of a mute."""
        self._cursor.execute(f"SELECT count(*) FROM outbox o WHERE {_WAITS} AND {SILENCED}", (to_text(now),))
        return int(self._cursor.fetchone()[0])


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
