"""The life of an escalation: `(escalation, event, now) → (escalation, effects, reason)`. Pure.

This module decides; it neither loads, stores nor sends. A timer carries the generation of the escalation that started
it, so that one that fires late (after an acknowledgement, a resolution, a restart) is recognised and ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model import Escalation, Outcome, Severity, State


class TimerKind(StrEnum):
    WAIT_FIRST = "wait_first"
    BUNDLE = "bundle"
    SNOOZE = "snooze"
    REOPEN = "reopen"


class Reason(StrEnum):
    """Why a transition happened, or why nothing did: stored in the audit log, shown by `escalations show`."""

    WAIT_OVER = "the first wait is over and the condition still holds"
    CONDITION_GONE = "the condition no longer held when the first wait was over"
    SEVERITY_UP = "a more severe rule fired"
    MORE_RULES = "another rule fired on the same discussion"
    NEWS = "there are new mentions"
    BUNDLED = "new mentions were gathered for one message"
    NEW_MATCH = "the rule fired again soon after it was resolved"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    SNOOZED = "snoozed"
    SNOOZE_OVER = "the snooze is over"
    NOT_RESOLVED_IN_TIME = "acknowledged, but not resolved in time"
    RESOLVED = "resolved"
    NOTHING_NEW = "nothing to do"
    OLD_TIMER = "the timer belongs to an earlier state"
    ALREADY_ENDED = "it has ended already"
    ALREADY_ACKNOWLEDGED = "it is acknowledged already"


# -- events ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule fired again on the same subject. `added`: it had not fired on this escalation before."""

    rule_id: str
    severity: Severity
    added: bool


@dataclass(frozen=True, slots=True)
class NewMentions:
    """Mentions came in that nobody has been told of."""


@dataclass(frozen=True, slots=True)
class TimerDue:
    """`holds`: whether the rule's condition still holds, asked when WAIT_FIRST is due."""

    kind: TimerKind
    generation: int
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Acknowledge:
    by: str


@dataclass(frozen=True, slots=True)
class Assign:
    by: str
    to: str


@dataclass(frozen=True, slots=True)
class Snooze:
    by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Resolve:
    by: str
    outcome: Outcome
    note: str = ""


Event = Fired | NewMentions | TimerDue | Acknowledge | Assign | Snooze | Resolve

# -- effects -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Of two of one kind the earlier stands: news that keep coming must not put off the message about them."""

    kind: TimerKind
    due_at: datetime


@dataclass(frozen=True, slots=True)
class StopTimers:
    """All timers of the state that ended; BUNDLE goes on, for the news it gathered must still be told."""


@dataclass(frozen=True, slots=True)
class SendRoot:
    """The one message of this escalation."""


@dataclass(frozen=True, slots=True)
class SendUpdate:
    """Bring that message up to date."""


@dataclass(frozen=True, slots=True)
class SendReply:
    """Tell the thread: the mentions that are new since it was last told, headed by `text`."""

    text: str = ""


Effect = StartTimer | StopTimers | SendRoot | SendUpdate | SendReply


@dataclass(frozen=True, slots=True)
class Clockwork:
    """The times of a rule that the machine needs (`timing`, `acknowledged.reopen_after`)."""

    wait_first: timedelta
    update_every: timedelta
    reopen_within: timedelta
    reopen_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    escalation: Escalation
    effects: tuple[Effect, ...]
    reason: Reason


ALIVE = (State.PENDING, State.HELD, State.OPEN, State.ACKNOWLEDGED, State.SNOOZED)
#: People have been told of it: its message stands in a channel, or is on its way there.
TOLD = (State.OPEN, State.ACKNOWLEDGED, State.SNOOZED)


def begin(escalation: Escalation, clock: Clockwork, now: datetime) -> Decision:
    """The first decision of a new, pending escalation."""
    if clock.wait_first > timedelta(0):
        return Decision(escalation, (StartTimer(TimerKind.WAIT_FIRST, now + clock.wait_first),), Reason.NOTHING_NEW)
    return _open_first(escalation, now)


def may_reopen(escalation: Escalation, clock: Clockwork, now: datetime) -> bool:
    """Whether a new match belongs to this resolved escalation; else it makes a new one."""
    return (
        escalation.state is State.RESOLVED
        and escalation.opened_at is not None
        and escalation.resolved_at is not None
        and now - escalation.resolved_at <= clock.reopen_within
    )


def decide(escalation: Escalation, event: Event, clock: Clockwork, now: datetime) -> Decision:
    """What `event` makes of `escalation` at `now`."""
    match event:
        case Fired():
            return _fired(escalation, event, clock, now)
        case NewMentions():
            if escalation.state in TOLD:
                return Decision(escalation, (_bundle(clock, now),), Reason.NEWS)
            return _nothing(escalation, Reason.NOTHING_NEW)
        case TimerDue():
            return _timer_due(escalation, event, now)
        case Acknowledge():
            return _acknowledge(escalation, event.by, None, Reason.ACKNOWLEDGED, clock, now)
        case Assign():
            return _acknowledge(escalation, event.by, event.to, Reason.ASSIGNED, clock, now)
        case Snooze():
            return _snooze(escalation, event, now)
        case Resolve():
            return _resolve(escalation, event, now)


