"""From one state of an escalation to the next, as all its transitions do it. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from monitor.escalation.clockwork import Clockwork
from monitor.escalation.events import Decision, Fired, Reason, StartTimer, TimerKind
from monitor.model import Escalation, State

ALIVE = (State.PENDING, State.HELD, State.OPEN, State.ACKNOWLEDGED, State.SNOOZED)
#: What is forgotten of whoever had it.
UNTAKEN: dict[str, None] = {"acknowledged_at": None, "acknowledged_by": None, "assignee": None}


def step(escalation: Escalation, now: datetime, **changes: object) -> Escalation:
    """The next state, of a new generation: every timer that still runs is from now on an old one."""
    return changed(escalation, generation=escalation.generation + 1, changed_at=now, **changes)


def changed(escalation: Escalation, **changes: object) -> Escalation:
    return replace(escalation, **changes)  # type: ignore[arg-type]


def nothing(escalation: Escalation, reason: Reason) -> Decision:
    return Decision(escalation, (), reason)


def bundle(clock: Clockwork, now: datetime) -> StartTimer:
    return StartTimer(TimerKind.BUNDLE, now + clock.update_every)


def from_first_tier(escalation: Escalation, now: datetime) -> Escalation:
    """Open again; its tiers count anew, unless its first message is still on its way."""
    told_at = now if escalation.told_at else None
    return step(escalation, now, state=State.OPEN, tier=1, told_at=told_at, repeats=0, passed_over=())


def waiting_anew(escalation: Escalation, now: datetime) -> Escalation:
    """What was answered before is no answer to what comes now."""
    return changed(escalation, answered_at=None, waiting_since=now)


def in_charge(escalation: Escalation, event: Fired) -> Escalation:
    """With the rule that fired in charge: its teams handle it, not one to which another rule's was handed over."""
    team = escalation.team if event.rule_id == escalation.rule_id else None
    return changed(escalation, severity=event.severity, rule_id=event.rule_id, team=team)
