"""Which rules are in force, stored for the next start, and what is wrong with those of the folder.

A set of rules is taken over as a whole or not at all: every file must be good and every test must hold. Where one does
not, the last good set stays in force, across restarts too, and says so in `status` and to the rule's owner.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from monitor.config import Config
from monitor.errors import ConfigError
from monitor.model import Severity
from monitor.outgoing import MessageKind
from monitor.rulebook import proof_of, proven_rules, read_rules
from monitor.rulegit import Change
from monitor.rules.load import RuleSet, load_rules
from monitor.store import escalations, facts, mutes
from monitor.store.outbox import Outbox
from monitor.wording.text import Text, many, say

log = logging.getLogger("monitor.rules")

#: So many mistakes are named in the message to the owner.
NAMED = 5


@dataclass(frozen=True, slots=True)
class InForce:
    """`problem` is what is wrong with the folder, where it is not the folder's rules that are in force; "" else."""

    rules: RuleSet
    problem: str = ""


class Readable(Protocol):
    """A database to be read."""

    def read(self) -> AbstractContextManager[sqlite3.Connection]: ...


# -- what to follow ----------------------------------------------------------------------------------------------


def at_start(config: Config, store: Readable, today: date, stopwatch: Callable[[], float]) -> InForce:
    """The rules of the folder; where they are no good, the last good ones: monitoring goes on.

    Raises `ConfigError` where there have been no good ones yet.
    """
    with store.read() as connection:
        known = facts.recall(connection, "rules_proof")
    good = _last_good(config, store)
    before = good[0] if good else None
    try:
        return InForce(proven_rules(config, today, stopwatch, known=str(known[0]) if known else "", before=before))
    except ConfigError as error:
        if good is None:
            raise
        log.error("The rules are broken; those of %s stay in force:\n%s", _minute(good[1]), error)
        return InForce(good[0], str(error))


def followed(config: Config, store: Readable, running: bool, today: date, stopwatch: Callable[[], float]) -> RuleSet:
    """What a daemon follows that is `running` on the database, else what one would follow at its start. Raises
    `ConfigError` where there are no good rules."""
    good = _last_good(config, store) if running else None
    return good[0] if good else at_start(config, store, today, stopwatch).rules


def to_explain(config: Config, store: Readable) -> InForce:
    """The rules of the folder, their tests not run, and in `problem` how they differ from those that are in force; the
    last good ones where the folder's are broken. Raises `ConfigError` where there are none."""
    with store.read() as connection:
        in_force = facts.recall(connection, "rules_hash")
    try:
        rules = read_rules(config)
    except ConfigError:
        if (good := _last_good(config, store)) is None:
            raise
        what = f"The rules in {config.rules.name}/ are broken (`rules check` says where); this explains those in force"
        return InForce(good[0], f"{what} since {_minute(good[1])}, and their lines.")
    if in_force is None or in_force[0] == rules.hash:
        return InForce(rules)
    what = f"These are the rules as they stand in {config.rules.name}/ now; in force are others"
    return InForce(rules, f"{what}, since {_minute(in_force[1])}: they are taken over by a reload.")


def to_act(config: Config, store: Readable) -> RuleSet:
    """The rules by which people act: those that were taken over last, whatever is wrong with the folder, else those of
    the folder, their tests not run. Raises `ConfigError` where there are none."""
    good = _last_good(config, store)
    return good[0] if good else read_rules(config)


def _last_good(config: Config, store: Readable) -> tuple[RuleSet, datetime] | None:
    """The rules that were taken over last, and when; None if there were none. A brand that has gone from the
    configuration since may still stand in them: nothing is found of it, and all others go on."""
    with store.read() as connection:
        stored, brands = facts.recall(connection, "rules_in_force"), facts.recall(connection, "rules_brands")
    if stored is None or not isinstance(stored[0], dict):
        return None
    gone = brands[0] if brands and isinstance(brands[0], list) else []
    try:
        return load_rules(stored[0], [*config.brand_names, *gone], str(config.rules)), stored[1]
    except ConfigError:
        return None


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


