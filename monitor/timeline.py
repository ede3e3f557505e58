"""The story of one escalation: who did what, when, and what the machine did; from the audit log and what was sent.

Pure: rows in, lines out, in plain words. In which time zone and how wide they are shown is the business of the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from monitor.amounts import number
from monitor.escalation.acts import ANSWERED, CORRECTED, READ, logged_person
from monitor.escalation.audit import Logged
from monitor.escalation.events import Reason
from monitor.model import Escalation
from monitor.outgoing import MessageKind, MessageState, OutboxMessage
from monitor.wording.text import english, texts_from_json


class By(StrEnum):
    """Who or what did a step."""

    PERSON = "person"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story. `by` says whether a person did it; `who` is the name, or what of the machine did it."""

    at: datetime
    by: By
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that does not stand anywhere yet, `since` when, and why not."""

    since: datetime
    text: str
    blocked: bool


@dataclass(frozen=True, slots=True)
class Responses:
    """How long it took: `told` since it alerted, all others since it was told, or where it was not since it alerted."""

    told: timedelta | None = None
    acknowledged: timedelta | None = None
    answered: timedelta | None = None
    resolved: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    steps: tuple[Step, ...]
    unsent: tuple[Unsent, ...]
    responses: Responses


def timeline(escalation: Escalation, events: Sequence[Logged], messages: Sequence[OutboxMessage]) -> Timeline:
    """`events` and `messages` are those of the escalation, in the order in which they were stored."""
    steps = [step for event in events if (step := _event(event)) is not None]
    steps += (step for message in messages if (step := _sent(message)) is not None)
    # What was decided comes before what was sent because of it, even in the same moment: the sort is stable.
    steps.sort(key=lambda step: step.at)
    unsent = tuple(one for message in messages if (one := _unsent(message)) is not None)
    return Timeline(tuple(steps), unsent, _responses(escalation, events, messages))


def person(who: str) -> str | None:
    """The name of a person in the audit log, "anna" for "anna (Slack U0123456789)"; None for a part of the machine."""
    found = logged_person(who)
    return found.name if found else None


# -- what was decided --------------------------------------------------------------------------------------------


def _event(event: Logged) -> Step | None:
    acted = logged_person(event.who)
    text = _in_words(event)
    if text is None:
        return None
    if acted is not None:
        return Step(event.at, By.PERSON, f"{acted.name} ({acted.channel})", text)
    who = event.who if event.who.startswith("rule ") else ""
    return Step(event.at, By.MACHINE, who, text)


def _in_words(event: Logged) -> str | None:
    what, why, data = event.what, event.why, event.data
    told = "; ".join(_told(data.get("told", ())))
    match what:
        case "pending":
            return f"fires: {why}"
        case "acknowledged" | "changed" if why == Reason.ASSIGNED:
            text = f"gives it to {data.get('assignee')}"
        case "acknowledged":
            has = data.get("assignee")
            other = has and has != person(event.who)
            text = "acknowledges it" + (f"; {has} has it" if other else "")
        case "snoozed" | "changed" if why == Reason.SNOOZED:
            text = "snoozes it"
        case "resolved":
            note = f" “{data['note']}”" if data.get("note") else ""
            text = f"resolves it: {data.get('outcome')}{note}"
        case "held back":
            text = f"nothing is said yet: {why}"
        case "changed" if why == Reason.TOLD:
            # The message itself says where and when.
            return None
        case "changed" if why == Reason.HANDED_OVER:
            text = f"hands it over to {data.get('team') or 'another team'}"
        case "changed" if why == Reason.ANSWERED:
            text = "our own account has answered"
        case "changed":
            text = str(why)
        case _ if what == READ:
            text = f"reads the guideline {data.get('path')}, version {data.get('version')}"
        case _ if what == CORRECTED:
            ids = list(data.get("mention_ids", ()))
            named = ", ".join(f"m{one}" for one in ids[:5]) + (" …" if len(ids) > 5 else "")
            text = f"corrects {number(len(ids), 'mention')}: {data.get('correction')} ({named})"
        case _ if what == ANSWERED:
            text = f"answers: “{data.get('text')}”"
        case _:
            text = what if what == why or not why else f"{what}: {why}"
    return f"{text}; {told}" if told else text


def _told(told: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in told:
        team, called = one.get("team"), ", ".join(one.get("called") or ())
        whom = f"team {team}" if team else str(one.get("channel"))
        tier = f"tier {one['tier']}: " if one.get("tier", 1) > 1 else ""
        yield f"{tier}{whom} is called: {called}" if called else f"{tier}{whom} is told, nobody by name"


# -- what was sent -----------------------------------------------------------------------------------------------


def _sent(message: OutboxMessage) -> Step | None:
    """Where and when a message stood. Updates of the one message are too many to tell, and say nothing new."""
    if message.state is not MessageState.SENT or message.sent_at is None or message.kind is MessageKind.UPDATE:
        return None
    late = message.sent_at - message.created_at
    after = f" ({_length(late)} after it was written)" if late > timedelta(minutes=1) else ""
    text = _text(message)
    match message.kind:
        case MessageKind.ROOT:
            what = f"its message stands in {message.channel}"
        case MessageKind.REPLY:
            new = message.payload.get("new", 0)
            news = f"{number(new, 'new post')}" if new else ""
            what = f"in the thread: {' · '.join(part for part in (text, news) if part)}"
        case MessageKind.CALL:
            what = f"the call stands in {message.channel}"
        case MessageKind.SUMMARY:
            what = f"a summary of many alerts stands in {message.channel}"
        case _:
            what = f"in {message.channel}: {text}"
    return Step(message.sent_at, By.MACHINE, "", what + after)


def _unsent(message: OutboxMessage) -> Unsent | None:
    what = {
        MessageKind.ROOT: f"its message to {message.channel}",
        MessageKind.UPDATE: f"the update of its message in {message.channel}",
        MessageKind.REPLY: f"the reply in its thread in {message.channel}",
        MessageKind.CALL: f"the call in {message.channel}",
        MessageKind.NOTICE: f"the notice to {message.channel}",
        MessageKind.SUMMARY: f"the summary for {message.channel}",
    }[message.kind]
    match message.state:
        case MessageState.SENT:
            return None
        case MessageState.BLOCKED:
            return Unsent(message.created_at, f"{what} is refused: {message.error or 'nobody knows why'}", True)
        case MessageState.UNKNOWN | MessageState.SENDING:
            return Unsent(message.created_at, f"{what} may have arrived: Slack is being asked", False)
        case MessageState.FOLDED:
            return Unsent(message.created_at, f"a summary of many alerts stands for {what}", False)
        case MessageState.READY:
            error = f" ({message.error})" if message.error else ""
            return Unsent(message.created_at, f"{what} waits to be sent{error}", False)


def _text(message: OutboxMessage) -> str:
    """What it says, in English: one sentence or several."""
    return " ".join(map(english, texts_from_json(message.payload.get("text") or ())))


# -- how long it took --------------------------------------------------------------------------------------------


def _responses(escalation: Escalation, events: Sequence[Logged], messages: Sequence[OutboxMessage]) -> Responses:
    alerted = next((event.at for event in events if event.what == "pending"), escalation.created_at)
    roots = (message.sent_at for message in messages if message.kind is MessageKind.ROOT and message.sent_at)
    told_at = min(roots, default=None)
    start = told_at or alerted

    def since(at: datetime | None) -> timedelta | None:
        return max(at - start, timedelta()) if at is not None else None

    # Waited for anew, an answer is forgotten by the escalation; the log keeps the first, and when it was published.
    answered = next((at for event in events if (at := _answered(event))), None)
    return Responses(
        told=told_at - alerted if told_at else None,
        acknowledged=since(next((event.at for event in events if event.what == "acknowledged"), None)),
        answered=since(answered),
        resolved=since(next((event.at for event in reversed(events) if event.what == "resolved"), None)),
    )


def _answered(event: Logged) -> datetime | None:
    """When we answered, if that is what happened: in a drill as somebody said, else as it was published."""
    if event.what == ANSWERED:
        return event.at
    at = event.data.get("answered_at") if event.why == Reason.ANSWERED else None
    return datetime.fromisoformat(at) if at else None


def _length(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
