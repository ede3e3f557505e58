"""`rules check`: what is wrong in the rule folder, and what is in force; `rules new` stands in a module of its own."""

from __future__ import annotations

import json
from pathlib import Path

import click

from monitor.cli import backtest, explain, mutes, new, rule_tests
from monitor.cli.problems import as_json as problem_as_json
from monitor.cli.problems import mistake, styled
from monitor.cli.words import number
from monitor.errors import ConfigError


@click.group()
def rules() -> None:
    """Write, check, test and try the rules that decide what alerts; silence one for a while."""


for command in (new.new, rule_tests.test, backtest.backtest, explain.explain, mutes.list_, mutes.mute, mutes.unmute):
    rules.add_command(command)


@rules.command("check", short_help="Name every mistake in the rule folder.")
@click.option("--json", "as_json", is_flag=True, help="Problems and rules as JSON.")
@click.pass_obj
def check(config: Path | None, as_json: bool) -> None:
    """Read every file of the rule folder, run the tests, and name every mistake: file, line, what to write.

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
