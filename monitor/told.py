"""What follows for escalations from what became of their messages: they are told, or cannot be told.

Inside the transaction in which that is written.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from monitor.carry_out import act
from monitor.escalation.events import CannotBeTold, Told
from monitor.escalation.outbox import OF
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.store import escalations, storms
from monitor.store.outbox import Outbox


def follow_up(connection: sqlite3.Connection, message: OutboxMessage, now: datetime) -> None:
    """`message` was saved as it is."""
    if message.kind is MessageKind.SUMMARY and OF in message.payload:
        storms.take_over(connection, message)
    if message.state not in (MessageState.SENT, MessageState.BLOCKED):
        return
    if message.kind is MessageKind.ROOT:
        if escalation := escalations.by_id(connection, message.escalation_id or 0):
            stands = message.state is MessageState.SENT
            act(connection, escalation, Told() if stands else CannotBeTold(), "delivery", now)
    elif (summary := _summary(message)) is not None:
        # Of thousands that are folded into it, `storms` tells some at a time.
        storms.shown(connection, summary, now)


def _summary(message: OutboxMessage) -> int | None:
    if message.kind is MessageKind.SUMMARY:
        return message.id
    if message.kind is MessageKind.UPDATE and message.escalation_id is None and OF in message.payload:
        return int(message.payload[OF])
    return None


def adopt(
    connection: sqlite3.Connection, outbox_id: int, escalation_id: int, channel: str, ts: str, now: datetime
) -> bool:
    """A click on message `outbox_id` proves that it stands in `channel` (an id) as `ts`, whatever was known of it; its
    escalation is told. Return whether that was news, and could be: it is of that escalation, and no older than it."""
    outbox = Outbox(connection)
    try:
        posted = datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return False
    if not outbox.adopt(outbox_id, escalation_id, channel, ts, posted, now):
        return False
    follow_up(connection, outbox.get(outbox_id), now)
    return True
