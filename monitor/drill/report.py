"""What a drill showed: who was called when, who answered how fast, which guideline was read, against the targets.

Pure: it reads what the drill's database recorded (the audit log, the mentions, the escalations) and judges. How that is
said on a screen is the business of `drill.wording`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from monitor import timeline
from monitor.drill.script import Targets
from monitor.escalation.acts import ANSWERED, READ
from monitor.escalation.events import Reason
from monitor.model import Escalation, Label, Mention, Outcome


@dataclass(frozen=True, slots=True)
class Logged:
    """A line of the audit log."""

    at: datetime
    who: str
    what: str
    why: str
    escalation: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Course:
    """How the drill was set up and how it ended. `ended` is None while it plays, or where it was killed; `early`:
    somebody broke it off. `posts`: how many the script had; `nearest`: which rule came nearest, where none fired."""

    title: str
    brand: str
    targets: Targets
    started: datetime
    ended: datetime | None
    early: bool
    posts: int
    nearest: str = ""


class StepKind(StrEnum):
    NEGATIVE = "negative"
    FIRED = "fired"
    ALERT = "alert"
    CALLED = "called"
    ACKNOWLEDGED = "acknowledged"
    GUIDELINE = "guideline"
    ANSWERED = "answered"
    RESOLVED = "resolved"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline; `after` the start."""

    after: timedelta
    kind: StepKind
    text: str
    escalation: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was called by name, or who did something. `took`: from the call (or the alert) to the first deed."""

    name: str
    called_after: timedelta | None
    tier: int | None
    did: str
    took: timedelta | None


class Verdict(StrEnum):
    MET = "met"
    MISSED = "missed"
    OPEN = "open"
    """The drill ended before its time was up."""
    UNASKED = "unasked"
    """There is no target, or nothing to do: no answer is due to what is not about us."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One target. `took` is None where it never happened; of several alerts the slowest counts."""

    name: str
    target: timedelta | None
    took: timedelta | None
    verdict: Verdict
    who: str = ""
    missing: tuple[int, ...] = ()
    """The alerts, of several, in which it never happened."""

    @property
    def difference(self) -> timedelta | None:
        """How much later than the target (negative: earlier)."""
        return self.took - self.target if self.took is not None and self.target is not None else None


@dataclass(frozen=True, slots=True)
class Report:
    course: Course
    mentions: int
    negative: int
    steps: tuple[Step, ...]
    people: tuple[Person, ...]
    measures: tuple[Measure, ...]
    alerts: int

    @property
    def met(self) -> bool:
        """Whether every target that was set was met; without an alert none is."""
        return self.alerts > 0 and all(one.verdict in (Verdict.MET, Verdict.UNASKED) for one in self.measures)


@dataclass(frozen=True, slots=True)
class _Alert:
    """One escalation that people were told of, and the moments that count."""

    id: int
    told: datetime
    discussion: int | None
    guideline: tuple[str, str] | None
    outcome: Outcome | None
    events: tuple[Logged, ...]

    def first(self, *what: str) -> Logged | None:
        return next((event for event in self.events if event.what in what), None)

    def end(self) -> Logged | None:
        """Its resolution, if it stayed resolved: one that came back has no outcome."""
        ends = [event for event in self.events if event.what == "resolved"]
        return ends[-1] if ends and self.outcome is not None else None


def report(
    course: Course,
    mentions: Sequence[Mention],
    escalations: Sequence[Escalation],
    events: Sequence[Logged],
    guidelines: Mapping[int, tuple[str, str]],
) -> Report:
    """`mentions` and `events` oldest first; `guidelines`: path and version of the one each escalation shows."""
    said = [mention for mention in mentions if not mention.answer and mention.brand == course.brand]
    negative = [one for one in said if one.sentiment and one.sentiment.label is Label.NEGATIVE]
    alerts = [
        _Alert(
            id=one.id,
            told=one_told,
            discussion=one.discussion_id,
            guideline=guidelines.get(one.id),
            outcome=one.outcome,
            events=tuple(event for event in events if event.escalation == one.id),
        )
        for one in sorted(escalations, key=lambda one: one.id)
        if (one_told := _told_at(one.id, events)) is not None
    ]
    answers = [mention for mention in mentions if mention.answer]
    several = len(escalations) > 1
    steps = [*_first_negative(course, negative), *_steps(course, events, several), *_answers(course, answers, events)]
    return Report(
        course=course,
        mentions=len(said),
        negative=len(negative),
        steps=tuple(sorted(steps, key=lambda step: step.after)),
        people=tuple(_people(course, alerts)),
        measures=tuple(_measures(course, negative, alerts, answers)),
        alerts=len(alerts),
    )


