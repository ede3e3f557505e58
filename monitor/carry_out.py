"""Carries a decision of the state machine out: the new state, its audit event, its timers and its messages, together.

Everything happens inside the caller's transaction, committed as a whole or not at all. What the messages look like is
decided when they are sent (`monitor.deliver`); whom they call, when they are written, by the rota of that moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from monitor.durations import duration_text
from monitor.escalation import machine
from monitor.escalation.events import (
    CallTier,
    Decision,
    Effect,
    Event,
    Fired,
    Reason,
    SendReply,
    SendRoot,
    SendUpdate,
    StartTimer,
    StopTimers,
)
from monitor.model import Escalation
from monitor.outgoing import MessageKind
from monitor.rules.snapshot import Snapshot, snapshot_from_json
from monitor.store import escalations, mutes, people
from monitor.store.outbox import Outbox

#: A reply in the thread names so many of its new mentions one by one; it counts them all.
NAMED = 50
#: Why something that was due is not said yet.
HELD_BACK = (Reason.MUTED, Reason.OUTSIDE_HOURS)


def act(connection: sqlite3.Connection, escalation: Escalation, event: Event, who: str, now: datetime) -> Decision:
    """Decide what `event` makes of `escalation`, and carry it out."""
    # A rule that fires brings its own times.
    rule_id = event.rule_id if isinstance(event, Fired) else escalation.rule_id
    kept = kept_by(connection, escalation, rule_id)
    clock = kept.clockwork(mutes.muted_until(connection, rule_id, now))
    decision = machine.decide(escalation, event, clock, now)
    carry_out(connection, escalation, decision, who, now)
    return decision


def carry_out(connection: sqlite3.Connection, before: Escalation, decision: Decision, who: str, now: datetime) -> None:
    after = decision.escalation
    if after != before:
        escalations.save(connection, after)
        _log(connection, before, decision, who, now)
    # All together: teams that share a channel are told in one message.
    _call_tiers(connection, after, [effect.tier for effect in decision.effects if isinstance(effect, CallTier)], now)
    for effect in decision.effects:
        started = _carry_out(connection, after, effect, now)
        if started and after == before and decision.reason in HELD_BACK:
            escalations.log(
                connection, now, who, "held back", decision.reason,
                escalation_id=after.id, discussion_id=after.discussion_id,
            )  # fmt: skip
    if after.state in machine.TOLD and after.opened_at is not None:
        _point_to(connection, after, now)


def kept_by(connection: sqlite3.Connection, escalation: Escalation, rule_id: str | None = None) -> Snapshot:
    """What the escalation keeps of a rule of its, by default the one in charge."""
    return snapshot_from_json(escalations.snapshot(connection, escalation, rule_id or escalation.rule_id))


def _log(connection: sqlite3.Connection, before: Escalation, decision: Decision, who: str, now: datetime) -> None:
    after = decision.escalation
    data: dict[str, object] = {
        "from": before.state,
        "severity": after.severity,
        "tier": after.tier,
        "assignee": after.assignee,
        "outcome": after.outcome,
        "note": after.note,
    }
    if told := _told(connection, decision, now):
        data["told"] = told
    what = str(after.state) if after.state is not before.state else "changed"
    escalations.log(
        connection, now, who, what, decision.reason,
        escalation_id=after.id, discussion_id=after.discussion_id, data=data,
    )  # fmt: skip


def _told(connection: sqlite3.Connection, decision: Decision, now: datetime) -> list[dict[str, object]]:
    """Whom the decision tells: each tier's team, its channel, and the names of those called."""
    after = decision.escalation
    tiers = [effect.tier for effect in decision.effects if isinstance(effect, CallTier)]
    if any(
        isinstance(effect, SendRoot) or (isinstance(effect, SendReply) and effect.call) for effect in decision.effects
    ):
        tiers.append(after.tier)
    if not tiers:
        return []
    kept = kept_by(connection, after)
    return [
        {
            "tier": tier,
            "team": team.id if (team := kept.team(tier)) else None,
            "channel": kept.channel_of(tier),
            "called": list(kept.called_names(tier, now)),
        }
        for tier in tiers
    ]


def _carry_out(connection: sqlite3.Connection, after: Escalation, effect: Effect, now: datetime) -> bool:
    """Whether a timer began that had not been running."""
    match effect:
        case StopTimers():
            escalations.stop_timers(connection, after.id)
        case StartTimer():
            return escalations.start_timer(connection, after, effect.kind, effect.due_at)
        case SendRoot():
            told = escalations.latest_mention(connection, after.discussion_id) if after.discussion_id else 0
            notify = kept_by(connection, after).called(after.tier, now)
            _send(connection, after, MessageKind.ROOT, {"up_to": told, "notify": notify}, now)
        case SendUpdate():
            _send(connection, after, MessageKind.UPDATE, {}, now)
        case SendReply():
            if effect.call:
                _call(connection, after, [after.tier], effect.text, now)
            else:
                notify = _whoever_has_it(connection, after) if effect.remind else ()
                _reply(connection, after, effect.text, notify, now)
    return False


