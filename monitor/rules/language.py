"""The rule language: which keys a rule file has, what they may hold, and the `Rule` they become.

What a rule says of others (a brand, a team, a topic, a playbook) is checked against `References`. Reading the folder as
a whole is `load`'s business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidateAs, with_config

from monitor.checking import OneOrMore, checked
from monitor.fields import (
    EACH_ONCE,
    FILE,
    Count,
    Duration,
    Language,
    Matching,
    Prose,
    Score,
    Share,
    Switch,
    Text,
    between,
    fault,
    faults,
)
from monitor.model import Scope, Severity
from monitor.rules.references import BrandName, PlaybookPath, References, RuleId, TeamName, TopicName
from monitor.rules.rule import (
    Acknowledged,
    AlertCondition,
    AuthorReach,
    DiscussionFloor,
    MatchSpec,
    Mute,
    NegativeIf,
    NegativeMentions,
    NegativeShare,
    OutsideHours,
    Rule,
    Spike,
    Status,
    TierSpec,
    Timing,
    TopicsSpec,
    Unless,
)
from monitor.rules.testing.when import Start
from monitor.schemas import json_schema
from monitor.yamlfile import Document, KeyPath

#: Whoever wants silence for longer wants the rule to be off.
LONGEST_MUTE = timedelta(days=90)

# -- kinds of values ---------------------------------------------------------------------------------------------


def _title(value: str) -> str:
    if re.search(r"[{}]", value.replace("{brand}", "")):
        raise fault("the only thing that can stand in { } is {brand}, for the name of the brand")
    return value


def _not_empty(value: Any) -> Any:
    if value == {}:
        raise fault("holds nothing; write a condition, or delete the key")
    return value


Owner = Annotated[
    Text, Matching(r"[^@\s][^@]*|[^@\s]+@[^@\s]+\.[^@\s]+", "is neither a name nor an address like ada@example.com")
]
Title = Annotated[Prose, AfterValidator(_title), Field(max_length=150)]
Delay = Annotated[Duration, between("0s", "30d")]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Topics = Annotated[tuple[TopicName, ...], Field(min_length=1)]


# -- a rule ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _AtLeast:
    at_least: Count


_Least = Annotated[_AtLeast | None, Field(examples=[{"at_least": 1000}])]


@dataclass(frozen=True, slots=True)
class _AtLeastShare:
    at_least: Share


@dataclass(frozen=True, slots=True)
class _AtMostScore:
    at_most: Score


@dataclass(frozen=True, slots=True)
class _Topics:
    any_of: Topics = ()
    """Counts if one of these is found."""
    none_of: Topics = ()
    """Does not count if one of these is found."""


@dataclass(frozen=True, slots=True)
class _Match:
    """Which mentions count at all; all that stands here must hold."""

    brands: Annotated[tuple[BrandName, ...], Field(min_length=1)] = ()
    """Names of brands in the configuration."""
    sources: Texts = ()
    """Names of sources, for example a feed's host."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1), EACH_ONCE] = ()
    """Codes of languages; put "no" in quotes."""
    topics: Annotated[
        Annotated[_Topics, BeforeValidator(_not_empty)] | None, Field(examples=[{"any_of": ["safety"]}])
    ] = None
    """Names of word lists in topics.yaml."""
    author_reach: _Least = None
    """How many followers the author has."""


