"""The story of an escalation: who did what, when, and what the machine did; how fast the team was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.escalation.audit import Logged
from monitor.escalation.events import Reason
from monitor.model import Escalation, Scope, Severity, State
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.timeline import By, person, timeline
from monitor.wording.text import many

START = datetime(2026, 3, 30, 10, tzinfo=UTC)
ANNA = "anna (Slack U0000000001)"
ESCALATION = Escalation(
    1, "Acme", Scope.DISCUSSION, 1, "thread", Severity.HIGH, State.OPEN, 1, 1, START, START, opened_at=START
)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def event(minutes: float, who: str, what: str, why: str = "", **data: Any) -> Logged:
    return Logged(after(minutes), who, what, why, data)


def message(
    minutes: float, kind: MessageKind, channel: str = "#social", sent: float | None = None, **more: Any
) -> OutboxMessage:
    state = more.pop("state", MessageState.SENT if sent is not None else MessageState.READY)
    payload: Mapping[str, Any] = more.pop("payload", {})
    sent_at = after(sent) if sent is not None else None
    return OutboxMessage(
        1,
        "key",
        kind,
        state,
        channel,
        Severity.HIGH,
        after(minutes),
        after(minutes),
        1,
        payload,
        sent_at=sent_at,
        **more,
    )


TOLD = {"tier": 1, "team": "social", "channel": "#social", "called": ["anna", "bob"]}
EVENTS = (
    event(0, "rule thread", "pending", "negative_mentions: 5 (asked: at least 3)"),
    event(0.5, "timer wait_first", "open", Reason.WAIT_OVER, told=[TOLD]),
    event(0.6, "delivery", "changed", Reason.TOLD),
    event(15, "timer tier", "changed", Reason.NOBODY_TOOK_IT, told=[{"tier": 2, "team": "leads", "called": []}]),
    event(20, ANNA, "acknowledged", Reason.ACKNOWLEDGED, assignee="anna"),
    event(21, ANNA, "read the guideline", "…", path="playbooks/angry.md", version="0badc0de"),
    event(22, ANNA, "corrected", "…", correction="not about us", mention_ids=[4, 7]),
    event(23, "bob (command line)", "changed", Reason.ASSIGNED, assignee="lea"),
    event(25, "ingest", "changed", Reason.ANSWERED, answered_at=after(24.6).isoformat()),
    event(30, "lea (Slack U0000000003)", "resolved", Reason.RESOLVED, outcome="answered", note="called them"),
)
MESSAGES = (
    message(0.5, MessageKind.ROOT, sent=0.6),
    message(15, MessageKind.CALL, "#leads", sent=19),
    message(22, MessageKind.UPDATE, sent=22),
)


def told(*events: Logged, messages: tuple[OutboxMessage, ...] = ()) -> list[str]:
    return [f"{step.who} {step.text}".strip() for step in timeline(ESCALATION, events, messages).steps]


def test_people_and_the_machine_in_one_story() -> None:
    assert told(*EVENTS, messages=MESSAGES) == [
        "rule thread fires: negative_mentions: 5 (asked: at least 3)",
        "open: the first wait is over and the condition still holds; team social is called: anna, bob",
        "its message stands in #social",
        "nobody has taken it in time; tier 2: team leads is told, nobody by name",
        "the call stands in #leads (4 min after it was written)",
        "anna (Slack) acknowledges it",
        "anna (Slack) reads the guideline playbooks/angry.md, version 0badc0de",
        "anna (Slack) corrects 2 mentions: not about us (m4, m7)",
        "bob (command line) gives it to lea",
        "our own account has answered",
        "lea (Slack) resolves it: answered “called them”",
    ]


def test_the_story_tells_people_from_the_machine() -> None:
    steps = timeline(ESCALATION, EVENTS, ()).steps
    assert {step.who for step in steps if step.by is By.PERSON} == {"anna (Slack)", "bob (command line)", "lea (Slack)"}
    assert person(ANNA) == "anna" and person("timer tier") is None and person("a (b) (Slack U1)") == "a (b)"


def test_what_happened_in_between_stands_in_between() -> None:
    steps = timeline(ESCALATION, EVENTS, MESSAGES).steps
    assert [step.at for step in steps] == sorted(step.at for step in steps)


def test_texts_of_the_thread_are_told_in_english_whoever_was_told_them() -> None:
    text = many("{count} more", "{count} more", 3).to_json()
    replies = [
        message(1, MessageKind.REPLY, sent=1, payload={"text": "The snooze is over.", "new": 0}),
        message(2, MessageKind.REPLY, sent=2, payload={"text": text, "new": 2}),
        message(3, MessageKind.REPLY, sent=3, payload={"text": [text, "And on."], "new": 1}),
        message(4, MessageKind.REPLY, sent=4, payload={"new": 1}),
    ]
    assert told(messages=tuple(replies)) == [
        "in the thread: The snooze is over.",
        "in the thread: 3 more · 2 new posts",
        "in the thread: 3 more And on. · 1 new post",
        "in the thread: 1 new post",
    ]


@pytest.mark.parametrize(
    ("state", "says", "blocked"),
    [
        (MessageState.READY, "waits to be sent", False),
        (MessageState.BLOCKED, "is refused: is_archived", True),
        (MessageState.UNKNOWN, "may have arrived: Slack is being asked", False),
        (MessageState.FOLDED, "a summary of many alerts stands for", False),
    ],
)
def test_what_is_not_sent_says_why(state: MessageState, says: str, blocked: bool) -> None:
    error = "is_archived" if blocked else ""
    (one,) = timeline(ESCALATION, (), (message(5, MessageKind.ROOT, state=state, error=error),)).unsent
    assert says in one.text and "#social" in one.text
    assert (one.since, one.blocked) == (after(5), blocked)


def test_how_fast_the_team_was_counts_from_when_it_was_told() -> None:
    took = timeline(ESCALATION, EVENTS, MESSAGES).responses
    assert took.told == timedelta(minutes=0.6)
    assert (took.acknowledged, took.answered, took.resolved) == (
        timedelta(minutes=19.4), timedelta(minutes=24), timedelta(minutes=29.4),
    )  # fmt: skip


def test_whoever_took_it_before_it_was_told_was_not_late() -> None:
    early = (EVENTS[0], replace(EVENTS[4], at=after(0.2)))
    took = timeline(ESCALATION, early, MESSAGES).responses
    assert took.acknowledged == timedelta() and took.answered is None and took.resolved is None
