"""The group `rules`, with `list` and `check`; each other command has a module of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.amounts import number
from monitor.cli import backtest, explain, mutes, new, rule_tests
from monitor.cli.order import InThisOrder
from monitor.cli.problems import as_json as problem_as_json
from monitor.cli.problems import mistake, styled
from monitor.cli.words import silence, table
from monitor.errors import ConfigError

if TYPE_CHECKING:
    from monitor.figures import RuleFigures


@click.command("list", short_help="List the rules with what they did.")
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="Count the last N days.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(config: Path | None, days: int, as_json: bool) -> None:
    """List the rules with what they did: alerts of live rules, what rules on test would have alerted, and mutes.

    False alarms: how many of the alerts that were resolved people called not negative or not about us. What was over
    before anybody was told is no alert. `/brand report` in Slack says the same.
    """
    from monitor.app import load_config, utc_now
    from monitor.rulebook import read_rules
    from monitor.store import Store, escalations
    from monitor.store import mutes as silences
    from monitor.store.figures import of_rules

    loaded, now = load_config(config), utc_now()
    rules = read_rules(loaded, now.date()).rules
    figures: dict[str, RuleFigures] = {}
    tested: dict[str, int] = {}
    muted: tuple[silences.Mute, ...] = ()
    if loaded.store.exists():
        store = Store(loaded.store, create=False)
        try:
            with store.read() as connection:
                since = now - timedelta(days=days)
                figures = {one.rule_id: one for one in of_rules(connection, since)}
                tested = escalations.would_have_alerted(connection, since)
                muted = silences.in_force(connection, now)
        finally:
            store.close()
    if as_json:
        silenced = {mute.rule_id: mute for mute in muted if mute.since <= now}
        listed: list[dict[str, Any]] = [
            {
                "id": rule.id, "title": rule.title, "owner": rule.owner, "file": rule.file, "status": rule.status,
                "severity": rule.severity, **_counts(rule.id, figures, tested),
                "mute": asdict(silenced[rule.id]) if rule.id in silenced else None,
            }
            for rule in rules
        ]  # fmt: skip
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2, default=str))
        return
    rows = [["rule", "status", "severity", f"alerts, {days} d", "false alarms", "owner"]]
    for rule in rules:
        did = _counts(rule.id, figures, tested)
        alerts = str(did["alerts"]) if rule.status == "live" else f"({did['would_have_alerted']})"
        false = f"{did['dismissed']} of {did['judged']}" if did["judged"] else ""
        rows.append([rule.id, rule.status, rule.severity, alerts, false, rule.owner])
    for line in table(rows, right=[3, 4]):
        click.echo(line)
    for mute in muted:
        click.echo(silence(mute, now))
    if any(rule.status == "test" for rule in rules):
        click.echo("\n(In brackets: what a rule on test would have alerted.)")


def _counts(rule_id: str, figures: Mapping[str, RuleFigures], tested: Mapping[str, int]) -> dict[str, int]:
    from monitor.figures import RuleFigures

    did = figures.get(rule_id, RuleFigures(rule_id))
    return {
        "alerts": did.alerts,
        "would_have_alerted": tested.get(rule_id, 0),
        "judged": did.resolved,
        "dismissed": did.wrong,
        "corrected": did.corrected,
    }


@click.command(short_help="Name every mistake in the rules folder.")
@click.option("--json", "as_json", is_flag=True, help="Problems and rules as JSON.")
@click.pass_obj
def check(config: Path | None, as_json: bool) -> None:
    """Read every file of the rules folder, run the tests, and name every mistake: file, line, what to write.

    Exit status 0: all is well; 2: something is to be mended.
    """
    from monitor.check import rules_or_problems

    loaded, problems = rules_or_problems(config)
    if as_json:
        told = [*problems, *(loaded.warnings if loaded else ())]
        listed = [
            {"id": rule.id, "title": rule.title, "status": rule.status, "severity": rule.severity, "file": rule.file}
            for rule in (loaded.rules if loaded else ())
        ]
        answer = {"ok": loaded is not None, "problems": [problem_as_json(one) for one in told], "rules": listed}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        raise click.exceptions.Exit(0 if loaded else 2)
    if loaded is None:
        raise ConfigError(problems)
    for warning in loaded.warnings:
        click.echo(f"{styled('note', fg='yellow')}  {mistake(warning)}")
    for rule in loaded.rules:
        click.echo(f"{styled('ok  ', fg='green')}  {rule.file}: {rule.id} ({rule.status}, {rule.severity})")
    parts = {"rule": loaded.rules, "team": loaded.teams, "topic": loaded.topics, "guideline": loaded.guidelines}
    tests = sum(len(file.tests) for file in loaded.tests)
    counts = ", ".join(number(len(found), noun) for noun, found in parts.items())
    click.echo(f"{counts}, {number(tests, 'test')} passed.")


# -- the group ---------------------------------------------------------------------------------------------------


@click.group(cls=InThisOrder)
def rules() -> None:
    """Write, check, test and try the rules that decide what alerts; silence one for a while."""


for command in (
    list_,
    new.new,
    check,
    rule_tests.test,
    backtest.backtest,
    explain.explain,
    mutes.mute,
    mutes.unmute,
):
    rules.add_command(command)
