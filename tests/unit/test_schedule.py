from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import (
    AccessDenied,
    BadDocument,
    RateLimited,
    SourceError,
    SourceGone,
    SourceRefused,
    SourceUnavailable,
)
from monitor.model import PollResult
from monitor.schedule import PollState, SourceState, after_failure, after_success, at_start, next_polls, next_wake

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STATE = SourceState(key="feed:a", name="a", due_at=NOW)
TROUBLED = replace(STATE, state=PollState.BACKOFF, failures=7, error="The host did not answer.")


@dataclass(frozen=True)
class Feed:
    key: str
    interval: timedelta = 10 * MINUTE
    name: str = "a feed"
    host: str = "example.org"

    def poll(self, cursor: Mapping[str, Any], now: datetime) -> PollResult:
        raise NotImplementedError


# -- after a poll ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("not_before", "jitter", "wait"),
    [
        pytest.param(None, 0.5, 10 * MINUTE, id="interval"),
        pytest.param(None, 0.0, 9 * MINUTE, id="a tenth earlier"),
        pytest.param(None, 1.0, 11 * MINUTE, id="a tenth later"),
        pytest.param(NOW + HOUR, 0.0, HOUR, id="asked to come later"),
        pytest.param(NOW + MINUTE, 0.5, 10 * MINUTE, id="asked to come sooner"),
        pytest.param(NOW + 90 * DAY, 0.5, DAY, id="asked never to come again"),
    ],
)
def test_after_a_success(not_before: datetime | None, jitter: float, wait: timedelta) -> None:
    after = after_success(TROUBLED, 10 * MINUTE, not_before, NOW, jitter)
    assert after == replace(STATE, due_at=NOW + wait, last_success_at=NOW)


@pytest.mark.parametrize(
    ("error", "state", "failures", "wait"),
    [
        pytest.param(SourceUnavailable("404"), PollState.ACTIVE, 1, 15 * MINUTE, id="first failure"),
        pytest.param(BadDocument("no feed"), PollState.ACTIVE, 1, 15 * MINUTE, id="unreadable"),
        pytest.param(RateLimited("429"), PollState.ACTIVE, 1, 15 * MINUTE, id="too many, without a time"),
        pytest.param(RateLimited("429", retry_after=HOUR), PollState.ACTIVE, 0, HOUR, id="too many, with a time"),
        pytest.param(SourceUnavailable("503", retry_after=HOUR), PollState.ACTIVE, 0, HOUR, id="503 with a time"),
        pytest.param(RateLimited("429", retry_after=0 * HOUR), PollState.ACTIVE, 0, 10 * MINUTE, id="no loop"),
        pytest.param(RateLimited("429", retry_after=-HOUR), PollState.ACTIVE, 0, 10 * MINUTE, id="a date gone by"),
        pytest.param(RateLimited("429", retry_after=999 * DAY), PollState.ACTIVE, 0, 31 * DAY, id="far too long"),
        pytest.param(AccessDenied("401"), PollState.STOPPED, 1, DAY, id="no access"),
        pytest.param(SourceRefused("private address"), PollState.STOPPED, 1, DAY, id="refused by us"),
        pytest.param(SourceGone("410"), PollState.PAUSED, 1, 7 * DAY, id="gone"),
    ],
)
def test_after_a_failure(error: SourceError, state: PollState, failures: int, wait: timedelta) -> None:
    after = after_failure(STATE, error, 10 * MINUTE, NOW, jitter=0.5)
    assert after == replace(STATE, state=state, failures=failures, error=str(error), due_at=NOW + wait)


def test_backs_off_up_to_six_hours_and_says_so_until_one_success() -> None:
    state, waits, states = STATE, [], []
    for _ in range(40):
        state = after_failure(state, SourceUnavailable("500"), 10 * MINUTE, NOW, jitter=1.0)
        waits.append((state.due_at - NOW) / MINUTE)
        states.append(state.state)
    assert waits[:6] == [20, 40, 80, 160, 320, 360] and set(waits[6:]) == {360}
    assert states == [PollState.ACTIVE] * 4 + [PollState.BACKOFF] * 36
    assert after_success(state, 10 * MINUTE, None, NOW, 0.5).state is PollState.ACTIVE


def test_being_told_when_to_come_back_neither_opens_nor_closes_a_back_off() -> None:
    assert after_failure(TROUBLED, RateLimited("429", retry_after=HOUR), MINUTE, NOW, 0.5).state is PollState.BACKOFF


def test_a_stopped_source_that_fails_otherwise_is_tried_more_often_again() -> None:
    stopped = after_failure(STATE, AccessDenied("401"), MINUTE, NOW, 0.5)
    assert after_failure(stopped, SourceUnavailable("500"), MINUTE, NOW, 0.5).state is PollState.ACTIVE


@given(
    st.sampled_from([SourceUnavailable("500"), BadDocument("html"), RateLimited("429"), AccessDenied("403")]),
    st.integers(0, 10**6),
    st.timedeltas(SECOND, 30 * DAY),
    st.floats(0, 1, exclude_max=True),
)
def test_never_asks_sooner_than_the_interval_after_a_failure(
    error: SourceError, failures: int, interval: timedelta, jitter: float
) -> None:
    after = after_failure(replace(STATE, failures=failures), error, interval, NOW, jitter)
    assert NOW + min(interval, DAY) <= after.due_at <= NOW + max(interval, DAY)


