"""`escalations`: list them, show one, and do all that people may do with one; the way to act when Slack is down."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.amounts import number
from monitor.cli.ids import EscalationNumber
from monitor.cli.reading import as_json
from monitor.cli.words import ago, author, clean, columns, program, rest, score, table

if TYPE_CHECKING:
    from monitor.desk import Desk
    from monitor.escalation.events import Event
    from monitor.model import Discussion, Escalation, EscalationView, Guideline

NUMBER = EscalationNumber()
#: As `Outcome` in monitor.model; kept here as words so that `--help` need not load it.
OUTCOMES = ("answered", "not-about-us", "not-negative", "no-action")

with_all = click.option("--all", "all_", is_flag=True, help="Also those that have ended.")
with_json = click.option("--json", "json_", is_flag=True, help="As JSON.")


@dataclass(frozen=True, slots=True)
class _Which:
    """Whose escalations are meant: those of the configuration, or those of its drill."""

    config: Path | None
    drill: bool

    def open(self) -> AbstractContextManager[Desk]:
        from monitor.desk import opened

        return opened(self.config, drill=self.drill)

    @property
    def command(self) -> str:
        return f"{program(self.config)} escalations" + (" --drill" if self.drill else "")


class _Outcomes(click.Choice[str]):
    """Takes them as JSON writes them, too: "not about us"."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:
        return super().normalize_choice(choice, ctx).replace(" ", "-")


@click.group(invoke_without_command=True, short_help="List, show, acknowledge, assign, snooze, resolve.")
@click.option("--drill", is_flag=True, help="Those of the drill that plays, or was played last.")
@with_all
@with_json
@click.pass_context
def escalations(context: click.Context, drill: bool, all_: bool, json_: bool) -> None:
    """List escalations, and acknowledge, assign, snooze or resolve them."""
    context.obj = _Which(context.obj, drill)
    if context.invoked_subcommand is None:
        context.invoke(list_, all_=all_, json_=json_)
    elif all_ or json_:
        raise click.UsageError(f"Options go after `{context.invoked_subcommand}`.")


@escalations.command("list")
@with_all
@with_json
@click.pass_obj
def list_(which: _Which, all_: bool, json_: bool) -> None:
    """List the escalations that are alive, the most severe first."""
    from monitor.escalation.machine import ALIVE
    from monitor.model import State
    from monitor.store import discussions
    from monitor.store import escalations as stored

    with which.open() as desk:
        now = desk.now
        with desk.store.read() as connection:
            found = stored.having_state(connection, tuple(State) if all_ else ALIVE)
            titles = {e.id: stored.fired_rules(connection, e.id)[0].title for e in found}
            talks = {e.id: e.discussion_id and discussions.by_id(connection, e.discussion_id) for e in found}
    if json_:
        click.echo(as_json([asdict(e) | {"title": titles[e.id]} for e in found]))
        return
    if not found:
        click.echo("No escalation." if all_ else "No escalation is alive. (--all lists those that have ended.)")
        return
    rows = [["id", "severity", "state", "since", "who", "title"]]
    for e in found:
        nobody = "nobody yet" if e.state in ALIVE else ""
        who = clean(e.assignee, 14) or nobody
        # Several may come of one rule: what they are about tells them apart.
        about = f": {talk.title}" if (talk := talks[e.id]) and talk.title else ""
        rows.append([f"e{e.id}", e.severity, e.state, ago(e.created_at, now), who, titles[e.id] + about])
    for line in table(rows, right=[0]):
        click.echo(line)


@escalations.command()
@click.argument("number", type=NUMBER)
@with_json
@click.pass_obj
def show(which: _Which, number: int, json_: bool) -> None:
    """Show escalation NUMBER: what is said, why it alerted, and who and what did what, when."""
    from monitor.errors import MonitorError
    from monitor.store import escalations as stored

    with which.open() as desk, desk.store.read() as connection:
        if stored.by_id(connection, number) is None:
            raise MonitorError(f"There is no escalation {number}; `{which.command} list --all` lists them.")
        view = stored.view(connection, number)
        history = [dict(row) | {"data": json.loads(row["data"])} for row in stored.history(connection, number)]
    if json_:
        click.echo(as_json(asdict(view) | {"events": history}))
    else:
        _show(view, history, which.command)


