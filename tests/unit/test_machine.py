"""The life of an escalation: every transition with what people see of it, and what must never happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.escalation.clockwork import Clockwork
from monitor.escalation.events import (
    Acknowledge,
    Assign,
    Decision,
    Event,
    Fired,
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
)
from monitor.escalation.machine import ALIVE, TOLD, begin, decide, may_reopen
from monitor.model import Escalation, Outcome, Scope, Severity, State

NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)
CLOCK = Clockwork(timedelta(seconds=30), timedelta(seconds=60), timedelta(hours=6), reopen_after=timedelta(hours=8))
NEW = Escalation(1, "Acme", Scope.DISCUSSION, 7, "r", Severity.MEDIUM, State.PENDING, 0, 0, NOW, NOW)


def through(*events: Event, start: Escalation = NEW, minutes: int = 1) -> Decision:
    """The last decision after `events`, a minute apart; timers get the generation they would have."""
    now, decision = NOW, begin(start, CLOCK, NOW)
    for event in events:
        now += timedelta(minutes=minutes)
        if isinstance(event, TimerDue) and event.generation == -1:
            event = replace(event, generation=decision.escalation.generation)
        decision = decide(decision.escalation, event, CLOCK, now)
    return decision


def due(kind: TimerKind, holds: bool = True) -> TimerDue:
    return TimerDue(kind, -1, holds)


OPENED = due(TimerKind.WAIT_FIRST)
RESOLVED = Resolve("ann", Outcome.ANSWERED, "done")
WORSE = Fired("worse", Severity.CRITICAL, added=True)


@pytest.mark.parametrize(
    ("events", "state", "effects", "reason"),
    [
        pytest.param([], State.PENDING, ["StartTimer"], Reason.NOTHING_NEW, id="it waits before it tells anybody"),
        pytest.param([OPENED], State.OPEN, ["StopTimers", "SendRoot"], Reason.WAIT_OVER, id="the wait is over"),
        pytest.param(
            [due(TimerKind.WAIT_FIRST, holds=False)], State.DROPPED, ["StopTimers"], Reason.CONDITION_GONE,
            id="what was corrected during the wait is dropped, with its reason",
        ),
        pytest.param([OPENED, NewMentions()], State.OPEN, ["StartTimer"], Reason.NEWS, id="news are gathered"),
        pytest.param([NewMentions()], State.PENDING, [], Reason.NOTHING_NEW, id="news before the root"),
        pytest.param(
            [OPENED, NewMentions(), due(TimerKind.BUNDLE)], State.OPEN, ["SendReply", "SendUpdate"], Reason.BUNDLED,
            id="gathered news go into the thread",
        ),
        pytest.param(
            [OPENED, NewMentions(), Acknowledge("ann"), TimerDue(TimerKind.BUNDLE, 1)], State.ACKNOWLEDGED,
            ["SendReply", "SendUpdate"], Reason.BUNDLED, id="an acknowledgement does not swallow gathered news",
        ),
        pytest.param(
            [OPENED, Acknowledge("ann")], State.ACKNOWLEDGED, ["StopTimers", "StartTimer", "SendUpdate"],
            Reason.ACKNOWLEDGED, id="acknowledged",
        ),
        pytest.param(
            [Acknowledge("ann")], State.ACKNOWLEDGED, ["StopTimers", "StartTimer", "SendRoot"], Reason.ACKNOWLEDGED,
            id="acknowledged before its first message: the team is told all the same",
        ),
        pytest.param(
            [OPENED, Acknowledge("ann"), Acknowledge("ann")], State.ACKNOWLEDGED, [], Reason.ALREADY_ACKNOWLEDGED,
            id="acknowledging twice changes nothing",
        ),
        pytest.param(
            [OPENED, Assign("ann", "bob")], State.ACKNOWLEDGED,
            ["StopTimers", "StartTimer", "SendReply", "SendUpdate"],
            Reason.ASSIGNED, id="assigning acknowledges, and calls whoever it is given to",
        ),
        pytest.param(
            [OPENED, Assign("ann", "ann")], State.ACKNOWLEDGED, ["StopTimers", "StartTimer", "SendUpdate"],
            Reason.ASSIGNED, id="whoever takes it for themselves is not called",
        ),
        pytest.param(
            [OPENED, Acknowledge("ann"), due(TimerKind.REOPEN)], State.OPEN, ["StopTimers", "SendReply", "SendUpdate"],
            Reason.NOT_RESOLVED_IN_TIME, id="acknowledged and forgotten: open again",
        ),
        pytest.param(
            [OPENED, Acknowledge("ann"), WORSE], State.OPEN, ["StopTimers", "SendReply", "SendUpdate"],
            Reason.SEVERITY_UP, id="worse than what was acknowledged: open again",
        ),
        pytest.param(
            [WORSE], State.PENDING, ["StartTimer"], Reason.SEVERITY_UP,
            id="worse while it waits: the shorter wait counts",
        ),
        pytest.param(
            [OPENED, Fired("r", Severity.MEDIUM, added=False)], State.OPEN, [], Reason.NOTHING_NEW,
            id="the same rule again is nothing new",
        ),
        pytest.param(
            [OPENED, Fired("s", Severity.LOW, added=True)], State.OPEN, ["StartTimer"], Reason.MORE_RULES,
            id="another rule on the same discussion joins the same message",
        ),
        pytest.param(
            [OPENED, Snooze("ann", NOW + timedelta(hours=1))], State.SNOOZED,
            ["StopTimers", "StartTimer", "SendUpdate"], Reason.SNOOZED, id="snoozed",
        ),
        pytest.param(
            [OPENED, Snooze("ann", NOW + timedelta(hours=1)), NewMentions(), due(TimerKind.BUNDLE)], State.SNOOZED,
            ["SendUpdate"], Reason.BUNDLED, id="a snoozed thread stays quiet, the message current",
        ),
        pytest.param(
            [OPENED, Snooze("ann", NOW + timedelta(hours=1)), due(TimerKind.SNOOZE)], State.OPEN,
            ["StopTimers", "SendReply", "SendUpdate"], Reason.SNOOZE_OVER, id="the snooze ends and tells what it held",
        ),
        pytest.param([OPENED, RESOLVED], State.RESOLVED, ["StopTimers", "SendUpdate"], Reason.RESOLVED, id="resolved"),
        pytest.param([RESOLVED], State.RESOLVED, ["StopTimers"], Reason.RESOLVED, id="resolved untold"),
        pytest.param([OPENED, RESOLVED, Acknowledge("bob")], State.RESOLVED, [], Reason.ALREADY_ENDED, id="too late"),
        pytest.param(
            [OPENED, RESOLVED, Fired("r", Severity.MEDIUM, added=False)], State.OPEN,
            ["StopTimers", "SendReply", "SendUpdate"], Reason.NEW_MATCH, id="it flares up again in its own thread",
        ),
        pytest.param(
            [OPENED, Acknowledge("ann"), TimerDue(TimerKind.WAIT_FIRST, 0)], State.ACKNOWLEDGED, [], Reason.OLD_TIMER,
            id="a timer that lost the race against a person is ignored",
        ),
    ],
)  # fmt: skip
def test_transitions(events: list[Event], state: State, effects: list[str], reason: Reason) -> None:
    decision = through(*events)
    assert (decision.escalation.state, decision.reason) == (state, reason)
    assert [type(effect).__name__ for effect in decision.effects] == effects


def test_a_worse_rule_that_does_not_wait_opens_at_once() -> None:
    decision = decide(NEW, WORSE, replace(CLOCK, wait_first=timedelta(0)), NOW)
    assert (decision.escalation.state, decision.escalation.severity) == (State.OPEN, Severity.CRITICAL)


def test_who_forgot_it_no_longer_has_it() -> None:
    again = through(OPENED, Acknowledge("ann"), due(TimerKind.REOPEN), Acknowledge("bob")).escalation
    assert (again.state, again.assignee) == (State.ACKNOWLEDGED, "bob")


def test_acknowledging_says_who_and_when() -> None:
    taken = through(OPENED, Acknowledge("ann")).escalation
    assert (taken.assignee, taken.acknowledged_by, taken.acknowledged_at) == ("ann", "ann", NOW + timedelta(minutes=2))


def test_an_acknowledgement_of_long_ago_does_not_silence_what_flares_up() -> None:
    again = through(OPENED, Acknowledge("ann"), RESOLVED, Fired("r", Severity.MEDIUM, added=False)).escalation
    assert (again.state, again.acknowledged_at, again.outcome) == (State.OPEN, None, None)


@pytest.mark.parametrize(("hours", "same"), [(5.9, True), (6.1, False)], ids=["soon", "later"])
def test_reopens_only_soon_after(hours: float, same: bool) -> None:
    resolved = through(OPENED, RESOLVED).escalation
    assert resolved.resolved_at is not None
    assert may_reopen(resolved, CLOCK, resolved.resolved_at + timedelta(hours=hours)) is same


def test_without_a_first_wait_it_opens_at_once() -> None:
    decision = begin(NEW, replace(CLOCK, wait_first=timedelta(0)), NOW)
    assert decision.escalation.state is State.OPEN and SendRoot() in decision.effects


EVENTS = st.one_of(
    st.builds(Fired, st.sampled_from(["r", "s"]), st.sampled_from(Severity), st.booleans()),
    st.just(NewMentions()),
    st.builds(TimerDue, st.sampled_from(TimerKind), st.sampled_from([-1, 0, 1]), st.booleans()),
    st.builds(Acknowledge, st.just("ann")),
    st.builds(Assign, st.just("ann"), st.just("bob")),
    st.builds(Snooze, st.just("ann"), st.just(NOW + timedelta(hours=2))),
    st.builds(Resolve, st.just("ann"), st.sampled_from(Outcome)),
)


@given(st.lists(EVENTS, max_size=12))
def test_whatever_happens(events: list[Event]) -> None:
    """One root message at most, and nothing about an escalation before its root; every state names its next step."""
    roots, now, decision = 0, NOW, begin(NEW, CLOCK, NOW)
    for event in events:
        before = decision.escalation
        now += timedelta(minutes=1)
        if isinstance(event, TimerDue) and event.generation == -1:
            event = replace(event, generation=before.generation)
        if isinstance(event, Fired) and before.state is State.RESOLVED and not may_reopen(before, CLOCK, now):
            continue  # the caller makes a new escalation instead
        decision = decide(before, event, CLOCK, now)
        after = decision.escalation
        roots += SendRoot() in decision.effects
        assert roots <= 1
        if any(isinstance(effect, SendReply | SendUpdate) for effect in decision.effects):
            assert roots == 1
        assert after.severity.rank >= before.severity.rank or before.state is State.RESOLVED
        if after.state is not before.state:
            assert after.generation > before.generation and StopTimers() in decision.effects
        if after.state in TOLD:
            assert roots == 1 and after.opened_at is not None
        if after.state is State.SNOOZED and before.state is not State.SNOOZED:
            assert any(isinstance(e, StartTimer) and e.kind is TimerKind.SNOOZE for e in decision.effects)
        if before.state not in ALIVE and not isinstance(event, Fired):
            assert after == before and not decision.effects
