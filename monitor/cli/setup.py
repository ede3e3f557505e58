"""Commands before the first run and after every edit: `init`, `check`, `schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def init(folder: Path) -> None:
    """Write a starter configuration and rules into FOLDER. Files that are there already are left alone."""
    from monitor.starter import write_starter

    for path, written in write_starter(folder):
        click.echo(f"{'wrote' if written else 'kept '} {path}")
    where = "" if folder == Path(".") else f" --config {folder / 'monitor.yaml'}"
    click.echo(
        f"\nNext: write your brand's names into {folder / 'monitor.yaml'}, then run\n  brand-monitor{where} check"
    )


@click.command()
@click.option("--online", is_flag=True, help="Ask Slack and every source, too.")
@click.pass_obj
def check(config: Path | None, online: bool) -> None:
    """Check the configuration, the rules, the credentials and the database; say what to mend."""
    from monitor.check import findings

    good = True
    for finding in findings(config, online):
        good &= finding.good
        mark = "ok  " if finding.good and not finding.warning else "note" if finding.good else "MEND"
        colour = {"ok  ": "green", "note": "yellow", "MEND": "red"}[mark]
        click.echo(f"{click.style(mark, fg=colour)}  {finding.text}")
    if not good:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("what", type=click.Choice(["config", "rule", "teams", "topics"]), default="config")
def schema(what: str) -> None:
    """Print the JSON Schema of monitor.yaml (or of a rule file, …), with which editors complete and check it."""
    from monitor.app import schema_of

    click.echo(json.dumps(schema_of(what), indent=2, ensure_ascii=False))
