"""When each source is polled next: politeness, back-off and what a failure means. It polls and stores nothing.

| what happened                         | then                                                                       |
|---------------------------------------|----------------------------------------------------------------------------|
| success                               | again after the interval, give or take a tenth, or later if asked to       |
| the other side says when (429, 503)   | not before that; it is not counted as a failure                            |
| any other trouble (404, 5xx, timeout) | back-off from the interval up to 6 h; after 5 in a row the state says so   |
| 401, 403, refused by our own guard    | stopped: tried once a day, and soon after a start, as it may be mended     |
| 410                                   | paused: tried once a week, as publishers err too                           |

Due times are stored, so that a restart neither forgets a promise nor makes a burst. Jitter is a number in [0, 1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.errors import SourceError, SourceGone
from monitor.model import Source

#: The longest that we let a feed's ttl, max-age or Expires put off the next poll; and a Retry-After.
LONGEST_TTL, LONGEST_RETRY_AFTER = timedelta(hours=24), timedelta(days=31)
LONGEST_BACKOFF = timedelta(hours=6)
#: Failures in a row after which a source counts as being in trouble.
TROUBLE = 5
RETRY_STOPPED, RETRY_PAUSED = timedelta(days=1), timedelta(days=7)
#: A stopped source is not tried more often than this, however often the daemon starts.
RETRY_AT_START = timedelta(minutes=5)
#: New and overdue sources are spread over this time, or over their interval if that is shorter.
SPREAD = timedelta(seconds=60)
#: Between two polls of one host.
SPACING = timedelta(seconds=1)


class PollState(StrEnum):
    ACTIVE = "active"
    BACKOFF = "backoff"
    STOPPED = "stopped"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source stands. `failures` are those in a row; `error` is the last trouble, "" after a success."""

    key: str
    name: str
    due_at: datetime
    state: PollState = PollState.ACTIVE
    failures: int = 0
    error: str = ""
    last_success_at: datetime | None = None


# -- after a poll ------------------------------------------------------------------------------------------------


def after_success(
    source: SourceState, interval: timedelta, not_before: datetime | None, now: datetime, jitter: float
) -> SourceState:
    due_at = now + interval * (0.9 + 0.2 * jitter)
    if not_before is not None:
        due_at = max(due_at, min(not_before, now + LONGEST_TTL))
    return SourceState(source.key, source.name, due_at, last_success_at=now)


def after_failure(
    source: SourceState, error: SourceError, interval: timedelta, now: datetime, jitter: float
) -> SourceState:
    failed = replace(source, error=str(error), failures=source.failures + 1)
    if isinstance(error, SourceGone):
        return replace(failed, state=PollState.PAUSED, due_at=now + RETRY_PAUSED)
    if error.permanent:
        return replace(failed, state=PollState.STOPPED, due_at=now + RETRY_STOPPED)
    if error.retry_after is not None:
        # "Retry-After: 0" is no invitation to ask in a loop.
        wait = max(min(error.retry_after, LONGEST_RETRY_AFTER), interval)
        return replace(failed, state=_in_trouble(source.failures), failures=source.failures, due_at=now + wait)
    longest = max(min(interval * 2 ** min(failed.failures, 16), LONGEST_BACKOFF), interval)
    wait = interval + (longest - interval) * jitter
    return replace(failed, state=_in_trouble(failed.failures), due_at=now + wait)


def _in_trouble(failures: int) -> PollState:
    return PollState.BACKOFF if failures >= TROUBLE else PollState.ACTIVE


def at_start(known: Mapping[str, SourceState], sources: Collection[Source], now: datetime) -> tuple[SourceState, ...]:
    """The states of `sources` as of a start, a reload, or when one is added; others in `known` are left out.

    What was stored stays, but for sources that are overdue, new, or stopped: they are due soon, evenly spread.
    """
    return tuple(
        _started(known.get(source.key), source, now, now + min(source.interval, SPREAD) * (place / len(sources)))
        for place, source in enumerate(sources)
    )


def _started(known: SourceState | None, source: Source, now: datetime, soon: datetime) -> SourceState:
    if known is None:
        return SourceState(source.key, source.name, soon)
    known = replace(known, name=source.name)
    # Nothing here puts a poll off so far: the clock was wrong when that was stored.
    unlikely = now + max(LONGEST_RETRY_AFTER, 2 * source.interval)
    if not now < known.due_at <= unlikely:
        return replace(known, due_at=soon)
    if known.state is PollState.STOPPED:
        may_try = known.due_at - RETRY_STOPPED + RETRY_AT_START
        return replace(known, due_at=min(known.due_at, max(soon, may_try)))
    return known


# -- what to poll now --------------------------------------------------------------------------------------------


def next_polls(
    states: Iterable[SourceState],
    hosts: Mapping[str, str],
    in_flight: Collection[str],
    last_start: Mapping[str, datetime],
    now: datetime,
    limit: int,
) -> list[str]:
    """The keys of the sources to poll now, the longest due first; a host gets one poll at a time, one in `SPACING`.

    `hosts` names the host of every key; `in_flight` are the keys being polled, of which there shall be `limit` at
    most; `last_start` says when a host was last asked.
    """
    waiting = _waiting(states, hosts, in_flight, last_start, now)
    asked: set[str] = set()
    chosen: list[str] = []
    for state in sorted((state for may, state in waiting if may <= now), key=lambda state: (state.due_at, state.key)):
        if len(in_flight) + len(chosen) >= limit:
            break
        if hosts[state.key] not in asked:
            asked.add(hosts[state.key])
            chosen.append(state.key)
    return chosen


def next_wake(
    states: Iterable[SourceState],
    hosts: Mapping[str, str],
    in_flight: Collection[str],
    last_start: Mapping[str, datetime],
    now: datetime,
) -> datetime | None:
    """When to ask `next_polls` again after its polls have begun, or None: not before one of them has ended."""
    earliest = min((may for may, _ in _waiting(states, hosts, in_flight, last_start, now)), default=None)
    # What may start already was kept back by the limit.
    return earliest and (earliest if earliest > now else now + SPACING)


def _waiting(
    states: Iterable[SourceState],
    hosts: Mapping[str, str],
    in_flight: Collection[str],
    last_start: Mapping[str, datetime],
    now: datetime,
) -> Iterator[tuple[datetime, SourceState]]:
    """The sources whose host is idle, each with the time from which it may be polled."""
    busy = {hosts[key] for key in in_flight}
    for state in states:
        host = hosts[state.key]
        if host in busy:
            continue
        asked_at = last_start.get(host)
        # A start in the future was before the clock went back.
        if asked_at is None or asked_at > now:
            yield state.due_at, state
        else:
            yield max(state.due_at, asked_at + SPACING), state
