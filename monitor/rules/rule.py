"""A rule as frozen values; where file and value agree, with the bounds that a file must keep.

How files become rules is the business of `language` and `load`; judging is that of `windows`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, Strict

from monitor.fields import Count, Duration, Share, between
from monitor.model import Scope, Severity

Within = Annotated[Duration, between("1s", "30d")]


class Status(StrEnum):
    """`test`: recorded and shown in `rules`, never posted."""

    TEST = "test"
    LIVE = "live"
    OFF = "off"


class OutsideHours(StrEnum):
    """What happens to an alert while the team's doors are closed; a critical one always notifies."""

    HOLD = "hold"
    NOTIFY = "notify"


# -- which mentions count ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TopicsSpec:
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """All conditions must hold; an empty tuple asks for nothing. `author_reach` is the least number of followers."""

    brands: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    topics: TopicsSpec | None = None
    author_reach: int | None = None


@dataclass(frozen=True, slots=True)
class NegativeIf:
    """Which of the matched mentions count as negative: score in [-1, 1], confidence in [0, 1]."""

    sentiment_at_most: float | None = None
    confidence_at_least: float | None = None


@dataclass(frozen=True, slots=True)
class DiscussionFloor:
    """What the discussion as a whole must reach before any condition is asked; 0 asks for nothing."""

    mentions: int = 0
    reach: int = 0


# -- when it alerts ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NegativeMentions:
    """So many negative mentions in so short a time."""

    at_least: Count
    within: Within


@dataclass(frozen=True, slots=True)
class NegativeShare:
    """Such a share of negative ones among the matched mentions."""

    at_least: Share
    """0.4 is four in ten."""
    within: Within
    minimum_total: Count
    """With fewer matched mentions a share says nothing."""


@dataclass(frozen=True, slots=True)
class Spike:
    """So many `times` more negative mentions than in an average stretch of `within` during the `baseline` before."""

    times: Annotated[float, Strict(), Field(gt=1, le=1000)]
    within: Within
    baseline: Annotated[Duration, between("1m", "90d")]
    """The time before, that counts as usual."""
    minimum_now: Count
    """With fewer mentions within, nothing is a spike."""
    minimum_baseline: Count
    """With fewer mentions in the baseline, nobody knows what is usual."""


@dataclass(frozen=True, slots=True)
class AuthorReach:
    """One negative mention by an author with so many followers."""

    at_least: Count


AlertCondition = NegativeMentions | NegativeShare | Spike | AuthorReach


# -- whom it calls -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Timing:
    wait_first: Annotated[Duration, between("0s", "1h")] = timedelta(seconds=30)
    """How long the first message waits for more, so that a burst makes one message."""
    update_every: Annotated[Duration, between("1s", "1d")] = timedelta(seconds=60)
    """News of a thread are gathered for so long."""
    repeat_after: Annotated[Duration, between("1m", "30d")] = timedelta(hours=4)
    """After the last tier: how long until the alert is repeated."""
    repeat_at_most: Annotated[int, Strict(), Field(ge=0, le=100)] = 3
    reopen_within: Annotated[Duration, between("0s", "30d")] = timedelta(hours=6)
    """A match so soon after the end reopens the escalation; a later one makes a new one."""


class Unless(StrEnum):
    """What spares a tier: somebody has taken the escalation, or one of our own accounts has answered."""

    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class TierSpec:
    """`after` counts from the moment the first post was confirmed. It is told unless somebody has taken it, or one of
    our own accounts has answered, where it says so. `mention` calls the team by name in Slack."""

    after: timedelta
    team: str
    unless_acknowledged: bool = False
    mention: bool = False
    unless_answered: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What happens when somebody took it and does not resolve it; both count from the acknowledgement."""

    remind_after: Annotated[Duration, between("1m", "30d")] | None = None
    """How long until the one who took it is reminded."""
    reopen_after: Annotated[Duration, between("1m", "30d")] | None = None
    """How long until it counts as untaken again."""


@dataclass(frozen=True, slots=True)
class Mute:
    """From when until when the rule posts nothing; what it would have posted is held until then."""

    until: datetime
    because: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule file. `source_text` is the file itself: the snapshot that an escalation keeps."""

    id: str
    title: str
    owner: str
    status: Status
    severity: Severity
    match: MatchSpec
    alert_when_any: tuple[AlertCondition, ...]
    escalate: tuple[TierSpec, ...]
    file: str
    source_text: str
    negative_if: NegativeIf | None = None
    discussion: DiscussionFloor | None = None
    scope: Scope = Scope.DISCUSSION
    timing: Timing = Timing()
    acknowledged: Acknowledged | None = None
    outside_hours: OutsideHours = OutsideHours.HOLD
    playbook: str | None = None
    mutes: tuple[Mute, ...] = ()

    @property
    def asks_the_usual(self) -> bool:
        """Whether it compares with what is usual: then it matters what was covered before."""
        return any(isinstance(condition, Spike) for condition in self.alert_when_any)

    def watches(self, brand: str, competitors: Collection[str]) -> bool:
        """Competitors are watched only by rules that name them."""
        if self.status is Status.OFF:
            return False
        return brand in self.match.brands if self.match.brands else brand not in competitors
