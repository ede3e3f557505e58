"""The rules folder on disk: read as a whole, proven by its tests, watched for changes. What is in force is kept by
`monitor.inforce`."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from monitor import __version__
from monitor.config import Config
from monitor.errors import ConfigError, Problem
from monitor.model import Scope
from monitor.prove import prove
from monitor.rules.load import LARGEST_FILE, LARGEST_FOLDER, MOST_FILES, RuleSet, load_rules, to_be_read
from monitor.yamlfile import parse_yaml

log = logging.getLogger("monitor.rules")

Signature = tuple[tuple[str, int, int], ...]


# -- reading -----------------------------------------------------------------------------------------------------


def read_rules(config: Config, today: date | None = None) -> RuleSet:
    """The rules of the configured folder, their tests not yet run; raises `ConfigError`."""
    rules = load_rules(rule_files(config.rules), config.brand_names, str(config.rules), today)
    return replace(rules, warnings=(*rules.warnings, *_never_answered(rules, config)))


def _never_answered(rules: RuleSet, config: Config) -> Iterator[Problem]:
    """Tiers that wait for an answer of ours where nobody knows which accounts are ours."""
    known = [brand.name for brand in config.brands if brand.own_accounts]
    for rule in rules.rules:
        watched = [name for name in config.brand_names if rule.watches(name, config.competitors)]
        if not watched or rule.scope is Scope.BRAND or any(name in known for name in watched):
            continue
        for index, tier in enumerate(rule.escalate):
            if tier.unless_answered:
                document = parse_yaml(rule.source_text, f"{config.rules}/{rule.file}")
                what = f"no own_accounts of {' or '.join(watched)} stand in the configuration, so no answer is noticed"
                yield document.problem(("escalate", index, "unless"), what, warning=True)


def proven_rules(
    config: Config, today: date, stopwatch: Callable[[], float], *, known: str = "", before: RuleSet | None = None
) -> RuleSet:
    """The rules of the folder, their tests run; raises `ConfigError` with all that keeps them from being used.

    Those that were proven before, as `known` says (see `proof_of`), are not proven again. `before` are those that are
    in force: a folder that has been emptied since, or is not mounted, must not silence everything without a word.
    """
    try:
        rules = read_rules(config, today)
        _refuse_nothing(rules, before, config)
        if known == proof_of(rules, config):
            return rules
        problems = prove(
            rules, config.brand_names, str(config.rules), stopwatch, competitors=config.competitors
        ).problems
    except ConfigError:
        raise
    except Exception as error:
        # Whatever it is that we did not foresee: it must not take the monitoring down.
        log.exception("These rules cannot be read or proven")
        what = f"brand-monitor itself fails on these rules ({error!r}); undo the last change, and report it"
        raise ConfigError([Problem(str(config.rules), 0, 0, "", what)]) from error
    if problems:
        raise ConfigError(problems)
    return rules


def _refuse_nothing(rules: RuleSet, before: RuleSet | None, config: Config) -> None:
    if before and before.rules and not rules.rules:
        what = "there is no rule here any more; to silence one, write `status: off` into it"
        raise ConfigError([Problem(str(config.rules), 0, 0, "", what)])


def proof_of(rules: RuleSet, config: Config) -> str:
    """What a proof is good for: these files, these brands, this version."""
    return hashlib.sha256(repr((rules.hash, config.brand_names, config.competitors, __version__)).encode()).hexdigest()


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
    paths = _paths(folder, unreadable)
    if len(paths) > MOST_FILES:
        what = f"holds more than {MOST_FILES:,} files of rules; write the path of a folder with nothing else in it"
        raise ConfigError([Problem(str(folder), 0, 0, "", what)])
    left = LARGEST_FOLDER
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            files[name], what = _read(path, name)
        except OSError as error:
            files[name], what = "", f"cannot be read: {error.strerror}"
        if what:
            problems.append(Problem(str(path), 0, 0, "", what))
        left -= len(files[name])
        if left < 0:
            what = f"holds more than {LARGEST_FOLDER // 1_000_000} MB of rules; is it the right folder?"
            raise ConfigError([*problems, Problem(str(folder), 0, 0, "", what)])
    if problems:
        raise ConfigError(problems)
    return files


def _read(path: Path, name: str) -> tuple[str, str]:
    """The text of a file that calls itself a rule, and what keeps it from being one."""
    if not name.isprintable():
        return "", "has characters in its name that nobody sees; rename it"
    # A pipe or a device is not even opened, for that may take for ever.
    if not path.is_file():
        return "", "is no file but something else of this name, or a link to nothing; delete it"
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        return "", "is larger than 1 MB; no rule needs that"
    try:
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n"), ""
    except UnicodeDecodeError:
        return "", "is not UTF-8 text; save it again with the encoding UTF-8"


def _paths(folder: Path, unreadable: Callable[[OSError], None]) -> list[Path]:
    """The files that belong to the rules; no more than one too many, however many there are."""
    found: list[Path] = []
    for top, folders, names in os.walk(folder, onerror=unreadable):
        # The history that git keeps, say: never looked into.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(top, name) for name in sorted(names))
        found += (path for path in paths if to_be_read(path.relative_to(folder).as_posix()))
        if len(found) > MOST_FILES:
            break
    return sorted(found[: MOST_FILES + 1])


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
        # The time of the last change of any kind, a right to read it that was given or taken included.
        found.append((str(path), stat.st_ctime_ns, stat.st_size))
    return tuple(found)
