"""What the terminal shows of a drill: what is said, who does what, what to type; and the figures at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import Enum
from textwrap import wrap
from typing import Any

import click

from monitor.amounts import number
from monitor.cli.words import author, clean, columns, score, table
from monitor.drill import wording
from monitor.drill.place import TERMINAL, logged
from monitor.drill.report import Reader, Report, StepKind
from monitor.drill.run import Drill
from monitor.drill.stage import Stage
from monitor.model import Label, Mention
from monitor.outgoing import MessageState
from monitor.store import escalations, mentions
from monitor.store.outbox import Outbox

COLUMNS = 100
#: With so many followers a voice is loud.
LOUD = 10_000
JUDGED = {Label.NEGATIVE: "red", Label.POSITIVE: "green", Label.NEUTRAL: "white"}
MARKED = {"✓": "green", "✗": "red", "…": "yellow"}
#: Where messages are that do not arrive.
STUCK = (MessageState.BLOCKED, MessageState.UNKNOWN, MessageState.READY)


class View:
    """Tells what is new in the drill's database, as any reader could."""

    def __init__(self, stage: Stage, command: str) -> None:
        self._stage = stage
        self._acts = f"{command} escalations --drill"
        self._mention = self._event = 0
        self._waits = False
        self._reader = Reader()
        self._problems: set[str] = set()

    # -- before --------------------------------------------------------------------------------------------------

    def introduce(self) -> None:
        stage, setup, script = self._stage, self._stage.setup, self._stage.script
        minutes = round(script.length.total_seconds() / 60)
        click.echo(click.style(f"🧪 DRILL  {clean(script.title, columns(COLUMNS) - 10)}", bold=True))
        pace = "" if setup.speed == 1 else f", {setup.speed:g} times as fast"
        click.echo(f"{number(len(script.lines), 'post')} about {stage.brand} in {minutes} minutes{pace}; all invented.")
        where = setup.channel
        if where == TERMINAL:
            where += ", for want of `slack: {drill_channel: …}` and a token of Slack"
        quiet = "" if setup.calls_people else "; nobody is called by name"
        click.echo(f"Messages go to {where}{quiet}.")
        if setup.keep_hours:
            click.echo("Hours and mutes hold alerts back as in life.")
        else:
            click.echo("Hours and mutes are set aside: it plays as if all teams were there (--keep-hours: as in life).")
        if stage.left_out:
            left = number(stage.left_out, "answer")
            click.echo(f"{left} of ours in the script left out: the brand has no `own_accounts` there.")
        targets = [
            f"{title.lower()} {wording.length(time)}"
            for name, title in wording.TITLES.items()
            if (time := getattr(script.targets, name)) is not None
        ]
        click.echo(f"Targets: {', '.join(targets) or 'none'}.")
        click.echo("\nEverybody does what they would do on the day; in another terminal:")
        for act, what in (
            ("", "what is open"),
            (" ack 1 --by anna", "Anna takes the first"),
            (" guideline 1 --by anna", "and reads what to do"),
            (' answer 1 "We are sorry …"', "what you would publish; nothing is"),
            (" resolve 1 --outcome answered", "it is settled"),
        ):
            command = f"  {self._acts}{act}"
            click.echo(command.ljust(max(len(command) + 2, 62)) + click.style(what, dim=True))
        click.echo("Ctrl-C ends the drill early, with the figures so far.\n")

    # -- while it plays ------------------------------------------------------------------------------------------

    def look(self, drill: Drill) -> None:
        with self._stage.store.read() as connection:
            new = mentions.after(connection, self._mention, 100)
            events = escalations.events_after(connection, self._event)
            blocked = [m for state in STUCK for m in Outbox(connection).in_state(state)]
            waiting = [message.error for message in blocked if message.error]
        for mention in new:
            self._mention = mention.id
            for line in self._said(mention):
                click.echo(line)
        for row in events:
            self._event = row["id"]
            event = logged(row)
            told = self._reader.read(event)
            if told is None:
                continue
            kind, text = told
            self._tell(event.at, f"#{event.escalation} {text}" if event.escalation else text, _colour(kind))
            if kind is StepKind.ALERT:
                click.echo(click.style(f"         {self._acts} ack {event.escalation}", fg="cyan"))
        for problem in waiting:
            if problem not in self._problems:
                self._problems.add(problem)
                click.echo(click.style(f"         A message waits: {clean(problem, 300)}", fg="red"))
        if drill.all_said and not self._waits:
            self._waits = True
            latest = wording.offset(drill.last_moment() - self._stage.started)
            click.echo(
                click.style(
                    f"\n         All has been said. It goes on until all is resolved, until {latest} at the latest.\n",
                    dim=True,
                )
            )

    def _said(self, mention: Mention) -> Iterator[str]:
        """The whole post: to read what people say is half of the exercise."""
        label = mention.sentiment.label if mention.sentiment else None
        judged = click.style(f"{score(mention)} {label or ''}".rstrip(), fg=JUDGED[label] if label else "blue")
        reach = mention.post.author.followers or 0
        loud = f", {reach:,} followers" if reach >= LOUD else ""
        who = f"{author(mention.post, 24)} on {clean(mention.post.source, 16)}{loud}"
        yield f"{self._stamp(mention.at)}  {click.style(who, bold=bool(loud))}  {judged}"
        text = clean(mention.post.text, 2_000)
        for line in wrap(text, min(columns(COLUMNS), COLUMNS) - 9):
            yield f"         {line}"

    def _tell(self, at: datetime, text: str, colour: str) -> None:
        line = clean(text, columns(COLUMNS) - 9)
        click.echo(f"{self._stamp(at)}  " + click.style(line, fg=colour, bold=True))

    def _stamp(self, at: datetime) -> str:
        return wording.offset(at - self._stage.started).rjust(7)


