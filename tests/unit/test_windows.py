"""When a rule fires, while mentions come in one by one: as of which moment it is judged, late mentions, and the same
verdict as a plain reading of all mentions gives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Coverage, Verdict
from monitor.rules.alerts import window
from monitor.rules.counted import Counted, Totals
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
from monitor.rules.times import NOTHING, Covered
from monitor.rules.windows import NEWS, Windows, horizon
from tests.fakes.counted import ANGRY, DAY, HOUR, MENTION, MINUTE, NOW, RULE, SPIKE, TOTALS, asking, at


def judge(
    rule: Rule, mentions: Sequence[Counted], new: Collection[int], totals: Totals = TOTALS, covered: Covered = NOTHING
) -> Verdict | None:
    """From scratch: what those of `mentions` with the ids `new` change."""
    return Windows.of(rule, mentions).judge([m for m in mentions if m.id in new], totals, NOW, covered)


def test_fires_as_of_the_latest_moment_that_does() -> None:
    mentions = at(90, 80, 70, 10)
    verdict = judge(RULE, mentions, {m.id for m in mentions})
    assert verdict is not None and verdict.fires
    assert verdict.at == NOW - 70 * MINUTE


def test_without_a_firing_moment_it_tells_of_the_latest() -> None:
    verdict = judge(RULE, at(20, 10), {1000, 1001})
    assert verdict is not None and not verdict.fires
    assert (verdict.at, verdict.conditions[0].found) == (NOW - 10 * MINUTE, "2")


def test_a_late_mention_completes_a_window_that_ended_after_it() -> None:
    verdict = judge(RULE, at(100, 90, 70), {1000})
    assert verdict is not None and verdict.fires and verdict.at == NOW - 70 * MINUTE


def test_a_late_mention_does_not_raise_an_old_burst_again() -> None:
    assert judge(RULE, at(900, 300, 290, 280), {1000}).fires is False  # type: ignore[union-attr]
    assert judge(RULE, at(300, 290, 280, 100), {1003}).fires is False  # type: ignore[union-attr]


def test_a_backlog_is_history() -> None:
    old = at(1500, 1501, 1502)
    assert judge(RULE, old, {m.id for m in old}) is None


@pytest.mark.parametrize(
    ("minutes", "judged"),
    [
        pytest.param((60, 30, 1), 1, id="the last moment with the late one in its window"),
        pytest.param((60, 30), 30, id="a moment before the end of the window"),
        pytest.param((60, 0), 60, id="not the moment at which the window has left it"),
        pytest.param((61, 60), 60, id="its own"),
    ],
)
def test_a_moment_is_judged_while_a_late_mention_is_in_its_window(minutes: tuple[int, ...], judged: int) -> None:
    mentions = at(*minutes)
    late = next(m.id for m in mentions if m.at == NOW - 60 * MINUTE)
    verdict = judge(RULE, mentions, {late})
    assert verdict is not None and verdict.at == NOW - judged * MINUTE


def test_mentions_that_do_not_count_change_nothing_but_the_floor() -> None:
    mentions = [*at(5, 4, 3), replace(MENTION, id=7, at=NOW, brand="Globex")]
    rule = replace(RULE, match=MatchSpec(brands=("Acme",)))
    assert judge(rule, mentions, {7}) is None
    verdict = judge(replace(rule, discussion=DiscussionFloor(mentions=4)), mentions, {7}, Totals(4, 0))
    assert verdict is not None and verdict.fires


def test_one_more_mention_costs_the_same_in_a_busy_discussion() -> None:
    """Measured: 0.02 ms for one more among 100,000 in the window, also a late one; the limit is for a slow machine."""
    rule = replace(
        asking(NegativeMentions(200_000, 6 * HOUR), NegativeShare(0.9, 6 * HOUR, 20), AuthorReach(100_000)),
        match=MatchSpec(brands=("Acme",), languages=("en",)),
    )
    mentions = (replace(MENTION, id=n, at=NOW - n * timedelta(seconds=0.2), score=n % 2 - 0.9) for n in range(100_000))
    windows = Windows.of(rule, mentions)
    start = perf_counter()
    for late in (0, 1, 30, 300):
        mention = replace(MENTION, id=-late, at=NOW - late * MINUTE)
        windows.add(mention)
        assert windows.judge([mention], TOTALS, NOW).fires is False  # type: ignore[union-attr]
    assert perf_counter() - start < 0.1


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
    lambda alerts, negative_if, floor, sources: asking(
        *alerts, negative_if=negative_if, discussion=floor, match=MatchSpec(sources=sources)
    ),
    st.lists(ALERTS, min_size=1, max_size=3),
    st.sampled_from([None, ANGRY]),
    st.sampled_from([None, DiscussionFloor(mentions=3), DiscussionFloor(reach=20)]),
    st.sampled_from([(), ("reddit",)]),
)
NUMBERS = count()
MENTIONS = st.lists(
    st.builds(
        lambda minute, reach, score, source: replace(
            MENTION, id=next(NUMBERS), at=NOW + minute * MINUTE, reach=reach, score=score, source=source
        ),
        MINUTES,
        st.integers(0, 9),
        st.sampled_from([-0.9, -0.9, 0.3, None]),
        st.sampled_from(["reddit", "reddit", "forum"]),
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
    if (floor := rule.discussion) and (totals.mentions < floor.mentions or totals.reach < floor.reach):
        return False
    counts = Windows(rule).negative
    negative = [m for m in mentions if counts(m)]
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
    changed = plainly_changed(rule, mentions, [m for m in mentions if m.id in new])
    counted = [m for m in mentions if Windows(rule).counts(m)]
    firing = [moment for moment in changed if plainly_fires(rule, counted, totals, moment, read)]
    verdict = judge(rule, mentions, new, totals, Covered(coverage))
    if verdict is None:
        assert not changed
        return
    assert (verdict.fires, verdict.at) == (bool(firing), (firing or changed)[-1])
    assert verdict == Windows.of(rule, mentions).verdict(verdict.at, totals, Covered(coverage))
    assert bool(verdict.reasons) or not verdict.fires
    needed = [m for m in mentions if m.at > NOW - NEWS - horizon(rule)]
    assert judge(rule, needed, new, totals, Covered(coverage)) == verdict


def plainly_changed(rule: Rule, mentions: Iterable[Counted], new: Iterable[Counted]) -> list[datetime]:
    """The moments to judge: of the mentions that count, and of the new ones, where one of these is in the window."""
    longest, counts = max(window(alert) for alert in rule.alert_when_any), Windows(rule).counts
    causes = [m.at for m in new if counts(m) or rule.discussion]
    moments = {m.at for m in mentions if counts(m)} | set(causes)
    return sorted(at for at in moments if at >= NOW - DAY and any(c <= at < c + longest for c in causes))


@given(RULES, MENTIONS, STRETCHES, st.randoms(use_true_random=False), st.integers(1, 5))
def test_one_by_one_is_as_all_at_once(
    rule: Rule, mentions: list[Counted], coverage: list[Coverage], random: Random, size: int
) -> None:
    """In any order and in batches of any size, with what is old dropped in between: always as from scratch."""
    random.shuffle(mentions)
    windows, covered = Windows(rule), Covered(coverage)
    for start in range(0, len(mentions), size):
        batch, arrived = mentions[start : start + size], mentions[: start + size]
        for mention in batch:
            windows.add(mention)
        if random.random() < 0.5:
            windows.prune(NOW)
        totals, fresh = Totals.of(arrived), Windows.of(rule, arrived)
        assert windows.judge(batch, totals, NOW, covered) == fresh.judge(batch, totals, NOW, covered)
        as_of = NOW - random.randrange(24 * 60) * MINUTE
        assert windows.verdict(as_of, totals, covered) == fresh.verdict(as_of, totals, covered)
        assert windows.fires(as_of, totals, covered) == fresh.fires(as_of, totals, covered)


@given(RULES, MENTIONS, STRETCHES, st.randoms(use_true_random=False))
def test_the_order_of_arrival_within_a_window_does_not_matter(
    rule: Rule, mentions: list[Counted], coverage: list[Coverage], random: Random
) -> None:
    """Whichever came last, what all together make of any moment is the same."""
    shuffled = random.sample(mentions, len(mentions))
    totals, covered = Totals.of(mentions), Covered(coverage)
    one, other = Windows.of(rule, mentions), Windows.of(rule, shuffled)
    for as_of in {m.at for m in mentions}:
        assert one.verdict(as_of, totals, covered) == other.verdict(as_of, totals, covered)
    assert one.judge(mentions, totals, NOW, covered) == other.judge(shuffled, totals, NOW, covered)


@given(RULES, MENTIONS, STRETCHES)
def test_a_replay_in_order_judges_every_mention(rule: Rule, mentions: list[Counted], coverage: list[Coverage]) -> None:
    replayed, covered, arrived = Windows(rule), Covered(coverage), []
    for mention in sorted(mentions, key=lambda m: m.at):
        arrived.append(mention)
        totals = Totals.of(arrived)
        found = Windows.of(rule, arrived).latest([mention], totals, mention.at, covered)
        assert replayed.arrives(mention, totals, covered) == (found is not None and found.fires)
        assert found is None or found.at == mention.at


@given(RULES, MENTIONS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_of_arrival_hides_nothing(rule: Rule, mentions: list[Counted], random: Random, size: int) -> None:
    """If the rule fires on all mentions as of any moment, it has fired by the time all have come, in whatever order."""
    rule = asking(*(a for a in rule.alert_when_any if not isinstance(a, Spike)), negative_if=rule.negative_if)
    everything = judge(rule, mentions, {m.id for m in mentions})
    random.shuffle(mentions)
    windows, fired = Windows(rule), False
    for start in range(0, len(mentions), size):
        batch = mentions[start : start + size]
        for mention in batch:
            windows.add(mention)
        found = windows.latest(batch, TOTALS, NOW)
        fired = fired or (found is not None and found.fires)
    assert fired or everything is None or not everything.fires


# -- how near a rule came ----------------------------------------------------------------------------------------


@given(RULES, MENTIONS, STRETCHES)
def test_progress_is_full_where_the_rule_fires_and_only_there(
    rule: Rule, mentions: list[Counted], coverage: list[Coverage]
) -> None:
    windows, totals, covered = Windows.of(rule, mentions), Totals.of(mentions), Covered(coverage)
    for as_of in {m.at for m in mentions}:
        progress = windows.progress(as_of, totals, covered)
        assert 0 <= progress <= 1
        assert (progress == 1) == windows.fires(as_of, totals, covered)


@pytest.mark.parametrize(
    ("alert", "mentions", "progress"),
    [
        pytest.param(NegativeMentions(4, HOUR), at(0, 1, 90), 0.5, id="half of the mentions"),
        pytest.param(NegativeShare(0.5, HOUR, 4), at(0) + at(1, 2, 3, score=0), 0.5, id="half of the share"),
        pytest.param(NegativeShare(0.5, HOUR, 8), at(0, 1), 0.25, id="a quarter of the mentions for a share"),
        pytest.param(AuthorReach(3600), at(0), 0.25, id="a quarter of the followers"),
        pytest.param(SPIKE, at(0, 1, 2, 3, 4), 0, id="nothing before a spike"),
        pytest.param(SPIKE, at(*[0] * 10, *[90] * 5), 0.25, id="a quarter of what the usual needs"),
        pytest.param(NegativeMentions(1, HOUR), [], 0, id="nothing"),
    ],
)
def test_progress_is_what_was_found_of_what_is_asked(
    alert: AlertCondition, mentions: list[Counted], progress: float
) -> None:
    covered = Covered([Coverage(NOW - 8 * DAY, NOW)])
    assert Windows.of(asking(alert), mentions).progress(NOW, TOTALS, covered) == progress


def test_a_floor_that_is_not_reached_holds_progress_down() -> None:
    rule = replace(RULE, discussion=DiscussionFloor(mentions=10))
    assert Windows.of(rule, at(1, 2, 3)).progress(NOW, Totals(5, 0)) == 0.5


def test_the_nearest_moment_is_the_last_that_fires_or_else_came_nearest() -> None:
    mentions = at(100, 99, 98, 30, 29, 1)
    times = [m.at for m in mentions]
    assert Windows.of(RULE, mentions).nearest(times, TOTALS) == NOW - MINUTE
    assert Windows.of(asking(NegativeMentions(4, HOUR)), mentions).nearest(times, TOTALS) == NOW - MINUTE
    assert Windows.of(asking(NegativeMentions(3, 5 * MINUTE)), mentions).nearest(times, TOTALS) == NOW - 98 * MINUTE
    assert Windows.of(RULE, []).nearest([], TOTALS) is None
