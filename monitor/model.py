"""The vocabulary: what the monitor speaks about, as frozen values. No I/O, no decisions; imports nothing of ours.

All times are aware datetimes in UTC. `reach` is a number of followers. Scores are in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

# -- what is read ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Author:
    """Who published a post, as far as the source tells."""

    id: str | None = None
    handle: str | None = None
    name: str | None = None
    followers: int | None = None


@dataclass(frozen=True, slots=True)
class Engagement:
    likes: int = 0
    reposts: int = 0
    replies: int = 0


@dataclass(frozen=True, slots=True)
class Post:
    """One thing somebody published, normalised from any source. Identity: (`source`, `native_id`).

    `text` and `title` are plain text. `conversation_id` is the source's own name of the thread, or the link of the
    entry that a comment belongs to. `comments_url` is a feed of the comments on this post, if there is one.
    """

    source: str
    native_id: str
    text: str
    published_at: datetime
    url: str | None = None
    title: str | None = None
    author: Author = field(default_factory=Author)
    conversation_id: str | None = None
    parent_id: str | None = None
    language: str | None = None
    engagement: Engagement = field(default_factory=Engagement)
    comments_url: str | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """A stretch of time of one source: read completely, or a gap with its `reason`."""

    start: datetime
    end: datetime
    complete: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one poll brought: committed in one transaction by the store.

    `cursor` is JSON the source alone understands. `not_before` is how soon the other side wants to be asked again
    (ttl, max-age, Expires), before the scheduler's own interval and clamps. `notes` are sentences for the operator.
    """

    posts: tuple[Post, ...]
    cursor: Mapping[str, Any]
    coverage: tuple[Coverage, ...] = ()
    not_before: datetime | None = None
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """Anything posts are polled from. `poll` never sleeps, never retries, and raises only `SourceError`s."""

    @property
    def key(self) -> str:
        """Unique and stable across restarts, for example `feed:https://example.org/feed.xml`."""

    @property
    def name(self) -> str:
        """What people call it; the `source` of its posts."""

    @property
    def interval(self) -> timedelta: ...

    @property
    def host(self) -> str:
        """Polls of one host are spaced out."""

    def poll(self, cursor: Mapping[str, Any], now: datetime) -> PollResult: ...


# -- what is judged ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Match:
    """A brand found in a post: the `terms` as configured, and the `snippet` of the original text around the first."""

    brand: str
    terms: tuple[str, ...]
    snippet: str


