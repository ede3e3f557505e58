"""`escalations`: list them, show one, and do all that people may do with one; the way to act when Slack is down."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.reading import as_json
from monitor.cli.words import ago, clean

if TYPE_CHECKING:
    from monitor.escalation.machine import Event

#: As `Outcome` in monitor.model; kept here as words so that `--help` need not load it.
OUTCOMES = ("answered", "not-about-us", "not-negative", "no-action")


@click.group(invoke_without_command=True, short_help="List, show, acknowledge, assign, snooze, resolve.")
@click.pass_context
def escalations(context: click.Context) -> None:
    """List escalations, and acknowledge, assign, snooze or resolve them."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@escalations.command("list")
@click.option("--all", "all_", is_flag=True, help="Also those that have ended.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(config: Path | None, all_: bool, json_: bool) -> None:
    """List the escalations that are alive, the most severe first."""
    from monitor.app import open_store, utc_now
    from monitor.escalation.machine import ALIVE
    from monitor.model import State
    from monitor.store import escalations as stored

    now = utc_now()
    store = open_store(config, create=False)
    try:
        with store.read() as connection:
            found = stored.having_state(connection, tuple(State) if all_ else ALIVE)
            titles = {e.id: stored.fired_rules(connection, e.id)[0].title for e in found}
    finally:
        store.close()
    if json_:
        click.echo(as_json([asdict(e) | {"title": titles[e.id]} for e in found]))
        return
    if not found:
        click.echo("No escalation." if all_ else "No escalation is alive. (--all lists those that have ended.)")
        return
    click.echo(f"{'id':>5}  {'severity':<9} {'state':<13} {'since':<12} {'who':<14} title")
    for e in found:
        who = clean(e.assignee or "nobody yet", 14)
        click.echo(
            f"{e.id:>5}  {e.severity:<9} {e.state:<13} {ago(e.created_at, now):<12} {who:<14} {clean(titles[e.id], 70)}"
        )


@escalations.command()
@click.argument("number", type=int)
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def show(config: Path | None, number: int, json_: bool) -> None:
    """Show escalation NUMBER: what is said, why it alerted, and who and what did what, when."""
    from monitor.app import open_store
    from monitor.errors import MonitorError
    from monitor.store import escalations as stored

    store = open_store(config, create=False)
    try:
        with store.read() as connection:
            if stored.by_id(connection, number) is None:
                raise MonitorError(
                    f"There is no escalation {number}; `brand-monitor escalations list --all` lists them."
                )
            view = stored.view(connection, number)
            history = [dict(row) for row in stored.history(connection, number)]
    finally:
        store.close()
    if json_:
        events = [event | {"data": json.loads(event["data"])} for event in history]
        click.echo(as_json(asdict(view) | {"events": events}))
        return
    e = view.escalation
    click.echo(f"{click.style(f'#{e.id} {clean(view.rules[0].title, 80)}', bold=True)}")
    click.echo(f"{e.severity}, {e.state}, {'taken by ' + clean(e.assignee, 40) if e.assignee else 'nobody has it yet'}")
    if (d := view.discussion) is not None:
        click.echo(f"\n{clean(d.title, 100)}\n{clean(d.url or d.key, 150)}")
        click.echo(
            f"{d.mentions} mentions, {d.negative} negative ({d.negative_share:.0%}), {d.authors} authors, "
            f"reach {d.reach:,}, {d.pace:.1f} an hour, answers of ours: {d.answers}"
        )
    click.echo("\nWhy")
    for rule in view.rules:
        for reason in rule.reasons:
            click.echo(f"  {rule.rule_id}: {reason.name}: {reason.found} (asked: {reason.asked})")
    click.echo("\nSaid")
    for mention in view.mentions:
        score = f"{mention.sentiment.score:+.2f}" if mention.sentiment else "     "
        author = clean(mention.post.author.handle or mention.post.author.name or "unknown", 24)
        click.echo(f"  {score}  {author}: {clean(mention.snippet, 110)}")
    click.echo("\nTimeline (UTC)")
    for event in history:
        click.echo(
            f"  {event['at'][:19].replace('T', ' ')}  {clean(event['who'], 28)}: {event['what']}: {event['why']}"
        )


@escalations.command()
@click.argument("number", type=int)
@click.option("--by", default=None, help="Who acknowledges. Default: your login name.")
@click.pass_obj
def ack(config: Path | None, number: int, by: str | None) -> None:
    """Acknowledge escalation NUMBER: you have seen it and take care of it."""
    from monitor.escalation.machine import Acknowledge

    who = by or getpass.getuser()
    _act(config, number, Acknowledge(who), who)


@escalations.command()
@click.argument("number", type=int)
@click.argument("person")
@click.option("--by", default=None, help="Who assigns. Default: your login name.")
@click.pass_obj
def assign(config: Path | None, number: int, person: str, by: str | None) -> None:
    """Give escalation NUMBER to PERSON; that acknowledges it."""
    from monitor.escalation.machine import Assign

    who = by or getpass.getuser()
    _act(config, number, Assign(who, person), who)


@escalations.command()
@click.argument("number", type=int)
@click.option("--for", "length", required=True, metavar="TIME", help="How long, for example 30m or 4h.")
@click.option("--by", default=None, help="Who snoozes. Default: your login name.")
@click.pass_obj
def snooze(config: Path | None, number: int, length: str, by: str | None) -> None:
    """Keep escalation NUMBER quiet for a while; it comes back by itself."""
    from monitor.app import utc_now
    from monitor.escalation.machine import Snooze

    who = by or getpass.getuser()
    _act(config, number, Snooze(who, utc_now() + _duration(length)), who)


@escalations.command()
@click.argument("number", type=int)
@click.option("--outcome", type=click.Choice(OUTCOMES), required=True, help="How it ended.")
@click.option("--note", default="", help="A word for those who read it later.")
@click.option("--by", default=None, help="Who resolves. Default: your login name.")
@click.pass_obj
def resolve(config: Path | None, number: int, outcome: str, note: str, by: str | None) -> None:
    """End escalation NUMBER."""
    from monitor.escalation.machine import Resolve
    from monitor.model import Outcome

    who = by or getpass.getuser()
    _act(config, number, Resolve(who, Outcome(outcome.replace("-", " ")), note), who)


def _act(config: Path | None, number: int, event: Event, who: str) -> None:
    from monitor.app import act

    decision, delivering = act(config, number, event, who)
    if decision.effects:
        follows = "within seconds" if delivering else "when the daemon runs again"
        click.echo(f"Escalation {number} is {decision.escalation.state} now; its message follows {follows}.")
    else:
        click.echo(f"Nothing changed: {decision.reason} ({decision.escalation.state}).")


def _duration(text: str) -> timedelta:
    from monitor.fields import duration

    try:
        length = duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    if length > timedelta(days=30):
        raise click.BadParameter("at most 30 days", param_hint="--for")
    return length
