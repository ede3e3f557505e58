"""`rules list`, `rules mute` and `rules unmute`: what the rules are doing, and silence for a while."""

from __future__ import annotations

import getpass
import json
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from monitor.cli.words import ago, clean, table

#: Whoever wants silence for longer wants the rule to be off.
LONGEST = timedelta(days=90)


@click.command("list", short_help="What each rule is and did in the last days.")
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="Count the last N days.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(config: Path | None, days: int, as_json: bool) -> None:
    """List the rules with what they did: alerts of live rules, what rules on test would have alerted, and mutes."""
    from monitor.app import load_config, utc_now
    from monitor.rulebook import read_rules
    from monitor.store import Store, escalations, mutes

    loaded, now = load_config(config), utc_now()
    rules = read_rules(loaded, now.date()).rules
    counts: dict[str, dict[str, int]] = {}
    silenced: dict[str, mutes.Mute] = {}
    if loaded.store.exists():
        store = Store(loaded.store, create=False)
        try:
            with store.read() as connection:
                counts = escalations.count_by_rule(connection, now - timedelta(days=days))
                silenced = {mute.rule_id: mute for mute in mutes.in_force(connection, now)}
        finally:
            store.close()
    if as_json:
        listed: list[dict[str, Any]] = [
            {
                "id": rule.id, "title": rule.title, "owner": rule.owner, "file": rule.file, "status": rule.status,
                "severity": rule.severity, **_counts(counts, rule.id),
                "mute": asdict(silenced[rule.id]) if rule.id in silenced else None,
            }
            for rule in rules
        ]  # fmt: skip
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2, default=str))
        return
    rows = [["rule", "status", "severity", f"alerts, {days} d", "owner", "note"]]
    for rule in rules:
        did = _counts(counts, rule.id)
        alerts = str(did["alerts"]) if rule.status == "live" else f"({did['would_have_alerted']})"
        mute = silenced.get(rule.id)
        note = f"muted, ends {ago(mute.until, now)}: {clean(mute.why, 60)} ({clean(mute.who, 30)})" if mute else ""
        rows.append([rule.id, rule.status, rule.severity, alerts, clean(rule.owner, 30), note])
    for line in table(rows, right=[3]):
        click.echo(line)
    if any(rule.status == "test" for rule in rules):
        click.echo("\n(In brackets: what a rule on test would have alerted.)")


def _counts(counts: dict[str, dict[str, int]], rule_id: str) -> dict[str, int]:
    return {"alerts": 0, "would_have_alerted": 0, **counts.get(rule_id, {})}


@click.command(short_help="No posts of a rule for a while.")
@click.argument("rule")
@click.option("--for", "length", required=True, metavar="TIME", help="How long, for example 4h or 2d.")
@click.option("--because", "why", required=True, metavar="TEXT", help="Why, for whoever wonders at the silence.")
@click.option("--by", default=None, help="Who mutes. Default: your login name.")
@click.pass_obj
def mute(config: Path | None, rule: str, length: str, why: str, by: str | None) -> None:
    """Post nothing of RULE (its id) for a while, critical or not.

    Nothing is lost: what it would have posted is held and told when the mute ends. What stands in Slack already is
    still kept up to date.
    """
    from monitor.app import utc_now
    from monitor.durations import duration
    from monitor.store import mutes

    try:
        lasts = duration(length)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    if not timedelta() < lasts <= LONGEST:
        raise click.BadParameter(
            f"at most {LONGEST.days} days; `status: off` in its file is for longer", param_hint="--for"
        )
    now, who = utc_now(), by or getpass.getuser()
    store = _store_of(config, rule)
    try:
        with store.write() as connection:
            mutes.add(connection, mutes.Mute(rule, now, now + lasts, who, why))
            _log(connection, who, "muted", f"{rule} for {length}: {why}")
    finally:
        store.close()
    click.echo(f"{rule} posts nothing until {now + lasts:%Y-%m-%d %H:%M} UTC; what it holds back is told then.")


@click.command(short_help="End a mute now.")
@click.argument("rule")
@click.option("--by", default=None, help="Who ends it. Default: your login name.")
@click.pass_obj
def unmute(config: Path | None, rule: str, by: str | None) -> None:
    """End the mute of RULE that a command gave it; what was held back is told now."""
    from monitor.app import utc_now
    from monitor.store import mutes

    now, who = utc_now(), by or getpass.getuser()
    store = _store_of(config, rule)
    try:
        with store.write() as connection:
            ended = mutes.end(connection, rule, now)
            left = mutes.muted_until(connection, rule, now)
            if ended:
                _log(connection, who, "unmuted", rule)
    finally:
        store.close()
    if left:
        click.echo(f"{rule} stays silent until {left:%Y-%m-%d %H:%M} UTC: that mute stands in its file.")
    else:
        click.echo(f"{rule} may post again." if ended else f"{rule} was not muted.")


def _store_of(config: Path | None, rule: str) -> Any:
    """The database, where the rule is known."""
    from monitor.app import load_config
    from monitor.errors import ConfigError
    from monitor.fields import did_you_mean
    from monitor.rulebook import read_rules
    from monitor.store import Store
    from monitor.store.escalations import known_rules

    loaded = load_config(config)
    store = Store(loaded.store, create=False)
    with store.read() as connection:
        known = set(known_rules(connection))
    # A broken file must not keep anybody from silencing what goes on.
    with suppress(ConfigError):
        known |= {one.id for one in read_rules(loaded).rules}
    if rule not in known:
        store.close()
        raise click.UsageError(f"There is no rule {rule}{did_you_mean(rule, known)}")
    return store


def _log(connection: Any, who: str, what: str, why: str) -> None:
    from monitor.app import utc_now
    from monitor.store import escalations

    escalations.log(connection, utc_now(), f"{who} (command line)", what, why)
