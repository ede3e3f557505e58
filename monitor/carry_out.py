"""Carries a decision of the state machine out: the new state, its audit event, its timers and its messages, together.

Everything happens inside the caller's transaction, committed as a whole or not at all. What the messages look like is
decided when they are sent (`monitor.deliver`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta

from monitor.escalation import machine
from monitor.escalation.machine import Clockwork, Decision, Event, Reason
from monitor.model import Escalation, MessageKind
from monitor.store import escalations
from monitor.store.outbox import Outbox

#: A reply in the thread names so many of its new mentions one by one; it counts them all.
NAMED = 50


def act(connection: sqlite3.Connection, escalation: Escalation, event: Event, who: str, now: datetime) -> Decision:
    """Decide what `event` makes of `escalation`, and carry it out."""
    decision = machine.decide(escalation, event, _clock(connection, escalation), now)
    carry_out(connection, escalation, decision, who, now)
    return decision


def carry_out(connection: sqlite3.Connection, before: Escalation, decision: Decision, who: str, now: datetime) -> None:
    after = decision.escalation
    if after != before:
        escalations.save(connection, after)
        what = str(after.state) if after.state is not before.state else "changed"
        data = {
            "from": before.state,
            "severity": after.severity,
            "tier": after.tier,
            "assignee": after.assignee,
            "outcome": after.outcome,
            "note": after.note,
        }
        escalations.log(
            connection, now, who, what, decision.reason,
            escalation_id=after.id, discussion_id=after.discussion_id, data=data,
        )  # fmt: skip
    for effect in decision.effects:
        match effect:
            case machine.StopTimers():
                escalations.stop_timers(connection, after.id)
            case machine.StartTimer():
                escalations.start_timer(connection, after, effect.kind, effect.due_at)
            case machine.SendRoot():
                told = escalations.latest_mention(connection, after.discussion_id) if after.discussion_id else 0
                _send(connection, after, MessageKind.ROOT, {"up_to": told, "notify": _called(connection, after)}, now)
            case machine.SendUpdate():
                _send(connection, after, MessageKind.UPDATE, {}, now)
            case machine.SendReply():
                called = _called(connection, after) if decision.reason is Reason.SEVERITY_UP else []
                _reply(connection, after, effect.text, called, now)
    if after.state in machine.TOLD:
        _point_to(connection, after, now)


def _reply(connection: sqlite3.Connection, escalation: Escalation, text: str, called: list[str], now: datetime) -> None:
    told = escalations.last_told(connection, escalation.id)
    ids: tuple[int, ...] = ()
    if escalation.discussion_id is not None:
        ids = escalations.mentions_after(connection, escalation.discussion_id, told)
    if text or ids:
        news = {"mention_ids": ids[-NAMED:], "new": len(ids), "up_to": max(ids, default=told)}
        _send(connection, escalation, MessageKind.REPLY, {"text": text, "notify": called, **news}, now)


def _send(
    connection: sqlite3.Connection,
    escalation: Escalation,
    kind: MessageKind,
    payload: Mapping[str, object],
    now: datetime,
) -> None:
    Outbox(connection).enqueue(
        kind=kind, channel=_channel(connection, escalation), severity=escalation.severity,
        escalation_id=escalation.id, tier=escalation.tier, payload=payload, now=now,
    )  # fmt: skip


def _point_to(connection: sqlite3.Connection, escalation: Escalation, now: datetime) -> None:
    """One message a discussion, in one channel; the teams of other rules that fired are told, once, where it stands."""
    channel = _channel(connection, escalation)
    for other, title in escalations.other_channels(connection, escalation, channel):
        about = escalations.subject_of(connection, escalation)
        text = f"{title}: “{about}”. It is handled in {channel} (escalation {escalation.id})."
        Outbox(connection).enqueue(
            kind=MessageKind.NOTICE, channel=other, severity=escalation.severity, escalation_id=escalation.id,
            payload={"text": text}, now=now, op_key=f"{escalation.id}:{escalation.tier}:notice:{other}",
        )  # fmt: skip


def _channel(connection: sqlite3.Connection, escalation: Escalation) -> str:
    """Where its message stands, or will: that of the rule it was first posted for."""
    root = Outbox(connection).root_of(escalation.id)
    return root.channel if root else str(escalations.snapshot(connection, escalation)["channel"])


def _called(connection: sqlite3.Connection, escalation: Escalation) -> list[str]:
    return list(escalations.snapshot(connection, escalation).get("notify", ()))


def _clock(connection: sqlite3.Connection, escalation: Escalation) -> Clockwork:
    """The times of its rule, as they were when the rule fired; a time this version does not know is left out."""
    seconds = escalations.snapshot(connection, escalation)["clock"]
    known = {field.name for field in fields(Clockwork)}
    return Clockwork(**{name: timedelta(seconds=value) for name, value in seconds.items() if name in known})
