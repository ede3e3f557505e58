"""Angry mentions and a rule that counts them, for tests of judging."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.model import Severity
from monitor.rules.counted import Counted, Totals
from monitor.rules.explaining.inquiry import Case, Kind
from monitor.rules.explaining.spoken import Spoken
from monitor.rules.rule import AlertCondition, MatchSpec, NegativeIf, NegativeMentions, Rule, Spike, Status

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TOTALS = Totals(mentions=100, reach=100_000)
MENTION = Counted(
    id=1, at=NOW, brand="Acme", source="reddit", language="en", topics=frozenset({"safety"}), author="reddit:mario",
    reach=900, score=-0.8, confidence=0.9,
)  # fmt: skip
ANGRY = NegativeIf(sentiment_at_most=-0.5, confidence_at_least=0.7)
RULE = Rule(
    id="acme", title="Acme", owner="jana@example.com", status=Status.LIVE, severity=Severity.HIGH, match=MatchSpec(),
    negative_if=ANGRY, alert_when_any=(NegativeMentions(3, HOUR),), escalate=(), file="acme.yaml", source_text="",
)  # fmt: skip
SPIKE = Spike(times=3, within=HOUR, baseline=7 * DAY, minimum_now=10, minimum_baseline=20)


def at(*minutes: float, **changes: Any) -> list[Counted]:
    """Angry mentions so many minutes before NOW."""
    return [replace(MENTION, id=1000 + n, at=NOW - minute * MINUTE, **changes) for n, minute in enumerate(minutes)]


def asking(*alerts: AlertCondition, **changes: Any) -> Rule:
    return replace(RULE, alert_when_any=alerts, **changes)


def about(*mentions: Counted, kind: Kind = Kind.DISCUSSION, **known: Any) -> Case:
    """The discussion of these mentions, asked about at NOW, a Monday's noon."""
    said = tuple(sorted(mentions, key=lambda mention: mention.at))
    given = {"name": "d3", "brand": "Acme", "spoken": Spoken(NOW), "said": said, "judged": said, **known}
    return Case(kind=kind, **given)  # type: ignore[arg-type]


def one(mention: Counted = MENTION, **known: Any) -> Case:
    return about(mention, kind=Kind.MENTION, name="m12", **known)