# -- taking over and refusing ------------------------------------------------------------------------------------


def take_over(
    connection: sqlite3.Connection, config: Config, rules: RuleSet, change: Change | None, now: datetime
) -> None:
    """Store that these rules are in force from now on, with who changed them; say so where they had been broken."""
    _tell_mended(connection, config, now)
    facts.remember(connection, "rules_problem", "", now)
    facts.remember(connection, "rules_proof", proof_of(rules, config), now)
    facts.remember(connection, "rules_brands", list(config.brand_names), now)
    mutes.replace_those_of_files(connection, _mutes(rules, now), now)
    before = facts.recall(connection, "rules_hash")
    if before is not None and before[0] == rules.hash:
        return
    facts.remember(connection, "rules_in_force", dict(rules.files), now)
    facts.remember(connection, "rules_hash", rules.hash, now)
    why = f"{len(rules.rules)} rules, content {rules.hash[:12]}" + (f", by {change}" if change else "")
    data = {"hash": rules.hash, "author": change.author, "commit": change.commit} if change else {"hash": rules.hash}
    escalations.log(connection, now, "rules", "loaded", why, data=data)


def refuse(connection: sqlite3.Connection, config: Config, rules: RuleSet, problem: str, now: datetime) -> None:
    """Store what is wrong with the folder, and tell it once; `rules` are those that stay in force."""
    before = facts.recall(connection, "rules_problem")
    facts.remember(connection, "rules_problem", problem, now)
    if problem and (before is None or before[0] != problem):
        escalations.log(connection, now, "rules", "refused", problem.split("\n", 1)[0])
        _tell(connection, config, _broken(rules, config, problem.splitlines()), now)


def _mutes(rules: RuleSet, now: datetime) -> list[mutes.Mute]:
    return [
        mutes.Mute(rule.id, mute.since or now, mute.until, rule.owner, mute.because, mutes.FILE)
        for rule in rules.rules
        for mute in rule.mutes
        if mute.until > now
    ]


def _tell_mended(connection: sqlite3.Connection, config: Config, now: datetime) -> None:
    before = facts.recall(connection, "rules_problem")
    if before is not None and before[0]:
        good = say("The rules in {folder}/ are good again and in force.", folder=config.rules.name)
        _tell(connection, config, [good], now)


def _broken(rules: RuleSet, config: Config, lines: Sequence[str]) -> list[Text | str]:
    """A sentence or a mistake a line."""
    folder = config.rules
    place = str(folder) + os.sep
    named = [line.replace(place, "") for line in lines[:NAMED]]
    about = [(place + start + rule.file, rule.owner) for rule in rules.rules for start in ("", f"tests{os.sep}")]
    owners = sorted({owner for file, owner in about if any(line.startswith(file) for line in lines)})
    if any(line.startswith(str(folder)) for line in lines):
        what = say(
            "The rules in {folder}/ have changed and are not taken over; what was last good stays in force.",
            folder=folder.name,
        )
    else:
        what = say(
            "{file} has changed and is not taken over; what was last good stays in force.", file=config.file.name
        )
    said: list[Text | str] = [what]
    if owners:
        said.append(many("Owner: {who}.", "Owners: {who}.", len(owners), who=", ".join(owners)))
    said += named
    if len(lines) > NAMED:
        said.append(many("… and {count} more", "… and {count} more", len(lines) - NAMED))
    return [*said, say("{command} says it all.", command="`brand-monitor check`")]


def _tell(connection: sqlite3.Connection, config: Config, said: Sequence[Text | str], now: datetime) -> None:
    texts = [one if isinstance(one, str) else one.to_json() for one in said]
    Outbox(connection).enqueue(
        kind=MessageKind.NOTICE, channel=config.slack.channel, severity=Severity.HIGH, payload={"text": texts}, now=now,
    )  # fmt: skip
