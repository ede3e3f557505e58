"""`drill`: rehearse a crisis, and say how it went."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.amounts import number
from monitor.cli.words import program

if TYPE_CHECKING:
    from monitor.drill.report import Report
    from monitor.drill.run import Drill
    from monitor.drill.stage import Stage


@click.command(short_help="Rehearse a crisis.")
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--channel", help="Where it plays. Default: `drill_channel` in monitor.yaml, else this terminal.")
@click.option("--speed", type=click.FloatRange(0.1, 1000), default=1.0, metavar="N", help="N times as fast as in life.")
@click.option("--keep-hours", is_flag=True, help="Hours and mutes hold alerts back. Default: as if all were there.")
@click.option("--quiet", is_flag=True, help="Call nobody by name.")
@click.option("--report", "again", is_flag=True, help="Play nothing: show how the last drill went.")
@click.option("--json", "json_", is_flag=True, help="The figures at the end as JSON, and nothing else.")
@click.pass_obj
def drill(
    config: Path | None,
    file: str | None,
    channel: str | None,
    speed: float,
    keep_hours: bool,
    quiet: bool,
    again: bool,
    json_: bool,
) -> None:
    """Rehearse a crisis: play FILE (posts as JSON lines), or one of those that are shipped, through the rules in force.
    Without FILE, list those.

    It plays in a drill channel, every message marked as a drill, and in a database of its own: no report counts it.
    People act as on the day itself, with `escalations --drill`. It ends with who was called when, who answered how fast
    and which guideline was read, against the targets. Exit 0 if all were met, 1 if not.
    """
    from monitor.cli.drillview import as_json, show

    if again and file:
        raise click.UsageError("--report plays nothing: leave out FILE.")
    if file is None and not again:
        _list(config)
        return
    if file is None:
        found = _last(config)
    else:
        found = _play(config, file, channel, speed, keep_hours, quiet, json_)
    if json_:
        click.echo(as_json(found))
    else:
        show(found, f"{program(config)} drill --report")
    raise click.exceptions.Exit(0 if found.met else 1)


def _list(config: Path | None) -> None:
    from monitor.drill.script import BRAND
    from monitor.drill.shelf import shipped

    scripts, brand = shipped(), _brand(config)
    for script in scripts:
        minutes = round(script.length.total_seconds() / 60)
        about = f"{script.language}, {number(len(script.lines), 'post')}, {minutes} minutes"
        click.echo(f"{click.style(script.name, bold=True)}  {script.title.replace(BRAND, brand)} ({about})")
    command = f"{program(config)} drill"
    click.echo(f"\nTo play one:  {command} {scripts[0].name}\nOr your own:  {command} FILE")


def _brand(config: Path | None) -> str:
    """Yours, as a drill would name it; an invented one where there is no configuration yet."""
    from monitor.app import load_config
    from monitor.drill.run import brand_of
    from monitor.drill.script import spoken
    from monitor.errors import ConfigError

    try:
        return spoken(brand_of(load_config(config)))
    except ConfigError:
        return "Acme"


def _last(config: Path | None) -> Report:
    from monitor.app import load_config, utc_now
    from monitor.drill import place

    store = place.reopened(load_config(config).store)
    try:
        return place.read_report(store, place.now_in(store, utc_now()))
    finally:
        store.close()


def _play(
    config: Path | None,
    file: str,
    channel: str | None,
    speed: float,
    keep_hours: bool,
    quiet: bool,
    json_: bool,
) -> Report:
    # What loads the model is imported here, so that `--help` stays fast.
    from monitor.cli.drillview import View
    from monitor.drill.place import TERMINAL, Setup
    from monitor.drill.stage import play

    def open_curtain(stage: Stage) -> Callable[[Drill], None]:
        if json_:
            return lambda drill: None
        view = View(stage, program(config))
        view.introduce()
        return view.look

    if not json_:
        click.echo("Loading the sentiment model …")
    setup = Setup(TERMINAL, calls_people=not quiet, keep_hours=keep_hours, speed=speed)
    # With --json nothing but the figures stands on standard output.
    return play(config, file, channel, setup, open_curtain, io.StringIO() if json_ else sys.stdout)
