"""`escalations`: list them, show one, and do all that people may do with one; the way to act when Slack is down."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.ids import EscalationNumber, MentionNumber
from monitor.cli.order import InThisOrder
from monitor.cli.reading import as_json
from monitor.cli.words import ago, clean, columns, program, table
from monitor.cli.zones import Zone, here

if TYPE_CHECKING:
    from monitor.desk import Desk
    from monitor.escalation.acts import Act
    from monitor.model import Guideline

NUMBER = EscalationNumber()
#: As `Outcome` in monitor.model and `Correction` beside it; kept here as words so that `--help` need not load them.
OUTCOMES = ("answered", "not-about-us", "not-negative", "no-action")
CORRECTIONS = ("not-negative", "not-about-us", "negative")

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


class _Words(click.Choice[str]):
    """Takes them as JSON writes them, too: "not about us"."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:
        return super().normalize_choice(choice, ctx).replace(" ", "-")


@click.group(
    cls=InThisOrder, invoke_without_command=True, short_help="List, show, acknowledge, assign, correct, resolve."
)
@click.option("--drill", is_flag=True, help="Those of the drill that plays, or was played last.")
@with_all
@with_json
@click.pass_context
def escalations(context: click.Context, drill: bool, all_: bool, json_: bool) -> None:
    """List escalations and act on them: all that the buttons in Slack do, for when Slack is down."""
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
@click.option("--zone", type=Zone(), metavar="NAME", help="Times as there, as Europe/Rome. Default: as here.")
@with_json
@click.pass_obj
def show(which: _Which, number: int, zone: tzinfo | None, json_: bool) -> None:
    """Show escalation NUMBER: what is said, why it alerted, and who and what did what, when."""
    from monitor.cli.escalation_view import Shown, lines, plain
    from monitor.errors import MonitorError
    from monitor.store import escalations as stored
    from monitor.store import story
    from monitor.store.outbox import Outbox
    from monitor.timeline import timeline

    with which.open() as desk, desk.store.read() as connection:
        if stored.by_id(connection, number) is None:
            raise MonitorError(f"There is no escalation {number}; `{which.command} list --all` lists them.")
        view, events = stored.view(connection, number), story.of(connection, number)
        told = timeline(view.escalation, events, Outbox(connection).of_escalation(number))
        shown = Shown(view, events, told, desk.now)
    if json_:
        click.echo(as_json(plain(shown)))
        return
    for line in lines(shown, which.command, zone or here()):
        click.echo(line)


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
@click.option("--anyone", is_flag=True, help="Also to somebody who is in no team.")
@click.option("--by", default=None, help="Who assigns. Default: your login name.")
@click.pass_obj
def assign(which: _Which, number: int, person: str, anyone: bool, by: str | None) -> None:
    """Give escalation NUMBER to PERSON, by name or Slack id as teams.yaml has it; that acknowledges it."""
    from monitor.escalation.events import Assign

    who = by or getpass.getuser()
    _act(which, number, Assign(who, person), who, anyone=anyone)


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
@click.argument("team")
@click.option("--by", default=None, help="Who hands it over. Default: your login name.")
@click.pass_obj
def handover(which: _Which, number: int, team: str, by: str | None) -> None:
    """Hand escalation NUMBER over to another TEAM of teams.yaml, which is told at once."""
    from monitor.escalation.events import HandOver

    who = by or getpass.getuser()
    _act(which, number, HandOver(who, team), who)


@escalations.command(short_help="Say that mentions are not negative, or not about us.")
@click.argument("number", type=NUMBER)
@click.argument("correction", type=_Words(CORRECTIONS))
@click.option(
    "--mention",
    "mentions",
    type=MentionNumber(),
    multiple=True,
    metavar="M",
    help="Which, as m12; may be given again. Default: those that `show` quotes; for negative, all that were corrected.",
)
@click.option("--by", default=None, help="Who says so. Default: your login name.")
@click.pass_obj
def correct(which: _Which, number: int, correction: str, mentions: tuple[int, ...], by: str | None) -> None:
    """Say of mentions of escalation NUMBER what the model got wrong: not-negative or not-about-us. `negative` takes
    back what was said before, or says that one is.

    They count as you say from then on. If no rule fires any more, that resolves the escalation.
    """
    from monitor.escalation.acts import Correct, Correction

    who = by or getpass.getuser()
    _act(which, number, Correct(who, Correction(correction.replace("-", " ")), mentions), who)


@escalations.command()
@click.argument("number", type=NUMBER)
@click.option("--outcome", type=_Words(OUTCOMES), required=True, help="How it ended.")
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
        found, recorded = desk.guideline(number, who)
    for line in _guideline(found):
        click.echo(line)
    if recorded:
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


def _act(which: _Which, number: int, act: Act, who: str, *, anyone: bool = False) -> None:
    from monitor.cli.escalation_view import outcome_of

    with which.open() as desk:
        done, delivering = desk.act(number, act, who, anyone=anyone)
    click.echo(outcome_of(done, act, delivering))


def _duration(text: str) -> timedelta:
    from monitor.durations import duration

    try:
        length = duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    if length > timedelta(days=30):
        raise click.BadParameter("at most 30 days", param_hint="--for")
    return length
