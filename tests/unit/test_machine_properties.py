"""What must never happen to an escalation, whatever rules, people, answers, mutes and late timers do to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.escalation.clockwork import Clockwork, Tier
from monitor.escalation.events import (
    Acknowledge,
    Answered,
    Assign,
    CallTier,
    CannotBeTold,
    Decision,
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
from monitor.escalation.machine import ALIVE, LASTING, begin, decide, may_reopen
from monitor.escalation.tiers import still_to_tell
from monitor.model import Escalation, Outcome, Scope, Severity, State
from monitor.rules.people.hours import Hours, Span

#: A Monday.
NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OFFICE = Hours("UTC", (*[(Span(9 * 60, 18 * 60),)] * 5, (), ()))
NIGHT = Hours("UTC", ((Span(20 * 60, 30 * 60),),) * 7)
NEW = Escalation(1, "Acme", Scope.DISCUSSION, 7, "r", Severity.MEDIUM, State.PENDING, 0, 0, NOW, NOW)
#: From here on its tiers count anew.
ANEW = (
    Reason.WAIT_OVER, Reason.MAY_SPEAK, Reason.SEVERITY_UP, Reason.NEW_MATCH, Reason.HANDED_OVER,
    Reason.NOT_RESOLVED_IN_TIME,
)  # fmt: skip


@dataclass
class Life:
    """An escalation with its timers as the store keeps them; everything that happens is looked at. `slack`: its first
    message arrives at once."""

    clock: Clockwork
    slack: bool = True
    now: datetime = NOW
    timers: dict[TimerKind, TimerDue] = field(default_factory=dict)
    due: dict[TimerKind, datetime] = field(default_factory=dict)
    roots: int = 0
    told: set[int] = field(default_factory=lambda: {1})

    def __post_init__(self) -> None:
        self.escalation = NEW
        self.take(begin(NEW, self.clock, NOW))

    def happens(self, event: Event) -> None:
        before = self.escalation
        if isinstance(event, Fired) and before.state not in ALIVE and not may_reopen(before, self.clock, self.now):
            return  # the caller makes a new escalation instead
        decision = decide(before, event, self.clock, self.now)
        self.look(before, event, decision)
        self.take(decision)
        if self.slack and any(isinstance(effect, SendRoot) for effect in decision.effects):
            self.happens(Told())

    def look(self, before: Escalation, event: Event, decision: Decision) -> None:
        after, effects = decision.escalation, decision.effects
        calls = [effect.tier for effect in effects if isinstance(effect, CallTier)]
        replies = [effect for effect in effects if isinstance(effect, SendReply)]
        roots = [effect for effect in effects if isinstance(effect, SendRoot)]
        self.roots += len(roots)
        assert self.roots <= 1, "one first message"
        if replies or calls or SendUpdate() in effects:
            assert self.roots == 1, "nothing about it before its first message"
        if before.state not in ALIVE and not isinstance(event, Fired):
            # That its message has arrived, or cannot, is noted, for it may flare up.
            assert (replace(after, told_at=None), effects) == (replace(before, told_at=None), ()), "ended stays ended"
        if self.clock.muted(self.now) and not isinstance(event, HandOver | Assign):
            # What a person does is told all the same; the outbox keeps it back as long as the mute lasts.
            assert not (calls or replies or roots), "a mute is kept"
        assert 0 <= after.tier <= len(self.clock.tiers)
        for number in calls:
            tier = self.clock.tier(number)
            assert not (tier.unless_answered and before.answered_at), "an answered tier is spared"
            assert not (tier.unless_acknowledged and before.state is State.ACKNOWLEDGED), "a taken tier is spared"
            assert before.severity is Severity.CRITICAL or not tier.hours or tier.hours.is_open(self.now)
            assert number not in self.told, "no tier is told twice"
        if decision.reason is Reason.STILL_OPEN:
            assert not (self.clock.tiers[-1].unless_answered and before.answered_at), "nor reminded of what is answered"
            assert after.repeats <= self.clock.repeat_at_most
        if decision.reason is Reason.HANDED_OVER:
            assert (after.state, after.tier, after.assignee, after.answered_at) == (State.OPEN, 1, None, None)
        if decision.reason in ANEW and after.state is State.OPEN and after.tier == 1:
            self.told = {1}
        self.told |= {*calls}

    def take(self, decision: Decision) -> None:
        self.escalation = decision.escalation
        for effect in decision.effects:
            if isinstance(effect, StopTimers):
                ending = effect.kinds or [kind for kind in self.timers if kind not in LASTING]
                self.timers = {kind: timer for kind, timer in self.timers.items() if kind not in ending}
                self.due = {kind: at for kind, at in self.due.items() if kind not in ending}
            if isinstance(effect, StartTimer):
                kind = effect.kind
                self.due[kind] = min(self.due.get(kind, effect.due_at), effect.due_at)
                self.timers[kind] = TimerDue(kind, self.escalation.generation)

    def passes(self, length: timedelta, suspended: bool = False) -> None:
        """So much time; after a suspend everything that was due is late together."""
        until = self.now + length
        for _ in range(10_000):
            if suspended:
                self.now = until
            ready = [kind for kind, at in self.due.items() if at <= until]
            if not ready:
                self.now = until
                return
            kind = min(ready, key=lambda one: self.due[one])
            self.now = max(self.now, self.due.pop(kind))
            timer = self.timers.pop(kind)
            if kind is TimerKind.HOLD:
                self.happens(Fired(self.escalation.rule_id, self.escalation.severity, added=False))
            else:
                self.happens(timer)
        raise AssertionError("its timers never come to rest")


ACTS: st.SearchStrategy[Event | str | timedelta] = st.one_of(
    st.builds(Fired, st.sampled_from(["r", "s"]), st.sampled_from(Severity), st.booleans()),
    st.just(NewMentions()),
    st.just(Told()),
    st.just(CannotBeTold()),
    st.just("answered"),
    st.sampled_from(["answered before", "muted", "unmuted", "an old timer"]),
    st.sampled_from(["suspended", 10 * MINUTE, HOUR]),
    st.builds(Acknowledge, st.just("ann")),
    st.builds(Assign, st.just("ann"), st.just("bob")),
    st.builds(HandOver, st.just("ann"), st.sampled_from(["legal", "support"])),
    st.just("snoozed"),
    st.builds(Resolve, st.just("ann"), st.sampled_from(Outcome)),
    st.integers(1, 72 * 60).map(lambda minutes: timedelta(minutes=minutes)),
)
TIERS = st.lists(
    st.builds(Tier, st.just(timedelta()), st.booleans(), st.sampled_from([None, OFFICE, NIGHT]), st.booleans()),
    max_size=3,
)


def clockwork(later: list[Tier], first: Hours | None, reopens: bool) -> Clockwork:
    tiers = [Tier(timedelta(), hours=first)]
    tiers += [replace(tier, after=20 * number * MINUTE) for number, tier in enumerate(later, 1)]
    return Clockwork(
        repeat_at_most=2,
        remind_after=HOUR,
        reopen_after=5 * HOUR if reopens else None,
        tiers=tuple(tiers),
    )


@given(st.lists(ACTS, max_size=25), TIERS, st.sampled_from([None, OFFICE]), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_happens(
    acts: list[Event | str | timedelta], later: list[Tier], first: Hours | None, reopens: bool, slack: bool
) -> None:
    life = Life(clockwork(later, first, reopens), slack)
    for act in acts:
        match act:
            case "answered":
                life.happens(Answered(life.now))
            case "answered before":
                life.happens(Answered(NOW - HOUR))
                assert life.escalation.answered_at != NOW - HOUR
            case "muted":
                life.clock = replace(life.clock, muted_until=life.now + 3 * HOUR)
            case "unmuted":
                life.clock = replace(life.clock, muted_until=None)
            case "snoozed":
                life.happens(Snooze("ann", life.now + 2 * HOUR))
            case "suspended":
                life.passes(10 * HOUR, suspended=True)
            case "an old timer":
                for kind in TimerKind:
                    if kind not in LASTING:
                        old = TimerDue(kind, life.escalation.generation - 1)
                        decision = decide(life.escalation, old, life.clock, life.now)
                        assert (decision.escalation, decision.effects) == (life.escalation, ())
            case timedelta():
                life.passes(act)
            case str():
                raise AssertionError(act)
            case event:
                life.happens(event)
        assert life.timers.keys() == life.due.keys()
    # In the end everybody is told who is to be.
    life.clock = replace(life.clock, muted_until=None)
    life.passes(timedelta(days=5))
    life.happens(CannotBeTold())
    life.passes(timedelta(days=10))
    found = life.escalation
    assert found.state not in (State.PENDING, State.HELD, State.SNOOZED)
    if found.state in (State.OPEN, State.ACKNOWLEDGED):
        assert still_to_tell(found, life.clock) == []
        spared = {n for n, tier in enumerate(life.clock.tiers, 1) if tier.unless_acknowledged or tier.unless_answered}
        assert life.told | spared == {*range(1, len(life.clock.tiers) + 1)}
