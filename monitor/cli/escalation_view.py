"""How one escalation, and what became of an act, look on a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import click

from monitor.amounts import number
from monitor.cli.words import author, clean, columns, rest, score, span, width
from monitor.cli.zones import name_of
from monitor.escalation.acts import Act, Correct, Done
from monitor.escalation.audit import Logged
from monitor.escalation.events import HandOver
from monitor.escalation.machine import ALIVE
from monitor.model import Discussion, Escalation, EscalationView, State
from monitor.timeline import By, Responses, Step, Timeline

#: What else can be done; the first only as long as nobody has it.
_ACTS = (
    "ack {}",
    "guideline {}",
    "assign {} PERSON",
    "snooze {} --for 4h",
    "handover {} TEAM",
    "correct {} not-negative",
    "resolve {} --outcome answered",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is shown of an escalation, `now`."""

    view: EscalationView
    events: tuple[Logged, ...]
    timeline: Timeline
    now: datetime


def plain(shown: Shown) -> dict[str, Any]:
    """For `--json`: lengths of time in seconds."""
    told = asdict(shown.timeline)
    told["responses"] = {name: time and time.total_seconds() for name, time in told["responses"].items()}
    return asdict(shown.view) | {"events": [asdict(event) for event in shown.events], "timeline": told}


def lines(shown: Shown, command: str, zone: tzinfo) -> Iterator[str]:
    view, e = shown.view, shown.view.escalation
    yield click.style(rest(f"e{e.id} ", view.rules[0].title), bold=True)
    yield f"{e.severity}, {standing(e)}"
    if view.discussion:
        yield f"\n{rest('', view.discussion.title)}\n{clean(view.discussion.url or view.discussion.key, 500)}"
        yield _figures(view.discussion)
    yield "\nWhy"
    for rule in view.rules:
        for reason in rule.reasons:
            yield f"  {rule.rule_id}: {reason.name}: {reason.found} (asked: {reason.asked})"
    said = view.discussion.mentions if view.discussion else view.counts.get("mentions", 0)
    yield f"\nSaid ({len(view.mentions)} of {said:,})"
    names = [f"m{mention.id}" for mention in view.mentions]
    for name, mention in zip(names, view.mentions, strict=True):
        head = f"  {name:<{max(map(len, names))}}  {score(mention):>6}  {author(mention.post, 24)}: "
        yield rest(head, mention.post.text or mention.post.title)
    if view.read_by:
        yield rest("\nGuideline read by ", ", ".join(view.read_by))
    yield f"\nTimeline ({name_of(zone, shown.now)})"
    yield from _story(shown.timeline.steps, zone, shown.now)
    yield from _waiting(shown, zone)
    yield from _took(shown.timeline.responses, e, shown.now)
    if e.state in ALIVE:
        yield "\nTo act"
        for act in _ACTS[1:] if e.state is State.ACKNOWLEDGED else _ACTS:
            if act != "guideline {}" or view.guideline:
                yield f"  {command} {act.format(e.id)}"


def standing(e: Escalation) -> str:
    who = clean(e.assignee, 40)
    if e.state in ALIVE:
        team = f", handed over to team {clean(e.team, 40)}" if e.team else ""
        if e.state is State.OPEN:
            return f"open, {f'nobody has it now, {who} had it' if who else 'nobody has it yet'}{team}"
        return f"{e.state}, {who + ' has it' if who else 'nobody has it yet'}{team}"
    by = f" by {clean(e.resolved_by, 40)}" if e.resolved_by else ""
    had = f", {who} had it" if who and e.assignee != e.resolved_by else ""
    note = f" “{clean(e.note, 300)}”" if e.note else ""
    return f"{e.state}{by}{had}" + (f": {e.outcome}" if e.outcome else "") + note


def _figures(d: Discussion) -> str:
    figures = [number(d.mentions, "mention"), f"{d.negative:,} negative ({d.negative_share:.0%})"]
    figures += [number(d.authors, "author"), *([f"reach {d.reach:,}"] if d.reach else [])]
    return ", ".join([*figures, f"{d.pace:.1f} an hour", f"{number(d.answers, 'answer')} of ours"])