def _show(view: EscalationView, history: Sequence[Mapping[str, Any]], command: str) -> None:
    from monitor.escalation.machine import ALIVE
    from monitor.model import State

    e = view.escalation
    click.echo(click.style(rest(f"e{e.id} ", view.rules[0].title), bold=True))
    click.echo(f"{e.severity}, {_standing(e)}")
    if view.discussion:
        click.echo(f"\n{rest('', view.discussion.title)}\n{clean(view.discussion.url or view.discussion.key, 500)}")
        click.echo(_figures(view.discussion))
    click.echo("\nWhy")
    for rule in view.rules:
        for reason in rule.reasons:
            click.echo(f"  {rule.rule_id}: {reason.name}: {reason.found} (asked: {reason.asked})")
    said = view.discussion.mentions if view.discussion else view.counts.get("mentions", 0)
    click.echo(f"\nSaid ({len(view.mentions)} of {said:,})")
    for mention in view.mentions:
        head = f"  {score(mention):>6}  {author(mention.post, 24)}: "
        click.echo(rest(head, mention.post.text or mention.post.title))
    click.echo("\nTimeline (UTC)")
    for event in history:
        click.echo(_in_words(event))
    if e.state in ALIVE:
        acts = ("ack {}", "guideline {}", "assign {} PERSON", "snooze {} --for 4h", "resolve {} --outcome answered")
        click.echo("\nTo act")
        for act in acts[1:] if e.state is State.ACKNOWLEDGED else acts:
            click.echo(f"  {command} {act.format(e.id)}")


def _standing(e: Escalation) -> str:
    from monitor.escalation.machine import ALIVE

    who = clean(e.assignee, 40)
    if e.state in ALIVE:
        return f"{e.state}, {who + ' has it' if who else 'nobody has it yet'}"
    by = f" by {clean(e.resolved_by, 40)}" if e.resolved_by else ""
    had = f", {who} had it" if who and e.assignee != e.resolved_by else ""
    return f"{e.state}{by}{had}{_ending(e.outcome, e.note)}"


def _ending(outcome: str | None, note: str) -> str:
    return (f": {outcome}" if outcome else "") + (f" “{clean(note, 300)}”" if note else "")


def _figures(d: Discussion) -> str:
    figures = [number(d.mentions, "mention"), f"{d.negative:,} negative ({d.negative_share:.0%})"]
    figures += [number(d.authors, "author"), *([f"reach {d.reach:,}"] if d.reach else [])]
    return ", ".join([*figures, f"{d.pace:.1f} an hour", f"{number(d.answers, 'answer')} of ours"])


def _in_words(event: Mapping[str, Any]) -> str:
    """A line of the timeline: who or what did what, when and why."""
    what, why, data = event["what"], event["why"], event["data"]
    if why == "assigned":
        why = f"assigned to {clean(data.get('assignee'), 40)}"
    reason = f": {why}" if why != what else ""
    ending = _ending(data.get("outcome"), data.get("note", "")) if what == "resolved" else ""
    return f"  {event['at'][:19].replace('T', ' ')}  {clean(event['who'], 28)}: {what}{reason}{ending}"


@escalations.command()
@click.argument("number", type=NUMBER)
@click.option("--by", default=None, help="Who acknowledges. Default: your login name.")
@click.pass_obj
def ack(which: _Which, number: int, by: str | None) -> None:
    """Acknowledge escalation NUMBER: you have seen it and take care of it."""
    from monitor.escalation.events import Acknowledge

    who = by or getpass.getuser()
    _act(which, number, Acknowledge(who), who)