class Label(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


#: The model of a mention whose feeling a person has told.
PERSON = "person"


@dataclass(frozen=True, slots=True)
class Sentiment:
    """Calibrated probabilities (they sum to 1) that `model` gives for the feeling towards the brand."""

    negative: float
    neutral: float
    positive: float
    model: str

    @property
    def score(self) -> float:
        """P(positive) - P(negative), in [-1, 1]."""
        return self.positive - self.negative

    @property
    def confidence(self) -> float:
        """The probability of the predicted label."""
        return max(self.negative, self.neutral, self.positive)

    @property
    def label(self) -> Label:
        return max(
            ((self.neutral, Label.NEUTRAL), (self.negative, Label.NEGATIVE), (self.positive, Label.POSITIVE)),
            key=lambda pair: pair[0],
        )[1]


@dataclass(frozen=True, slots=True)
class Finding:
    """A brand found in a post and judged: a mention that is not stored yet. See `Mention` for the fields."""

    brand: str
    terms: tuple[str, ...]
    snippet: str
    topics: tuple[str, ...] = ()
    answer: bool = False
    sentiment: Sentiment | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A post that mentions a brand, as stored. `answer`: it comes from one of the brand's own accounts. `dismissed`: a
    person said that it is not about the brand; it counts nowhere.

    `terms` is empty for a reply that does not name the brand. `at` is when it counts: when it was published, but never
    later than it was seen.
    """

    id: int
    post: Post
    brand: str
    terms: tuple[str, ...]
    snippet: str
    at: datetime
    discussion_id: int
    sentiment: Sentiment | None = None
    topics: tuple[str, ...] = ()
    answer: bool = False
    dismissed: bool = False


@dataclass(frozen=True, slots=True)
class Discussion:
    """The mentions of one brand that belong to one thread. `pace` is mentions an hour over the last six hours of it;
    `trend` counts its mentions in twelve equal stretches from the first to the last."""

    id: int
    brand: str
    key: str
    source: str
    title: str
    url: str | None
    started_at: datetime
    last_at: datetime
    mentions: int = 0
    negative: int = 0
    reach: int = 0
    authors: int = 0
    answers: int = 0
    answered_at: datetime | None = None
    pace: float = 0.0
    trend: tuple[int, ...] = ()

    @property
    def negative_share(self) -> float:
        return self.negative / self.mentions if self.mentions else 0.0


# -- what is decided ---------------------------------------------------------------------------------------------


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return tuple(Severity).index(self)


class Scope(StrEnum):
    DISCUSSION = "discussion"
    BRAND = "brand"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule as it was judged: what was asked, what was found, whether it holds.

    `name` is the key in the rule file (`match.sources`); `asked` and `found` are for people: "at least 5", "7".
    `said`: the same two as texts that can be translated, in JSON, where the rule made them.
    """

    name: str
    asked: str
    found: str
    holds: bool
    said: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a subject at one moment, with every condition and its actual value."""

    rule_id: str
    fires: bool
    severity: Severity
    at: datetime
    conditions: tuple[Condition, ...]

    @property
    def reasons(self) -> tuple[Condition, ...]:
        """The alerting conditions that hold: why the rule fired."""
        return tuple(c for c in self.conditions if c.holds and c.name in ALERT_CONDITIONS)


ALERT_CONDITIONS = ("negative_mentions", "negative_share", "spike", "author_reach")


class State(StrEnum):
    """The life of an escalation. `held`: until its team is there or a mute ends; `dropped`: gone before it was told."""

    PENDING = "pending"
    HELD = "held"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    DROPPED = "dropped"


#: It is over, until a rule fires again.
ENDED = (State.RESOLVED, State.DROPPED)


class Outcome(StrEnum):
    """How an escalation ended."""

    ANSWERED = "answered"
    NOT_ABOUT_US = "not about us"
    NOT_NEGATIVE = "not negative"
    NO_ACTION = "no action"


@dataclass(frozen=True, slots=True)
class Escalation:
    """A rule that fired on a discussion (or on a brand), with its life. `rule_id` is the rule in charge.

    `generation` numbers the timers: a timer of an older generation never fires. `told_at`: from when its tiers count;
    `repeats`: how often the last tier, or whoever has it, has been reminded since; `held_until`: when it may be told.
    `passed_over`: tiers that were due while their team was away, and are still to be told. `answered_at`: when one of
    our own accounts first spoke in the discussion since it alerted, or since `waiting_since`, where an answer is waited
    for anew; `team`: to which team it was handed over.
    """

    id: int
    brand: str
    scope: Scope
    discussion_id: int | None
    rule_id: str
    severity: Severity
    state: State
    tier: int
    generation: int
    created_at: datetime
    changed_at: datetime
    opened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    assignee: str | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    outcome: Outcome | None = None
    note: str = ""
    told_at: datetime | None = None
    repeats: int = 0
    held_until: datetime | None = None
    answered_at: datetime | None = None
    team: str | None = None
    passed_over: tuple[int, ...] = ()
    waiting_since: datetime | None = None

    @property
    def open_since(self) -> datetime | None:
        """Since when its team, or the team that it was handed over to, knows of it."""
        if self.opened_at is None or self.waiting_since is None:
            return self.opened_at
        return max(self.opened_at, self.waiting_since)


@dataclass(frozen=True, slots=True)
class Guideline:
    """A playbook as shown in an alert; `version` is the first 8 hex digits of its content's hash."""

    path: str
    title: str
    body: str
    owner: str
    approved_by: str
    review_by: str
    version: str


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule on an escalation: its title as shown, the conditions that made it fire, and when. `cause`: the mention
    through which it fired first."""

    rule_id: str
    title: str
    severity: Severity
    reasons: tuple[Condition, ...]
    at: datetime
    cause: int | None = None


@dataclass(frozen=True, slots=True)
class EscalationView:
    """All that a message about an escalation shows. `mentions`: a few, the most negative first. One about the brand as
    a whole has no `discussion`, but `counts` (mentions, negative). `read_by`: who has read this guideline
    for this escalation."""

    escalation: Escalation
    rules: tuple[FiredRule, ...]
    discussion: Discussion | None
    mentions: tuple[Mention, ...]
    guideline: Guideline | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    read_by: tuple[str, ...] = ()
