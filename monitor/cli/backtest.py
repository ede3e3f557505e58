"""`rules backtest`: what the edited rules would have alerted, and others; on the terminal, as JSON, as a page."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.amounts import number
from monitor.cli.problems import styled
from monitor.cli.words import clean, columns, near, table

if TYPE_CHECKING:
    from monitor.backtest import Progress
    from monitor.rules.backtesting.hindsight import Backtest, Missed, RuleRow, Side, Tally, Told

#: So many lines of a list are shown; the page and the JSON have all.
LISTED = 15
BARS = "▁▂▃▄▅▆▇█"
DAY = timedelta(days=1)
#: In less time than this a date needs no year.
UNIQUE = 300 * DAY
IN_SHORT = (
    "Each mention counts as seen when it was made, mutes are not regarded, times are UTC; --html and --json say in full"
    " how this was reckoned."
)


class _Length(click.ParamType[timedelta]):
    name = "LENGTH"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> timedelta:
        from monitor.durations import duration

        if isinstance(value, timedelta):
            return value
        try:
            length = duration(value)
        except ValueError as error:
            self.fail(str(error), param, context)
        if not timedelta(hours=1) <= length <= 3650 * DAY:
            self.fail("between an hour and ten years, as 30d", param, context)
        return length


@click.command(short_help="Tell what the rules would have alerted.")
@click.option("--since", type=_Length(), default="30d", show_default=True, help="How far back, as 7d or 12h.")
@click.option("--against", metavar="DIR|GIT-REV", help="Other rules: a folder, or the rules folder at a revision.")
@click.option("--rule", metavar="ID", help="Only this rule.")
@click.option("--json", "json_", is_flag=True, help="Everything as JSON.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page with charts."
)
@click.pass_obj
def backtest(
    config: Path | None, since: timedelta, against: str | None, rule: str | None, json_: bool, html: Path | None
) -> None:
    """Tell what the rules of the folder would have alerted, had they been in force: what is new and gone, how that
    compares with what people confirmed and dismissed, and what would have been missed.

    They are compared with the rules in force where those are others, or with those that --against names: the folder of
    last month, or what `git log` calls HEAD, main or 4f2a1c9. Nothing is changed and nobody is told.
    """
    from monitor.app import load_config, utc_now
    from monitor.backtest import backtest as play
    from monitor.store import Store

    loaded = load_config(config)
    if html is not None:
        _prove_writable(html)
    store = Store(loaded.store, create=False)
    try:
        with _progress() as progress:
            report = play(loaded, store, utc_now(), since, against=against, rule=rule, progress=progress)
    finally:
        store.close()
    if html is not None:
        _write(html, report)
    if json_:
        from monitor.cli.backtest_json import as_json

        click.echo(json.dumps(as_json(report), ensure_ascii=False, indent=2))
        return
    _show(report)
    if html is not None:
        click.echo(f"\nThe page is in {near(html)}.")


@contextmanager
def _progress() -> Iterator[Progress]:
    """Draws a bar where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


# -- the page ----------------------------------------------------------------------------------------------------


def _prove_writable(path: Path) -> None:
    """Before minutes of work, not after: an existing file stays as it is until then."""
    from monitor.errors import MonitorError

    existed = path.exists()
    try:
        path.open("ab").close()
    except OSError as error:
        raise MonitorError(f"The page cannot be written to {path}: {error.strerror}. Name another file.") from error
    if not existed:
        path.unlink()


def _write(path: Path, report: Backtest) -> None:
    from monitor.errors import MonitorError
    from monitor.pages.backtest import page

    try:
        path.write_text(page(report), "utf-8")
    except OSError as error:
        raise MonitorError(f"The page cannot be written to {path}: {error.strerror}. Name another file.") from error


# -- the terminal ------------------------------------------------------------------------------------------------


def _show(report: Backtest) -> None:
    from monitor.rules.backtesting.summary import notes, verdict

    against = f" against {report.old.name}" if report.old else ""
    click.echo(styled(f"Backtest of {report.new.name}{against}", bold=True))
    span = f"{report.since:%Y-%m-%d} to {report.until:%Y-%m-%d}"
    click.echo(f"{span}, {number(report.mentions, 'mention')} replayed\n")
    for paragraph in verdict(report):
        _wrapped(paragraph)
    for note in notes(report):
        _wrapped(note)
    _show_sides(report)
    _show_rules(report)
    _show_days(report)
    when = "%b %d %H:%M" if report.until - report.since < UNIQUE else "%Y-%m-%d %H:%M"
    if report.old is None:
        _listed("What would have alerted", [_line(told, when) for told in report.new.told])
    else:
        _listed("New", [_line(told, when) for told in report.added])
        _listed("Gone", [_line(told, when) for told in report.gone])
    _listed("Missed", [_missed_line(missed, when) for missed in report.missed])
    if report.new.tests:
        _listed("In test: would have fired, nobody told", [_line(told, when) for told in report.new.tests])
    click.echo()
    _wrapped(IN_SHORT)


