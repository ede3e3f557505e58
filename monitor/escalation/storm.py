"""Storms: where more messages are due for one channel than people can read, one summary stands for all. Pure.

    root, call, reply, notice ──many at once──▶ folded into a summary ──asked for, more severe──▶ posted by itself

What is critical is never folded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model import Severity, State
from monitor.outgoing import MessageKind

#: So many messages of one sort are read one by one; of more within `STRETCH` those that wait become one.
STORM = 10
STRETCH = timedelta(minutes=1)
#: A summary younger than this takes in what follows; later there is a new one, which notifies people again.
YOUNG = timedelta(hours=1)
#: News of many escalations are gathered for one update of their summary.
REFRESH_AFTER = timedelta(seconds=3)
#: So many discussions a summary shows line by line, and so many escalations are told that it stands there at a time.
WORST = 10
TOLD_AT_ONCE = 50


class Crowd(StrEnum):
    """What there is too much of: first messages; calls and other words about what is known; pointers to other
    channels."""

    ROOTS = "roots"
    CALLS = "calls"
    NOTICES = "notices"


def crowd_of(kind: MessageKind, payload: Mapping[str, object]) -> Crowd | None:
    """None for what never makes a storm: updates, and mere news in a thread."""
    match kind:
        case MessageKind.ROOT:
            return Crowd.ROOTS
        case MessageKind.NOTICE:
            return Crowd.NOTICES
        case MessageKind.CALL:
            return Crowd.CALLS
        case MessageKind.REPLY:
            return Crowd.CALLS if payload.get("text") else None
    return None


@dataclass(slots=True)
class Lately:
    """How many messages of each sort a channel has seen within the last `STRETCH`, those that were folded included.
    Kept in memory: after a restart a few more are posted one by one."""

    _seen: dict[tuple[str, Crowd], deque[tuple[datetime, int]]] = field(default_factory=dict)

    def note(self, channel: str, crowd: Crowd, count: int, now: datetime) -> None:
        self._seen.setdefault((channel, crowd), deque()).append((now, count))

    def count(self, channel: str, crowd: Crowd, now: datetime) -> int:
        seen = self._seen.get((channel, crowd))
        while seen and not now - STRETCH < seen[0][0] <= now:
            seen.popleft()
        if not seen:
            self._seen.pop((channel, crowd), None)
            return 0
        return sum(count for _, count in seen)


@dataclass(frozen=True, slots=True)
class Folded:
    """One escalation in a summary. `negative_share` is from 0 to 1; a whole brand's has no figures."""

    escalation_id: int
    brand: str
    severity: Severity
    state: State
    assignee: str | None
    title: str
    url: str | None = None
    mentions: int | None = None
    negative_share: float = 0.0
    reach: int = 0


@dataclass(frozen=True, slots=True)
class StormView:
    """What a summary shows, as of now. `total` escalations are folded into it, `apart` more were and have a message of
    their own by now. `homes`: the channels where they are handled; `called`: ids of those whom the messages call."""

    crowd: Crowd
    total: int
    apart: int
    brands: Mapping[str, int]
    severities: Mapping[Severity, int]
    states: Mapping[State, int]
    worst: tuple[Folded, ...]
    homes: tuple[str, ...]
    called: tuple[str, ...]
