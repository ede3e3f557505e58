"""What happens to an escalation while nobody answers, decision by decision: tiers, repeats, reminders, hours, mutes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.escalation.clockwork import Clockwork
from monitor.escalation.events import (
    Acknowledge,
    CallTier,
    Event,
    Fired,
    NewMentions,
    Reason,
    Resolve,
    SendReply,
    SendRoot,
    SendUpdate,
    Snooze,
    TimerKind,
    Told,
)
from monitor.escalation.machine import begin
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

AGAIN = Fired("r", Severity.HIGH, added=False)


# -- tiers -------------------------------------------------------------------------------------------------------


def test_tiers_count_from_the_confirmed_first_message() -> None:
    life = Life()
    assert has(life.decision, SendRoot) and timers(life.decision) == {}
    slow = life.after(10 * MINUTE, Told())
    assert timers(slow) == {TimerKind.TIER: NOW + 25 * MINUTE} and slow.reason is Reason.TOLD
    assert life.after(MINUTE, Told()).effects == ()


def test_each_tier_is_told_in_turn_and_then_the_last_again() -> None:
    life = told()
    second = life.at(NOW + 15 * MINUTE, TimerKind.TIER)
    assert (tiers_told(second), life.escalation.tier, second.reason) == ([2], 2, Reason.NOBODY_TOOK_IT)
    assert timers(second) == {TimerKind.TIER: NOW + 45 * MINUTE} and has(second, SendUpdate)
    third = life.at(NOW + 45 * MINUTE, TimerKind.TIER)
    assert tiers_told(third) == [3] and timers(third) == {TimerKind.REPEAT: life.now + 4 * HOUR}
    for number in (1, 2):
        again = life.after(4 * HOUR, TimerKind.REPEAT)
        assert [reply.call for reply in replies(again)] == [True]
        assert said(again) == [f"Still open, and nobody has taken it (repeated {number} of 2)."]
    assert timers(again) == {}


def test_late_timers_make_one_step() -> None:
    late = told().after(6 * HOUR, TimerKind.TIER)
    assert tiers_told(late) == [2, 3] and late.escalation.tier == 3


def test_a_timer_that_comes_too_early_is_set_anew() -> None:
    early = told().after(5 * MINUTE, TimerKind.TIER)
    assert tiers_told(early) == [] and timers(early) == {TimerKind.TIER: NOW + 15 * MINUTE}
    assert early.reason is Reason.NOTHING_NEW


def test_somebody_who_has_it_spares_the_tiers_that_ask_for_that_alone() -> None:
    life = told()
    taken = life.after(5 * MINUTE, Acknowledge("ann"))
    assert timers(taken)[TimerKind.TIER] == NOW + 45 * MINUTE
    in_any_case = life.at(NOW + 45 * MINUTE, TimerKind.TIER)
    assert (tiers_told(in_any_case), in_any_case.reason) == ([3], Reason.IN_ANY_CASE)
    assert life.escalation.state is State.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("meanwhile", "state"),
    [
        pytest.param([], State.RESOLVED, id="while it was resolved"),
        pytest.param([AGAIN], State.HELD, id="while it was held again"),
    ],
)
def test_a_first_message_that_arrives_late_still_starts_the_tiers_of_what_comes_back(
    meanwhile: list[Event], state: State
) -> None:
    """Slack was down: the message is confirmed after somebody has resolved it; then it flares up again."""
    closed = replace(CLOCK, tiers=(replace(CLOCK.tiers[0], hours=OFFICE), *CLOCK.tiers[1:]))
    life = Life(closed)
    life.at(NOW + HOUR, Resolve("ann", Outcome.ANSWERED))
    for event in meanwhile:
        life.at(NOW + 10 * HOUR, event)
    confirmed = life.after(MINUTE, Told())
    assert confirmed.escalation.state is state and confirmed.effects == ()
    morning = NOW + 23 * HOUR
    back = life.at(morning, AGAIN)
    assert back.escalation.state is State.OPEN and timers(back)[TimerKind.TIER] == morning + 15 * MINUTE


# -- who has it --------------------------------------------------------------------------------------------------


def test_whoever_has_it_is_reminded_so_often_and_no_more() -> None:
    life = told()
    assert timers(life.after(MINUTE, Acknowledge("ann")))[TimerKind.REMIND] == life.now + HOUR
    for _ in range(2):
        reminded = life.after(HOUR, TimerKind.REMIND)
        assert [(reply.remind, reply.call) for reply in replies(reminded)] == [(True, False)]
        assert said(reminded) == ["ann has it and it is not resolved yet."]
    assert timers(reminded) == {}


def test_what_nobody_resolved_in_time_is_open_from_its_first_tier_and_its_tiers_count_anew() -> None:
    life = told()
    life.at(NOW + 15 * MINUTE, TimerKind.TIER)
    life.after(MINUTE, Acknowledge("ann"))
    back = life.after(8 * HOUR, TimerKind.REOPEN)
    # Past the doors of nobody: without hours it may be said at any time.
    assert (back.escalation.state, back.escalation.tier, back.escalation.assignee) == (State.OPEN, 1, None)
    assert timers(back) == {TimerKind.TIER: life.now + 15 * MINUTE}


def test_late_together_the_reminder_and_the_reopening_make_one_step() -> None:
    """After a suspend: whoever had it is not reminded of what nobody has any more."""
    life = told()
    life.after(MINUTE, Acknowledge("ann"))
    late = life.after(10 * HOUR, TimerKind.REMIND)
    assert (late.reason, late.escalation.state, late.escalation.tier) == (Reason.NOT_RESOLVED_IN_TIME, State.OPEN, 1)
    assert [(reply.call, reply.remind) for reply in replies(late)] == [(True, False)]


def test_reminders_do_not_use_up_the_repetitions_after_a_snooze() -> None:
    """Two reminders, then a snooze: when that is over and nobody reacts, the alert is repeated as often as ever."""
    life = told(replace(CLOCK, tiers=CLOCK.tiers[:1]))
    life.after(MINUTE, Acknowledge("ann"))
    life.after(HOUR, TimerKind.REMIND)
    life.after(HOUR, TimerKind.REMIND)
    life.after(MINUTE, Snooze("ann", life.now + HOUR))
    awake = life.after(HOUR, TimerKind.SNOOZE)
    assert timers(awake) == {TimerKind.REPEAT: life.now + 4 * HOUR}


def test_a_repetition_does_not_claim_that_nobody_has_what_somebody_has() -> None:
    life = told(replace(CLOCK, tiers=CLOCK.tiers[:1]))
    life.after(MINUTE, Acknowledge("ann"))
    life.after(MINUTE, Snooze("ann", life.now + HOUR))
    life.after(HOUR, TimerKind.SNOOZE)
    again = life.after(4 * HOUR, TimerKind.REPEAT)
    assert said(again) == ["Still open, although ann has had it (repeated 1 of 2)."]


def test_a_snooze_starts_the_tiers_timer_anew() -> None:
    life = told()
    life.at(NOW + 15 * MINUTE, TimerKind.TIER)
    asleep = life.after(MINUTE, Snooze("ann", NOW + 5 * HOUR))
    assert timers(asleep) == {TimerKind.SNOOZE: NOW + 5 * HOUR}
    awake = life.at(NOW + 5 * HOUR, TimerKind.SNOOZE)
    # The third tier is half an hour after the second, as ever.
    assert (awake.escalation.tier, timers(awake)) == (2, {TimerKind.TIER: life.now + 30 * MINUTE})


# -- doors that are closed ---------------------------------------------------------------------------------------


def in_office(number: int, clock: Clockwork = CLOCK) -> Clockwork:
    """Tier `number` is a team that goes home at six."""
    tiers = tuple(replace(tier, hours=OFFICE) if n == number else tier for n, tier in enumerate(clock.tiers, 1))
    return replace(clock, tiers=tiers)


def test_held_until_the_team_is_there() -> None:
    life = Life(in_office(1), NIGHT)
    assert (life.escalation.state, timers(life.decision)) == (State.HELD, {TimerKind.HOLD: MORNING})
    spoken = life.at(MORNING, AGAIN)
    assert (life.escalation.state, life.escalation.tier, has(spoken, SendRoot)) == (State.OPEN, 1, True)
    assert life.escalation.held_until is None


@pytest.mark.parametrize(
    "clock",
    [pytest.param(in_office(1), id="held"), pytest.param(replace(in_office(1), hold=False), id="notified anyway")],
)
def test_the_doors_stop_no_critical_alert(clock: Clockwork) -> None:
    critical = replace(NEW, severity=Severity.CRITICAL)
    assert begin(critical, clock, NIGHT).escalation.state is State.OPEN
    quiet = begin(NEW, clock, NIGHT).escalation.state
    assert quiet is (State.HELD if clock.hold else State.OPEN)


def test_whoever_takes_what_is_held_ends_the_waiting() -> None:
    life = Life(in_office(1), NIGHT)
    assert has(life.after(HOUR, Acknowledge("ann")), SendRoot)


def test_a_tier_whose_team_has_gone_home_waits_for_the_morning() -> None:
    evening = NOW + 8 * HOUR - 5 * MINUTE
    life = Life(in_office(2, replace(CLOCK, tiers=CLOCK.tiers[:2])), evening)
    assert timers(life.at(evening, Told())) == {TimerKind.TIER: MORNING}
    assert tiers_told(life.at(MORNING, TimerKind.TIER)) == [2]


def test_the_next_tier_does_not_wait_for_one_that_has_gone_home() -> None:
    """And it is told when it is back, unless somebody has taken it by then."""
    life = told(in_office(2), NIGHT)
    third = life.at(NIGHT + 45 * MINUTE, TimerKind.TIER)
    assert (tiers_told(third), life.escalation.tier) == ([3], 3)
    # Meanwhile the last one is told again.
    assert timers(third) == {TimerKind.TIER: MORNING, TimerKind.REPEAT: NIGHT + 45 * MINUTE + 4 * HOUR}
    second = life.at(MORNING, TimerKind.TIER)
    assert (tiers_told(second), life.escalation.tier) == ([2], 3)
    assert TimerKind.TIER not in timers(second)


def test_what_somebody_has_taken_at_night_calls_nobody_in_the_morning() -> None:
    life = told(in_office(2), NIGHT)
    life.at(NIGHT + 45 * MINUTE, TimerKind.TIER)
    assert TimerKind.TIER not in timers(life.after(HOUR, Acknowledge("ann")))


@pytest.mark.parametrize("kind", [TimerKind.REPEAT, TimerKind.REMIND, TimerKind.REOPEN], ids=str)
def test_nobody_is_reminded_at_night(kind: TimerKind) -> None:
    life = told(in_office(1, replace(CLOCK, tiers=CLOCK.tiers[:1])))
    if kind is not TimerKind.REPEAT:
        life.after(MINUTE, Acknowledge("ann"))
    waits = life.at(NIGHT, kind)
    assert (timers(waits), waits.reason) == ({kind: MORNING}, Reason.OUTSIDE_HOURS)
    assert has(life.at(MORNING, kind), SendReply)


# -- mutes -------------------------------------------------------------------------------------------------------

MUTED = replace(CLOCK, muted_until=NOW + 5 * HOUR)


@pytest.mark.parametrize("kind", [TimerKind.TIER, TimerKind.REPEAT, TimerKind.BUNDLE], ids=str)
def test_a_mute_silences_what_is_due(kind: TimerKind) -> None:
    life = told()
    waits = life.at(NOW + HOUR, kind, MUTED)
    assert (timers(waits), waits.reason) == ({kind: NOW + 5 * HOUR}, Reason.MUTED)
    assert not has(waits, SendReply) and not has(waits, CallTier)


def test_a_mute_keeps_the_message_that_stands_there_up_to_date() -> None:
    life = told()
    life.after(MINUTE, NewMentions(), MUTED)
    assert has(life.after(MINUTE, TimerKind.BUNDLE, MUTED), SendUpdate)


def test_a_mute_silences_a_critical_alert_too() -> None:
    critical = begin(replace(NEW, severity=Severity.CRITICAL), MUTED, NOW)
    assert (critical.escalation.state, critical.reason) == (State.HELD, Reason.MUTED)
