"""Polls: which source is asked when, by a thread of its own; what came back is committed by the ingest thread.

The scheduler's thread calls `start_due`, the ingest thread `commit`. A poll that does not come back is given up at its
deadline: its thread is left behind, its answer dropped, and the source is tried again later.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from queue import Queue

from monitor import schedule
from monitor.errors import SourceError, SourceUnavailable, StoreError
from monitor.ingest import Commit, Counts
from monitor.model import Coverage, PollResult, Post, Source
from monitor.schedule import PollState, SourceState
from monitor.store import Store, follows, sources
from monitor.store.follows import Follow

log = logging.getLogger("monitor.poll")

#: Polls under way at once.
WORKERS = 8
#: A poll is given up after so many seconds; a source's own deadline is shorter.
DEADLINE = 60.0
#: With so many threads hanging in libraries no new poll is started: only a restart helps.
MOST_HUNG = 16
#: How often the list of followed comment feeds is looked up.
FOLLOWS_EVERY = timedelta(seconds=20)

Take = Callable[[Sequence[Post], Commit], Counts]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a poll came back with."""

    source: Source
    result: PollResult | SourceError


@dataclass(eq=False, slots=True)
class _Flight:
    """A poll under way since `began` (monotonic seconds); `landed` once it waits to be committed."""

    source: Source
    began: float
    thread: threading.Thread | None = None
    landed: bool = False