# -- at the start ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "due_at"),
    [
        pytest.param(None, NOW, id="new"),
        pytest.param(replace(STATE, due_at=NOW - DAY), NOW, id="overdue"),
        pytest.param(replace(STATE, due_at=NOW + HOUR), NOW + HOUR, id="its time is kept"),
        pytest.param(replace(STATE, due_at=NOW + 30 * DAY), NOW + 30 * DAY, id="a long Retry-After is kept"),
        pytest.param(replace(STATE, due_at=NOW + 9999 * DAY), NOW, id="stored while the clock was wrong"),
        pytest.param(replace(TROUBLED, due_at=NOW + HOUR), NOW + HOUR, id="back-off is kept"),
        pytest.param(replace(STATE, state=PollState.PAUSED, due_at=NOW + DAY), NOW + DAY, id="gone stays paused"),
        pytest.param(replace(STATE, state=PollState.STOPPED, due_at=NOW + HOUR), NOW, id="stopped may be mended"),
        pytest.param(replace(STATE, state=PollState.STOPPED, due_at=NOW + DAY - MINUTE), NOW + 4 * MINUTE,
                     id="stopped a minute ago"),
    ],
)  # fmt: skip
def test_at_start(known: SourceState | None, due_at: datetime) -> None:
    (started,) = at_start({"feed:a": known} if known else {}, [Feed("feed:a", name="renamed")], NOW)
    assert started == replace(known or STATE, name="renamed", due_at=due_at)


def test_a_restart_makes_no_burst() -> None:
    feeds = [Feed(str(n)) for n in range(60)]
    assert [state.due_at for state in at_start({}, feeds, NOW)] == [NOW + n * SECOND for n in range(60)]
    quick = [Feed(str(n), interval=2 * SECOND) for n in range(4)]
    assert [state.due_at for state in at_start({}, quick, NOW)] == [NOW + n * SECOND / 2 for n in range(4)]


def test_sources_that_are_no_longer_configured_leave() -> None:
    assert at_start({"feed:a": STATE}, [], NOW) == ()


# -- what to poll now --------------------------------------------------------------------------------------------


def states(**due: float) -> list[SourceState]:
    """Sources by name, due so many seconds after NOW."""
    return [SourceState(key, key, NOW + seconds * SECOND) for key, seconds in due.items()]


@pytest.mark.parametrize(
    ("due", "hosts", "in_flight", "last_start", "limit", "chosen", "wake"),
    [
        pytest.param({"a": 5, "b": 3}, "ab", "", {}, 9, "", 3, id="nothing due"),
        pytest.param({}, "", "", {}, 9, "", None, id="nothing at all"),
        pytest.param({"a": 0, "b": -9, "c": -5}, "abc", "", {}, 9, "bca", None, id="longest due first"),
        pytest.param({"a": 0, "b": -9, "c": -5}, "abc", "", {}, 2, "bc", 1, id="limit"),
        pytest.param({"a": 0, "b": 0, "c": 0}, "abc", "a", {}, 2, "b", 1, id="the limit counts those in flight"),
        pytest.param({"a": 0, "b": -1, "c": 0}, "xxy", "", {}, 9, "bc", None, id="one poll a host"),
        pytest.param({"a": 0, "b": 0}, "xx", "a", {}, 9, "", None, id="the host is being polled"),
        pytest.param({"a": 0}, "x", "", {"x": -0.25}, 9, "", 0.75, id="the host was just asked"),
        pytest.param({"a": 0}, "x", "", {"x": -1}, 9, "a", None, id="the host has had its rest"),
        pytest.param({"a": 0}, "x", "", {"x": 3600}, 9, "a", None, id="the clock went back"),
    ],
)
def test_what_to_poll_now(
    due: dict[str, float], hosts: str, in_flight: str, last_start: dict[str, float], limit: int, chosen: str,
    wake: float | None,
) -> None:  # fmt: skip
    host_of, flying = dict(zip(due, hosts, strict=True)), set(in_flight)
    starts = {host: NOW + seconds * SECOND for host, seconds in last_start.items()}
    assert next_polls(states(**due), host_of, flying, starts, NOW, limit) == list(chosen)
    flying |= set(chosen)
    starts |= {host_of[key]: NOW for key in chosen}
    assert next_wake(states(**due), host_of, flying, starts, NOW) == (None if wake is None else NOW + wake * SECOND)


@given(st.lists(st.tuples(st.integers(-60, 60), st.sampled_from("wxyz")), max_size=30), st.integers(1, 5), st.data())
def test_every_source_gets_its_turn_politely(feeds: list[tuple[int, str]], limit: int, data: st.DataObject) -> None:
    waiting = {str(n): SourceState(str(n), str(n), NOW + due * SECOND) for n, (due, _) in enumerate(feeds)}
    hosts = {str(n): host for n, (_, host) in enumerate(feeds)}
    flying: dict[str, datetime] = {}
    last_start: dict[str, datetime] = {}
    now = NOW
    while waiting or flying:
        for key in [key for key, ends in flying.items() if ends <= now]:
            del flying[key], waiting[key]
        for key in next_polls(waiting.values(), hosts, flying, last_start, now, limit):
            assert waiting[key].due_at <= now
            assert hosts[key] not in {hosts[other] for other in flying}
            assert now - last_start.get(hosts[key], NOW - DAY) >= SECOND
            last_start[hosts[key]] = now
            flying[key] = now + data.draw(st.sampled_from([0.25, 3.0])) * SECOND
        assert len(flying) <= limit
        wake = next_wake(waiting.values(), hosts, flying, last_start, now)
        assert wake is None or wake > now
        events = [*flying.values(), *([wake] if wake else [])]
        assert events or not waiting, "nothing would ever wake the scheduler again"
        now = min(events, default=now)