def _told_at(escalation: int, events: Sequence[Logged]) -> datetime | None:
    """When its first message was confirmed to stand in the channel."""
    mine = (event for event in events if event.escalation == escalation and event.why == Reason.TOLD)
    return next((event.at for event in mine), None)


def person(who: str) -> str:
    return timeline.person(who) or who


# -- the timeline ------------------------------------------------------------------------------------------------


def _first_negative(course: Course, negative: Sequence[Mention]) -> Iterator[Step]:
    if negative:
        first = min(negative, key=lambda mention: mention.at)
        author = first.post.author.handle or first.post.author.name or "somebody"
        text = f"first negative post, by {author} on {first.post.source}"
        yield Step(first.at - course.started, StepKind.NEGATIVE, text)


def _answers(course: Course, answers: Sequence[Mention], events: Sequence[Logged]) -> Iterator[Step]:
    """Our posts of the script; what a person answered stands in the log."""
    by_hand = {event.data.get("native_id") for event in events if event.what == ANSWERED}
    for mention in answers:
        if mention.post.native_id not in by_hand:
            who = mention.post.author.handle or "one of our accounts"
            yield Step(mention.at - course.started, StepKind.ANSWERED, f"{who} answers, as the script has it")


def _steps(course: Course, events: Sequence[Logged], several: bool) -> Iterator[Step]:
    reader = Reader()
    for event in events:
        found = reader.read(event)
        if found is None:
            continue
        kind, text = found
        number = f"#{event.escalation} " if several and event.escalation else ""
        yield Step(event.at - course.started, kind, number + text, event.escalation)


class Reader:
    """Reads the audit log line by line, as it is written."""

    def __init__(self) -> None:
        self._first: dict[int | None, str] = {}

    def read(self, event: Logged) -> tuple[StepKind, str] | None:
        """What a line means to the drill, and how the timeline says it; None: nothing of its own."""
        told = event.data.get("told")
        if told and event.what == "open" and event.escalation not in self._first:
            # It is told when its message stands in the channel.
            self._first[event.escalation] = "; ".join(map(_told, told))
            return None
        if event.why == Reason.TOLD:
            return StepKind.ALERT, f"alert: {self._first.get(event.escalation) or 'it was taken before'}"
        return _in_words(event)


def _in_words(event: Logged) -> tuple[StepKind, str] | None:
    who, told = person(event.who), event.data.get("told")
    match event.what:
        case "pending":
            return StepKind.FIRED, f"{event.who} fires: {event.why}"
        case "would have alerted":
            return StepKind.OTHER, f"{event.who} is only being tested, it would have alerted: {event.why}"
        case "acknowledged" if event.why == Reason.ASSIGNED:
            return StepKind.ACKNOWLEDGED, f"{who} gives it to {event.data.get('assignee')}"
        case "acknowledged":
            return StepKind.ACKNOWLEDGED, f"{who} takes it"
        case what if what == READ:
            return StepKind.GUIDELINE, f"{who} reads {event.data.get('path')}, version {event.data.get('version')}"
        case what if what == ANSWERED:
            return StepKind.ANSWERED, f"{who} answers: “{event.data.get('text')}”"
        case "resolved":
            note = f" “{event.data['note']}”" if event.data.get("note") else ""
            return StepKind.RESOLVED, f"{who} resolves it: {event.data.get('outcome')}{note}"
        case "held" | "held back":
            return StepKind.OTHER, f"not said yet: {event.why}"
        case "dropped" | "snoozed":
            return StepKind.OTHER, f"{event.what}: {event.why}"
    if told:
        return StepKind.CALLED, "; ".join(map(_told, told)) + f" ({event.why})"
    return None


def _told(one: Mapping[str, Any]) -> str:
    team = one.get("team") or one.get("channel")
    called = ", ".join(one.get("called") or ())
    return f"{team} is told (tier {one.get('tier')}), " + (f"{called} by name" if called else "nobody by name")


# -- people ------------------------------------------------------------------------------------------------------

_DEEDS = {"acknowledged": "took it", READ: "read the guideline", ANSWERED: "answered", "resolved": "resolved it",
          "snoozed": "snoozed it"}  # fmt: skip
#: The id of a Slack user group: it is called, but it is nobody who acts.
_GROUP = re.compile(r"S[A-Z0-9]{7,20}")


