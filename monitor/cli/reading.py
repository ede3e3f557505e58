"""Commands that only read the database: `discussions`, `search`, `status`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.amounts import number
from monitor.cli.words import ago, author, clean, rest, score, silence, table, unread

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.model import Mention
    from monitor.rules.load import RuleSet
    from monitor.status import Status
    from monitor.store import Store
    from monitor.store.stats import SourceStatus


def as_json(value: Any) -> str:
    """Any of our values; times as ISO 8601."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@click.command(short_help="List discussions, the most negative first.")
@click.option("--brand", help="Only this brand's.")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="Active in the last N days.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def discussions(config: Path | None, brand: str | None, days: int, limit: int, json_: bool) -> None:
    """List discussions, those with the most negative mentions first."""
    from monitor.app import open_store, utc_now
    from monitor.store.discussions import listed

    now = utc_now()
    store = open_store(config, create=False)
    try:
        with store.read() as connection:
            found = listed(connection, brand=brand, since=now - timedelta(days=days), limit=limit)
    finally:
        store.close()
    if json_:
        click.echo(as_json([asdict(d) | {"negative_share": round(d.negative_share, 3)} for d in found]))
        return
    if not found:
        click.echo(f"No discussion in the last {number(days, 'day')}.")
        return
    rows = [["id", "brand", "mentions", "negative", "reach", "last", "title"]]
    for d in found:
        negative, reach = f"{d.negative:,} ({d.negative_share:.0%})", f"{d.reach:,}" if d.reach else ""
        title = ("(answered) " if d.answers else "") + d.title
        rows.append([f"d{d.id}", clean(d.brand, 14), f"{d.mentions:,}", negative, reach, ago(d.last_at, now), title])
    for line in table(rows, right=[0, 2, 3, 4]):
        click.echo(line)


