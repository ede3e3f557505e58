"""Which teams are still to be told of an escalation, and when: tier after tier, then the last one again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from monitor.escalation.clockwork import Clockwork, Tier
from monitor.escalation.events import CallTier, Decision, Effect, Reason, SendReply, SendUpdate, StartTimer, TimerKind
from monitor.model import Escalation, State
from monitor.wording.text import Text, say


def spared(escalation: Escalation, tier: Tier) -> bool:
    """Whether the tier need not be told as things stand, nor told again."""
    taken = escalation.state is State.ACKNOWLEDGED
    answered = escalation.answered_at is not None
    return (tier.unless_acknowledged and taken) or (tier.unless_answered and answered)


def still_to_tell(escalation: Escalation, clock: Clockwork) -> list[int]:
    """The tiers that follow, after those that were passed over because their team was away."""
    following = range(escalation.tier + 1, len(clock.tiers) + 1)
    return [number for number in (*escalation.passed_over, *following) if not spared(escalation, clock.tier(number))]


def due_times(escalation: Escalation, clock: Clockwork, now: datetime) -> dict[int, datetime]:
    """By tier, when it is told: when its time has come and its team is there. Of what was told first, at `told_at`."""
    since = escalation.told_at or now
    return {
        number: clock.free_at(number, escalation.severity, max(now, since + clock.tier(number).after))
        for number in still_to_tell(escalation, clock)
    }


def next_timers(escalation: Escalation, clock: Clockwork, now: datetime) -> tuple[Effect, ...]:
    """That of the next tier that may be told, and that of the repetition where the last one has been."""
    if escalation.told_at is None or escalation.state not in (State.OPEN, State.ACKNOWLEDGED):
        return ()
    due = due_times(escalation, clock, now)
    timers = [StartTimer(TimerKind.TIER, min(due.values()))] if due else []
    if max(due, default=0) <= escalation.tier and repeats(escalation, clock):
        at = clock.free_at(escalation.tier, escalation.severity, now + clock.repeat_after)
        timers.append(StartTimer(TimerKind.REPEAT, at))
    return tuple(timers)


def repeats(escalation: Escalation, clock: Clockwork) -> bool:
    """Whether what the last tier was told may be told again."""
    again = escalation.repeats < clock.repeat_at_most
    return escalation.state is State.OPEN and again and not spared(escalation, clock.tiers[-1])


def tier_due(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    """All tiers whose time has come and whose team may be told are told in one step."""
    since = escalation.told_at or now
    due = [number for number in still_to_tell(escalation, clock) if since + clock.tier(number).after <= now]
    numbers = [number for number in due if clock.free_at(number, escalation.severity, now) <= now]
    if not numbers:
        reason = Reason.OUTSIDE_HOURS if due else Reason.NOTHING_NEW
        return Decision(escalation, next_timers(escalation, clock, now), reason)
    tier = max(escalation.tier, *numbers)
    left = {*escalation.passed_over, *due} - {*numbers}
    passed = tuple(sorted(number for number in left if number < tier))
    called = replace(escalation, tier=tier, passed_over=passed, changed_at=now)
    effects = (*map(CallTier, numbers), SendUpdate(), *next_timers(called, clock, now))
    return Decision(called, effects, _because(escalation, [clock.tier(number) for number in numbers]))


def _because(escalation: Escalation, tiers: Iterable[Tier]) -> Reason:
    answer = any(tier.unless_answered for tier in tiers)
    if escalation.state is State.ACKNOWLEDGED:
        return Reason.NOBODY_ANSWERED if answer else Reason.IN_ANY_CASE
    if answer and not any(tier.unless_acknowledged for tier in tiers):
        return Reason.NOBODY_ANSWERED
    return Reason.NOBODY_TOOK_IT


def repeat(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    free_at = clock.free_at(escalation.tier, escalation.severity, now)
    if free_at > now:
        return Decision(escalation, (StartTimer(TimerKind.REPEAT, free_at),), Reason.OUTSIDE_HOURS)
    repeated = replace(escalation, repeats=escalation.repeats + 1)
    text = _still_open(repeated, clock)
    effects = (SendReply(text, call=True), *next_timers(repeated, clock, now))
    return Decision(repeated, effects, Reason.STILL_OPEN)


def _still_open(escalation: Escalation, clock: Clockwork) -> Text:
    number, of = escalation.repeats, clock.repeat_at_most
    if escalation.assignee:
        who = escalation.assignee
        return say("Still open, although {who} has had it (repeated {number} of {of}).", who=who, number=number, of=of)
    return say("Still open, and nobody has taken it (repeated {number} of {of}).", number=number, of=of)
