"""The question "why was I (not) alerted?", what is known to answer it, and the answer: values, no decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from monitor.escalation.audit import Logged
from monitor.model import Escalation, FiredRule, Scope, Severity
from monitor.outgoing import OutboxMessage
from monitor.rules.counted import Counted
from monitor.rules.explaining.spoken import Spoken
from monitor.rules.rule import Status
from monitor.rules.snapshot import Snapshot
from monitor.rules.times import NOTHING, Covered
from monitor.wording.text import Text


class Kind(StrEnum):
    MENTION = "mention"
    DISCUSSION = "discussion"
    BRAND = "brand"


# -- what is known -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Silence:
    """A mute: until when nothing of a rule is posted, by whom and why."""

    since: datetime
    until: datetime
    who: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """An escalation, its rules by their ids, and what became of it, oldest first. `root` is its one message."""

    escalation: Escalation
    fired: Mapping[str, FiredRule]
    kept: Mapping[str, Snapshot] = field(default_factory=dict)
    events: tuple[Logged, ...] = ()
    root: OutboxMessage | None = None

    @property
    def name(self) -> str:
        return f"e{self.escalation.id}"

    @property
    def made_by(self) -> str:
        """The id of the rule that fired first on it."""
        first = self.events[0].who if self.events else ""
        return first.removeprefix("rule ") if first.startswith("rule ") else self.escalation.rule_id


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked about, and all that rules look at to judge it.

    `said`: the mentions asked about: one, those of a discussion, or a brand's. `judged`: those that a rule is judged
    on: of the discussion, or of the whole brand for a rule of that scope. Both stand in the order of time. `seen`: when
    each was read, where that was later than when it counts. `lives`: the escalations that the rule may have made or
    joined, oldest first. `at`: the moment asked about, else each rule's own; `recorded`: for each rule the moment that
    escalation `name` has recorded. `rules_since`: since when exactly these rules are in force; None if they are not, or
    nobody knows. `would_have`: when a rule in test recorded that it would have alerted, by its id.
    """

    kind: Kind
    name: str
    brand: str
    spoken: Spoken
    said: tuple[Counted, ...]
    judged: tuple[Counted, ...]
    competitor: bool = False
    covered: Covered = NOTHING
    seen: Mapping[int, datetime] = field(default_factory=dict)
    at: datetime | None = None
    recorded: Mapping[str, datetime] = field(default_factory=dict)
    lives: tuple[Life, ...] = ()
    silences: Mapping[str, tuple[Silence, ...]] = field(default_factory=dict)
    would_have: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    rules_since: datetime | None = None
    folder: str = "rules"

    @property
    def now(self) -> datetime:
        return self.spoken.now

    @property
    def until(self) -> datetime:
        """What came later is not looked at."""
        return self.at or self.now


# -- the answer --------------------------------------------------------------------------------------------------


class Stage(StrEnum):
    """The steps in the order in which they decide."""

    RULE = "rule"
    MENTIONS = "mentions"
    DISCUSSION = "discussion"
    ALERT = "alert when any"
    AFTER = "what followed"


@dataclass(frozen=True, slots=True)
class Step:
    """One condition: what was asked and found, whether it holds, and the line of the rule file (0: none) that asks."""

    stage: Stage
    name: str
    asked: str
    found: str
    holds: bool
    line: int = 0


class Result(StrEnum):
    """What a rule did, those that people noticed first."""

    ALERTED = "alerted"
    HELD = "held back"
    WAITS = "waits"
    DROPPED = "dropped"
    FIRED = "fired, not alerted"
    TEST = "would have alerted"
    SILENT = "did not alert"
    APART = "does not apply"


@dataclass(frozen=True, slots=True)
class Fate:
    """What followed when a rule fired: `text` goes on where a sentence has named the rule."""

    result: Result
    text: Text
    steps: tuple[Step, ...] = ()
    escalation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one rule made of the case, as of the moment `at` (`why_then` says why that one).

    `failed` is the first step that kept it from alerting; of the conditions of which any is enough, the nearest one.
    `nearness` to firing goes from 0 to 1. `sentence` says it all to somebody who has not seen the steps; `apart`, of a
    rule that does not apply, why not.
    """

    rule_id: str
    title: str
    status: Status
    severity: Severity
    scope: Scope
    file: str
    result: Result
    sentence: Text
    steps: tuple[Step, ...]
    failed: Step | None
    at: datetime
    why_then: str
    nearness: float
    escalation_id: int | None = None
    apart: Text | None = None