def _wrapped(text: str) -> None:
    click.echo(click.wrap_text(text, min(columns(100), 110)))


def _heading(text: str, remark: str = "") -> None:
    click.echo(f"\n{styled(text, bold=True)}" + (f"  ({remark})" if remark else ""))


def _show_sides(report: Backtest) -> None:
    from monitor.rules.backtesting.summary import per_week

    _heading("Messages")
    rows = [["", "all", "a week", "confirmed", "dismissed", "noise a week", "not judged", "outside hours", ""]]
    for word, side in _sides(report):
        tally = side.tally
        noise = per_week(tally.dismissed, report) if tally.judged else ""
        numbers = (tally.confirmed, tally.dismissed)
        rows.append(
            [word, f"{tally.number:,}", per_week(tally.number, report), *(f"{n:,}" for n in numbers), noise,
             f"{tally.unknown:,}", f"{tally.held:,}", ""]
        )  # fmt: skip
    for line in table(rows, right=range(1, 8)):
        click.echo(line)


def _sides(report: Backtest) -> list[tuple[str, Side]]:
    return [*([("old", report.old)] if report.old else []), ("new" if report.old else "these", report.new)]


def _show_rules(report: Backtest) -> None:
    from monitor.rules.backtesting.summary import per_week, right

    _heading("Alerts by rule", "right: confirmed, of those that people have judged")
    compared = report.old is not None
    heads = ["old", "new", "new a week", "right, old", "right, new"] if compared else ["alerts", "a week", "right"]
    rows = [["rule", *heads, ""]]
    for row in report.rules:
        weekly = per_week(row.new.number, report) if row.new else ""
        if compared:
            cells = [_count(row.old), _count(row.new), weekly, _or(row.old, right), _or(row.new, right)]
        else:
            cells = [_count(row.new), weekly, _or(row.new, right)]
        rows.append([clean(row.rule_id, 40), *cells, remark(row, compared)])
    for line in table(rows, right=range(1, len(heads) + 1)):
        click.echo(line)


def _count(tally: Tally | None) -> str:
    return f"{tally.number:,}" if tally is not None else "–"


def _or(tally: Tally | None, words: Any) -> str:
    return words(tally) if tally is not None else ""


def remark(row: RuleRow, compared: bool) -> str:
    """What else there is to know of a rule: "changed, in test"."""
    said = []
    if row.new is None:
        said.append("off or gone")
    elif compared and row.old is None:
        said.append("new")
    else:
        said += ["changed"] if row.changed else []
        said += ["other words"] if row.reworded else []
    if row.status == "test":
        said.append("in test")
    return ", ".join(said)


def _show_days(report: Backtest) -> None:
    days = report.days
    weeks = len(days) > min(columns(100) - 10, 92)
    spans = [days[n : n + 7] for n in range(0, len(days), 7)] if weeks else [[day] for day in days]
    _heading("Messages by week" if weeks else "Messages by day")
    counts = {
        word: [sum(side.tally.days.get(day, 0) for day in span) for span in spans] for word, side in _sides(report)
    }
    most = max(map(max, counts.values()))
    for word, numbers in counts.items():
        click.echo(f"{word:<6}{_bars(numbers, most)}")
    first, last = f"{days[0]:%b %d}", f"{days[-1]:%b %d}"
    click.echo(" " * 6 + first + last.rjust(max(len(spans) - len(first), len(last) + 1)) + f"   at most {most:,}")


def _bars(counts: Sequence[int], most: int) -> str:
    """A dot for nothing: the smallest bar is something."""
    return "".join(BARS[-(-count * len(BARS) // most) - 1] if count else "·" for count in counts)


def _listed(title: str, rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    _heading(f"{title} ({len(rows):,})")
    for line in table(rows[:LISTED]):
        click.echo(line)
    if len(rows) > LISTED:
        click.echo(f"… and {len(rows) - LISTED:,} more: --html FILE and --json have all")


def _line(told: Told, when: str) -> list[str]:
    from monitor.rules.backtesting.summary import about, opinion

    message = told.message
    held = f"held until {message.told_at:%a %H:%M}" if message.held else ""
    marks = ", ".join(mark for mark in ("in test" if message.first.test else "", opinion(told), held) if mark)
    title = told.talk.title if told.talk else "the brand as a whole"
    rules = ", ".join(message.rules)
    return [f"{message.at:{when}}", clean(about(told), 20), clean(rules, 44), marks, title]


def _missed_line(missed: Missed, when: str) -> list[str]:
    from monitor.rules.backtesting.summary import about, why_missed

    title = missed.talk.title if missed.talk else "the brand as a whole"
    return [f"{missed.at:{when}}", clean(about(missed), 20), why_missed(missed), title]