def _colour(kind: StepKind) -> str:
    match kind:
        case StepKind.FIRED | StepKind.ALERT | StepKind.CALLED:
            return "yellow"
        case StepKind.ACKNOWLEDGED | StepKind.GUIDELINE | StepKind.ANSWERED | StepKind.RESOLVED:
            return "green"
        case _:
            return "white"


# -- the end -----------------------------------------------------------------------------------------------------


def show(report: Report, command: str) -> None:
    """The figures of a drill, for people."""
    course = report.course
    day = course.started.astimezone()
    click.echo(click.style(f"\n🧪 How the drill went: {clean(course.title, 70)}", bold=True))
    lasted = wording.length((course.ended or course.started) - course.started)
    early = ", ended early" if course.early else ""
    click.echo(
        f"{day:%Y-%m-%d %H:%M}, {lasted}{early}; {number(report.mentions, 'mention')} of {course.brand}, "
        f"{report.negative:,} negative; {number(report.alerts, 'alert')}"
    )
    click.echo("\nTimeline")
    for line in table([[f"  {stamp}", text] for stamp, text in wording.timeline(report)] or [["  ", "nothing"]], [0]):
        click.echo(line)
    if report.people:
        click.echo("\nPeople")
        for line in table([[f"  {clean(name, 24)}", called, did] for name, called, did in wording.people(report)]):
            click.echo(line)
    if report.alerts:
        click.echo("\nTargets")
        for line in _targets(report):
            click.echo(line)
    colour = "green" if report.met else "red" if report.alerts else "yellow"
    click.echo("\n" + click.style(wording.verdict(report), fg=colour, bold=True))
    click.echo(click.style(f"Again: {command}", dim=True))


def _targets(report: Report) -> Iterator[str]:
    measures = [wording.measure(one) for one in report.measures]
    for line, (mark, *_) in zip(table([[f"  {one[0]}", *one[1:]] for one in measures]), measures, strict=True):
        yield click.style(line, fg=MARKED.get(mark))


def as_json(report: Report) -> str:
    found = asdict(report) | {"met": report.met, "verdict": wording.verdict(report)}
    return json.dumps(found, ensure_ascii=False, indent=2, default=_plain)


def _plain(value: Any) -> Any:
    """Times as ISO 8601, lengths of time in seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else str(value)
