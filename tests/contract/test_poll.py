"""Scheduling on a real database: politeness and promises survive restarts, and no source can hold up another."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from monitor.errors import AccessDenied, RateLimited, SourceError, SourceRefused, SourceUnavailable, StoreError
from monitor.ingest import Commit, Counts
from monitor.model import Coverage, PollResult, Post
from monitor.poll import DEADLINE, Outcome, Polling
from monitor.store import Store, clock, follows, sources
from monitor.store.follows import Follow

NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)


@dataclass
class Scripted:
    """A source that does what the test says, and notes when it was asked with which cursor."""

    key: str
    does: Callable[[], PollResult] = lambda: PollResult((), {"read": True})
    interval: timedelta = timedelta(minutes=10)
    host: str = ""
    name: str = "scripted"
    asked: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host = self.host or self.key

    def poll(self, cursor: Mapping[str, Any], now: datetime) -> PollResult:
        self.asked.append((now, cursor))
        return self.does()


def raises(error: Exception) -> Callable[[], PollResult]:
    def does() -> PollResult:
        raise error

    return does


class Daemon:
    """The parts of the daemon that poll, driven by hand: `run_until` moves the clock second by second."""

    def __init__(self, path: Path, *configured: Scripted, now: datetime = NOW) -> None:
        self.now, self.seconds = now, 0.0
        self.store = Store(path / "b.db")
        self.outcomes: Queue[Outcome] = Queue()
        self.polling = Polling(self.store, self.outcomes, self._follow, monotonic=lambda: self.seconds)
        self.configured = configured
        self.followed: list[Scripted] = []
        self.follows_are_refused = False
        self.polling.configure(configured, now)

    def _follow(self, follow: Follow) -> Scripted:
        if self.follows_are_refused:
            raise SourceRefused("no URL")
        self.followed.append(Scripted(follow.source))
        return self.followed[-1]

    def take(self, posts: Sequence[Post], commit: Commit) -> Counts:
        with self.store.write() as connection:
            commit(connection)
        return Counts(posts=len(posts))

    def run_until(self, end: datetime, step: float = 1.0) -> None:
        while self.now < end:
            self.polling.start_due(self.now)
            while self.polling.under_way() - self.hung():
                self.polling.commit(self.outcomes.get(timeout=10), self.take, self.now)
            self.now += timedelta(seconds=step)
            self.seconds += step

    def hung(self) -> int:
        return sum(source.does is HANG for source in self.configured if source.asked)

    def state(self, key: str) -> sqlite3.Row:
        with self.store.read() as connection:
            row: sqlite3.Row = connection.execute("SELECT * FROM cursors WHERE source = ?", [key]).fetchone()
        return row

    def restart(self) -> Daemon:
        self.store.close()
        return Daemon(self.store.path.parent, *self.configured, now=self.now)


RELEASE = threading.Event()


def HANG() -> PollResult:
    RELEASE.wait(30)
    return PollResult((), {})


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    RELEASE.clear()
    yield
    RELEASE.set()


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def test_a_source_is_asked_again_after_its_interval_with_its_cursor(tmp_path: Path) -> None:
    source = Scripted("feed:a")
    Daemon(tmp_path, source).run_until(minutes(31))
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(source.asked)]
    assert len(gaps) in (2, 3) and all(timedelta(minutes=9) <= gap <= timedelta(minutes=11, seconds=2) for gap in gaps)
    assert [cursor for _, cursor in source.asked][:2] == [{}, {"read": True}]


@pytest.mark.parametrize("kind", [RateLimited, SourceUnavailable], ids=["429", "503"])
def test_retry_after_is_kept_across_a_restart(tmp_path: Path, kind: type[SourceError]) -> None:
    source = Scripted("feed:a", raises(kind("later", retry_after=timedelta(hours=2))))
    first = Daemon(tmp_path, source)
    first.run_until(minutes(5))
    again = first.restart()
    again.run_until(minutes(119), step=30)
    assert len(source.asked) == 1
    again.run_until(minutes(125), step=30)
    assert len(source.asked) == 2


def test_a_restart_makes_no_burst(tmp_path: Path) -> None:
    feeds = [Scripted(f"feed:{n}") for n in range(30)]
    first = Daemon(tmp_path, *feeds)
    first.run_until(minutes(2))
    first.now = minutes(60 * 8)
    again = first.restart()
    for feed in feeds:
        feed.asked.clear()
    again.run_until(minutes(60 * 8 + 2))
    starts = sorted(feed.asked[0][0] for feed in feeds)
    assert starts[-1] - starts[0] > timedelta(seconds=45), "overdue feeds are spread over a minute"
    assert all(len(feed.asked) == 1 for feed in feeds)


def test_what_was_read_just_before_a_restart_is_not_read_again(tmp_path: Path) -> None:
    feed = Scripted("feed:a")
    first = Daemon(tmp_path, feed)
    first.run_until(minutes(2))
    first.restart().run_until(minutes(8))
    assert len(feed.asked) == 1


def test_feeds_of_one_host_take_turns(tmp_path: Path) -> None:
    feeds = [Scripted(f"feed:{n}", host="same.example") for n in range(5)]
    daemon = Daemon(tmp_path, *feeds)
    daemon.run_until(minutes(2), step=0.25)
    starts = sorted(at for feed in feeds for at, _ in feed.asked)
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in pairwise(starts))


def test_a_source_that_hangs_is_given_up_and_delays_no_other(tmp_path: Path) -> None:
    hanging, fine = Scripted("feed:hangs", HANG), Scripted("feed:fine", interval=timedelta(seconds=20))
    daemon = Daemon(tmp_path, hanging, fine)
    daemon.run_until(NOW + timedelta(seconds=DEADLINE))
    assert len(fine.asked) >= 2
    daemon.seconds += DEADLINE
    daemon.polling.start_due(daemon.now)
    outcome = daemon.outcomes.get(timeout=10)
    daemon.polling.commit(outcome, daemon.take, daemon.now)
    assert "did not come back within 60 s" in daemon.state("feed:hangs")["error"]


def test_a_late_answer_of_a_source_that_was_given_up_is_dropped(tmp_path: Path) -> None:
    hanging = Scripted("feed:hangs", HANG)
    daemon = Daemon(tmp_path, hanging)
    daemon.polling.start_due(daemon.now)
    daemon.seconds = DEADLINE + 1
    daemon.polling.start_due(daemon.now)
    daemon.polling.commit(daemon.outcomes.get(timeout=10), daemon.take, daemon.now)
    RELEASE.set()
    for thread in [t for t in threading.enumerate() if t.name.startswith("poll ")]:
        thread.join(10)
    assert daemon.outcomes.empty() and daemon.state("feed:hangs")["failures"] == 1


def test_denied_access_stops_a_source_with_the_words_to_mend_it(tmp_path: Path) -> None:
    source = Scripted("feed:a", raises(AccessDenied("it needs a user and password")))
    daemon = Daemon(tmp_path, source)
    daemon.run_until(minutes(120), step=30)
    state = daemon.state("feed:a")
    assert (len(source.asked), state["state"], state["error"]) == (1, "stopped", "it needs a user and password")


def test_repeated_failures_back_off_visibly_and_one_success_mends_all(tmp_path: Path) -> None:
    source = Scripted("feed:a", raises(SourceUnavailable("500")))
    daemon = Daemon(tmp_path, source)
    daemon.run_until(NOW + timedelta(hours=72), step=60)
    assert daemon.state("feed:a")["state"] == "backoff"
    assert len(source.asked) < 72 * 6 / 4, "asked far less often than every ten minutes"
    source.does = lambda: PollResult((), {})
    daemon.run_until(NOW + timedelta(hours=90), step=60)
    state = daemon.state("feed:a")
    assert (state["state"], state["failures"], state["error"]) == ("active", 0, "")


def test_a_bug_in_a_source_is_a_failure_of_that_source_alone(tmp_path: Path) -> None:
    broken, fine = Scripted("feed:broken", raises(KeyError("oops"))), Scripted("feed:fine")
    daemon = Daemon(tmp_path, broken, fine)
    daemon.run_until(minutes(2))
    assert "failed unexpectedly (KeyError)" in daemon.state("feed:broken")["error"]
    assert daemon.state("feed:fine")["error"] == ""


def test_a_commit_that_fails_leaves_cursor_and_due_time(tmp_path: Path) -> None:
    source = Scripted("feed:a")
    daemon = Daemon(tmp_path, source)
    due = daemon.state("feed:a")["due_at"]
    daemon.polling.start_due(daemon.now)
    outcome = daemon.outcomes.get(timeout=10)

    def full(posts: Sequence[Post], commit: Commit) -> Counts:
        raise StoreError("the disk is full", passing=True)

    with pytest.raises(StoreError):
        daemon.polling.commit(outcome, full, daemon.now)
    assert (daemon.state("feed:a")["cursor"], daemon.state("feed:a")["due_at"]) == ("{}", due)
    assert daemon.polling.under_way() == 1, "it is not polled again before its posts are stored"
    daemon.polling.commit(outcome, daemon.take, daemon.now)
    assert daemon.state("feed:a")["cursor"] == '{"read":true}'


def test_posts_that_cannot_be_stored_are_a_failure_of_their_source_alone(tmp_path: Path) -> None:
    source, fine = Scripted("feed:a", host="h"), Scripted("feed:b", host="h")
    daemon = Daemon(tmp_path, source, fine)
    take = daemon.take

    def breaks(posts: Sequence[Post], commit: Commit) -> Counts:
        if len(source.asked) and not len(fine.asked):
            raise KeyError("an unknown error of a library")
        return take(posts, commit)

    daemon.take = breaks  # type: ignore[method-assign]
    daemon.run_until(minutes(2))
    assert "could not be stored (KeyError" in daemon.state("feed:a")["error"]
    assert fine.asked and daemon.state("feed:b")["error"] == ""


def test_a_comment_feed_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, Scripted("feed:a"))
    daemon.follows_are_refused = True
    with daemon.store.write() as connection:
        follows.follow(connection, Follow("feed:comments", "http://c", "a", "t", "1", minutes(60)))
    daemon.run_until(minutes(2))
    assert daemon.configured[0].asked


def test_a_source_cannot_make_us_follow_any_number_of_feeds(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, Scripted("feed:a"))
    with daemon.store.write() as connection:
        for number in range(200):
            follows.follow(connection, Follow(f"feed:c{number}", "http://c", "a", "t", "1", minutes(60 + number)))
        kept = {follow.source for follow in follows.follows(connection, NOW)}
    assert kept == {f"feed:c{number}" for number in range(150, 200)}


def test_an_outage_is_a_gap(tmp_path: Path) -> None:
    source = Scripted("feed:a")
    daemon = Daemon(tmp_path, source)
    daemon.run_until(minutes(2))
    source.does = raises(AccessDenied("it needs a user and password"))
    daemon.run_until(minutes(20), step=10)
    with daemon.store.read() as connection:
        (gap,) = sources.gaps(connection, NOW)
    assert gap["reason"] == "not read: it needs a user and password"


def test_a_clock_that_is_set_back_holds_up_nothing(tmp_path: Path) -> None:
    source = Scripted("feed:a")
    daemon = Daemon(tmp_path, source)
    daemon.run_until(minutes(2))
    hour = timedelta(hours=1)
    daemon.now -= hour
    daemon.polling.clock_set_back(hour)
    with daemon.store.write() as connection:
        clock.set_back(connection, hour, daemon.now)
    daemon.run_until(minutes(2) - hour + timedelta(minutes=12), step=10)
    assert len(source.asked) == 2


def test_a_gap_is_recorded(tmp_path: Path) -> None:
    stretch = Coverage(NOW, minutes(1), False, "more new entries than the feed holds")
    daemon = Daemon(tmp_path, Scripted("feed:a", lambda: PollResult((), {}, (stretch,))))
    daemon.run_until(minutes(2))
    with daemon.store.read() as connection:
        (gap,) = sources.gaps(connection, NOW)
    assert gap["reason"] == "more new entries than the feed holds"


def test_comment_feeds_are_followed_and_forgotten(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, Scripted("feed:a"))
    with daemon.store.write() as connection:
        follows.follow(connection, Follow("feed:comments", "http://c", "a", "t", "1", minutes(60)))
    daemon.run_until(minutes(2))
    assert any(source.asked for source in daemon.followed)
    daemon.run_until(minutes(70), step=10)
    assert daemon.state("feed:comments") is None
