"""The rules folder on disk: read, proven by its tests, watched; and what is in force of it, stored for the next start.

A set of rules is taken over as a whole or not at all: every file must be good and every test must hold. Where one does
not, the last good set stays in force, across restarts too, and says so in `status` and to the rule's owner.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from monitor import __version__
from monitor.config import Config
from monitor.errors import ConfigError, Problem
from monitor.model import MessageKind, Severity
from monitor.prove import prove
from monitor.rulegit import last_change
from monitor.rules.load import RuleSet, load_rules
from monitor.store import escalations, facts, mutes
from monitor.store.outbox import Outbox

log = logging.getLogger("monitor.rules")

#: A rule folder holds a few dozen small files; more than this is a wrong path.
MOST_RULE_FILES = 2000
LARGEST_RULE_FILE = 1_000_000
#: So many mistakes are named in the message to the owner.
NAMED = 5

Signature = tuple[tuple[str, int, int], ...]


# -- reading -----------------------------------------------------------------------------------------------------


def read_rules(config: Config, today: date | None = None) -> RuleSet:
    """The rules of the configured folder, their tests not yet run; raises `ConfigError`."""
    return load_rules(rule_files(config.rules), brand_names(config), str(config.rules), today)


def proven_rules(config: Config, today: date, stopwatch: Callable[[], float], known: str = "") -> RuleSet:
    """The rules of the folder, their tests run; raises `ConfigError` with all that keeps them from being used.

    Those that were proven before, as `known` says (see `proof_of`), are not proven again.
    """
    rules = read_rules(config, today)
    if known != proof_of(rules, config):
        proof = prove(rules, brand_names(config), str(config.rules), stopwatch)
        if proof.problems:
            raise ConfigError(proof.problems)
    return rules


def proof_of(rules: RuleSet, config: Config) -> str:
    """What a proof is good for: these files, these brands, this version."""
    return hashlib.sha256(repr((rules.hash, brand_names(config), __version__)).encode()).hexdigest()


def brand_names(config: Config) -> list[str]:
    return [brand.name for brand in config.brands]


def rule_files(folder: Path) -> dict[str, str]:
    """The texts of the rule folder's YAML and Markdown files by their path in it; raises `ConfigError`."""
    files: dict[str, str] = {}
    problems: list[Problem] = []

    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), 0, 0, "", f"cannot be read: {error.strerror}"))

    try:
        found = folder.is_dir()
    except OSError as error:
        unreadable(error)
        raise ConfigError(problems) from error
    if not found:
        what = "there is no such folder; `brand-monitor init` writes one, `rules:` in the configuration names another"
        raise ConfigError([Problem(str(folder), 0, 0, "", what)])
    for path in _paths(folder, unreadable):
        try:
            if not path.is_file():
                continue
            if path.stat().st_size > LARGEST_RULE_FILE:
                problems.append(Problem(str(path), 0, 0, "", "is larger than 1 MB; no rule needs that"))
                continue
            files[path.relative_to(folder).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError:
            problems.append(Problem(str(path), 0, 0, "", "is not UTF-8 text; save it as UTF-8"))
        except OSError as error:
            problems.append(Problem(str(path), 0, 0, "", f"cannot be read: {error.strerror}"))
    if problems:
        raise ConfigError(problems)
    return files


def _paths(folder: Path, unreadable: Callable[[OSError], None]) -> Iterable[Path]:
    paths = [Path(top, name) for top, _, names in os.walk(folder, onerror=unreadable) for name in names]
    for path in sorted(paths)[:MOST_RULE_FILES]:
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        # Whatever looks like one of ours is taken in, so that a wrong ending (.YAML, .yaml.txt) is told.
        if not hidden and path.name.casefold().removesuffix(".txt").endswith((".yaml", ".yml", ".md")):
            yield path


# -- watching ----------------------------------------------------------------------------------------------------


class Watch:
    """Notices that files of the folder have changed; what is still being written is left alone until it rests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen = signature(folder)
        self._before = self._seen

    def changed(self) -> bool:
        """Whether they are other than when this was last true, and have not changed since the last look."""
        now = signature(self.folder)
        rests, self._before = now == self._before, now
        if now == self._seen or not rests:
            return False
        self._seen = now
        return True


def signature(folder: Path) -> Signature:
    """Changes whenever a file is written, made, renamed or deleted."""
    found = []
    for path in _paths(folder, lambda error: None):
        try:
            stat = path.stat()
        except OSError:
            continue
        found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


# -- what is in force --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InForce:
    """`problem` is what is wrong with the folder, where it is not the folder's rules that are in force; "" else."""

    rules: RuleSet
    problem: str = ""


class Readable(Protocol):
    """A database to be read."""

    def read(self) -> AbstractContextManager[sqlite3.Connection]: ...


def at_start(config: Config, store: Readable, today: date, stopwatch: Callable[[], float]) -> InForce:
    """The rules of the folder; where they are no good, the last good ones: monitoring goes on.

    Raises `ConfigError` where there have been no good ones yet.
    """
    with store.read() as connection:
        known = facts.recall(connection, "rules_proof")
        stored = facts.recall(connection, "rules_in_force")
    try:
        return InForce(proven_rules(config, today, stopwatch, str(known[0]) if known else ""))
    except ConfigError as error:
        if stored is None or not isinstance(stored[0], dict):
            raise
        log.error("The rules are broken; those of %s stay in force:\n%s", f"{stored[1]:%Y-%m-%d %H:%M} UTC", error)
        try:
            return InForce(load_rules(stored[0], brand_names(config), str(config.rules)), str(error))
        except ConfigError:
            # They no longer fit the configuration (a brand is gone): the folder's mistakes are what can be mended.
            raise error from None


def followed(config: Config, store: Readable, running: bool, today: date, stopwatch: Callable[[], float]) -> RuleSet:
    """What a daemon follows that is `running` on the database, else what one would follow at its start. Raises
    `ConfigError` where there are no good rules."""
    with store.read() as connection:
        stored = facts.recall(connection, "rules_in_force") if running else None
    if stored is not None and isinstance(stored[0], dict):
        return load_rules(stored[0], brand_names(config), str(config.rules))
    return at_start(config, store, today, stopwatch).rules


def to_explain(config: Config, store: Store) -> InForce:
    """The rules of the folder, their tests not run, and in `problem` how they differ from those that are in force; the
    stored ones where the folder's are broken. Raises `ConfigError` where there are none."""
    with store.read() as connection:
        stored, in_force = facts.recall(connection, "rules_in_force"), facts.recall(connection, "rules_hash")
    try:
        rules = read_rules(config)
    except ConfigError as error:
        if stored is None or not isinstance(stored[0], dict):
            raise
        try:
            rules = load_rules(stored[0], brand_names(config), str(config.rules))
        except ConfigError:
            raise error from None
        since = f"{stored[1]:%Y-%m-%d %H:%M} UTC"
        what = f"The rules in {config.rules.name}/ are broken (`rules check` says where); this explains those in force"
        return InForce(rules, f"{what} since {since}, and their lines.")
    if in_force is None or in_force[0] == rules.hash:
        return InForce(rules)
    what = f"These are the rules as they stand in {config.rules.name}/ now; in force are others"
    return InForce(rules, f"{what}, since {in_force[1]:%Y-%m-%d %H:%M} UTC: they are taken over by a reload.")


def take_over(connection: sqlite3.Connection, config: Config, rules: RuleSet, now: datetime) -> None:
    """Store that these rules are in force from now on, with who changed them; say so where they had been broken."""
    _tell_mended(connection, config, now)
    facts.remember(connection, "rules_problem", "", now)
    facts.remember(connection, "rules_proof", proof_of(rules, config), now)
    mutes.replace_those_of_files(connection, _mutes(rules, now), now)
    before = facts.recall(connection, "rules_hash")
    if before is not None and before[0] == rules.hash:
        return
    facts.remember(connection, "rules_in_force", dict(rules.files), now)
    facts.remember(connection, "rules_hash", rules.hash, now)
    change = last_change(config.rules)
    why = f"{len(rules.rules)} rules, content {rules.hash[:12]}" + (f", by {change}" if change else "")
    data = {"hash": rules.hash, "author": change.author, "commit": change.commit} if change else {"hash": rules.hash}
    escalations.log(connection, now, "rules", "loaded", why, data=data)


def refuse(connection: sqlite3.Connection, config: Config, rules: RuleSet, problem: str, now: datetime) -> None:
    """Store what is wrong with the folder, and tell it once; `rules` are those that stay in force."""
    before = facts.recall(connection, "rules_problem")
    facts.remember(connection, "rules_problem", problem, now)
    if problem and (before is None or before[0] != problem):
        escalations.log(connection, now, "rules", "refused", problem.split("\n", 1)[0])
        _tell(connection, config, _broken(rules, config.rules, problem.splitlines()), now)


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
        _tell(connection, config, f"The rules in {config.rules.name}/ are good again and in force.", now)


def _broken(rules: RuleSet, folder: Path, lines: Sequence[str]) -> str:
    place = str(folder) + os.sep
    named = [line.replace(place, "") for line in lines[:NAMED]]
    more = [f"… and {len(lines) - NAMED} more"] if len(lines) > NAMED else []
    owners = {rule.owner for rule in rules.rules for line in lines if line.startswith(place + rule.file)}
    whose = f" Owner: {', '.join(sorted(owners))}." if owners else ""
    what = f"The rules in {folder.name}/ have changed and are not taken over; what was last good stays in force.{whose}"
    return "\n".join([what, *named, *more, "`brand-monitor rules check` and `rules test` say it all."])


def _tell(connection: sqlite3.Connection, config: Config, text: str, now: datetime) -> None:
    Outbox(connection).enqueue(
        kind=MessageKind.NOTICE, channel=config.slack.channel, severity=Severity.HIGH, payload={"text": text}, now=now,
    )  # fmt: skip
