"""One escalation to which things happen, decision by decision; no store, no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitor.escalation.clockwork import Clockwork, Tier
from monitor.escalation.events import (
    CallTier,
    Decision,
    Effect,
    Event,
    SendReply,
    StartTimer,
    TimerDue,
    TimerKind,
    Told,
)
from monitor.escalation.machine import begin, decide
from monitor.model import Escalation, Scope, Severity, State
from monitor.rules.people.hours import Hours, Span
from monitor.wording.catalogs import words

#: A Monday.
NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NIGHT, MORNING = NOW + 12 * HOUR, NOW + 23 * HOUR
OFFICE = Hours("UTC", (*[(Span(9 * 60, 18 * 60),)] * 5, (), ()))
CLOCK = Clockwork(
    wait_first=timedelta(0),
    update_every=MINUTE,
    repeat_after=4 * HOUR,
    repeat_at_most=2,
    remind_after=HOUR,
    reopen_after=8 * HOUR,
    tiers=(Tier(timedelta()), Tier(15 * MINUTE, unless_acknowledged=True), Tier(45 * MINUTE)),
)
NEW = Escalation(1, "Acme", Scope.DISCUSSION, 7, "r", Severity.HIGH, State.PENDING, 0, 0, NOW, NOW)


class Life:
    """An escalation to which things happen; its timers fire when a test says so."""

    def __init__(self, clock: Clockwork = CLOCK, now: datetime = NOW) -> None:
        self.clock, self.now = clock, now
        self.decision = begin(NEW, clock, now)

    @property
    def escalation(self) -> Escalation:
        return self.decision.escalation

    def at(self, now: datetime, event: Event | TimerKind, clock: Clockwork | None = None) -> Decision:
        if isinstance(event, TimerKind):
            event = TimerDue(event, self.escalation.generation)
        self.now = now
        self.decision = decide(self.escalation, event, clock or self.clock, now)
        return self.decision

    def after(self, length: timedelta, event: Event | TimerKind, clock: Clockwork | None = None) -> Decision:
        return self.at(self.now + length, event, clock)


def told(clock: Clockwork = CLOCK, now: datetime = NOW) -> Life:
    """One whose first message has just been confirmed."""
    life = Life(clock, now)
    life.at(now, Told())
    return life


def timers(decision: Decision) -> dict[TimerKind, datetime]:
    return {effect.kind: effect.due_at for effect in decision.effects if isinstance(effect, StartTimer)}


def tiers_told(decision: Decision) -> list[int]:
    return [effect.tier for effect in decision.effects if isinstance(effect, CallTier)]


def replies(decision: Decision) -> list[SendReply]:
    return [effect for effect in decision.effects if isinstance(effect, SendReply)]


def said(decision: Decision) -> list[str]:
    """What its thread hears, in English."""
    return [words().text(reply.text or "") for reply in replies(decision)]


def has(decision: Decision, effect: type[Effect]) -> bool:
    return any(isinstance(one, effect) for one in decision.effects)
