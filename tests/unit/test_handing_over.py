"""What people and answers do to an escalation, decision by decision: handed over, answered, or impossible to tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.escalation.clockwork import Clockwork, Tier
from monitor.escalation.events import (
    Acknowledge,
    Answered,
    CannotBeTold,
    Event,
    Fired,
    HandOver,
    Reason,
    Resolve,
    SendRoot,
    SendUpdate,
    Snooze,
    TimerDue,
    TimerKind,
    Told,
)
from monitor.escalation.machine import decide
from monitor.model import Outcome, Severity, State
from tests.fakes.life import (
    CLOCK,
    HOUR,
    MINUTE,
    MORNING,
    NEW,
    NIGHT,
    NOW,
    OFFICE,
    Life,
    has,
    replies,
    said,
    tiers_told,
    timers,
    told,
)

OVER = HandOver("ann", "legal")
#: As a rule has it with legal as its first team, which goes home at six.
LEGAL = replace(CLOCK, tiers=(Tier(timedelta(), hours=OFFICE), *CLOCK.tiers[1:]))
WORSE = Fired("worse", Severity.CRITICAL, added=True)

# -- handed over -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([], id="open"),
        pytest.param([Acknowledge("bob")], id="taken"),
        pytest.param([Snooze("bob", NOW + 9 * HOUR)], id="snoozed"),
        pytest.param([TimerKind.TIER], id="a later tier"),
    ],
)
def test_handed_over_it_is_open_and_nobody_has_it(before: list[Event | TimerKind]) -> None:
    life = told()
    for event in before:
        life.after(20 * MINUTE, event)
    over = life.after(MINUTE, OVER, LEGAL)
    now = over.escalation
    assert (now.state, now.tier, now.team, now.assignee, now.acknowledged_at) == (State.OPEN, 1, "legal", None, None)
    assert [reply.call for reply in replies(over)] == [True] and has(over, SendUpdate)
    assert said(over) == ["ann has handed it over to team legal."]
    # Tiers and repetitions count anew.
    assert timers(over) == {TimerKind.TIER: life.now + 15 * MINUTE} and over.reason is Reason.HANDED_OVER


def test_no_hours_hold_back_what_somebody_hands_over_but_they_are_told() -> None:
    over = told().at(NIGHT, OVER, LEGAL)
    assert replies(over)[0].call
    assert said(over) == ["ann has handed it over to team legal (by its hours there again: 31 Mar, 09:00)."]


@pytest.mark.parametrize("clock", [pytest.param(CLOCK, id="pending"), pytest.param(LEGAL, id="held")])
def test_before_its_first_message_that_goes_to_the_new_team(clock: Clockwork) -> None:
    life = Life(replace(clock, wait_first=MINUTE), NIGHT)
    if clock is LEGAL:
        life.after(MINUTE, TimerKind.WAIT_FIRST)
    assert life.escalation.state is (State.HELD if clock is LEGAL else State.PENDING)
    over = life.after(MINUTE, OVER)
    (root,) = (effect for effect in over.effects if isinstance(effect, SendRoot))
    assert root.text is not None and root.text.values["team"] == "legal"
    assert (life.escalation.state, life.escalation.held_until, replies(over)) == (State.OPEN, None, [])
    assert timers(life.after(MINUTE, Told())) == {TimerKind.TIER: life.now + 15 * MINUTE}


def test_what_has_ended_is_not_handed_over() -> None:
    life = told()
    life.after(MINUTE, Resolve("ann", Outcome.ANSWERED))
    over = life.after(MINUTE, OVER)
    assert (over.reason, over.effects, over.escalation.team) == (Reason.ALREADY_ENDED, (), None)


def test_timers_of_before_do_nothing_after_it() -> None:
    life = told()
    old = TimerDue(TimerKind.TIER, life.escalation.generation)
    life.after(14 * MINUTE, OVER)
    late = life.after(MINUTE, old)
    assert (late.reason, late.effects) == (Reason.OLD_TIMER, ())


def test_handed_over_its_repetitions_begin_anew() -> None:
    one = replace(CLOCK, tiers=CLOCK.tiers[:1])
    life = told(one)
    for _ in range(2):
        life.after(4 * HOUR, TimerKind.REPEAT)
    assert timers(life.after(MINUTE, OVER)) == {TimerKind.REPEAT: life.now + 4 * HOUR}


def test_a_graver_rule_calls_its_own_team() -> None:
    life = told()
    life.after(MINUTE, OVER)
    assert life.after(MINUTE, WORSE).escalation.team is None
    life = told()
    life.after(MINUTE, OVER)
    life.after(MINUTE, Resolve("ann", Outcome.ANSWERED))
    assert life.after(MINUTE, Fired("r", Severity.HIGH, added=False)).escalation.team == "legal", "the same goes on"


# -- answered ----------------------------------------------------------------------------------------------------

ASKS = replace(
    CLOCK,
    tiers=(
        Tier(timedelta()),
        Tier(15 * MINUTE, unless_answered=True),
        Tier(30 * MINUTE, unless_acknowledged=True, unless_answered=True),
        Tier(45 * MINUTE, unless_acknowledged=True),
    ),
)


def test_an_answer_spares_the_tiers_that_wait_for_it() -> None:
    life = told(ASKS)
    answered = life.after(5 * MINUTE, Answered(NOW + 4 * MINUTE))
    assert (answered.reason, answered.escalation.answered_at) == (Reason.ANSWERED, NOW + 4 * MINUTE)
    assert timers(answered) == {TimerKind.TIER: NOW + 45 * MINUTE} and has(answered, SendUpdate)
    assert tiers_told(life.at(NOW + 50 * MINUTE, TimerKind.TIER)) == [4]


def test_who_has_taken_it_has_not_answered_yet() -> None:
    life = told(ASKS)
    life.after(5 * MINUTE, Acknowledge("ann"))
    called = life.at(NOW + HOUR, TimerKind.TIER)
    assert (tiers_told(called), called.reason) == ([2], Reason.NOBODY_ANSWERED)


def test_only_the_first_answer_counts_and_none_from_before_it_alerted() -> None:
    life = told(ASKS)
    assert life.after(MINUTE, Answered(NOW - MINUTE)).reason is Reason.NOTHING_NEW
    life.after(MINUTE, Answered(NOW + MINUTE))
    again = life.after(MINUTE, Answered(NOW + 3 * MINUTE))
    assert (again.escalation.answered_at, again.effects) == (NOW + MINUTE, ())


@pytest.mark.parametrize(
    "anew",
    [
        pytest.param([OVER], id="handed over"),
        pytest.param([WORSE], id="more severe"),
        pytest.param(
            [Resolve("ann", Outcome.ANSWERED), Fired("r", Severity.HIGH, added=False)], id="it flared up after its end"
        ),
        pytest.param([Snooze("ann", NOW + 9 * HOUR), WORSE], id="more severe while it was snoozed"),
    ],
)
def test_what_comes_anew_waits_for_an_answer_of_its_own(anew: list[Event]) -> None:
    life = told(ASKS)
    life.after(MINUTE, Answered(NOW + MINUTE))
    for event in anew:
        decision = life.after(MINUTE, event)
    assert decision.escalation.answered_at is None
    assert timers(decision) == {TimerKind.TIER: life.now + 15 * MINUTE}
    begun = life.now
    assert life.after(MINUTE, Answered(begun - MINUTE)).reason is Reason.NOTHING_NEW, "read late, said before"
    assert life.after(MINUTE, Answered(begun + MINUTE)).escalation.answered_at == begun + MINUTE


@pytest.mark.parametrize(
    ("last", "repeated"),
    [(Tier(15 * MINUTE, unless_answered=True), False), (Tier(15 * MINUTE, unless_acknowledged=True), True)],
    ids=["it waits for an answer", "it waits for somebody"],
)
def test_an_answer_ends_the_repetitions_of_a_tier_that_waited_for_it(last: Tier, repeated: bool) -> None:
    life = told(replace(CLOCK, tiers=(CLOCK.tiers[0], last)))
    second = life.at(NOW + 15 * MINUTE, TimerKind.TIER)
    answered = life.after(HOUR, Answered(life.now))
    stopped = {kind for effect in answered.effects for kind in getattr(effect, "kinds", ())}
    assert (TimerKind.REPEAT not in stopped) is repeated and timers(second)[TimerKind.REPEAT] == NOW + 255 * MINUTE
    assert timers(answered) == {}, "one that goes on keeps its time"


def test_answered_while_it_is_held_it_is_told_all_the_same() -> None:
    life = Life(replace(ASKS, tiers=(Tier(timedelta(), hours=OFFICE), *ASKS.tiers[1:])), NIGHT)
    assert life.after(HOUR, Answered(life.now)).effects == ()
    assert has(life.at(MORNING, Fired("r", Severity.HIGH, added=False)), SendRoot)
    assert timers(life.after(MINUTE, Told())) == {TimerKind.TIER: life.now + 45 * MINUTE}


# -- what cannot be told -----------------------------------------------------------------------------------------


def test_what_cannot_be_told_where_it_belongs_is_told_to_the_next_tiers() -> None:
    life = Life()
    refused = life.after(MINUTE, CannotBeTold())
    assert (refused.reason, timers(refused)) == (Reason.CANNOT_BE_TOLD, {TimerKind.TIER: life.now + 15 * MINUTE})
    assert life.after(HOUR, Told()).effects == (), "its channel was mended: the tiers go on as they were"
    assert life.escalation.told_at == NOW + MINUTE


def test_what_stands_there_already_is_not_told_again() -> None:
    assert told().after(MINUTE, CannotBeTold()).effects == ()


# -- more severe -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [Acknowledge("ann"), Snooze("ann", NOW + 9 * HOUR)], ids=["taken", "snoozed"])
def test_more_severe_than_what_was_put_off_it_is_open_from_its_first_tier(by: Event) -> None:
    life = told()
    life.at(NOW + 15 * MINUTE, TimerKind.TIER)
    life.after(MINUTE, by)
    worse = life.after(MINUTE, WORSE)
    assert (worse.escalation.state, worse.escalation.tier, worse.escalation.snoozed_until) == (State.OPEN, 1, None)
    assert said(worse) == ["More severe now: critical."] and replies(worse)[0].call


def test_what_is_critical_does_not_wait_for_the_doors_to_open() -> None:
    life = Life(LEGAL, NIGHT)
    assert life.escalation.state is State.HELD
    spoken = life.after(MINUTE, WORSE)
    assert (spoken.escalation.state, has(spoken, SendRoot)) == (State.OPEN, True)


def test_resolving_works_from_any_state() -> None:
    for state in State:
        resolved = decide(replace(NEW, state=state), Resolve("ann", Outcome.ANSWERED), CLOCK, NOW)
        ended = state in (State.RESOLVED, State.DROPPED)
        assert resolved.escalation.state is (state if ended else State.RESOLVED)
