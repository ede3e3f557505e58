"""Commands before the first run and after every edit: `init`, `check`, `schema`."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.problems import coloured, counted, styled
from monitor.cli.words import program
from monitor.errors import Problem


@click.command(short_help="Write starter files.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def init(folder: Path) -> None:
    """Write a starter configuration and rules into FOLDER. Files that are there already are left alone."""
    from monitor.starter import write_starter

    for path, written in write_starter(folder):
        click.echo(f"{'wrote' if written else 'kept '} {path}")
    config = folder / "monitor.yaml"
    command = program(None if folder == Path(".") else config)
    click.echo(
        f"\nNext: write your brand's names into {config}. The rules and their tests name it, too: in the files of"
    )
    click.echo(f"{folder / 'rules'} put it where `brands: [acme]` or `brand: acme` stands. Then run\n  {command} check")


@click.command(short_help="Say what is wrong and how to mend it.")
@click.option("--online", is_flag=True, help="Ask Slack and every source, too.")
@click.pass_obj
def check(config: Path | None, online: bool) -> None:
    """Check the configuration, the rules, the credentials and the database; say what to mend."""
    from monitor.check import findings

    status, mistakes = 0, list[Problem]()
    for finding in findings(config, online):
        status = max(status, finding.status)
        mark, colour = (
            ("MEND", "red") if finding.status else ("note", "yellow") if finding.warning else ("ok  ", "green")
        )
        first, *more = coloured(finding.block) if finding.block else [finding.text]
        click.echo(f"{styled(mark, fg=colour)}  {first}")
        for line in more:
            click.echo(f"      {line}")
        mistakes += finding.block.problems if finding.block else ()
    if mistakes:
        click.echo(counted(mistakes))
    raise click.exceptions.Exit(status)


@click.command(short_help="Print a JSON Schema for editors.")
@click.argument("what", type=click.Choice(["config", "rules", "teams", "topics", "tests"]), default="config")
@click.option(
    "--write",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="FOLDER",
    help="Instead write all of them into the rules folder FOLDER, where the first lines of its files look for them.",
)
def schema(what: str, write: Path | None) -> None:
    """Print the JSON Schema of monitor.yaml, or of the files in the rules folder, with which editors complete and
    check them while you type."""
    from monitor.app import schema_text, write_schemas

    if write is None:
        click.echo(schema_text(what), nl=False)
        return
    for path in write_schemas(write):
        click.echo(f"wrote {path}")