@escalations.command()
@click.argument("number", type=NUMBER)
@click.argument("person")
@click.option("--by", default=None, help="Who assigns. Default: your login name.")
@click.pass_obj
def assign(which: _Which, number: int, person: str, by: str | None) -> None:
    """Give escalation NUMBER to PERSON; that acknowledges it."""
    from monitor.escalation.events import Assign

    who = by or getpass.getuser()
    _act(which, number, Assign(who, person), who)


@escalations.command()
@click.argument("number", type=NUMBER)
@click.option("--for", "length", required=True, metavar="TIME", help="How long, for example 30m or 4h.")
@click.option("--by", default=None, help="Who snoozes. Default: your login name.")
@click.pass_obj
def snooze(which: _Which, number: int, length: str, by: str | None) -> None:
    """Keep escalation NUMBER quiet for a while; it comes back by itself."""
    from monitor.escalation.events import Snooze

    who, slept = by or getpass.getuser(), _duration(length)
    with which.open() as desk:
        until = desk.now + slept
    _act(which, number, Snooze(who, until), who)


@escalations.command()
@click.argument("number", type=NUMBER)
@click.option("--outcome", type=_Outcomes(OUTCOMES), required=True, help="How it ended.")
@click.option("--note", default="", help="A word for those who read it later.")
@click.option("--by", default=None, help="Who resolves. Default: your login name.")
@click.pass_obj
def resolve(which: _Which, number: int, outcome: str, note: str, by: str | None) -> None:
    """End escalation NUMBER."""
    from monitor.escalation.events import Resolve
    from monitor.model import Outcome

    who = by or getpass.getuser()
    _act(which, number, Resolve(who, Outcome(outcome.replace("-", " ")), note), who)


@escalations.command()
@click.argument("number", type=NUMBER)
@click.option("--by", default=None, help="Who reads it. Default: your login name.")
@click.pass_obj
def guideline(which: _Which, number: int, by: str | None) -> None:
    """Read what to do about escalation NUMBER; who read which version is recorded."""
    who = by or getpass.getuser()
    with which.open() as desk:
        found = desk.guideline(number, who)
    for line in _guideline(found):
        click.echo(line)
    click.echo(click.style(f"\nRecorded: {clean(who, 40)} read {found.path}, version {found.version}.", dim=True))


def _guideline(found: Guideline) -> Iterator[str]:
    about = {"version": found.version, "owner": found.owner, "approved by": found.approved_by,
             "review by": found.review_by}  # fmt: skip
    yield click.style(clean(found.title, columns()), bold=True)
    yield clean(", ".join(f"{key} {value}" for key, value in about.items() if value), columns())
    yield ""
    for line in found.body.split("\n"):
        # It comes from a file of ours; even so, nothing that a terminal would obey.
        yield "".join(c for c in line.expandtabs(4) if c.isprintable())


@escalations.command()
@click.argument("number", type=NUMBER)
@click.argument("text")
@click.option("--by", default=None, help="Who answers. Default: your login name.")
@click.pass_obj
def answer(which: _Which, number: int, text: str, by: str | None) -> None:
    """In a drill: say in TEXT what you would publish about escalation NUMBER. Nothing is published."""
    who = by or getpass.getuser()
    with which.open() as desk:
        desk.answer(number, text, who)
    click.echo(f"Your answer stands in the thread of escalation {number}, in the drill alone: nothing was published.")


def _act(which: _Which, number: int, event: Event, who: str) -> None:
    from monitor.escalation.machine import ALIVE

    with which.open() as desk:
        decision, delivering = desk.act(number, event, who)
    e = decision.escalation
    if decision.effects:
        holder = f", {clean(e.assignee, 40)} has it" if e.assignee and e.state in ALIVE else ""
        follows = "within seconds" if delivering else "when the daemon runs again"
        click.echo(f"Escalation {number} is {e.state} now{holder}; its message follows {follows}.")
    else:
        click.echo(f"Nothing changed: {decision.reason} ({_standing(e)}).")


def _duration(text: str) -> timedelta:
    from monitor.durations import duration

    try:
        length = duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    if length > timedelta(days=30):
        raise click.BadParameter("at most 30 days", param_hint="--for")
    return length
