"""Carries a decision of the state machine out: the new state, its audit event, its timers and its messages, together.

Everything happens inside the caller's transaction, committed as a whole or not at all. What the messages look like is
decided when they are sent (`monitor.deliver`); whom they call, when they are written, by the rota of that moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from monitor.escalation import machine
from monitor.escalation.events import (
    Acknowledge,
    Assign,
    CallTier,
    Decision,
    Effect,
    Event,
    Fired,
    HandOver,
    Reason,
    Resolve,
    SendReply,
    SendRoot,
    SendUpdate,
    Snooze,
    StartTimer,
    StopTimers,
)
from monitor.model import Escalation
from monitor.outgoing import MessageKind
from monitor.rules.snapshot import Snapshot, snapshot_from_json
from monitor.store import escalations, mutes, people
from monitor.store.outbox import Outbox
from monitor.wording.names import team_name
from monitor.wording.text import Text, say

#: A reply in the thread names so many of its new mentions one by one; it counts them all.
NAMED = 50
#: Why something that was due is not said yet.
HELD_BACK = (Reason.MUTED, Reason.OUTSIDE_HOURS)
#: What people do, who then wait to see it.
DEEDS = (Acknowledge, Assign, HandOver, Resolve, Snooze)


def act(
    connection: sqlite3.Connection, escalation: Escalation, event: Event, who: str, now: datetime, *,
    asked: bool = False,
) -> Decision:  # fmt: skip
    """Decide what `event` makes of `escalation`, and carry it out. `asked`: a person waits to see it."""
    # A rule that fires brings its own times.
    rule_id = event.rule_id if isinstance(event, Fired) else escalation.rule_id
    kept = kept_by(connection, escalation, rule_id)
    clock = kept.clockwork(mutes.muted_until(connection, rule_id, now))
    decision = machine.decide(escalation, event, clock, now)
    carry_out(connection, escalation, decision, who, now, asked=asked or isinstance(event, DEEDS))
    return decision


def carry_out(
    connection: sqlite3.Connection, before: Escalation, decision: Decision, who: str, now: datetime, *,
    asked: bool = False,
) -> None:  # fmt: skip
    after = decision.escalation
    if after != before:
        escalations.save(connection, after)
        _log(connection, before, decision, who, now)
    # All together: teams that share a channel are told in one message.
    _call_tiers(connection, after, [effect.tier for effect in decision.effects if isinstance(effect, CallTier)], now)
    for effect in decision.effects:
        started = _carry_out(connection, after, effect, now, asked)
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
        "team": after.team,
    }
    if after.answered_at and after.answered_at != before.answered_at:
        data |= {"answered_at": after.answered_at.isoformat(), "seconds": _waited(after, after.answered_at)}
    if told := _told(connection, decision, now):
        data["told"] = told
    what = str(after.state) if after.state is not before.state else "changed"
    escalations.log(
        connection, now, who, what, decision.reason,
        escalation_id=after.id, discussion_id=after.discussion_id, data=data,
    )  # fmt: skip


def _waited(escalation: Escalation, answered: datetime) -> int:
    """How long our answer took, in seconds: since the team was told, or since it alerted where it came before that."""
    opened = escalation.opened_at
    begun = opened if opened and opened <= answered else escalation.created_at
    return int((answered - (escalation.waiting_since or begun)).total_seconds())


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


def _carry_out(connection: sqlite3.Connection, after: Escalation, effect: Effect, now: datetime, asked: bool) -> bool:
    """Whether a timer began that had not been running."""
    match effect:
        case StopTimers():
            escalations.stop_timers(connection, after.id, effect.kinds)
        case StartTimer():
            return escalations.start_timer(connection, after, effect.kind, effect.due_at)
        case SendRoot():
            told = escalations.latest_mention(connection, after.discussion_id) if after.discussion_id else 0
            notify = kept_by(connection, after).called(after.tier, now)
            said = {"text": _kept([effect.text])} if effect.text else {}
            _send(connection, after, MessageKind.ROOT, {"up_to": told, "notify": notify, **said}, now)
        case SendUpdate():
            _send(connection, after, MessageKind.UPDATE, {}, now, asked=asked)
        case SendReply():
            texts = [effect.text] if effect.text else []
            if effect.call:
                _call(connection, after, [after.tier], texts, now)
            else:
                notify = _whoever_has_it(connection, after) if effect.remind else ()
                _reply(connection, after, texts, notify, now)
    return False


def _kept(texts: Sequence[Text]) -> list[dict[str, object]]:
    """Sentences as a payload keeps them: in which language they are said is known when they are sent."""
    return [text.to_json() for text in texts]


def _reply(
    connection: sqlite3.Connection,
    escalation: Escalation,
    texts: Sequence[Text],
    notify: tuple[str, ...],
    now: datetime,
    *,
    tiers: Sequence[int] = (),
) -> None:
    told = escalations.last_told(connection, escalation.id)
    ids: tuple[int, ...] = ()
    if escalation.discussion_id is not None:
        ids = escalations.mentions_after(connection, escalation.discussion_id, told)
    if texts or ids:
        news = {"mention_ids": ids[-NAMED:], "new": len(ids), "up_to": max(ids, default=told)}
        calling = {"tiers": tiers} if tiers else {}
        payload = {"text": _kept(texts), "notify": notify, **calling, **news}
        _send(connection, escalation, MessageKind.REPLY, payload, now)


def _in_turn(kept: Snapshot, escalation: Escalation, number: int, now: datetime) -> Text:
    """Why tier `number` is told now."""
    tier, team, who = kept.tier(number), kept.team(number), escalation.assignee
    told: dict[str, object] = {
        "team": team_name(team.id) if team else kept.channel_of(number),
        "tier": number,
        "of": len(kept.tiers),
        "length": now - escalation.told_at if escalation.told_at else tier.after if tier else timedelta(),
    }
    answer = tier is not None and tier.unless_answered
    if who and answer:
        return say(
            "{who} has it, but nobody has answered for {length}: {team} is told (tier {tier} of {of}).", who=who, **told
        )
    if who:
        return say(
            "{who} has it, and after {length} it is not resolved: {team} is told (tier {tier} of {of}).",
            who=who, **told,
        )  # fmt: skip
    if answer and tier and not tier.unless_acknowledged:
        return say("Nobody has answered for {length}: {team} is told (tier {tier} of {of}).", **told)
    return say("Nobody has taken it for {length}: {team} is told (tier {tier} of {of}).", **told)


def _handled_in(escalation: Escalation, home: str) -> Text:
    return say("It is handled in {channel} (escalation {number}).", channel=home, number=f"e{escalation.id}")


def _thread_in(escalation: Escalation, home: str) -> Text:
    """For a team that is called: whoever takes it handles it, but it has one thread."""
    return say("Its thread is in {channel} (escalation {number}).", channel=home, number=f"e{escalation.id}")


def _call_tiers(connection: sqlite3.Connection, escalation: Escalation, numbers: list[int], now: datetime) -> None:
    """Tell the teams of further tiers; those that were late together and share a channel, in one message."""
    if not numbers:
        return
    kept, sharing = kept_by(connection, escalation), dict[str, list[int]]()
    for number in numbers:
        sharing.setdefault(kept.channel_of(number), []).append(number)
    for together in sharing.values():
        texts = [_in_turn(kept, escalation, number, now) for number in together]
        _call(connection, escalation, together, texts, now)


def _call(
    connection: sqlite3.Connection, escalation: Escalation, numbers: list[int], texts: Sequence[Text], now: datetime
) -> None:
    """Tell the teams of tiers that share a channel: in the thread where it is that of the message, else there, and say
    so in the thread."""
    kept, home = kept_by(connection, escalation), _channel(connection, escalation)
    channel, number = kept.channel_of(numbers[-1]), numbers[-1]
    notify = tuple(dict.fromkeys(who for one in numbers for who in kept.called(one, now)))
    if channel == home:
        _reply(connection, escalation, texts, notify, now, tiers=numbers)
        return
    _reply(connection, escalation, [*texts, say("Told in {channel}.", channel=channel)], (), now)
    about = [*texts, _thread_in(escalation, home)]
    payload = {"text": _kept(about), "notify": notify, "tier": number, "tiers": numbers}
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
    asked: bool = False,
) -> None:
    Outbox(connection).enqueue(
        kind=kind, channel=channel or _channel(connection, escalation), severity=escalation.severity,
        escalation_id=escalation.id, tier=tier or escalation.tier, payload=payload, now=now, asked=asked,
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
        about = say("{title}: “{about}”.", title=fired.title, about=escalations.subject_of(connection, escalation))
        payload = {"text": _kept([about, _handled_in(escalation, home)]), "rule": fired.rule_id}
        Outbox(connection).enqueue(
            kind=MessageKind.NOTICE, channel=kept.first_channel, severity=escalation.severity,
            escalation_id=escalation.id, payload=payload, now=now,
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
