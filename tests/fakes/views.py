"""Escalations as messages show them, for tests of rendering."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.model import (
    Author,
    Condition,
    Discussion,
    Escalation,
    EscalationView,
    FiredRule,
    Guideline,
    Mention,
    Post,
    Scope,
    Sentiment,
    Severity,
    State,
)
from monitor.slack.speech import speaking

NOW = datetime(2026, 11, 14, 12, tzinfo=UTC)
ROME = ZoneInfo("Europe/Rome")
ENGLISH, ITALIAN = speaking("en", UTC), speaking("it", ROME)

GUIDELINE = Guideline(
    path="playbooks/angry-thread.md",
    title="An angry thread",
    body=(
        "# First ten minutes\n\n- Read the **whole** thread before you answer.\n- Answer the loudest post first, in"
        " public.\n- Never argue; offer a direct message.\n\n## Then\n1. Tell the IT desk what breaks.\n2. Come back"
        " within the hour."
    ),
    owner="care",
    approved_by="Legal",
    review_by="2026-12-01",
    version="1a2b3c4d",
)


def mention(text: str, **changes: Any) -> Mention:
    """By @mario on x, 12,400 followers, clearly negative; `post` fields and `Mention` fields may be given."""
    post_fields = {name: changes.pop(name) for name in ("url", "title", "author", "source") if name in changes}
    post = Post(
        source="x",
        native_id="1",
        text=text,
        published_at=NOW - timedelta(minutes=20),
        url="https://x.com/mario/status/1",
        author=Author("7", "mario", "Mario", 12_400),
    )
    base = Mention(
        id=1,
        post=replace(post, **post_fields),
        brand="Acme",
        terms=("acme",),
        snippet=text[:80],
        at=NOW,
        discussion_id=3,
        sentiment=Sentiment(0.91, 0.07, 0.02, "bundled"),
    )
    return replace(base, **changes)


def view(state: State = State.OPEN, severity: Severity = Severity.CRITICAL, **changes: Any) -> EscalationView:
    """Escalation 12 of Acme; fields of `Escalation` or `EscalationView` may be given."""
    parts = ("rules", "discussion", "mentions", "guideline", "counts", "read_by")
    of_view = {name: changes.pop(name) for name in parts if name in changes}
    escalation = Escalation(
        id=12,
        brand="Acme",
        scope=Scope.DISCUSSION,
        discussion_id=3,
        rule_id="acme-negative-thread",
        severity=severity,
        state=state,
        tier=1,
        generation=1,
        created_at=NOW - timedelta(minutes=12),
        changed_at=NOW,
        opened_at=NOW - timedelta(minutes=11),
    )
    discussion = Discussion(
        id=3,
        brand="Acme",
        key="x:1",
        source="x",
        title="Router update broke my connection, again",
        url="https://x.com/mario/status/1",
        started_at=NOW - timedelta(hours=3),
        last_at=NOW,
        mentions=24,
        negative=17,
        reach=48_200,
        authors=19,
        pace=6.5,
        trend=(1, 0, 2, 1, 3, 2, 4, 7, 9, 6, 8, 12),
    )
    rules = (
        FiredRule(
            "acme-negative-thread",
            "Angry thread about Acme",
            severity,
            (
                Condition("negative_mentions", "at least 5 within 60m", "17", True),
                Condition("negative_share", "at least 60% of 10 or more within 2h", "71% of 24", True),
            ),
            NOW,
        ),
    )
    base = EscalationView(
        escalation=replace(escalation, **changes),
        rules=rules,
        discussion=discussion,
        mentions=(
            mention("Third outage this month. @acme your router update bricked my line and support hangs up on me."),
            mention(
                "Same here, 6 hours without internet. I am moving to another provider tomorrow, and so is my office.",
                author=Author("8", None, "Giulia Bianchi", 830),
                url="https://www.reddit.com/r/italy/comments/abc/x",
                sentiment=Sentiment(0.84, 0.1, 0.06, "bundled"),
            ),
        ),
        guideline=GUIDELINE,
    )
    return replace(base, **of_view)
