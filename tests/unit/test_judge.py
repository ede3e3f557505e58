"""When a rule fires: as of which moment it is judged, late mentions, and the same verdict as a plain reading gives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Coverage
from monitor.rules.alerts import window
from monitor.rules.evaluate import Counted, Totals, evaluate, is_negative, judge, moments, needed_since
from monitor.rules.rule import (
    AlertCondition,
    AuthorReach,
    DiscussionFloor,
    MatchSpec,
    NegativeMentions,
    NegativeShare,
    Rule,
    Spike,
)
from tests.fakes.counted import ANGRY, DAY, HOUR, MENTION, MINUTE, NOW, RULE, TOTALS, asking, at


def test_fires_as_of_the_latest_moment_that_does() -> None:
    mentions = at(90, 80, 70, 10)
    verdict = judge(RULE, mentions, {m.id for m in mentions}, TOTALS, NOW)
    assert verdict is not None and verdict.fires
    assert verdict.at == NOW - 70 * MINUTE


def test_without_a_firing_moment_it_tells_of_the_latest() -> None:
    verdict = judge(RULE, at(20, 10), {1000, 1001}, TOTALS, NOW)
    assert verdict is not None and not verdict.fires
    assert (verdict.at, verdict.conditions[0].found) == (NOW - 10 * MINUTE, "2")


def test_a_late_mention_completes_a_window_that_ended_after_it() -> None:
    verdict = judge(RULE, at(100, 90, 70), {1000}, TOTALS, NOW)
    assert verdict is not None and verdict.fires and verdict.at == NOW - 70 * MINUTE


def test_a_late_mention_does_not_raise_an_old_burst_again() -> None:
    assert judge(RULE, at(900, 300, 290, 280), {1000}, TOTALS, NOW).fires is False  # type: ignore[union-attr]
    assert judge(RULE, at(300, 290, 280, 100), {1003}, TOTALS, NOW).fires is False  # type: ignore[union-attr]


def test_a_backlog_is_history() -> None:
    old = at(1500, 1501, 1502)
    assert judge(RULE, old, {m.id for m in old}, TOTALS, NOW) is None


def test_a_moment_is_judged_while_a_cause_is_in_its_window() -> None:
    times = [NOW - minute * MINUTE for minute in (61, 60, 30, 1, 1, 0)]
    assert moments([times[1]], times, HOUR, NOW) == [times[1], times[2], times[3]]
    assert moments([], times, HOUR, NOW) == []


def test_mentions_that_do_not_count_change_nothing_but_the_floor() -> None:
    mentions = [*at(5, 4, 3), replace(MENTION, id=7, at=NOW, brand="Globex")]
    rule = replace(RULE, match=MatchSpec(brands=("Acme",)))
    assert judge(rule, mentions, {7}, TOTALS, NOW) is None
    verdict = judge(replace(rule, discussion=DiscussionFloor(mentions=4)), mentions, {7}, Totals(4, 0), NOW)
    assert verdict is not None and verdict.fires


def test_a_busy_discussion_is_judged_in_milliseconds() -> None:
    """Measured: 4 ms for one new mention among 10,000, 45 ms for all; the limits leave room for a slow machine."""
    rule = replace(
        asking(NegativeMentions(20_000, 6 * HOUR), NegativeShare(0.9, 6 * HOUR, 20), AuthorReach(100_000)),
        match=MatchSpec(brands=("Acme",), languages=("en",)),
    )
    mentions = [replace(MENTION, id=n, at=NOW - n * timedelta(seconds=2), score=n % 2 - 0.9) for n in range(10_000)]
    for new, limit in ({0}, 0.1), (range(10_000), 1.0):
        start = perf_counter()
        judge(rule, mentions, new, TOTALS, NOW)
        assert perf_counter() - start < limit


# -- against a plain reading of the rules ------------------------------------------------------------------------

MINUTES = st.integers(-30 * 60, 0)
ALERTS: st.SearchStrategy[AlertCondition] = st.one_of(
    st.builds(NegativeMentions, st.integers(1, 5), st.integers(1, 600).map(MINUTE.__mul__)),
    st.builds(NegativeShare, st.sampled_from([0.25, 0.4, 0.5, 1.0]), st.integers(1, 600).map(MINUTE.__mul__),
              st.integers(0, 6)),
    st.builds(Spike, st.sampled_from([1.0, 1.5, 3.0]), st.integers(1, 60).map(MINUTE.__mul__),
              st.integers(60, 600).map(MINUTE.__mul__), st.integers(1, 4), st.integers(0, 4)),
    st.builds(AuthorReach, st.integers(1, 9)),
)  # fmt: skip
RULES = st.builds(
    lambda alerts, negative_if, floor: asking(*alerts, negative_if=negative_if, discussion=floor),
    st.lists(ALERTS, min_size=1, max_size=3),
    st.sampled_from([None, ANGRY]),
    st.sampled_from([None, DiscussionFloor(mentions=3)]),
)
NUMBERS = count()
MENTIONS = st.lists(
    st.builds(
        lambda minute, reach, score: replace(
            MENTION, id=next(NUMBERS), at=NOW + minute * MINUTE, reach=reach, score=score
        ),
        MINUTES,
        st.integers(0, 9),
        st.sampled_from([-0.9, -0.9, 0.3, None]),
    ),
    max_size=25,
)
STRETCHES = st.lists(
    st.builds(
        lambda start, length, complete: Coverage(NOW + start * MINUTE, NOW + (start + length) * MINUTE, complete),
        MINUTES,
        st.integers(0, 900),
        st.booleans(),
    ),
    max_size=4,
)


def plainly_fires(
    rule: Rule, mentions: Sequence[Counted], totals: Totals, as_of: datetime, read: Collection[datetime]
) -> bool:
    """`read` holds the end of each minute that was read; all times are whole minutes."""
    if rule.discussion and totals.mentions < rule.discussion.mentions:
        return False
    negative = [m for m in mentions if is_negative(rule, m)]
    for alert in rule.alert_when_any:
        start = as_of - window(alert)
        now = [m for m in negative if start < m.at <= as_of]
        match alert:
            case NegativeMentions():
                fires = len(now) >= alert.at_least
            case NegativeShare():
                total = len([m for m in mentions if start < m.at <= as_of])
                fires = total > 0 and total >= alert.minimum_total and len(now) / total >= alert.at_least
            case Spike():
                minutes = {minute for minute in read if start - alert.baseline < minute <= start}
                before = len([m for m in negative if m.at in minutes])
                fires = (
                    len(now) >= alert.minimum_now
                    and before >= alert.minimum_baseline
                    and len(minutes) * MINUTE >= alert.within
                    and len(now) >= alert.times * (before * alert.within / (len(minutes) * MINUTE))
                )
            case AuthorReach():
                fires = any(m.reach >= alert.at_least for m in now)
        if fires:
            return True
    return False


def minutes_read(coverage: Collection[Coverage]) -> set[datetime]:
    return {c.start + n * MINUTE for c in coverage if c.complete for n in range(1, (c.end - c.start) // MINUTE + 1)}


@given(RULES, MENTIONS, STRETCHES, st.data())
def test_judges_as_a_plain_reading_does(
    rule: Rule, mentions: list[Counted], coverage: list[Coverage], data: st.DataObject
) -> None:
    new = {m.id for m in mentions if data.draw(st.booleans())}
    totals, read = Totals.of(mentions), minutes_read(coverage)
    longest = max(window(alert) for alert in rule.alert_when_any)
    changed = sorted(
        m.at for m in mentions
        if m.at >= NOW - DAY and any(c.id in new and c.at <= m.at < c.at + longest for c in mentions)
    )  # fmt: skip
    firing = [moment for moment in changed if plainly_fires(rule, mentions, totals, moment, read)]
    verdict = judge(rule, mentions, new, totals, NOW, coverage)
    if verdict is None:
        assert not changed
        return
    assert (verdict.fires, verdict.at) == (bool(firing), (firing or changed)[-1])
    assert verdict == evaluate(rule, mentions, totals, verdict.at, coverage)
    assert bool(verdict.reasons) or not verdict.fires
    since = needed_since(rule, [m.at for m in mentions if m.id in new], NOW)
    assert judge(rule, [m for m in mentions if m.at > since], new, totals, NOW, coverage) == verdict


@given(RULES, MENTIONS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_of_arrival_hides_nothing(rule: Rule, mentions: list[Counted], random: Random, size: int) -> None:
    """If the rule fires on all mentions as of any moment, it has fired by the time all have come, in whatever order."""
    rule = asking(*(a for a in rule.alert_when_any if not isinstance(a, Spike)), negative_if=rule.negative_if)
    everything = judge(rule, mentions, {m.id for m in mentions}, TOTALS, NOW)
    random.shuffle(mentions)
    arrived: list[Counted] = []
    fired = False
    for start in range(0, len(mentions), size):
        batch = mentions[start : start + size]
        arrived += batch
        verdict = judge(rule, arrived, {m.id for m in batch}, TOTALS, NOW)
        fired = fired or (verdict is not None and verdict.fires)
    assert fired or everything is None or not everything.fires
