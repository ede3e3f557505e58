"""Commands that take posts in and send messages out: `run`, `ingest`, `demo`; and `backup`."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import BinaryIO

import click


@click.command(short_help="Run the daemon.")
@click.option("--once", is_flag=True, help="One cycle, for cron: poll what is due, judge, fire timers, deliver, exit.")
@click.pass_obj
def run(config: Path | None, once: bool) -> None:
    """Run the daemon: poll, judge, escalate, deliver, until told to stop."""
    from monitor.app import App
    from monitor.daemon import Daemon, set_up_logging

    set_up_logging()
    app = App.load(config)
    try:
        daemon = Daemon(app)
        if once:
            daemon.run_once()
        else:
            daemon.run()
            if not daemon.drained:
                # Python would wait for, and the model's own threads would not survive, an orderly end. Everything that
                # was committed stands; anything else is done again, as after a kill.
                logging.shutdown()
                os._exit(0)
    finally:
        app.close()


@click.command(short_help="Take in posts as JSON lines.")
@click.argument("file", type=click.File("rb"))
@click.pass_obj
def ingest(config: Path | None, file: BinaryIO) -> None:
    """Take in posts as JSON lines from FILE (- for standard input).

    Bad lines are reported with their number and set aside in FILE.rejected; the rest goes through. The same post twice
    is one post, so a run that was cut off is simply started again.
    """
    from monitor.app import App
    from monitor.cli.progress import ingest_lines

    app = App.load(config)
    try:
        bad = ingest_lines(app, file)
    finally:
        app.close()
    if bad:
        raise click.exceptions.Exit(1)


@click.command(short_help="See it at work, with nothing configured.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="brand-monitor-demo")
@click.option("--seconds", type=click.IntRange(26, 600), default=30, show_default=True, help="How long it plays.")
def demo(folder: Path, seconds: int) -> None:
    """See it at work: a small scripted world, the real daemon, the alert on the terminal. Needs no key, no network.

    Everything it writes lies in FOLDER.
    """
    from monitor.demo import play

    play(folder, seconds)


@click.command(short_help="Copy the database while the daemon runs.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(config: Path | None, file: Path) -> None:
    """Copy the database to FILE while the daemon goes on; the copy is checked before it takes that name."""
    import shlex

    from monitor.app import open_store
    from monitor.cli.words import near, size

    replaced = ", replaced" if file.exists() else ""
    store = open_store(config, create=False)
    try:
        written = store.backup(file)
    finally:
        store.close()
    copy, database = shlex.quote(str(file)), shlex.quote(near(store.path))
    click.echo(f"{file}: {size(written)}, checked{replaced}. To restore it, stop the daemon, then run")
    click.echo(f"  rm -f {database}-wal {database}-shm && cp {copy} {database}")
