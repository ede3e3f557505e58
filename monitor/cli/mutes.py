"""`rules mute` and `rules unmute`: silence for a while."""

from __future__ import annotations

import getpass
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

#: Whoever wants silence for longer wants the rule to be off.
LONGEST = timedelta(days=90)


@click.command(short_help="Silence a rule for a while.")
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
            until = mutes.muted_until(connection, rule, now) or now
            _log(connection, who, "muted", f"{rule} for {length}: {why}", now)
    finally:
        store.close()
    longer = f" (an earlier mute; `rules unmute {rule}` ends all)" if until > now + lasts else ""
    click.echo(f"{rule} posts nothing until {until:%Y-%m-%d %H:%M} UTC{longer}; what it holds back is told then.")


@click.command(short_help="End a mute now.")
@click.argument("rule")
@click.option("--by", default=None, help="Who ends it. Default: your login name.")
@click.pass_obj
def unmute(config: Path | None, rule: str, by: str | None) -> None:
    """End the mute that `rules mute` gave RULE (its id); what was held back is told now."""
    from monitor.app import utc_now
    from monitor.store import mutes

    now, who = utc_now(), by or getpass.getuser()
    store = _store_of(config, rule)
    try:
        with store.write() as connection:
            ended = mutes.end(connection, rule, now)
            left = mutes.muted_until(connection, rule, now)
            if ended:
                _log(connection, who, "unmuted", rule, now)
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


def _log(connection: Any, who: str, what: str, why: str, now: datetime) -> None:
    from monitor.store import escalations

    escalations.log(connection, now, f"{who} (command line)", what, why)
