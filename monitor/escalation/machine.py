"""The life of an escalation: `(escalation, event, now) → (escalation, effects, reason)`. Pure.

    pending ─wait over─▶ open(1) ─nobody took it─▶ open(2) … open(last) ─▶ repeated
       │                  ▲  ▲                         │
       └─not allowed─▶ held  └─ not resolved, snooze over, more severe, again soon ─ acknowledged, snoozed, resolved

This module decides; it neither loads, stores nor sends. A timer carries the generation of the escalation that started
it, so that one that fires late (after an acknowledgement, a resolution, a restart) is recognised and ignored. Timers
that are late together make one step.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.escalation import people, tiers
from monitor.escalation.clockwork import Clockwork
from monitor.escalation.events import (
    Acknowledge,
    Answered,
    Assign,
    CannotBeTold,
    Decision,
    Effect,
    Event,
    Fired,
    HandOver,
    NewMentions,
    Reason,
    Resolve,
    SendReply,
    SendRoot,
    SendUpdate,
    Snooze,
    StartTimer,
    StopTimers,
    TimerDue,
    TimerKind,
    Told,
)
from monitor.escalation.steps import (
    ALIVE as ALIVE,
)
from monitor.escalation.steps import (
    UNTAKEN,
    bundle,
    changed,
    from_first_tier,
    in_charge,
    nothing,
    step,
    waiting_anew,
)
from monitor.escalation.tiers import next_timers
from monitor.model import Escalation, State
from monitor.wording.names import SEVERITIES
from monitor.wording.text import Text, say

#: People have been told of it: its message stands in a channel, or is on its way there.
TOLD = (State.OPEN, State.ACKNOWLEDGED, State.SNOOZED)
#: Timers that outlive the state in which they were started.
LASTING = (TimerKind.BUNDLE, TimerKind.HOLD)
#: Timers whose time depends on hours and mutes: fired too early, they are set anew.
BY_HOURS = (TimerKind.TIER, TimerKind.HOLD)
GOES_ON = say("It goes on after it was resolved.")


def begin(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    """The first decision of a new, pending escalation."""
    if clock.wait_first > timedelta(0):
        return Decision(escalation, (StartTimer(TimerKind.WAIT_FIRST, now + clock.wait_first),), Reason.NOTHING_NEW)
    return _speak(escalation, clock, now, Reason.WAIT_OVER)


def may_reopen(escalation: Escalation, clock: Clockwork, now: datetime) -> bool:
    """Whether a new match belongs to this resolved escalation; else it makes a new one."""
    return (
        escalation.state is State.RESOLVED
        and escalation.opened_at is not None
        and escalation.resolved_at is not None
        and now - escalation.resolved_at <= clock.reopen_within
    )


def decide(escalation: Escalation, event: Event, clock: Clockwork, now: datetime) -> Decision:
    """What `event` makes of `escalation` at `now`; `clock` is that of its rule, or of the rule that fired."""
    match event:
        case Fired():
            return _fired(escalation, event, clock, now)
        case NewMentions():
            if escalation.state in TOLD:
                return Decision(escalation, (bundle(clock, now),), Reason.NEWS)
            return nothing(escalation, Reason.NOTHING_NEW)
        case Answered():
            return _answered(escalation, event, clock, now)
        case Told():
            return _told(escalation, Reason.TOLD, clock, now)
        case CannotBeTold():
            return _told(escalation, Reason.CANNOT_BE_TOLD, clock, now)
        case TimerDue():
            return _timer_due(escalation, event, clock, now)
        case Acknowledge():
            return people.acknowledge(escalation, event.by, None, Reason.ACKNOWLEDGED, clock, now)
        case Assign():
            return people.acknowledge(escalation, event.by, event.to, Reason.ASSIGNED, clock, now)
        case HandOver():
            return people.hand_over(escalation, event, clock, now)
        case Snooze():
            return people.snooze(escalation, event, clock, now)
        case Resolve():
            return people.resolve(escalation, event, now)


# -- rules that fire ---------------------------------------------------------------------------------------------


def _fired(escalation: Escalation, event: Fired, clock: Clockwork, now: datetime) -> Decision:
    if escalation.state is State.DROPPED:
        return nothing(escalation, Reason.ALREADY_ENDED)
    if escalation.state is State.RESOLVED:
        forgotten = {"resolved_at": None, "resolved_by": None, "outcome": None, "note": "", **UNTAKEN}
        again = changed(waiting_anew(in_charge(escalation, event), now), **forgotten)
        return _speak(again, clock, now, Reason.NEW_MATCH, GOES_ON)
    more_severe = event.severity.rank > escalation.severity.rank
    if escalation.state is State.PENDING:
        if not more_severe:
            return nothing(escalation, Reason.NOTHING_NEW)
        raised = replace(waiting_anew(in_charge(escalation, event), now), changed_at=now)
        if not clock.wait_first:
            return _speak(raised, clock, now, Reason.SEVERITY_UP)
        # Nobody has been told yet: they are when the shorter of both waits is over.
        return Decision(raised, (StartTimer(TimerKind.WAIT_FIRST, now + clock.wait_first),), Reason.SEVERITY_UP)
    free_at = clock.free_at(1, event.severity, now)
    if escalation.state is State.HELD:
        return _fired_while_held(escalation, event, clock, free_at, now)
    if free_at > now and (more_severe or event.added or escalation.opened_at is None):
        # What is open already stays as it is; the rule that must be silent speaks when it may.
        return Decision(escalation, (StartTimer(TimerKind.HOLD, free_at),), _held_because(clock, now))
    if escalation.opened_at is None:
        # Somebody took it while its rule was muted; whichever may speak makes its first message.
        speaking = in_charge(escalation, event)
        if more_severe:
            return _speak(waiting_anew(speaking, now), clock, now, Reason.SEVERITY_UP)
        return Decision(replace(speaking, opened_at=now), (SendRoot(),), Reason.MAY_SPEAK)
    if more_severe:
        raised = replace(waiting_anew(in_charge(escalation, event), now), snoozed_until=None)
        raised = from_first_tier(raised, now)
        text = say("More severe now: {severity}.", severity=SEVERITIES[event.severity])
        effects = (StopTimers(), SendReply(text, call=True), SendUpdate(), *next_timers(raised, clock, now))
        return Decision(raised, effects, Reason.SEVERITY_UP)
    if event.added:
        return Decision(escalation, (bundle(clock, now),), Reason.MORE_RULES)
    return nothing(escalation, Reason.NOTHING_NEW)


def _fired_while_held(
    escalation: Escalation, event: Fired, clock: Clockwork, free_at: datetime, now: datetime
) -> Decision:
    """What may be said now is said now; a more severe rule that may not yet speak takes over when it may."""
    if free_at > now:
        worse = event.severity.rank > escalation.severity.rank
        charge = waiting_anew(in_charge(escalation, event), now) if worse else escalation
        until = min(time for time in (free_at, escalation.held_until) if time and time > now)
        held = replace(charge, held_until=until)
        return Decision(held, (StartTimer(TimerKind.HOLD, free_at),), _held_because(clock, now))
    waits: tuple[Effect, ...] = ()
    if escalation.severity.rank > event.severity.rank and escalation.held_until and escalation.held_until > now:
        waits = (StartTimer(TimerKind.HOLD, escalation.held_until),)
    speaking = in_charge(escalation, event)
    if event.severity.rank > escalation.severity.rank:
        speaking = waiting_anew(speaking, now)
    decision = _speak(speaking, clock, now, Reason.MAY_SPEAK, GOES_ON)
    return replace(decision, effects=(*decision.effects, *waits))


def _speak(
    escalation: Escalation, clock: Clockwork, now: datetime, reason: Reason, again: Text | None = None
) -> Decision:
    """Open it and tell its team, or hold it until that may be done. `again`: what to say where it was told before."""
    free_at = clock.free_at(1, escalation.severity, now)
    if free_at > now:
        held = step(escalation, now, state=State.HELD, held_until=free_at)
        return Decision(held, (StopTimers(), StartTimer(TimerKind.HOLD, free_at)), _held_because(clock, now))
    if escalation.opened_at is None:
        opened = step(escalation, now, state=State.OPEN, tier=1, opened_at=now, held_until=None)
        return Decision(opened, (StopTimers(), SendRoot()), reason)
    opened = from_first_tier(replace(escalation, held_until=None), now)
    effects = (StopTimers(), SendReply(again, call=True), SendUpdate(), *next_timers(opened, clock, now))
    return Decision(opened, effects, reason)


def _held_because(clock: Clockwork, now: datetime) -> Reason:
    return Reason.MUTED if clock.muted(now) else Reason.OUTSIDE_HOURS


def _told(escalation: Escalation, reason: Reason, clock: Clockwork, now: datetime) -> Decision:
    """Its first message stands there, or cannot: from now on its tiers count."""
    if escalation.told_at is not None or escalation.opened_at is None:
        return nothing(escalation, Reason.NOTHING_NEW)
    # In whatever state it is by then: when it comes back, its message stands there and its tiers count.
    told = replace(escalation, told_at=now)
    return Decision(told, next_timers(told, clock, now), reason)


def _answered(escalation: Escalation, event: Answered, clock: Clockwork, now: datetime) -> Decision:
    """The first answer to what is waited for now; the tiers that it spares wait no longer."""
    if escalation.state not in ALIVE:
        return nothing(escalation, Reason.ALREADY_ENDED)
    since = escalation.waiting_since or escalation.created_at
    if escalation.answered_at is not None or event.at < since:
        return nothing(escalation, Reason.NOTHING_NEW)
    answered = replace(escalation, answered_at=event.at, changed_at=now)
    effects: list[Effect] = []
    if escalation.state in (State.OPEN, State.ACKNOWLEDGED):
        # A repetition that goes on keeps its time.
        ending = (TimerKind.TIER,) if tiers.repeats(answered, clock) else (TimerKind.TIER, TimerKind.REPEAT)
        following = [timer for timer in next_timers(answered, clock, now) if isinstance(timer, StartTimer)]
        effects += [StopTimers(ending), *(timer for timer in following if timer.kind is TimerKind.TIER)]
    if escalation.opened_at is not None:
        effects.append(SendUpdate())
    return Decision(answered, tuple(effects), Reason.ANSWERED)


# -- timers ------------------------------------------------------------------------------------------------------


def _timer_due(escalation: Escalation, event: TimerDue, clock: Clockwork, now: datetime) -> Decision:
    if event.kind not in LASTING and event.generation != escalation.generation:
        return nothing(escalation, Reason.OLD_TIMER)
    match event.kind, escalation.state:
        case TimerKind.WAIT_FIRST, State.PENDING:
            if event.holds:
                return _speak(escalation, clock, now, Reason.WAIT_OVER)
            dropped = step(escalation, now, state=State.DROPPED)
            return Decision(dropped, (StopTimers(),), Reason.CONDITION_GONE)
    if escalation.state in TOLD and clock.muted(now):
        # Nothing is posted now; whatever it is, its time comes when the mute ends. What stands there stays current.
        assert clock.muted_until is not None
        shown = (SendUpdate(),) if event.kind is TimerKind.BUNDLE and escalation.opened_at else ()
        return Decision(escalation, (*shown, StartTimer(event.kind, clock.muted_until)), Reason.MUTED)
    if escalation.state in TOLD and escalation.opened_at is None:
        # Somebody took it while its rule was muted: its first message goes before everything else.
        return Decision(replace(escalation, opened_at=now), (SendRoot(), StartTimer(event.kind, now)), Reason.MAY_SPEAK)
    match event.kind, escalation.state:
        case TimerKind.BUNDLE, State.SNOOZED:
            # Snoozed means quiet: the thread hears of it when the snooze is over.
            return Decision(escalation, (SendUpdate(),), Reason.BUNDLED)
        case TimerKind.BUNDLE, State.OPEN | State.ACKNOWLEDGED:
            return Decision(escalation, (SendReply(), SendUpdate()), Reason.BUNDLED)
        case TimerKind.TIER, State.OPEN | State.ACKNOWLEDGED:
            return tiers.tier_due(escalation, clock, now)
        case TimerKind.REPEAT, State.OPEN:
            return tiers.repeat(escalation, clock, now)
        case TimerKind.REMIND, State.ACKNOWLEDGED:
            return _remind(escalation, clock, now)
        case TimerKind.SNOOZE, State.SNOOZED:
            return _wake(escalation, clock, now)
        case TimerKind.REOPEN, State.ACKNOWLEDGED:
            return _untaken(escalation, clock, now)
    return nothing(escalation, Reason.OLD_TIMER)


def _remind(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    free_at = clock.free_at(escalation.tier, escalation.severity, now)
    if free_at > now:
        return Decision(escalation, (StartTimer(TimerKind.REMIND, free_at),), Reason.OUTSIDE_HOURS)
    taken = escalation.acknowledged_at
    late = clock.reopen_after is not None and taken is not None and taken + clock.reopen_after <= now
    if late and clock.free_at(1, escalation.severity, now) <= now:
        # Both are late, as after a suspend: that it is open again says it all.
        return _untaken(escalation, clock, now)
    reminded = replace(escalation, repeats=escalation.repeats + 1)
    if escalation.assignee:
        text = say("{who} has it and it is not resolved yet.", who=escalation.assignee)
    else:
        text = say("Somebody has it and it is not resolved yet.")
    again: tuple[Effect, ...] = ()
    if clock.remind_after and reminded.repeats < clock.repeat_at_most:
        again = (StartTimer(TimerKind.REMIND, now + clock.remind_after),)
    return Decision(reminded, (SendReply(text, remind=True), *again), Reason.STILL_HELD)


def _wake(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    # The next tier is as far away as when this one was told, and so are all repetitions.
    told_at = now - clock.tier(escalation.tier).after if escalation.told_at else None
    back = step(escalation, now, state=State.OPEN, snoozed_until=None, told_at=told_at, repeats=0)
    effects = (
        StopTimers(),
        SendReply(say("The snooze is over."), remind=True),
        SendUpdate(),
        *next_timers(back, clock, now),
    )
    return Decision(back, effects, Reason.SNOOZE_OVER)


def _untaken(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    free_at = clock.free_at(1, escalation.severity, now)
    if free_at > now:
        return Decision(escalation, (StartTimer(TimerKind.REOPEN, free_at),), Reason.OUTSIDE_HOURS)
    back = from_first_tier(changed(escalation, **UNTAKEN), now)
    text = say("Acknowledged, but not resolved in time: it is open again.")
    effects = (StopTimers(), SendReply(text, call=True), SendUpdate(), *next_timers(back, clock, now))
    return Decision(back, effects, Reason.NOT_RESOLVED_IN_TIME)
