"""What there is to tell of one escalation: why it was made, by which rule as it was then, who was told, what is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.durations import duration_text
from monitor.escalation.audit import Logged
from monitor.escalation.clockwork import Clockwork
from monitor.escalation.events import TimerKind
from monitor.escalation.tiers import due_times
from monitor.model import Condition, Escalation, Severity
from monitor.outgoing import MessageState
from monitor.rules.explaining.inquiry import Life
from monitor.rules.rule import Rule, TierSpec
from monitor.rules.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Recorded:
    """A rule of the escalation, with the reasons that were recorded when it last fired. `file` says what has become of
    its file since it first did; `text` is the file as it was then."""

    rule_id: str
    title: str
    severity: Severity
    at: datetime
    reasons: tuple[Condition, ...]
    made_it: bool
    in_charge: bool
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Account:
    """`told`: whom it told, when; `due`: what is due next, the first first."""

    rules: tuple[Recorded, ...]
    told: tuple[Line, ...]
    due: tuple[Line, ...]


def account(life: Life, rules: Mapping[str, Rule], timers: Iterable[tuple[TimerKind, datetime]]) -> Account:
    """`rules` are those of now, by their ids; `timers` those of the escalation."""
    recorded = tuple(
        Recorded(
            rule_id=fired.rule_id,
            title=fired.title,
            severity=fired.severity,
            at=fired.at,
            reasons=fired.reasons,
            made_it=fired.rule_id == life.made_by,
            in_charge=fired.rule_id == life.escalation.rule_id,
            file=_since_then(life.kept.get(fired.rule_id), rules.get(fired.rule_id)),
            text=kept.text if (kept := life.kept.get(fired.rule_id)) else "",
        )
        for fired in life.fired.values()
    )
    told = tuple(line for event in life.events for line in _told(event, life))
    due = tuple(Line(at, _due(kind, life)) for kind, at in timers)
    return Account(recorded, told, due)


def _since_then(kept: Snapshot | None, now: Rule | None) -> str:
    if now is None:
        return "the rule is gone since"
    if kept is None or kept.text != now.source_text:
        return f"{now.file} has changed since"
    return f"{now.file} is as it was then"


def _told(event: Logged, life: Life) -> Iterable[Line]:
    for told in event.data.get("told", ()):
        if isinstance(told, dict):
            yield Line(event.at, _whom(told, life))


def _whom(told: Mapping[str, Any], life: Life) -> str:
    team, channel, called = told.get("team"), told.get("channel"), told.get("called") or ()
    text = f"tier {told.get('tier')}: {f'{team} in {channel}' if team else channel}"
    if called:
        text += f", calling {', '.join(map(str, called))}"
    root = life.root
    if told.get("tier") == 1 and root and root.channel == channel:
        if root.state is MessageState.SENT:
            text += "; its message stands there" + (f" since {root.sent_at:%H:%M:%S}" if root.sent_at else "")
        elif root.state is MessageState.FOLDED:
            since = f" since {root.sent_at:%H:%M:%S}" if root.sent_at else ""
            text += f"; one message there stands for many that came at once, and for it{since}"
        elif root.state is MessageState.BLOCKED:
            text += f"; its message was refused: {root.error}"
        else:
            text += "; its message is not sent yet"
    return text


def _due(kind: TimerKind, life: Life) -> str:
    escalation = life.escalation
    kept = life.kept.get(escalation.rule_id)
    match kind:
        case TimerKind.WAIT_FIRST:
            return "its first wait is over: its team is told if the rule still holds"
        case TimerKind.HOLD:
            return "what is held back is told"
        case TimerKind.TIER:
            return _next_tier(kept, escalation)
        case TimerKind.REPEAT:
            answered = " or answered" if kept and kept.tiers and kept.tiers[-1].unless_answered else ""
            of = kept.repeat_at_most if kept else "?"
            return f"it is repeated ({escalation.repeats + 1} of {of}) unless taken{answered}"
        case TimerKind.REMIND:
            return f"{escalation.assignee or 'whoever has it'} is reminded unless it is resolved"
        case TimerKind.REOPEN:
            return "it is open again unless it is resolved"
        case TimerKind.SNOOZE:
            return "the snooze is over"
        case TimerKind.BUNDLE:
            return "its thread hears of new mentions"


def _next_tier(kept: Snapshot | None, escalation: Escalation) -> str:
    clock = kept.clockwork() if kept else Clockwork()
    due = due_times(escalation, clock, escalation.told_at or escalation.changed_at)
    number = min(due, key=lambda tier: due[tier], default=0)
    following = kept.tier(number) if kept and number else None
    if following is None:
        return "the next tier is told"
    after = f", {duration_text(following.after)} after the first message"
    return f"tier {number} is told: {following.team}{_unless(following)}{after}"


def _unless(tier: TierSpec) -> str:
    ways = ["somebody takes it"] if tier.unless_acknowledged else []
    ways += ["one of our accounts answers"] if tier.unless_answered else []
    return f" unless {' or '.join(ways)}" if ways else ""
