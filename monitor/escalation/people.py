"""What people do with an escalation: take it, give it to somebody or to another team, put it off, end it. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from monitor.escalation.clockwork import Clockwork
from monitor.escalation.events import (
    Decision,
    Effect,
    HandOver,
    Reason,
    Resolve,
    SendReply,
    SendRoot,
    SendUpdate,
    Snooze,
    StartTimer,
    StopTimers,
    TimerKind,
)
from monitor.escalation.steps import ALIVE, UNTAKEN, changed, from_first_tier, nothing, step, waiting_anew
from monitor.escalation.tiers import next_timers
from monitor.model import Escalation, State
from monitor.wording.text import Text, say


def acknowledge(
    escalation: Escalation, by: str, to: str | None, reason: Reason, clock: Clockwork, now: datetime
) -> Decision:
    if escalation.state not in ALIVE:
        return nothing(escalation, Reason.ALREADY_ENDED)
    assignee = to or escalation.assignee or by
    if escalation.state is State.ACKNOWLEDGED and assignee == escalation.assignee:
        return nothing(escalation, Reason.ALREADY_ACKNOWLEDGED)
    taken = step(
        escalation,
        now,
        state=State.ACKNOWLEDGED,
        assignee=assignee,
        acknowledged_at=now,
        acknowledged_by=by,
        snoozed_until=None,
        tier=escalation.tier or 1,
        repeats=0,
    )
    effects: list[Effect] = [StopTimers()]
    if clock.reopen_after:
        effects.append(StartTimer(TimerKind.REOPEN, now + clock.reopen_after))
    if clock.remind_after:
        effects.append(StartTimer(TimerKind.REMIND, now + clock.remind_after))
    if to and to != by and escalation.opened_at is not None:
        effects.append(SendReply(say("{by} has given it to {who}.", by=by, who=to), remind=True))
    return _shown(escalation, taken, (*effects, *next_timers(taken, clock, now)), reason, clock, now)


def snooze(escalation: Escalation, event: Snooze, clock: Clockwork, now: datetime) -> Decision:
    if escalation.state not in ALIVE:
        return nothing(escalation, Reason.ALREADY_ENDED)
    asleep = step(escalation, now, state=State.SNOOZED, snoozed_until=event.until, tier=escalation.tier or 1)
    effects = (StopTimers(), StartTimer(TimerKind.SNOOZE, event.until))
    return _shown(escalation, asleep, effects, Reason.SNOOZED, clock, now)


def _shown(
    before: Escalation, after: Escalation, effects: tuple[Effect, ...], reason: Reason, clock: Clockwork, now: datetime
) -> Decision:
    """What a person did, with its message brought up to date. Taken from the command line before its first message, it
    is posted all the same, so that the team sees who has it; while the rule is muted that waits."""
    if before.opened_at is not None:
        return Decision(after, (*effects, SendUpdate()), reason)
    if clock.muted_until and clock.muted(now):
        return Decision(after, (*effects, StartTimer(TimerKind.HOLD, clock.muted_until)), reason)
    return Decision(replace(after, opened_at=now), (*effects, SendRoot()), reason)


def hand_over(escalation: Escalation, event: HandOver, clock: Clockwork, now: datetime) -> Decision:
    """Nobody has it, and its tiers count anew from the new team, which is told at once, whatever its hours: somebody
    has thought about that. A mute holds the messages back where they are sent."""
    if escalation.state not in ALIVE:
        return nothing(escalation, Reason.ALREADY_ENDED)
    untaken = changed(escalation, team=event.team, snoozed_until=None, held_until=None, **UNTAKEN)
    handed = from_first_tier(waiting_anew(untaken, now), now)
    text = _handed_over(event, clock, now)
    if escalation.opened_at is None:
        return Decision(replace(handed, opened_at=now), (StopTimers(), SendRoot(text)), Reason.HANDED_OVER)
    told = (SendReply(text, call=True), SendUpdate(), *next_timers(handed, clock, now))
    return Decision(handed, (StopTimers(), *told), Reason.HANDED_OVER)


def _handed_over(event: HandOver, clock: Clockwork, now: datetime) -> Text:
    who, team, hours = event.by, event.team, clock.tier(1).hours
    if hours is None or hours.is_open(now):
        return say("{who} has handed it over to team {team}.", who=who, team=team)
    at = hours.next_open(now)
    return say("{who} has handed it over to team {team} (by its hours there again: {at}).", who=who, team=team, at=at)


def resolve(escalation: Escalation, event: Resolve, now: datetime) -> Decision:
    if escalation.state not in ALIVE:
        return nothing(escalation, Reason.ALREADY_ENDED)
    ended = step(
        escalation,
        now,
        state=State.RESOLVED,
        resolved_at=now,
        resolved_by=event.by,
        outcome=event.outcome,
        note=event.note,
        snoozed_until=None,
        held_until=None,
    )
    shown: tuple[Effect, ...] = (SendUpdate(),) if escalation.opened_at is not None else ()
    return Decision(ended, (StopTimers(), *shown), Reason.RESOLVED)
