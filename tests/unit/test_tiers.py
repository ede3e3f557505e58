"""What happens to an escalation while nobody answers, decision by decision: tiers, repeats, reminders, hours, mutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.escalation.clockwork import Clockwork, Tier
from monitor.escalation.events import (
    Acknowledge,
    CallTier,
    Decision,
    Effect,
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
    TimerDue,
    TimerKind,
    Told,
)
from monitor.escalation.machine import begin, decide
from monitor.model import Escalation, Outcome, Scope, Severity, State
from monitor.rules.people.hours import Hours, Span
from monitor.wording.catalogs import words

#: A Monday.
NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
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
AGAIN = Fired("r", Severity.HIGH, added=False)


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


def said(reply: SendReply) -> str:
    return words().text(reply.text or "")


def has(decision: Decision, effect: type[Effect]) -> bool:
    return any(isinstance(one, effect) for one in decision.effects)


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
        (reply,) = (effect for effect in again.effects if isinstance(effect, SendReply))
        assert reply.call and f"repeated {number} of 2" in said(reply)
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
        (reply,) = (effect for effect in reminded.effects if isinstance(effect, SendReply))
        assert reply.remind and not reply.call and "ann" in said(reply)
    assert timers(reminded) == {}


def test_what_nobody_resolved_in_time_is_open_from_its_first_tier_and_its_tiers_count_anew() -> None:
    life = told()
    life.at(NOW + 15 * MINUTE, TimerKind.TIER)
    life.after(MINUTE, Acknowledge("ann"))
    back = life.after(8 * HOUR, TimerKind.REOPEN)
    # Past the doors of nobody: without hours it may be said at any time.
    assert (back.escalation.state, back.escalation.tier, back.escalation.assignee) == (State.OPEN, 1, None)
    assert timers(back) == {TimerKind.TIER: life.now + 15 * MINUTE}


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
    (text,) = map(said, replies(life.after(4 * HOUR, TimerKind.REPEAT)))
    assert "ann" in text and "nobody" not in text


def test_a_snooze_starts_the_tiers_timer_anew() -> None:
    life = told()
    life.at(NOW + 15 * MINUTE, TimerKind.TIER)
    asleep = life.after(MINUTE, Snooze("ann", NOW + 5 * HOUR))
    assert timers(asleep) == {TimerKind.SNOOZE: NOW + 5 * HOUR}
    awake = life.at(NOW + 5 * HOUR, TimerKind.SNOOZE)
    # The third tier is half an hour after the second, as ever.
    assert (awake.escalation.tier, timers(awake)) == (2, {TimerKind.TIER: life.now + 30 * MINUTE})


# -- doors that are closed ---------------------------------------------------------------------------------------

NIGHT, MORNING = NOW + 12 * HOUR, NOW + 23 * HOUR


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
    life = told(in_office(2), NIGHT)
    assert tiers_told(life.at(NIGHT + 45 * MINUTE, TimerKind.TIER)) == [3]


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