def _people(course: Course, alerts: Sequence[_Alert]) -> Iterator[Person]:
    """Everybody who was called, in that order, then whoever came unasked. Names are compared whatever their case."""
    names: dict[str, str] = {}
    called: dict[str, tuple[datetime, int]] = {}
    deeds: dict[str, tuple[datetime, str, datetime]] = {}
    for alert in alerts:
        for event in alert.events:
            for one in event.data.get("told") or ():
                for name in one.get("called") or ():
                    if _GROUP.fullmatch(name):
                        continue
                    names.setdefault(name.casefold(), name)
                    # What was decided before the message stood in the channel reached people with it.
                    called.setdefault(name.casefold(), (max(event.at, alert.told), one.get("tier") or 1))
    done = [(event.at, event, alert.told) for alert in alerts for event in alert.events if event.what in _DEEDS]
    for at, event, told in sorted(done, key=lambda deed: deed[0]):
        name = person(event.who)
        names.setdefault(name.casefold(), name)
        deeds.setdefault(name.casefold(), (at, _DEEDS[event.what], told))
    for key, name in names.items():
        call, deed = called.get(key), deeds.get(key)
        since = call[0] if call else deed[2] if deed else course.started
        yield Person(
            name=name,
            called_after=call[0] - course.started if call else None,
            tier=call[1] if call else None,
            did=deed[1] if deed else "",
            took=max(deed[0] - since, timedelta()) if deed else None,
        )


# -- targets -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Took:
    """What one alert needed until something happened: from `since` to `at`, through `who`."""

    since: datetime
    at: datetime | None
    who: str = ""
    alert: int = 0

    @property
    def length(self) -> timedelta | None:
        return max(self.at - self.since, timedelta()) if self.at is not None else None


def _measures(
    course: Course, negative: Sequence[Mention], alerts: Sequence[_Alert], answers: Sequence[Mention]
) -> Iterator[Measure]:
    targets = course.targets
    told = min((alert.told for alert in alerts), default=None)
    first = min((mention.at for mention in negative), default=told or course.started)
    yield _measure(course, "called", targets.called, [_Took(first, told)])
    if not alerts:
        # Nobody can take, read or answer what nobody was told of.
        for name in ("acknowledged", "guideline", "answered", "resolved"):
            yield Measure(name, getattr(targets, name), None, Verdict.UNASKED)
        return
    yield _measure(course, "acknowledged", targets.acknowledged, [_taken(alert) for alert in alerts])
    read = [_read(alert, alerts) for alert in alerts if alert.guideline]
    yield _measure(course, "guideline", targets.guideline, read)
    due = [_answered(alert, answers) for alert in alerts if alert.outcome in (None, Outcome.ANSWERED)]
    yield _measure(course, "answered", targets.answered, due)
    yield _measure(course, "resolved", targets.resolved, [_since(alert, alert.end()) for alert in alerts])


def _measure(course: Course, name: str, target: timedelta | None, took: Sequence[_Took]) -> Measure:
    """The slowest counts; one that never happened is the slowest of all."""
    if not took:
        return Measure(name, target, None, Verdict.UNASKED)
    never = [one for one in took if one.at is None]
    slowest = max(took, key=lambda one: one.length or timedelta())
    length = None if never else slowest.length
    who = ", ".join(dict.fromkeys(one.who for one in took if one.who)) if not never else ""
    if target is None:
        return Measure(name, target, length, Verdict.UNASKED, who)
    if length is not None:
        return Measure(name, target, length, Verdict.MET if length <= target else Verdict.MISSED, who)
    missing = tuple(one.alert for one in never) if len(took) > 1 else ()
    passed = course.ended is None or any(course.ended - one.since > target for one in never)
    return Measure(name, target, None, Verdict.MISSED if passed or not course.early else Verdict.OPEN, who, missing)


def _since(alert: _Alert, event: Logged | None) -> _Took:
    return _Took(alert.told, event.at, person(event.who), alert.id) if event else _Took(alert.told, None, "", alert.id)


def _taken(alert: _Alert) -> _Took:
    """Whoever resolves at once has taken it, too."""
    return _since(alert, alert.first("acknowledged", "resolved"))


def _read(alert: _Alert, alerts: Sequence[_Alert]) -> _Took:
    """Two alerts with one guideline need it read but once."""
    read = [
        event
        for one in alerts
        for event in one.events
        if event.what == READ and (event.data.get("path"), event.data.get("version")) == alert.guideline
    ]
    return _since(alert, min(read, key=lambda event: event.at, default=None))


def _answered(alert: _Alert, answers: Sequence[Mention]) -> _Took:
    """Our first post in its discussion after the alert; or it was resolved as answered."""
    by_hand = alert.first(ANSWERED)
    ended = alert.end() if alert.outcome is Outcome.ANSWERED else None
    found = [_since(alert, event) for event in (by_hand, ended) if event is not None]
    found += [
        _Took(alert.told, mention.at, mention.post.author.handle or "", alert.id)
        for mention in answers
        if mention.discussion_id == alert.discussion and alert.discussion is not None
    ]
    return min(found, key=lambda one: one.at or alert.told, default=_since(alert, None))
