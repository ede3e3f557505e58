"""Commands before the first run and after every edit: `init`, `check`, `schema`."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.cli.problems import coloured, counted, styled
from monitor.cli.words import program
from monitor.errors import Problem


@click.command(short_help="Write starter files.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--brand", metavar="NAME", help="Write all of it for this brand; without it, for an example named Acme.")
def init(folder: Path, brand: str | None) -> None:
    """Write a starter configuration and rules into FOLDER. Files that are there already are left alone."""
    from monitor.starter import write_starter

    files = write_starter(folder, brand)
    for path, written in files:
        click.echo(f"{'wrote' if written else 'kept '} {path}")
    config = folder / "monitor.yaml"
    command = program(None if folder == Path(".") else config)
    rules = folder / "rules"
    if brand is None:
        click.echo(
            f"\nNext: write your brand's names into {config}. The rules and their tests name it, too: in the files of"
        )
        click.echo(
            f"{rules} put it where `brands: [acme]` or `brand: acme` stands. Or delete what was written and start"
        )
        click.echo(f"anew with --brand and the brand's name, which does all that. Then run\n  {command} check")
    elif (config, False) in files:
        click.echo(f"\n{config} was there already and is left as it is; the rules that were written speak of the brand")
        click.echo(f"{brand}, which must stand there under `brands:`. Then run\n  {command} check")
    else:
        click.echo(f"\nNext: add other names of your brand, and sources, to {config}. Then run\n  {command} check")


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