@click.command(short_help="Full-text search in all mentions.")
@click.argument("query")
@click.option("--brand", help="Only mentions of this brand.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def search(config: Path | None, query: str, brand: str | None, limit: int, json_: bool) -> None:
    """Find mentions whose post holds all words of QUERY; a * ends a prefix. The most relevant come first, and the
    newest of those that are alike."""
    from monitor.app import open_store
    from monitor.store.mentions import search as find

    store = open_store(config, create=False)
    try:
        with store.read() as connection:
            found = find(connection, query, brand=brand, limit=limit)
    finally:
        store.close()
    if json_:
        click.echo(as_json([_mention(mention) for mention in found]))
        return
    if not found:
        click.echo(f"No mention holds all of: {query}")
    for mention in found:
        source, who = clean(mention.post.source, 24), author(mention.post, 24)
        where = f"m{mention.id} · {clean(mention.brand, 16)} · {source} · {who}"
        click.echo(rest(f"{mention.at:%Y-%m-%d %H:%M}  {score(mention):>6}  ", where))
        click.echo(rest("    ", mention.snippet))
        if mention.post.url:
            # Whole, even where it is longer than the line: a link that was cut leads nowhere.
            click.echo(f"    {clean(mention.post.url, 2000)}")


def _mention(mention: Mention) -> dict[str, Any]:
    judged = mention.sentiment
    extra = {"score": judged.score, "confidence": judged.confidence, "label": judged.label} if judged else {}
    return asdict(mention) | extra


@click.command(short_help="Tell how the monitoring stands.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def status(config: Path | None, json_: bool) -> None:
    """Tell how the monitoring stands: sources, gaps, messages, escalations, what to mend. Exit 1 if there is any."""
    from monitor.app import load_config, utc_now
    from monitor.status import status as read_status
    from monitor.store import Store

    now, loaded = utc_now(), load_config(config)
    store = Store(loaded.store, create=False)
    try:
        found = read_status(store, now, rules=_rules(loaded, store))
    finally:
        store.close()
    if json_:
        click.echo(as_json(asdict(found)))
    else:
        _show(found, now)
    if found.problems:
        raise click.exceptions.Exit(1)


def _rules(config: Config, store: Store) -> RuleSet | None:
    """The rules of the folder, else those in force; None where there are none: how the rest stands is told all the
    same."""
    from monitor.errors import ConfigError
    from monitor.inforce import to_explain

    try:
        return to_explain(config, store).rules
    except ConfigError:
        return None


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _show(found: Status, now: datetime) -> None:
    daemon = found.daemon
    if found.running:
        click.echo(
            f"{_bold('Daemon')}       running since {daemon.get('started', '?')}, version {daemon.get('version', '?')}"
        )
    else:
        never = "" if daemon else " (it has never run on this database; `brand-monitor run` starts it)"
        click.echo(f"{_bold('Daemon')}       not running{never}")
    click.echo(
        f"{_bold('Mentions')}     {found.mentions:,} in {number(found.posts, 'stored post')}, "
        f"{found.mentions_today:,} today" + (f", the last {ago(found.last_mention, now)}" if found.last_mention else "")
    )
    states = ", ".join(f"{count} {state}" for state, count in found.escalations.items()) or "none"
    click.echo(f"{_bold('Escalations')}  {states}")
    if found.rules:
        click.echo(rest(f"{_bold('Rules')}        taken over {ago(found.rules['at'], now)}: ", found.rules["why"]))
    for mute in found.mutes:
        click.echo("  " + silence(mute, now))
    for line in unread(found.guidelines):
        click.echo(rest(f"{_bold('Guideline')}    ", line))
    if queue := found.queue:
        polls, waiting = number(queue["polls_under_way"], "poll"), number(queue["waiting"], "poll")
        click.echo(f"{_bold('Queue')}        {waiting} to store, {polls} under way, {ago(queue['at'], now)}")
    outbox = ", ".join(f"{count} {state}" for state, count in found.outbox.items()) or "none"
    outbox += f" ({found.muted} until a mute ends)" if found.muted else ""
    waiting = f", the oldest unsent from {ago(found.oldest_waiting, now)}" if found.oldest_waiting else ""
    click.echo(f"{_bold('Messages')}     {outbox}{waiting}")
    if found.socket:
        click.echo(rest(f"{_bold('Clicks')}       ", _clicks(found.socket, now)))
    click.echo(f"{_bold('Sources')}      {len(found.sources) or 'none'}")
    for source, line in zip(found.sources, table([_source(source, now) for source in found.sources]), strict=True):
        click.echo(line)
        if source.error:
            click.echo(click.style(rest("    ", source.error), fg="yellow"))
    for gap in found.gaps[:10]:
        click.echo(
            rest(f"  gap: {clean(gap['source'], 80)} from {gap['start'][:16]} to {gap['end'][:16]}: ", gap["reason"])
        )
    if len(found.gaps) > 10:
        more = number(len(found.gaps) - 10, "more gap")
        click.echo(f"  … and {more} in the last 7 days (--json lists them)")
    if found.problems:
        click.echo(click.style("To mend", fg="red", bold=True))
        for problem in found.problems:
            click.echo("  " + problem.replace("\n", "\n    "))


def _clicks(socket: Mapping[str, Any], now: datetime) -> str:
    """Whether people can act in Slack."""
    if socket["state"] == "off":
        if socket.get("bot_token"):
            return "not from Slack: buttons and commands there need SLACK_APP_TOKEN"
        return "not from Slack, which has no part in this"
    heard = f", heard {ago(socket['seen'], now)}" if socket.get("seen") else ""
    again = f", connected anew {number(socket['reconnects'], 'time')}" if socket["reconnects"] else ""
    last = f"; the last time {socket['trouble']}" if socket["trouble"] else ""
    return f"from Slack: {socket['state']} since {ago(socket['since'], now)}{heard}{again}{last}"


def _source(source: SourceStatus, now: datetime) -> list[str]:
    never = source.last_success is None
    state = "failing" if never and source.error and source.state == "active" else source.state
    read = "never read" if never else f"read {ago(source.last_success, now)}"
    due = "now due" if source.next_due <= now else f"next {ago(source.next_due, now)}"
    return ["  " + clean(source.name, 28), state, read, due, source.note]
