"""`guidelines`: which there are, who keeps them, who has read them; and to read one."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.reading import as_json
from monitor.cli.words import clean, rest

if TYPE_CHECKING:
    from monitor.rules.load import RuleSet
    from monitor.store import Store


@click.group(invoke_without_command=True, short_help="List the guidelines and who has read them; read one.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_context
def guidelines(context: click.Context, json_: bool) -> None:
    """List the guidelines: version, owner, review date, and who of those that a rule calls has read that version."""
    if context.invoked_subcommand is not None:
        if json_:
            raise click.UsageError("--json is for the list.")
        return
    from monitor.app import utc_now
    from monitor.rules.readership import readership
    from monitor.store.readings import readings

    with _opened(context.obj) as (store, rules), store.read() as connection:
        found = readership(rules, readings(connection), utc_now().date())
    if json_:
        click.echo(as_json([asdict(one) for one in found]))
        return
    if not found:
        click.echo("There is no guideline yet: a file in playbooks/ of the rules folder is one.")
    for one in found:
        overdue = click.style(" (overdue)", fg="yellow") if one.overdue else ""
        click.echo(click.style(rest(f"{clean(one.path, 60)}  ", one.title), bold=True))
        click.echo(f"  version {one.version}, kept by {clean(one.owner, 40)}, review by {one.review_by}{overdue}")
        click.echo(rest("  for ", ", ".join(one.rules)) if one.rules else "  no rule names it")
        if one.read:
            click.echo(rest("  read by ", ", ".join(f"{name} ({at:%Y-%m-%d})" for name, at in one.read.items())))
        if one.unread:
            click.echo(click.style(rest("  not yet read by ", ", ".join(one.unread)), fg="yellow"))
        if one.others:
            click.echo(rest("  also read by ", ", ".join(one.others)))


@guidelines.command()
@click.argument("path")
@click.option("--by", default=None, help="Who reads, by the name in teams.yaml. Default: your login name.")
@click.pass_obj
def read(config: Path | None, path: str, by: str | None) -> None:
    """Print the guideline at PATH, and record that it was read."""
    from monitor.app import utc_now
    from monitor.escalation.acts import Channel, Person
    from monitor.fields import did_you_mean
    from monitor.store.readings import log_reading

    with _opened(config) as (store, rules):
        chosen = path if path in rules.guidelines else f"playbooks/{Path(path).stem}.md"
        guideline = rules.guidelines.get(chosen)
        if guideline is None:
            raise click.UsageError(f"There is no guideline {path}{did_you_mean(path, rules.guidelines)}")
        person = Person(by or getpass.getuser(), Channel.COMMAND_LINE)
        with store.write() as connection:
            fresh = log_reading(connection, chosen, guideline.version, person, utc_now())
    click.echo(click.style(clean(guideline.title, 200), bold=True))
    for line in guideline.body.splitlines():
        click.echo(clean(line, 2000))
    noted = "noted as read by" if fresh else "was read before by"
    click.echo(click.style(f"\n{chosen}, version {guideline.version}: {noted} {person.name}", dim=True))


@contextmanager
def _opened(config: Path | None) -> Iterator[tuple[Store, RuleSet]]:
    """The database, and the rules of the folder or the last good ones."""
    from monitor.app import load_config
    from monitor.inforce import to_explain
    from monitor.store import Store

    loaded = load_config(config)
    store = Store(loaded.store, create=False)
    try:
        yield store, to_explain(loaded, store).rules
    finally:
        store.close()
