"""`rules explain`: why somebody was, or was not, alerted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.ids import Id
from monitor.cli.problems import styled
from monitor.cli.reading import as_json
from monitor.cli.words import clean, columns, near, program, rest, width

if TYPE_CHECKING:
    from monitor.explain import Answer, Found
    from monitor.rules.explaining.account import Account
    from monitor.rules.explaining.inquiry import Explanation, Step

#: The table of conditions stands so far in; what they ask for and what was found are at least so wide.
INDENT, NARROWEST = 4, 16
WHERE_LISTED = {"m": "search WORDS", "d": "discussions --days 3650", "e": "escalations list --all"}


@click.command(short_help="Say why a rule did, or did not, alert.")
@click.argument("id", type=Id())
@click.option("--rule", "only", metavar="RULE", help="Only this rule, by its id.")
@click.option("--at", "when", metavar="TIME", help="As of a moment: 2h for two hours ago, or 2026-03-30T10:00+02:00.")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@click.pass_obj
def explain(config: Path | None, id: tuple[str, int], only: str | None, when: str | None, json_: bool) -> None:
    """Say why mention m12, discussion d3 or escalation e7 (as `search`, `discussions` and `escalations` show them) did
    or did not alert: every condition of every rule, what it asks, what was found, and the first that failed."""
    from monitor.app import load_config, utc_now
    from monitor.explain import answer, find
    from monitor.inforce import to_explain
    from monitor.rules.explaining.spoken import Spoken
    from monitor.store import Store
    from monitor.wording.text import english

    now = utc_now()
    at = _moment(when, now) if when else None
    loaded = load_config(config)
    store = Store(loaded.store, create=False)
    try:
        chosen = to_explain(loaded, store)
        with store.read() as connection:
            found = _the_one(find(connection, *id), *id, program(config))
            folder = near(loaded.rules)
            told = answer(
                connection, found, chosen.rules, loaded.competitors, Spoken(now), folder=folder, at=at, only=only
            )
    finally:
        store.close()
    notes = (*([chosen.problem] if chosen.problem else []), *map(english, told.notes))
    if json_:
        click.echo(as_json(_as_json(told, notes)))
    else:
        _show(told, notes, whole=only is not None)


def _moment(text: str, now: datetime) -> datetime:
    from monitor.durations import duration

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = now - duration(text.removesuffix(" ago").strip())
        except (ValueError, OverflowError) as error:
            what = "write how long ago, as 2h, or day and time with the offset from UTC, as 2026-03-30T10:00+02:00"
            raise click.BadParameter(f'"{clean(text, 60)}" is no moment; {what}', param_hint="--at") from error
    if at.tzinfo is None:
        what = f"its offset from UTC is missing; write {text}+02:00 for summer time in Rome or Berlin, {text}Z for UTC"
        raise click.BadParameter(what, param_hint="--at")
    if at > now:
        raise click.BadParameter("lies in the future; nobody knows yet", param_hint="--at")
    return at.astimezone(UTC)


def _the_one(found: Sequence[Found], letter: str, number: int, program: str) -> Found:
    from monitor.errors import MonitorError

    if len(found) == 1:
        return found[0]
    if found:
        lines = [rest(f"  {one.name:<6} {one.kind:<11} ", one.about) for one in found]
        raise click.UsageError(f"{number} may be any of these; say which:\n" + "\n".join(lines))
    if not letter:
        raise MonitorError(f"There is neither a mention nor a discussion nor an escalation {number}.")
    kind = {"m": "mention", "d": "discussion", "e": "escalation"}[letter]
    raise MonitorError(f"There is no {kind} {letter}{number}; `{program} {WHERE_LISTED[letter]}` lists them.")


# -- JSON --------------------------------------------------------------------------------------------------------


def _as_json(told: Answer, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "id": told.found.name,
        "kind": told.found.kind,
        "about": told.found.about,
        "brand": told.found.what.brand,
        "notes": list(notes),
        "escalation": asdict(told.escalation) if told.escalation else None,
        "account": asdict(told.account) if told.account else None,
        "rules": [_explained(explanation) for explanation in told.explanations],
    }


def _explained(explanation: Explanation) -> dict[str, Any]:
    from monitor.wording.text import english

    told = asdict(explanation) | {"sentence": english(explanation.sentence)}
    del told["apart"]
    return told


# -- the terminal ------------------------------------------------------------------------------------------------


def _show(told: Answer, notes: Sequence[str], *, whole: bool) -> None:
    from monitor.rules.explaining.explain import do_not_apply
    from monitor.rules.explaining.inquiry import Result
    from monitor.wording.text import english

    click.echo(
        styled(
            rest(f"{told.found.name}  {told.found.kind} · {clean(told.found.what.brand, 30)} · ", told.found.about),
            bold=True,
        )
    )
    for line in notes:
        click.echo("\n".join(_wrapped(line)))
    if told.account and told.escalation:
        _account(told.account, str(told.escalation.state))
    shown = [e for e in told.explanations if whole or e.result is not Result.APART]
    if shown and told.account:
        click.echo(f"\n{styled('What the rules of now say', bold=True)}")
    for explanation in shown:
        click.echo()
        _rule(explanation)
    if apart := [e for e in told.explanations if e not in shown]:
        click.echo()
        click.echo("\n".join(_wrapped(english(do_not_apply(apart)))))
    if shown:
        click.echo("\nTimes are UTC.")


def _rule(explanation: Explanation) -> None:
    from monitor.rules.explaining.inquiry import Result
    from monitor.wording.text import english

    noticed = explanation.result in (Result.ALERTED, Result.HELD, Result.WAITS)
    mark = styled("●" if noticed else "○", fg="green" if noticed else "yellow")
    head, *more = _wrapped(english(explanation.sentence), columns() - 2)
    click.echo(f"{mark} {styled(head, bold=True)}")
    for line in more:
        click.echo(f"  {styled(line, bold=True)}")
    about = f"{explanation.severity}, {explanation.status}, as of {explanation.at:%Y-%m-%d %H:%M:%S}, "
    click.echo(rest(f"  {about}", explanation.why_then))
    for step, lines in zip((None, *explanation.steps), _table(explanation.steps), strict=True):
        style: dict[str, Any] = {"dim": True}
        if step is not None:
            style = {"fg": "green"} if step.holds else {"fg": "red", "bold": step == explanation.failed}
        for line in lines:
            click.echo(styled(line, **style))


def _table(steps: Sequence[Step]) -> Iterator[list[str]]:
    """The lines of the head and of each step: what is too long for its column goes on below, for it must be read."""
    rows = [["", "condition", "line", "asks for", "found"]]
    for before, step in zip((None, *steps), steps, strict=False):
        # Of what stands in `alert_when_any` one is enough.
        either = "or " if before and before.stage == step.stage == "alert when any" else ""
        mark = "✓ yes" if step.holds else "✗ no"
        rows.append([mark, either + step.name, str(step.line or ""), clean(step.asked, 500), clean(step.found, 500)])
    fixed = [max(width(row[n]) for row in rows) for n in range(3)]
    room = columns() - INDENT - sum(fixed) - 2 * len(fixed) - 2
    asks = min(max(width(row[3]) for row in rows), max(room // 2, NARROWEST))
    widths = [*fixed, asks, max(room - asks, NARROWEST)]
    for row in rows:
        cells = [list(_wrapped(cell, most)) for cell, most in zip(row, widths, strict=True)]
        yield [_line(parts, widths) for parts in zip_longest(*cells, fillvalue="")]


def _line(parts: Sequence[str], widths: Sequence[int]) -> str:
    padded = [part + " " * (most - width(part)) for part, most in zip(parts, widths, strict=True)]
    return (" " * INDENT + "  ".join(padded)).rstrip()


def _account(told: Account, state: str) -> None:
    click.echo(f"\n{styled('Why it was made', bold=True)} (it is {state} now)")
    for rule in told.rules:
        what = "made it" if rule.made_it else "joined it"
        charge = ", in charge" if rule.in_charge and len(told.rules) > 1 else ""
        click.echo(rest(f"  {rule.rule_id} {what}{charge}, as of {rule.at:%Y-%m-%d %H:%M:%S}; ", rule.file))
        for reason in rule.reasons:
            click.echo(rest(f"    ✓ yes  {reason.name}: ", f"{reason.found} (asked: {reason.asked})"))
    for title, lines in (("Who was told", told.told), ("What is due", told.due)):
        click.echo(f"\n{styled(title, bold=True)}")
        for line in lines:
            click.echo(rest(f"  {line.at:%Y-%m-%d %H:%M:%S}  ", line.text))
        if not lines:
            click.echo("  nobody yet" if title == "Who was told" else "  nothing")


def _wrapped(text: str, most: int | None = None) -> Iterator[str]:
    """The sentence in lines that fit the terminal, cleaned of what it would obey; words stay whole."""
    most, line = most or columns(), ""
    for word in clean(text, 2000).split():
        if line and width(line) + 1 + width(word) > most:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
