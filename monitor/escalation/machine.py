"""The life of an escalation: `(escalation, event, now) → (escalation, effects, reason)`. Pure.

    pending ─wait over─▶ open(1) ─nobody took it─▶ open(2) … open(last) ─▶ repeated
       │                  ▲  ▲                         │
       └─not allowed─▶ held  └─ not resolved, snooze over, more severe, again soon ─ acknowledged, snoozed, resolved

This module decides; it neither loads, stores nor sends. A timer carries the generation of the escalation that started
it, so that one that fires late (after an acknowledgement, a resolution, a restart) is recognised and ignored. Timers
that are late together make one step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.escalation.clockwork import Clockwork
from monitor.escalation.events import (
    Acknowledge,
    Answered,
    Assign,
    CallTier,
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
from monitor.model import Escalation, State

ALIVE = (State.PENDING, State.HELD, State.OPEN, State.ACKNOWLEDGED, State.SNOOZED)
#: People have been told of it: its message stands in a channel, or is on its way there.
TOLD = (State.OPEN, State.ACKNOWLEDGED, State.SNOOZED)
#: Timers that outlive the state in which they were started.
LASTING = (TimerKind.BUNDLE, TimerKind.HOLD)
#: Timers whose time depends on hours and mutes: fired too early, they are set anew.
BY_HOURS = (TimerKind.TIER, TimerKind.HOLD)
GOES_ON = "It goes on after it was resolved."


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
                return Decision(escalation, (_bundle(clock, now),), Reason.NEWS)
            return _nothing(escalation, Reason.NOTHING_NEW)
        case HandOver() | Answered() | CannotBeTold():
            return _nothing(escalation, Reason.NOTHING_NEW)
        case Told():
            return _told(escalation, clock, now)
        case TimerDue():
            return _timer_due(escalation, event, clock, now)
        case Acknowledge():
            return _acknowledge(escalation, event.by, None, Reason.ACKNOWLEDGED, clock, now)
        case Assign():
            return _acknowledge(escalation, event.by, event.to, Reason.ASSIGNED, clock, now)
        case Snooze():
            return _snooze(escalation, event, clock, now)
        case Resolve():
            return _resolve(escalation, event, now)


# -- rules that fire ---------------------------------------------------------------------------------------------


def _fired(escalation: Escalation, event: Fired, clock: Clockwork, now: datetime) -> Decision:
    if escalation.state is State.DROPPED:
        return _nothing(escalation, Reason.ALREADY_ENDED)
    if escalation.state is State.RESOLVED:
        forgotten = {"resolved_at": None, "resolved_by": None, "outcome": None, "note": "", **_UNTAKEN}
        again = _with(escalation, severity=event.severity, rule_id=event.rule_id, **forgotten)
        return _speak(again, clock, now, Reason.NEW_MATCH, GOES_ON)
    more_severe = event.severity.rank > escalation.severity.rank
    if escalation.state is State.PENDING:
        if not more_severe:
            return _nothing(escalation, Reason.NOTHING_NEW)
        raised = replace(escalation, severity=event.severity, rule_id=event.rule_id, changed_at=now)
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
        speaking = replace(escalation, severity=event.severity, rule_id=event.rule_id)
        if more_severe:
            return _speak(speaking, clock, now, Reason.SEVERITY_UP)
        return Decision(replace(speaking, opened_at=now), (SendRoot(),), Reason.MAY_SPEAK)
    if more_severe:
        raised = replace(escalation, severity=event.severity, rule_id=event.rule_id, snoozed_until=None)
        raised = _from_first_tier(raised, now)
        text = f"More severe now: {event.severity.value}."
        effects = (StopTimers(), SendReply(text, call=True), SendUpdate(), *_next(raised, clock, now))
        return Decision(raised, effects, Reason.SEVERITY_UP)
    if event.added:
        return Decision(escalation, (_bundle(clock, now),), Reason.MORE_RULES)
    return _nothing(escalation, Reason.NOTHING_NEW)


def _fired_while_held(
    escalation: Escalation, event: Fired, clock: Clockwork, free_at: datetime, now: datetime
) -> Decision:
    """What may be said now is said now; a more severe rule that may not yet speak takes over when it may."""
    if free_at > now:
        worse = event.severity.rank > escalation.severity.rank
        charge = {"severity": event.severity, "rule_id": event.rule_id} if worse else {}
        until = min(time for time in (free_at, escalation.held_until) if time and time > now)
        held = _with(escalation, held_until=until, **charge)
        return Decision(held, (StartTimer(TimerKind.HOLD, free_at),), _held_because(clock, now))
    waits: tuple[Effect, ...] = ()
    if escalation.severity.rank > event.severity.rank and escalation.held_until and escalation.held_until > now:
        waits = (StartTimer(TimerKind.HOLD, escalation.held_until),)
    speaking = replace(escalation, severity=event.severity, rule_id=event.rule_id)
    decision = _speak(speaking, clock, now, Reason.MAY_SPEAK, GOES_ON)
    return replace(decision, effects=(*decision.effects, *waits))


def _speak(escalation: Escalation, clock: Clockwork, now: datetime, reason: Reason, again: str = "") -> Decision:
    """Open it and tell its team, or hold it until that may be done. `again`: what to say where it was told before."""
    free_at = clock.free_at(1, escalation.severity, now)
    if free_at > now:
        held = _step(escalation, now, state=State.HELD, held_until=free_at)
        return Decision(held, (StopTimers(), StartTimer(TimerKind.HOLD, free_at)), _held_because(clock, now))
    if escalation.opened_at is None:
        opened = _step(escalation, now, state=State.OPEN, tier=1, opened_at=now, held_until=None)
        return Decision(opened, (StopTimers(), SendRoot()), reason)
    opened = _from_first_tier(replace(escalation, held_until=None), now)
    effects = (StopTimers(), SendReply(again, call=True), SendUpdate(), *_next(opened, clock, now))
    return Decision(opened, effects, reason)


def _from_first_tier(escalation: Escalation, now: datetime) -> Escalation:
    """Open again; its tiers count anew, unless its first message is still on its way."""
    told_at = now if escalation.told_at else None
    return _step(escalation, now, state=State.OPEN, tier=1, told_at=told_at, repeats=0)


def _held_because(clock: Clockwork, now: datetime) -> Reason:
    return Reason.MUTED if clock.muted(now) else Reason.OUTSIDE_HOURS


def _told(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    if escalation.told_at is not None:
        return _nothing(escalation, Reason.NOTHING_NEW)
    # In whatever state it is by then: when it comes back, its message stands there and its tiers count.
    told = replace(escalation, told_at=now)
    return Decision(told, _next(told, clock, now), Reason.TOLD)


# -- tiers -------------------------------------------------------------------------------------------------------


def _later_tiers(escalation: Escalation, clock: Clockwork) -> list[int]:
    """Those that are still to be told, unless somebody takes it."""
    taken = escalation.state is State.ACKNOWLEDGED
    later = range(escalation.tier + 1, len(clock.tiers) + 1)
    return [number for number in later if not (taken and clock.tier(number).unless_acknowledged)]


def _next(escalation: Escalation, clock: Clockwork, now: datetime) -> tuple[Effect, ...]:
    """The timer of the next tier that may be told, or of the repetition after the last."""
    if escalation.told_at is None or escalation.state not in (State.OPEN, State.ACKNOWLEDGED):
        return ()
    due = [
        clock.free_at(number, escalation.severity, max(now, escalation.told_at + clock.tier(number).after))
        for number in _later_tiers(escalation, clock)
    ]
    if due:
        return (StartTimer(TimerKind.TIER, min(due)),)
    if escalation.state is State.OPEN and escalation.repeats < clock.repeat_at_most:
        at = clock.free_at(escalation.tier, escalation.severity, now + clock.repeat_after)
        return (StartTimer(TimerKind.REPEAT, at),)
    return ()


def _tier_due(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    """All tiers whose time has come and whose team may be told are told in one step."""
    since = escalation.told_at or now
    due = [number for number in _later_tiers(escalation, clock) if since + clock.tier(number).after <= now]
    numbers = [number for number in due if clock.free_at(number, escalation.severity, now) <= now]
    if not numbers:
        reason = Reason.OUTSIDE_HOURS if due else Reason.NOTHING_NEW
        return Decision(escalation, _next(escalation, clock, now), reason)
    called = replace(escalation, tier=numbers[-1], changed_at=now)
    reason = Reason.NOBODY_TOOK_IT if escalation.state is State.OPEN else Reason.IN_ANY_CASE
    effects = (*map(CallTier, numbers), SendUpdate(), *_next(called, clock, now))
    return Decision(called, effects, reason)


# -- timers ------------------------------------------------------------------------------------------------------


def _timer_due(escalation: Escalation, event: TimerDue, clock: Clockwork, now: datetime) -> Decision:
    if event.kind not in LASTING and event.generation != escalation.generation:
        return _nothing(escalation, Reason.OLD_TIMER)
    match event.kind, escalation.state:
        case TimerKind.WAIT_FIRST, State.PENDING:
            if event.holds:
                return _speak(escalation, clock, now, Reason.WAIT_OVER)
            dropped = _step(escalation, now, state=State.DROPPED)
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
            return _tier_due(escalation, clock, now)
        case TimerKind.REPEAT, State.OPEN:
            return _repeat(escalation, clock, now)
        case TimerKind.REMIND, State.ACKNOWLEDGED:
            return _remind(escalation, clock, now)
        case TimerKind.SNOOZE, State.SNOOZED:
            return _wake(escalation, clock, now)
        case TimerKind.REOPEN, State.ACKNOWLEDGED:
            return _untaken(escalation, clock, now)
    return _nothing(escalation, Reason.OLD_TIMER)


def _repeat(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    free_at = clock.free_at(escalation.tier, escalation.severity, now)
    if free_at > now:
        return Decision(escalation, (StartTimer(TimerKind.REPEAT, free_at),), Reason.OUTSIDE_HOURS)
    repeated = replace(escalation, repeats=escalation.repeats + 1)
    taken = f"although {escalation.assignee} has had it" if escalation.assignee else "and nobody has taken it"
    text = f"Still open, {taken} (repeated {repeated.repeats} of {clock.repeat_at_most})."
    return Decision(repeated, (SendReply(text, call=True), *_next(repeated, clock, now)), Reason.STILL_OPEN)


def _remind(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    free_at = clock.free_at(escalation.tier, escalation.severity, now)
    if free_at > now:
        return Decision(escalation, (StartTimer(TimerKind.REMIND, free_at),), Reason.OUTSIDE_HOURS)
    reminded = replace(escalation, repeats=escalation.repeats + 1)
    text = f"{escalation.assignee or 'Somebody'} has it and it is not resolved yet."
    again: Iterable[Effect] = ()
    if clock.remind_after and reminded.repeats < clock.repeat_at_most:
        again = (StartTimer(TimerKind.REMIND, now + clock.remind_after),)
    return Decision(reminded, (SendReply(text, remind=True), *again), Reason.STILL_HELD)


def _wake(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    # The next tier is as far away as when this one was told, and so are all repetitions.
    told_at = now - clock.tier(escalation.tier).after if escalation.told_at else None
    back = _step(escalation, now, state=State.OPEN, snoozed_until=None, told_at=told_at, repeats=0)
    effects = (StopTimers(), SendReply("The snooze is over."), SendUpdate(), *_next(back, clock, now))
    return Decision(back, effects, Reason.SNOOZE_OVER)


def _untaken(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    free_at = clock.free_at(1, escalation.severity, now)
    if free_at > now:
        return Decision(escalation, (StartTimer(TimerKind.REOPEN, free_at),), Reason.OUTSIDE_HOURS)
    back = _from_first_tier(_with(escalation, **_UNTAKEN), now)
    text = "Acknowledged, but not resolved in time: it is open again."
    effects = (StopTimers(), SendReply(text, call=True), SendUpdate(), *_next(back, clock, now))
    return Decision(back, effects, Reason.NOT_RESOLVED_IN_TIME)


# -- people ------------------------------------------------------------------------------------------------------


def _acknowledge(
    escalation: Escalation, by: str, to: str | None, reason: Reason, clock: Clockwork, now: datetime
) -> Decision:
    if escalation.state not in ALIVE:
        return _nothing(escalation, Reason.ALREADY_ENDED)
    assignee = to or escalation.assignee or by
    if escalation.state is State.ACKNOWLEDGED and assignee == escalation.assignee:
        return _nothing(escalation, Reason.ALREADY_ACKNOWLEDGED)
    taken = _step(
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
    return _shown(escalation, taken, (*effects, *_next(taken, clock, now)), reason, clock, now)


def _snooze(escalation: Escalation, event: Snooze, clock: Clockwork, now: datetime) -> Decision:
    if escalation.state not in ALIVE:
        return _nothing(escalation, Reason.ALREADY_ENDED)
    asleep = _step(escalation, now, state=State.SNOOZED, snoozed_until=event.until, tier=escalation.tier or 1)
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


def _resolve(escalation: Escalation, event: Resolve, now: datetime) -> Decision:
    if escalation.state not in ALIVE:
        return _nothing(escalation, Reason.ALREADY_ENDED)
    ended = _step(
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


_UNTAKEN: dict[str, None] = {"acknowledged_at": None, "acknowledged_by": None, "assignee": None}


def _step(escalation: Escalation, now: datetime, **changes: object) -> Escalation:
    """The next state, of a new generation: every timer that still runs is from now on an old one."""
    return _with(escalation, generation=escalation.generation + 1, changed_at=now, **changes)


def _with(escalation: Escalation, **changes: object) -> Escalation:
    return replace(escalation, **changes)  # type: ignore[arg-type]


def _bundle(clock: Clockwork, now: datetime) -> StartTimer:
    return StartTimer(TimerKind.BUNDLE, now + clock.update_every)


def _nothing(escalation: Escalation, reason: Reason) -> Decision:
    return Decision(escalation, (), reason)
