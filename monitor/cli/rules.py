"""`rules check`: what is wrong in the rule folder, and what is in force."""

from __future__ import annotations

import json
from pathlib import Path

import click

from monitor.cli.words import mistake, number


@click.group()
def rules() -> None:
    """Check the rules that decide what alerts."""


@rules.command("check")
@click.option("--json", "as_json", is_flag=True, help="The rules as JSON.")
@click.pass_obj
def check(config: Path | None, as_json: bool) -> None:
    """Check every file of the rule folder at once: file, line, what is wrong, what to write."""
    from monitor.app import load_config, read_rules

    loaded = read_rules(load_config(config))
    if as_json:
        listed = [
            {"id": rule.id, "title": rule.title, "status": rule.status, "severity": rule.severity, "file": rule.file}
            for rule in loaded.rules
        ]
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    for warning in loaded.warnings:
        click.echo(f"{click.style('note', fg='yellow')}  {mistake(warning)}")
    for rule in loaded.rules:
        click.echo(f"{click.style('ok  ', fg='green')}  {rule.file}: {rule.id} ({rule.status}, {rule.severity})")
    parts = {"rule": loaded.rules, "team": loaded.teams, "topic": loaded.topics, "guideline": loaded.guidelines}
    click.echo(", ".join(number(len(found), noun) for noun, found in parts.items()) + ".")
