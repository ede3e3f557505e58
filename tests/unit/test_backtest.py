"""What rules would have alerted: when an alert begins and goes on, what makes one message, what is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from monitor.model import Coverage, Scope, Severity
from monitor.rules.backtesting.backtest import Message, Replay, messages, reach_back
from monitor.rules.counted import Counted
from monitor.rules.people.hours import Hours, Span
from monitor.rules.people.rota import Team
from monitor.rules.rule import (
    AuthorReach,
    DiscussionFloor,
    MatchSpec,
    NegativeMentions,
    NegativeShare,
    OutsideHours,
    Spike,
    Status,
    TierSpec,
    Timing,
)
from monitor.rules.times import Covered
from monitor.rules.windows import Windows
from tests.fakes.counted import ANGRY, DAY, HOUR, MENTION, MINUTE, NOW, RULE, TOTALS, asking, at
from tests.fakes.replayed import played, rule_set

FRIENDLY = {"score": 0.9, "confidence": 0.9}


def talk(number: int, mentions: Iterable[Counted]) -> list[tuple[Counted, int]]:
    return [(mention, number) for mention in mentions]


def test_an_alert_begins_when_the_rule_fires_and_says_why() -> None:
    ((alert,),) = played(talk(7, at(50, 40, 30)), rule_set(RULE))
    assert (alert.rule_id, alert.discussion_id, alert.at) == ("acme", 7, NOW - 30 * MINUTE)
    assert [(reason.name, reason.found) for reason in alert.reasons] == [("negative_mentions", "3")]
    assert not alert.held and not alert.test


def test_it_goes_on_while_the_rule_fires_within_reopen_within() -> None:
    burst = [*at(600, 599, 598), *at(400, 399, 398)]
    ((alert,),) = played(talk(1, burst), rule_set(RULE))
    assert (alert.at, alert.until) == (NOW - 598 * MINUTE, NOW - 398 * MINUTE)


def test_what_fires_later_than_that_is_another_alert() -> None:
    rule = replace(RULE, timing=Timing(reopen_within=HOUR))
    (found,) = played(talk(1, [*at(600, 599, 598), *at(400, 399, 398)]), rule_set(rule))
    assert [alert.at for alert in found] == [NOW - 598 * MINUTE, NOW - 398 * MINUTE]


def test_a_friendly_word_brings_nothing_back() -> None:
    rule = asking(AuthorReach(500), timing=Timing(reopen_within=HOUR))
    thanks = at(60, **FRIENDLY)
    (found,) = played(talk(1, [*at(600), *thanks]), rule_set(rule))
    assert len(found) == 1 and len(played(talk(1, [*at(600), *at(60)]), rule_set(rule))[0]) == 2


def test_discussions_are_counted_apart_and_a_brand_as_a_whole() -> None:
    brand = replace(RULE, id="brand", scope=Scope.BRAND)
    ((one, whole),) = played([*talk(1, at(50, 40, 30)), *talk(2, at(20, 10))], rule_set(RULE, brand))
    assert (one.discussion_id, whole.discussion_id) == (1, None)
    ((),) = played([*talk(1, at(50, 40)), *talk(2, at(30, 20))], rule_set(RULE))


@pytest.mark.parametrize(
    ("status", "match", "alerts"),
    [
        pytest.param(Status.OFF, MatchSpec(), 0, id="off"),
        pytest.param(Status.TEST, MatchSpec(), 1, id="in test"),
        pytest.param(Status.LIVE, MatchSpec(brands=("Globex",)), 0, id="another brand"),
    ],
)
def test_which_rules_are_played(status: Status, match: MatchSpec, alerts: int) -> None:
    (found,) = played(talk(1, at(50, 40, 30)), rule_set(replace(RULE, status=status, match=match)))
    assert len(found) == alerts and all(alert.test == (status is Status.TEST) for alert in found)


def test_a_competitor_is_watched_only_by_rules_that_name_it() -> None:
    named = replace(RULE, match=MatchSpec(brands=("Globex",)))
    assert Replay("Globex", [rule_set(RULE)], {"Globex"}).idle
    assert not Replay("Globex", [rule_set(named)], {"Globex"}).idle


NINE_TO_SIX = Team("social", "#social", hours=Hours("UTC", tuple([(Span(540, 1080),)] * 5 + [()] * 2)))


@pytest.mark.parametrize(
    ("severity", "outside", "held"),
    [
        pytest.param(Severity.HIGH, OutsideHours.HOLD, True, id="held"),
        pytest.param(Severity.HIGH, OutsideHours.NOTIFY, False, id="the rule notifies"),
        pytest.param(Severity.CRITICAL, OutsideHours.HOLD, False, id="critical"),
    ],
)
def test_outside_hours_an_alert_is_told_when_the_team_is_there(
    severity: Severity, outside: OutsideHours, held: bool
) -> None:
    rule = replace(RULE, severity=severity, outside_hours=outside, escalate=(TierSpec(timedelta(), "social"),))
    saturday = [replace(MENTION, id=n, at=datetime(2026, 3, 28, 23, n, tzinfo=UTC)) for n in (1, 2, 3)]
    ((alert,),) = played(talk(1, saturday), rule_set(rule, teams={"social": NINE_TO_SIX}))
    assert alert.held is held
    assert alert.told_at == (datetime(2026, 3, 30, 9, tzinfo=UTC) if held else alert.at)


def test_a_spike_counts_what_was_read() -> None:
    spike = Spike(times=3, within=HOUR, baseline=DAY, minimum_now=3, minimum_baseline=2)
    rule = asking(spike, scope=Scope.BRAND)
    said = talk(1, [*at(1200, 900), *at(30, 20, 10)])
    read = Covered([Coverage(NOW - 2 * DAY, NOW)])
    assert len(played(said, rule_set(rule), covered=read)[0]) == 1
    assert not played(said, rule_set(rule), covered=Covered())[0]


def test_a_floor_counts_what_was_said_before() -> None:
    rule = replace(RULE, discussion=DiscussionFloor(mentions=5, reach=3000))
    said = talk(1, [replace(mention, author=f"a{n}") for n, mention in enumerate(at(50, 40, 30))])

    def alerts(known: int) -> int:
        replay = Replay("Acme", [rule_set(rule)])
        assert replay.asks_for_totals
        for n in range(known):
            replay.known(1, f"b{n}", 1, 900)
        for mention, discussion in said:
            replay.take(mention, discussion)
        return len(replay.alerts(0))

    assert (alerts(1), alerts(2)) == (0, 1)


def test_reach_of_one_author_is_counted_once() -> None:
    rule = replace(RULE, discussion=DiscussionFloor(reach=1000))
    assert not played(talk(1, at(50, 40, 30)), rule_set(rule))[0]
    two = [replace(mention, author=f"a{n % 2}") for n, mention in enumerate(at(50, 40, 30))]
    assert played(talk(1, two), rule_set(rule))[0]


# -- messages ----------------------------------------------------------------------------------------------------


def made(*sets: tuple[str, int, float, Status]) -> list[Message]:
    """Messages of rules that each fire once: id, discussion, hours ago, status."""
    rules = {name: asking(AuthorReach(500), id=name, status=status) for name, _, _, status in sets}
    alerts = []
    for name, discussion, hours, _ in sets:
        said = talk(discussion, [replace(MENTION, at=NOW - hours * HOUR)])
        alerts += played(said, rule_set(rules[name]))[0]
    return messages(alerts)


LIVE, TEST = Status.LIVE, Status.TEST


@pytest.mark.parametrize(
    ("fired", "told"),
    [
        pytest.param([("a", 1, 9, LIVE), ("b", 1, 8, LIVE)], [("a", "b")], id="one discussion at a time"),
        pytest.param([("a", 1, 9, LIVE), ("b", 2, 8, LIVE)], [("a",), ("b",)], id="two discussions"),
        pytest.param([("a", 1, 20, LIVE), ("b", 1, 8, LIVE)], [("a",), ("b",)], id="long after"),
        pytest.param([("a", 1, 9, LIVE), ("b", 1, 8, TEST)], [("a",), ("b",)], id="a rule in test tells nobody"),
    ],
)
def test_what_makes_one_message(fired: list[tuple[str, int, float, Status]], told: list[tuple[str, ...]]) -> None:
    assert [message.rules for message in made(*fired)] == told


def test_rules_about_a_brand_make_messages_of_their_own() -> None:
    rules = [asking(AuthorReach(500), id=name, scope=Scope.BRAND) for name in ("a", "b")]
    assert len(messages(played(talk(1, at(60)), rule_set(*rules))[0])) == 2


# -- what is forgotten on the way --------------------------------------------------------------------------------


def life(seed: int) -> list[tuple[Counted, int]]:
    """Ten days of a few hundred discussions: bursts, silences, friendly and loud voices."""
    random = Random(seed)
    said = []
    for discussion in range(1, 120):
        began = NOW - 10 * DAY * random.random()
        for _ in range(random.choice((1, 2, 8, 40))):
            moment = began + random.choice((5 * MINUTE, 8 * HOUR, 3 * DAY)) * random.random()
            mood = {} if random.random() < 0.6 else FRIENDLY
            reach = random.choice((10, 900, 200_000)) if random.random() < 0.05 else 10
            mention = replace(MENTION, id=len(said), at=moment, reach=reach, author=f"{random.random()}", **mood)
            said.append((mention, discussion))
    return said


ALL_KINDS = rule_set(
    RULE,
    asking(NegativeShare(0.5, 6 * HOUR, 4), id="share", timing=Timing(reopen_within=timedelta())),
    asking(AuthorReach(100_000), id="loud", timing=Timing(reopen_within=DAY)),
    asking(NegativeMentions(6, HOUR), id="floor", discussion=DiscussionFloor(mentions=9, reach=90)),
    asking(Spike(2, HOUR, DAY, 4, 4), id="spike", scope=Scope.BRAND),
    replace(RULE, id="no-negative-if", negative_if=None),
)


@pytest.mark.parametrize("seed", range(3))
def test_forgetting_changes_nothing(seed: int) -> None:
    said, read = life(seed), Covered([Coverage(NOW - 20 * DAY, NOW)])
    often, never = (
        played(said, ALL_KINDS, sweep=sweep, covered=read)[0] for sweep in (timedelta(minutes=1), timedelta(days=900))
    )
    assert often == never and {alert.rule_id for alert in often} == {rule.id for rule in ALL_KINDS.rules}


def test_it_fires_as_windows_that_hold_everything_do() -> None:
    said, rule = life(9), replace(RULE, timing=Timing(reopen_within=timedelta()))
    (found,) = played(said, rule_set(rule))
    expected = set()
    for number in {number for _, number in said}:
        here = sorted((mention for mention, of in said if of == number), key=lambda mention: mention.at)
        windows = Windows.of(rule, here)
        firing = [m for m in here if windows.negative(m) and windows.fires(m.at, TOTALS)]
        expected |= {(number, mention.at) for mention in firing}
    assert {(alert.discussion_id, alert.at) for alert in found} == expected


def test_what_is_quiet_is_not_held() -> None:
    replay = Replay("Acme", [rule_set(RULE)])
    for number in range(1, 500):
        replay.take(replace(MENTION, id=number, at=NOW + number * HOUR), number)
    assert replay.held < 20


def test_rules_that_judge_alike_are_asked_once_but_told_apart() -> None:
    renamed = replace(RULE, id="other", severity=Severity.CRITICAL, title="Another name")
    first, second = played(talk(1, at(50, 40, 30)), rule_set(RULE), rule_set(renamed))
    assert [(a.rule_id, a.severity, a.at) for a in (*first, *second)] == [
        ("acme", "high", NOW - 30 * MINUTE), ("other", "critical", NOW - 30 * MINUTE),
    ]  # fmt: skip
    replay = Replay("Acme", [rule_set(RULE), rule_set(renamed)])
    replay.take(MENTION, 1)
    assert replay.held == 1


def test_how_far_back_a_replay_begins() -> None:
    off = asking(NegativeMentions(1, 30 * DAY), id="off", status=Status.OFF)
    assert reach_back([rule_set(RULE), rule_set(off)]) == 7 * HOUR
    assert reach_back([rule_set()]) == timedelta()


def test_a_million_mentions_need_no_more_than_is_going_on() -> None:
    """A tenth of them; the whole million is measured in benchmarks/backtest.py."""
    replay = Replay("Acme", [rule_set(RULE, asking(NegativeMentions(5, HOUR), id="five", negative_if=ANGRY))])
    most = 0
    for n in range(100_000):
        replay.take(replace(MENTION, id=n, at=NOW + n * 10 * timedelta(seconds=1)), n // 50 + 1)
        most = max(most, replay.held)
    assert most < 600