def _fired(escalation: Escalation, event: Fired, clock: Clockwork, now: datetime) -> Decision:
    if escalation.state is State.RESOLVED:
        severity, rule_id = event.severity, event.rule_id
        reopened = _step(
            escalation,
            now,
            state=State.OPEN,
            tier=1,
            severity=severity,
            rule_id=rule_id,
            resolved_at=None,
            resolved_by=None,
            outcome=None,
            note="",
            acknowledged_at=None,
            acknowledged_by=None,
            assignee=None,
        )
        effects = (StopTimers(), SendReply("It goes on after it was resolved."), SendUpdate())
        return Decision(reopened, effects, Reason.NEW_MATCH)
    if escalation.state is State.DROPPED:
        return _nothing(escalation, Reason.ALREADY_ENDED)
    if event.severity.rank > escalation.severity.rank:
        raised = replace(escalation, severity=event.severity, rule_id=event.rule_id, changed_at=now)
        if escalation.state not in TOLD:
            # Nobody has been told yet: they are when the shorter of both waits is over.
            if not clock.wait_first:
                return _open_first(raised, now)
            return Decision(raised, (StartTimer(TimerKind.WAIT_FIRST, now + clock.wait_first),), Reason.SEVERITY_UP)
        raised = _step(raised, now, state=State.OPEN, snoozed_until=None)
        text = f"More severe now: {event.severity.value}."
        return Decision(raised, (StopTimers(), SendReply(text), SendUpdate()), Reason.SEVERITY_UP)
    if event.added and escalation.state in TOLD:
        return Decision(escalation, (_bundle(clock, now),), Reason.MORE_RULES)
    return _nothing(escalation, Reason.NOTHING_NEW)


def _timer_due(escalation: Escalation, event: TimerDue, now: datetime) -> Decision:
    if event.kind is TimerKind.BUNDLE and escalation.state is State.SNOOZED:
        # Snoozed means quiet: the thread hears of it when the snooze is over.
        return Decision(escalation, (SendUpdate(),), Reason.BUNDLED)
    if event.kind is TimerKind.BUNDLE and escalation.state in TOLD:
        return Decision(escalation, (SendReply(), SendUpdate()), Reason.BUNDLED)
    if event.generation != escalation.generation:
        return _nothing(escalation, Reason.OLD_TIMER)
    match event.kind, escalation.state:
        case TimerKind.WAIT_FIRST, State.PENDING:
            if event.holds:
                return _open_first(escalation, now)
            dropped = _step(escalation, now, state=State.DROPPED)
            return Decision(dropped, (StopTimers(),), Reason.CONDITION_GONE)
        case TimerKind.SNOOZE, State.SNOOZED:
            back = _step(escalation, now, state=State.OPEN, snoozed_until=None)
            return Decision(back, (StopTimers(), SendReply("The snooze is over."), SendUpdate()), Reason.SNOOZE_OVER)
        case TimerKind.REOPEN, State.ACKNOWLEDGED:
            forgotten = {"acknowledged_at": None, "acknowledged_by": None, "assignee": None}
            back = _step(escalation, now, state=State.OPEN, tier=1, **forgotten)
            text = "Acknowledged, but not resolved in time: it is open again."
            return Decision(back, (StopTimers(), SendReply(text), SendUpdate()), Reason.NOT_RESOLVED_IN_TIME)
    return _nothing(escalation, Reason.OLD_TIMER)


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
        opened_at=escalation.opened_at or now,
        tier=escalation.tier or 1,
    )
    effects: list[Effect] = [StopTimers()]
    if clock.reopen_after:
        effects.append(StartTimer(TimerKind.REOPEN, now + clock.reopen_after))
    # Taken from the command line before its first message: it is posted all the same, so that the team sees who has it.
    effects.append(SendUpdate() if escalation.state in TOLD else SendRoot())
    return Decision(taken, tuple(effects), reason)


def _snooze(escalation: Escalation, event: Snooze, now: datetime) -> Decision:
    if escalation.state not in ALIVE:
        return _nothing(escalation, Reason.ALREADY_ENDED)
    asleep = _step(
        escalation,
        now,
        state=State.SNOOZED,
        snoozed_until=event.until,
        opened_at=escalation.opened_at or now,
        tier=escalation.tier or 1,
    )
    message: Effect = SendUpdate() if escalation.state in TOLD else SendRoot()
    return Decision(asleep, (StopTimers(), StartTimer(TimerKind.SNOOZE, event.until), message), Reason.SNOOZED)


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
    )
    effects: tuple[Effect, ...] = (StopTimers(),)
    if escalation.state in TOLD:
        effects += (SendUpdate(),)
    return Decision(ended, effects, Reason.RESOLVED)


def _open_first(escalation: Escalation, now: datetime) -> Decision:
    opened = _step(escalation, now, state=State.OPEN, tier=1, opened_at=now)
    return Decision(opened, (StopTimers(), SendRoot()), Reason.WAIT_OVER)


def _step(escalation: Escalation, now: datetime, **changes: object) -> Escalation:
    """The next state, of a new generation: every timer that still runs is from now on an old one."""
    return replace(escalation, generation=escalation.generation + 1, changed_at=now, **changes)  # type: ignore[arg-type]


def _bundle(clock: Clockwork, now: datetime) -> StartTimer:
    return StartTimer(TimerKind.BUNDLE, now + clock.update_every)


def _nothing(escalation: Escalation, reason: Reason) -> Decision:
    return Decision(escalation, (), reason)