def _reply(
    connection: sqlite3.Connection, escalation: Escalation, text: str, notify: tuple[str, ...], now: datetime
) -> None:
    told = escalations.last_told(connection, escalation.id)
    ids: tuple[int, ...] = ()
    if escalation.discussion_id is not None:
        ids = escalations.mentions_after(connection, escalation.discussion_id, told)
    if text or ids:
        news = {"mention_ids": ids[-NAMED:], "new": len(ids), "up_to": max(ids, default=told)}
        _send(connection, escalation, MessageKind.REPLY, {"text": text, "notify": notify, **news}, now)


def _in_turn(connection: sqlite3.Connection, escalation: Escalation, number: int) -> str:
    kept = kept_by(connection, escalation)
    tier, team = kept.tier(number), kept.team(number)
    taken = f"{escalation.assignee} has it" if escalation.assignee else "nobody has taken it"
    after = f"{duration_text(tier.after)} after the first message " if tier else ""
    name = f"team {team.id}" if team else kept.channel_of(number)
    return f"{after}{taken}: {name} is told (tier {number} of {len(kept.tiers)})."


def _call_tiers(connection: sqlite3.Connection, escalation: Escalation, numbers: list[int], now: datetime) -> None:
    """Tell the teams of further tiers; those that were late together and share a channel, in one message."""
    if not numbers:
        return
    kept, sharing = kept_by(connection, escalation), dict[str, list[int]]()
    for number in numbers:
        sharing.setdefault(kept.channel_of(number), []).append(number)
    for together in sharing.values():
        text = " ".join(_in_turn(connection, escalation, number) for number in together)
        _call(connection, escalation, together, text, now)


def _call(connection: sqlite3.Connection, escalation: Escalation, numbers: list[int], text: str, now: datetime) -> None:
    """Tell the teams of tiers that share a channel: in the thread where it is that of the message, else there, and say
    so in the thread."""
    kept, home = kept_by(connection, escalation), _channel(connection, escalation)
    channel, number = kept.channel_of(numbers[-1]), numbers[-1]
    notify = tuple(dict.fromkeys(who for one in numbers for who in kept.called(one, now)))
    if channel == home:
        _reply(connection, escalation, text, notify, now)
        return
    _reply(connection, escalation, f"{text} Told in {channel}.", (), now)
    about = f"{text} It is handled in {home} (escalation {escalation.id})."
    payload = {"text": about, "notify": notify, "tier": number}
    _send(connection, escalation, MessageKind.CALL, payload, now, channel=channel, tier=number)


def _send(
    connection: sqlite3.Connection,
    escalation: Escalation,
    kind: MessageKind,
    payload: Mapping[str, object],
    now: datetime,
    *,
    channel: str | None = None,
    tier: int | None = None,
) -> None:
    Outbox(connection).enqueue(
        kind=kind, channel=channel or _channel(connection, escalation), severity=escalation.severity,
        escalation_id=escalation.id, tier=tier or escalation.tier, payload=payload, now=now,
    )  # fmt: skip


def _point_to(connection: sqlite3.Connection, escalation: Escalation, now: datetime) -> None:
    """One message a discussion, in one channel; the teams of other rules that fired are told, once, where it stands, as
    soon as their rule may speak."""
    home = _channel(connection, escalation)
    for fired in escalations.fired_rules(connection, escalation.id):
        if fired.rule_id == escalation.rule_id:
            continue
        kept = kept_by(connection, escalation, fired.rule_id)
        clock = kept.clockwork(mutes.muted_until(connection, fired.rule_id, now))
        if kept.first_channel == home or clock.free_at(1, fired.severity, now) > now:
            continue
        about = escalations.subject_of(connection, escalation)
        text = f"{fired.title}: “{about}”. It is handled in {home} (escalation {escalation.id})."
        Outbox(connection).enqueue(
            kind=MessageKind.NOTICE, channel=kept.first_channel, severity=escalation.severity,
            escalation_id=escalation.id, payload={"text": text}, now=now,
            op_key=f"{escalation.id}:notice:{kept.first_channel}",
        )  # fmt: skip


def _channel(connection: sqlite3.Connection, escalation: Escalation) -> str:
    """Where its message stands, or will: that of the rule it was first posted for."""
    root = Outbox(connection).root_of(escalation.id)
    return root.channel if root else kept_by(connection, escalation).first_channel


def _whoever_has_it(connection: sqlite3.Connection, escalation: Escalation) -> tuple[str, ...]:
    """Their Slack id: of its teams', or of somebody in none of them to whom it was given in Slack."""
    if known := kept_by(connection, escalation).person(escalation.assignee):
        return known
    found = people.id_of(connection, escalation.assignee)
    return (found,) if found else ()
