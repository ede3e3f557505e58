"""The times of a rule that the state machine needs, and when it may speak: not while muted, not outside hours. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import Severity
from monitor.rules.people.hours import Hours


@dataclass(frozen=True, slots=True)
class Tier:
    """`after` counts from the moment the first message was confirmed. `hours`: when its team is there; None: always."""

    after: timedelta
    unless_acknowledged: bool = False
    hours: Hours | None = None
    unless_answered: bool = False


FIRST = Tier(timedelta())


@dataclass(frozen=True, slots=True)
class Clockwork:
    """`muted_until` is the end of the mutes that are in force now, if any is; `hold`: alerts wait for the team."""

    wait_first: timedelta = timedelta(seconds=30)
    update_every: timedelta = timedelta(seconds=60)
    reopen_within: timedelta = timedelta(hours=6)
    repeat_after: timedelta = timedelta(hours=4)
    repeat_at_most: int = 3
    remind_after: timedelta | None = None
    reopen_after: timedelta | None = None
    tiers: tuple[Tier, ...] = (FIRST,)
    hold: bool = True
    muted_until: datetime | None = None

    def tier(self, number: int) -> Tier:
        """Tiers count from 1; a number that the rule no longer has means its last."""
        return self.tiers[min(max(number, 1), len(self.tiers)) - 1]

    def muted(self, now: datetime) -> bool:
        return self.muted_until is not None and self.muted_until > now

    def free_at(self, number: int, severity: Severity, now: datetime) -> datetime:
        """From when the team of tier `number` may be told; `now` if at once. A critical alert waits for no hours, but a
        mute silences it too: somebody has asked for that."""
        at = max(now, self.muted_until or now)
        hours = self.tier(number).hours
        if hours is None or not self.hold or severity is Severity.CRITICAL:
            return at
        return hours.next_open(at)
