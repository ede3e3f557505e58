"""The command line: thin commands; what they do stands in `monitor.app` and below.

Whatever a command needs beyond click is imported when it runs, so that `brand-monitor --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from monitor import __version__
from monitor.cli import drill, escalations, guidelines, reading, rules, running, setup
from monitor.cli.order import InThisOrder
from monitor.cli.problems import coloured, counted, mistake, shown
from monitor.errors import ConfigError, MonitorError


@click.group(cls=InThisOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="brand-monitor")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The configuration. Default: monitor.yaml here, else the one that $BRAND_MONITOR_CONFIG names.",
)
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Watch networks and feeds for mentions of a brand, and escalate the discussions that turn bad.

    Start with `brand-monitor demo`, then `brand-monitor init`.
    """
    context.obj = config


for command in (
    running.demo,
    setup.init,
    setup.check,
    rules.rules,
    running.run,
    running.ingest,
    reading.status,
    escalations.escalations,
    drill.drill,
    reading.discussions,
    reading.search,
    guidelines.guidelines,
    running.backup,
    setup.schema,
):
    cli.add_command(command)


def main() -> None:
    """Entry point: every error ends in a sentence and an exit status, 1 a problem found, 2 wrong usage or config."""
    try:
        # Without click's standalone mode a command's exit status is what it returns.
        sys.exit(cli(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.NoSuchOption) and error.option_name == "--config":
            click.echo("It goes before the command: brand-monitor --config FILE …", err=True)
        sys.exit(2)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except ConfigError as error:
        _mistakes(error)
        sys.exit(2)
    except UnicodeEncodeError:
        _complain("an argument is no text: it holds bytes that are not UTF-8")
        sys.exit(2)
    except MonitorError as error:
        _complain(f"brand-monitor: {error}")
        sys.exit(1)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough.
        _write_no_more()
        sys.exit(0)
    except OSError as error:
        _complain(f"brand-monitor: {error.filename or 'the output'}: {error.strerror}")
        _write_no_more()
        sys.exit(1)


def _mistakes(error: ConfigError) -> None:
    if os.environ.get("JOURNAL_STREAM"):
        # There nobody sees columns.
        for problem in error.problems:
            _complain(mistake(problem))
        return
    for block in shown(error.problems):
        for line in coloured(block):
            click.echo(line, err=True)
        if block.excerpt:
            click.echo(err=True)
    if len(error.problems) > 1:
        click.echo(counted(error.problems), err=True)


def _complain(text: str) -> None:
    """To standard error; in the journal at the priority of errors."""
    mark = "<3>" if os.environ.get("JOURNAL_STREAM") else ""
    for line in text.splitlines():
        click.echo(mark + line, err=True)


def _write_no_more() -> None:
    """Else Python would complain again when it flushes standard output at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