class Polling:
    def __init__(
        self,
        store: Store,
        outcomes: Queue[Outcome],
        follow_source: Callable[[Follow], Source],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._outcomes = outcomes
        self._follow_source = follow_source
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._configured: list[Source] = []
        self._sources: dict[str, Source] = {}
        self._states: dict[str, SourceState] = {}
        self._flights: dict[str, _Flight] = {}
        self._hung: list[threading.Thread] = []
        self._last_start: dict[str, datetime] = {}
        self._follows_due: datetime | None = None

    # -- the scheduler's thread ----------------------------------------------------------------------------------

    def configure(self, configured: Sequence[Source], now: datetime, *, at_once: bool = False) -> None:
        """Poll these sources from now on, and the comment feeds that are followed. `at_once`: what is new or overdue
        is not spread over the next minute."""
        with self._lock:
            self._configured = list(configured)
            with self._store.read() as connection:
                known = sources.states(connection)
            self._sources = self._wanted(now)
            self._states = {state.key: state for state in schedule.at_start(known, list(self._sources.values()), now)}
            if at_once:
                overdue = [key for key in self._states if key not in known or known[key].due_at <= now]
                self._states |= {key: replace(self._states[key], due_at=now) for key in overdue}
            self._save(self._states.values())

    def _wanted(self, now: datetime) -> dict[str, Source]:
        with self._store.read() as connection:
            found = follows.follows(connection, now)
        self._follows_due = now + FOLLOWS_EVERY
        wanted: dict[str, Source] = {}
        for follow in found:
            try:
                wanted[follow.source] = self._follow_source(follow)
            except SourceError as error:
                log.warning("the comments on %s are not read: %s", follow.conversation_id, error)
        return wanted | {source.key: source for source in self._configured}

    def _look_for_follows(self, now: datetime) -> None:
        wanted = self._wanted(now)
        if wanted.keys() == self._sources.keys():
            return
        self._sources = wanted
        new = schedule.at_start({}, [source for key, source in wanted.items() if key not in self._states], now)
        kept = {key: state for key, state in self._states.items() if key in wanted}
        self._states = kept | {state.key: state for state in new}
        with self._store.write() as connection:
            follows.unfollow_ended(connection, now)
        self._save(new)

    def _save(self, changed: Iterable[SourceState]) -> None:
        with self._store.write() as connection:
            sources.forget_sources(connection, self._sources)
            for state in changed:
                sources.save_state(connection, state)

    def start_due(self, now: datetime, due_by: datetime | None = None) -> datetime | None:
        """Start the polls whose time has come (that were due by `due_by`, if given); return when there may be more."""
        with self._lock:
            self._give_up_overdue(now)
            if self._follows_due is None or now >= self._follows_due:
                self._look_for_follows(now)
            free = WORKERS if len(self._hung) < MOST_HUNG else 0
            hosts = {key: source.host for key, source in self._sources.items()}
            hosts |= {key: flight.source.host for key, flight in self._flights.items()}
            due = [state for state in self._states.values() if due_by is None or state.due_at <= due_by]
            for key in schedule.next_polls(due, hosts, self._flights, self._last_start, now, free):
                self._start(self._sources[key], now)
            return schedule.next_wake(due, hosts, self._flights, self._last_start, now)

    def _start(self, source: Source, now: datetime) -> None:
        with self._store.read() as connection:
            cursor = sources.cursor_of(connection, source.key)
        flight = _Flight(source, self._monotonic())
        flight.thread = threading.Thread(
            target=self._poll, args=(flight, cursor, now), name=f"poll {source.name}", daemon=True
        )
        self._last_start[source.host] = now
        self._flights[source.key] = flight
        try:
            flight.thread.start()
        except RuntimeError as error:
            # The system gives no more threads just now; the source is still due.
            del self._flights[source.key]
            log.error("%s was not polled: %s", source.key, error)

    def _give_up_overdue(self, now: datetime) -> None:
        self._hung = [thread for thread in self._hung if thread.is_alive()]
        for key, flight in list(self._flights.items()):
            if flight.landed or self._monotonic() - flight.began <= DEADLINE:
                continue
            # What it may still bring is dropped: `_poll` finds that the flight is no longer its own.
            replacement = _Flight(flight.source, flight.began, landed=True)
            self._flights[key] = replacement
            if flight.thread:
                self._hung.append(flight.thread)
            what = f"did not come back within {DEADLINE:.0f} s; it was given up and will be tried again"
            log.error("%s %s", key, what)
            threading.Thread(
                target=self._outcomes.put, args=(Outcome(flight.source, SourceUnavailable(what)),), daemon=True
            ).start()

    def _poll(self, flight: _Flight, cursor: dict[str, object], now: datetime) -> None:
        result: PollResult | SourceError
        try:
            result = flight.source.poll(cursor, now)
        except SourceError as error:
            result = error
        except Exception as error:
            log.exception("%s failed in a way it should not", flight.source.key)
            result = SourceUnavailable(f"failed unexpectedly ({type(error).__name__}); the log has the details")
        with self._lock:
            if self._flights.get(flight.source.key) is not flight:
                return
            flight.landed = True
        self._outcomes.put(Outcome(flight.source, result))

    def clock_set_back(self, by: timedelta) -> None:
        """Nothing waits for a time that was told by a clock that has been set back."""
        with self._lock:
            self._states = {key: replace(state, due_at=state.due_at - by) for key, state in self._states.items()}
            self._follows_due = None

    def under_way(self) -> int:
        """Polls that have not been committed yet."""
        with self._lock:
            return len(self._flights)

    # -- the ingest thread ---------------------------------------------------------------------------------------

    def commit(self, outcome: Outcome, take: Take, now: datetime) -> Counts:
        """Store what a poll brought, with its cursor, coverage and next due time, in one transaction.

        Raises `StoreError` where the database cannot be written for now: the same outcome is to be committed again.
        """
        source, result = outcome.source, outcome.result
        with self._lock:
            before = self._states.get(source.key) or SourceState(source.key, source.name, now)
        jitter = random.random()
        if isinstance(result, SourceError):
            state = schedule.after_failure(before, result, source.interval, now, jitter)
            with self._store.write() as connection:
                sources.save_state(connection, state)
                if state.state is not PollState.ACTIVE and state.last_success_at:
                    outage = Coverage(state.last_success_at, now, complete=False, reason=f"not read: {state.error}")
                    sources.cover(connection, source.key, outage)
            counts = Counts()
        else:
            state = schedule.after_success(before, source.interval, result.not_before, now, jitter)
            try:
                counts = take(result.posts, _writer(source, result, state))
            except Exception as error:
                if isinstance(error, StoreError) and error.passing:
                    raise
                log.exception("what %s brought cannot be stored", source.key)
                failure = SourceUnavailable(f"what it brought could not be stored ({type(error).__name__}: {error})")
                return self.commit(Outcome(source, failure), take, now)
        with self._lock:
            if source.key in self._sources:
                self._states[source.key] = state
            self._flights.pop(source.key, None)
        _log_outcome(before, state, outcome, counts)
        return counts


def _writer(source: Source, result: PollResult, state: SourceState) -> Commit:
    def write(connection: sqlite3.Connection) -> None:
        sources.save_state(connection, state, note="; ".join(result.notes))
        sources.save_cursor(connection, source.key, result.cursor)
        for stretch in result.coverage:
            sources.cover(connection, source.key, stretch)

    return write


def _log_outcome(before: SourceState, state: SourceState, outcome: Outcome, counts: Counts) -> None:
    if state.error and (state.error, state.state) != (before.error, before.state):
        log.warning("%s: %s", state.key, state.error)
    elif before.error and not state.error:
        log.info("%s can be read again", state.key)
    if counts.mentions:
        log.info("%s: %d posts, %d new mentions", state.key, counts.posts, counts.mentions)