@dataclass(frozen=True, slots=True)
class _NegativeIf:
    """Which of the mentions that count are negative; all that stands here must hold."""

    sentiment: Annotated[_AtMostScore | None, Field(examples=[{"at_most": -0.5}])] = None
    """From -1, as negative as can be, to 1."""
    confidence: Annotated[_AtLeastShare | None, Field(examples=[{"at_least": 0.6}])] = None
    """How sure the model must be, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class _Floor:
    """What the discussion as a whole must reach."""

    mentions: Annotated[_AtLeast | None, Field(examples=[{"at_least": 5}])] = None
    reach: _Least = None
    """The followers of its authors, summed."""


def _longer_baseline(spike: Spike) -> Spike:
    if spike.baseline <= spike.within:
        raise fault("must be longer than `within`: it is the usual that the spike is compared with", "baseline")
    return spike


@dataclass(frozen=True, slots=True)
class _Condition:
    negative_mentions: Annotated[NegativeMentions | None, Field(examples=[{"at_least": 4, "within": "60m"}])] = None
    negative_share: Annotated[
        NegativeShare | None, Field(examples=[{"at_least": 0.5, "within": "6h", "minimum_total": 10}])
    ] = None
    spike: Annotated[
        Annotated[Spike, AfterValidator(_longer_baseline)] | None,
        Field(
            examples=[{"times": 3, "within": "1h", "baseline": "7d", "minimum_now": 10, "minimum_baseline": 20}],
        ),
    ] = None
    author_reach: Annotated[AuthorReach | None, Field(examples=[{"at_least": 50_000}])] = None


_ONE: dict[str, Any] = {"minProperties": 1, "maxProperties": 1}


def _one(condition: _Condition) -> AlertCondition:
    said = [condition.negative_mentions, condition.negative_share, condition.spike, condition.author_reach]
    conditions = [one for one in said if one is not None]
    if len(conditions) != 1:
        raise fault("each condition needs a line of its own that begins with a dash")
    return conditions[0]


@dataclass(frozen=True, slots=True)
class _Tier:
    after: Delay
    """Counted from the moment the first message stood in Slack."""
    team: TeamName
    """The name of a team in teams.yaml."""
    unless: Annotated[
        tuple[Unless, ...], Field(min_length=1, examples=[["acknowledged", "answered"]]), EACH_ONCE, OneOrMore()
    ] = ()
    """Skipped once somebody has taken the escalation, or one of our own accounts has answered in the discussion."""
    mention: Switch = False
    """Call the team by name."""


def _ascending(tiers: tuple[_Tier, ...]) -> tuple[_Tier, ...]:
    found: list[tuple[KeyPath, str]] = []
    if tiers[0].after:
        found.append(((0, "after"), "the first tier is told at once; write 0m"))
    if tiers[0].unless:
        found.append(((0, "unless"), "the first tier is told at once; delete this"))
    for index in range(1, len(tiers)):
        if tiers[index].after <= tiers[index - 1].after:
            found.append(((index, "after"), "must be longer than in the tier before"))
    if found:
        raise faults(found)
    return tiers


@dataclass(frozen=True, slots=True)
class _Mute:
    until: Start
    """When it ends, with the offset from UTC; what was held back is told then."""
    because: Prose
    """Why, for whoever wonders at the silence."""
    since: Annotated[Start | None, Field(alias="from")] = None
    """When it begins; at once if not given."""


def _ends(mute: _Mute) -> _Mute:
    if mute.since and mute.until <= mute.since:
        raise fault("must be later than `from`", "until")
    if mute.since and mute.until - mute.since > LONGEST_MUTE:
        raise fault(f"silences it for more than {LONGEST_MUTE.days} days; `status: off` does that openly", "until")
    return mute


@with_config(FILE)
@dataclass(frozen=True, slots=True)
class _RuleFile:
    id: RuleId
    """Part of the identity of its escalations: never rename it."""
    title: Title
    """The headline of the alert; {brand} stands for the brand's name."""
    owner: Owner
    """Who keeps this rule: an e-mail address or a name."""
    status: Status
    """test: recorded, never posted; live; off."""
    severity: Severity
    match: Annotated[_Match, BeforeValidator(_not_empty), Field(examples=[{"brands": ["acme"]}])]
    """Which mentions count at all."""
    alert_when_any: Annotated[
        tuple[
            Annotated[
                AlertCondition,
                ValidateAs(_Condition, _one),
                Field(examples=[{"author_reach": {"at_least": 50_000}}], json_schema_extra=_ONE),
            ],
            ...,
        ],
        Field(min_length=1),
    ]
    """One of these is enough to alert."""
    escalate: Annotated[
        tuple[Annotated[_Tier, Field(examples=[{"after": "0m", "team": "social"}])], ...],
        Field(min_length=1),
        AfterValidator(_ascending),
    ]
    """Whom to tell, one tier after the other."""
    negative_if: Annotated[
        Annotated[_NegativeIf, BeforeValidator(_not_empty)] | None, Field(examples=[{"sentiment": {"at_most": -0.5}}])
    ] = None
    """Which of the mentions that count are negative; all of them if not given."""
    discussion: Annotated[
        Annotated[_Floor, BeforeValidator(_not_empty)] | None, Field(examples=[{"mentions": {"at_least": 5}}])
    ] = None
    """What the discussion as a whole must reach."""
    scope: Scope = Scope.DISCUSSION
    """Judge each discussion, or all that is said of the brand."""
    timing: Annotated[Timing, Field(examples=[{"wait_first": "30s"}])] = field(default_factory=Timing)
    """How long messages wait and how often they are repeated."""
    acknowledged: Annotated[
        Annotated[Acknowledged, BeforeValidator(_not_empty)] | None, Field(examples=[{"reopen_after": "8h"}])
    ] = None
    """What happens when somebody took it and does not resolve it."""
    outside_hours: OutsideHours = OutsideHours.HOLD
    """Hold an alert until the team is there, or notify; critical ones always notify."""
    playbook: PlaybookPath | None = None
    """What to do, for whoever is called: a file in the rules folder such as playbooks/angry-thread.md."""
    mutes: tuple[
        Annotated[
            _Mute,
            AfterValidator(_ends),
            Field(examples=[{"until": "2026-12-27T08:00+01:00", "because": "works on the line"}]),
        ],
        ...,
    ] = ()
    """Stretches of time in which it posts nothing."""


