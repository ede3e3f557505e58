"""The errors of brand-monitor; every third-party error is mapped to one of these by the adapter that met it.

MonitorError                 anything a person is told in one sentence; never a traceback
├─ ConfigError               one or more `Problem`s in configuration, rules or wrong usage (exit status 2)
├─ StoreError                the database cannot be used: not one of ours, newer, read-only, full, locked
├─ ModelError                the sentiment model cannot be loaded
├─ BadPost                   one line or entry is no post; it is counted and set aside
├─ SourceError               a poll failed; `permanent` and `retry_after` tell the scheduler what follows
│   ├─ AccessDenied          401, 403: the source stops until a person mends it
│   ├─ SourceGone            410: the publisher ended it; paused visibly
│   ├─ SourceRefused         our own guard refused it: private address, scheme, too many redirects
│   ├─ RateLimited           429, 503 with Retry-After
│   ├─ SourceUnavailable     timeouts, resets, 404, 5xx: tried again with back-off
│   └─ BadDocument           an answer that cannot be read
└─ DeliveryError             a message did not (surely) arrive
    ├─ DeliveryRefused       Slack said no; `code` is its error: blocked until mended
    ├─ DeliveryLimited       429; the whole channel waits `retry_after`
    ├─ DeliveryFailed        it surely did not arrive: no connection; tried again with back-off
    └─ DeliveryUnknown       it may have arrived: ask before sending again
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class MonitorError(Exception):
    """What went wrong and what to do, in one sentence that a person can read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend in a file, printed as `file:line:column: key: message`.

    `line` and `column` count from 1; 0 means the whole file. `message` says what is wrong and what to write.
    A `warning` is worth a look but does not keep the configuration from being used.
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    warning: bool = False

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        line = ": ".join(part for part in (place, self.key, self.message) if part)
        # Names of files and what stands in them may hold what a terminal obeys or what turns the line round.
        return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)


class ConfigError(MonitorError):
    """All problems found at once, in the order of their files and lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class StoreError(MonitorError):
    """The database cannot be used as it is; the message says what to do. Nothing was changed.

    `passing`: it is busy, full or read-only; the same again may succeed when that is over.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        self.passing = passing
        super().__init__(message)


class ModelError(MonitorError):
    """The sentiment model cannot be loaded; there is no silent fallback."""


class BadPost(MonitorError):
    """A line or an entry that is no post."""


class SourceError(MonitorError):
    """A poll failed.

    `permanent`: trying again will not help until a person acts; the source stops and `status` says so.
    `retry_after`: how long the other side asked us to wait, if it did.
    """

    permanent = False

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class AccessDenied(SourceError):
    permanent = True


class SourceGone(SourceError):
    permanent = True


class SourceRefused(SourceError):
    permanent = True


class RateLimited(SourceError):
    pass


class SourceUnavailable(SourceError):
    pass


class BadDocument(SourceError):
    pass


class DeliveryError(MonitorError):
    """A message did not arrive, or nobody knows whether it did."""


class DeliveryRefused(DeliveryError):
    """Slack refused the message for good; `code` is its error code, for example `channel_not_found`."""

    def __init__(self, message: str, *, code: str) -> None:
        self.code = code
        super().__init__(message)


class DeliveryLimited(DeliveryError):
    """Too many requests: the channel pauses for `retry_after`."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class DeliveryFailed(DeliveryError):
    """The request never reached Slack, or Slack never read it: the message surely did not arrive."""


class DeliveryUnknown(DeliveryError):
    """The connection broke or the server failed after the request left: the message may stand in the channel."""