# -- the timeline ------------------------------------------------------------------------------------------------


def _story(steps: Sequence[Step], zone: tzinfo, now: datetime) -> Iterator[str]:
    """A line a step: the day where it is another one, the time, how long after the step before, who, what."""
    today, before, day = now.astimezone(zone).date(), None, None
    whole = any(step.at.astimezone(zone).date() != today for step in steps)
    for step in steps:
        there = step.at.astimezone(zone)
        heading = _day(there.date(), today) if whole and there.date() != day else ""
        gap = step.at - before if before is not None else timedelta()
        after = f"+{span(gap)}" if gap >= timedelta(seconds=1) else ""
        margin = f"{heading:<10}" if whole else ""
        head = f"  {margin}{there:%H:%M:%S}  {after:>7}  "
        who = clean(step.who, 40)
        if step.by is By.PERSON:
            who = click.style(who, bold=True)
        yield from _wrapped(head, f"{step.who} " if step.who else "", who, step.text)
        before, day = step.at, there.date()


def _wrapped(head: str, who: str, styled: str, text: str) -> Iterator[str]:
    """Cut at the width of the terminal: what follows stands below, under its beginning."""
    room = max(20, columns() - width(head))
    said = clean(f"{who}{text}", 2_000)
    first = True
    while said:
        cut = said if width(said) <= room else said[:room]
        if cut != said and (space := cut.rfind(" ")) > room // 2:
            cut = cut[:space]
        line, said = cut, said[len(cut) :].lstrip()
        if first and who and line.startswith(clean(who, 2_000)):
            line = styled + line[len(clean(who, 2_000)) :]
        yield (head if first else " " * width(head)) + line
        first = False


def _day(day: date, today: date) -> str:
    return f"{day.day} {day:%b}" + (f" {day.year}" if day.year != today.year else "")


def _waiting(shown: Shown, zone: tzinfo) -> Iterator[str]:
    if not shown.timeline.unsent:
        return
    yield "\nNot sent"
    for one in shown.timeline.unsent:
        line = rest(f"  since {one.since.astimezone(zone):%H:%M:%S}  ", one.text)
        yield click.style(line, fg="red") if one.blocked else line


def _took(took: Responses, e: Escalation, now: datetime) -> Iterator[str]:
    """How fast the team was, where there was something to answer to."""
    parts = [f"told {span(took.told)} after it alerted"] if took.told is not None else []
    for name, length in (("acknowledged", took.acknowledged), ("answered", took.answered), ("resolved", took.resolved)):
        if length is not None:
            parts.append(f"{name} after {span(length)}")
    if e.state in (State.OPEN, State.HELD, State.PENDING) and took.acknowledged is None and e.told_at:
        parts.append(f"nobody has taken it for {span(now - e.told_at)}")
    if parts:
        yield "\nResponse"
        yield f"  {', '.join(parts)}"


# -- what became of an act ---------------------------------------------------------------------------------------


def outcome_of(done: Done, act: Act, delivering: bool) -> str:
    """What to tell whoever acted."""
    e = done.escalation
    if not done.changed:
        return f"Nothing changed: {done.reason} ({standing(e)})."
    follows = "within seconds" if delivering else "when the daemon runs again"
    message = f"; its message follows {follows}" if e.opened_at else ""
    if isinstance(act, Correct):
        counted = {"not about us": "count nowhere", "negative": "count as negative again"}
        how = counted.get(act.correction, "count as neutral")
        what = f"{number(done.corrected, 'mention')} {_verb(how, done.corrected)} from now on."
        state = "" if e.state in ALIVE else f" by {clean(e.resolved_by, 40)}: {e.outcome}"
        return f"{what} Escalation e{e.id} is {e.state}{state}{message}."
    if isinstance(act, HandOver):
        return f"Escalation e{e.id} is handed over to team {clean(act.team, 40)}{message}."
    holder = f", {clean(e.assignee, 40)} has it" if e.assignee and e.state in ALIVE else ""
    return f"Escalation e{e.id} is {e.state} now{holder}{message}."


def _verb(words: str, count: int) -> str:
    return words if count != 1 else words.replace("count", "counts", 1)