def _coherent(rule: _RuleFile) -> _RuleFile:
    found: list[tuple[KeyPath, str]] = []
    if rule.scope is Scope.BRAND and rule.discussion:
        found.append((("discussion",), "with `scope: brand` no single discussion is judged; delete this, or the scope"))
    times = rule.acknowledged
    if times and times.remind_after and times.reopen_after and times.reopen_after <= times.remind_after:
        found.append((("acknowledged", "reopen_after"), "must be longer than remind_after"))
    if found:
        raise faults(found)
    return rule


@cache
def _rule_file() -> TypeAdapter[_RuleFile]:
    return TypeAdapter(Annotated[_RuleFile, AfterValidator(_coherent)])


def parse_rule(document: Document, name: str, text: str, references: References) -> Rule:
    """The rule in the file `name`, whose content is `text`; raises `ConfigError` with all problems."""
    said = checked(_rule_file(), document, references)
    match, negative, floor = said.match, said.negative_if, said.discussion
    return Rule(
        id=said.id,
        title=said.title,
        owner=said.owner,
        status=said.status,
        severity=said.severity,
        match=MatchSpec(
            brands=match.brands,
            sources=match.sources,
            languages=match.languages,
            topics=TopicsSpec(match.topics.any_of, match.topics.none_of) if match.topics else None,
            author_reach=_number(match.author_reach),
        ),
        negative_if=NegativeIf(
            sentiment_at_most=negative.sentiment.at_most if negative.sentiment else None,
            confidence_at_least=negative.confidence.at_least if negative.confidence else None,
        )
        if negative
        else None,
        discussion=DiscussionFloor(_number(floor.mentions) or 0, _number(floor.reach) or 0) if floor else None,
        alert_when_any=said.alert_when_any,
        scope=said.scope,
        timing=said.timing,
        escalate=tuple(
            TierSpec(
                tier.after,
                tier.team,
                unless_acknowledged=Unless.ACKNOWLEDGED in tier.unless,
                mention=tier.mention,
                unless_answered=Unless.ANSWERED in tier.unless,
            )
            for tier in said.escalate
        ),
        acknowledged=said.acknowledged,
        outside_hours=said.outside_hours,
        playbook=said.playbook,
        mutes=tuple(
            Mute(mute.until.astimezone(UTC), mute.because, mute.since.astimezone(UTC) if mute.since else None)
            for mute in said.mutes
        ),
        file=name,
        source_text=text,
    )


def _number(value: _AtLeast | None) -> int | None:
    return value.at_least if value else None


def rules_schema() -> dict[str, Any]:
    """The JSON Schema of a rule file."""
    return json_schema(_rule_file(), "A rule of brand-monitor")
