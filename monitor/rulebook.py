"""The rules folder on disk: read as a whole, proven by its tests, watched for changes. What is in force is kept by
`monitor.inforce`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

from monitor import __version__
from monitor.config import Config
from monitor.errors import ConfigError, Problem
from monitor.prove import prove
from monitor.rules.load import LARGEST_FILE, MOST_FILES, RuleSet, load_rules, to_be_read

Signature = tuple[tuple[str, int, int], ...]


# -- reading -----------------------------------------------------------------------------------------------------


def read_rules(config: Config, today: date | None = None) -> RuleSet:
    """The rules of the configured folder, their tests not yet run; raises `ConfigError`."""
    return load_rules(rule_files(config.rules), config.brand_names, str(config.rules), today)


def proven_rules(config: Config, today: date, stopwatch: Callable[[], float], known: str = "") -> RuleSet:
    """The rules of the folder, their tests run; raises `ConfigError` with all that keeps them from being used.

    Those that were proven before, as `known` says (see `proof_of`), are not proven again.
    """
    rules = read_rules(config, today)
    if known != proof_of(rules, config):
        proof = prove(rules, config.brand_names, str(config.rules), stopwatch, competitors=config.competitors)
        if proof.problems:
            raise ConfigError(proof.problems)
    return rules


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
    for path in paths:
        try:
            if not path.is_file():
                continue
            if path.stat().st_size > LARGEST_FILE:
                problems.append(Problem(str(path), 0, 0, "", "is larger than 1 MB; no rule needs that"))
                continue
            files[path.relative_to(folder).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError:
            problems.append(Problem(str(path), 0, 0, "", "is not UTF-8 text; save it again with the encoding UTF-8"))
        except OSError as error:
            problems.append(Problem(str(path), 0, 0, "", f"cannot be read: {error.strerror}"))
    if problems:
        raise ConfigError(problems)
    return files


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
        found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)
