"""The rules folder on disk: read as a whole, proven by its tests, watched for changes. What is in force is kept by
`monitor.inforce`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from monitor import __version__
from monitor.config import Config
from monitor.errors import ConfigError, Problem
from monitor.prove import prove
from monitor.rules.load import RuleSet, load_rules

#: A rule folder holds a few dozen small files; more than this is a wrong path.
MOST_RULE_FILES = 2000
LARGEST_RULE_FILE = 1_000_000

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
            problems.append(Problem(str(path), 0, 0, "", "is not UTF-8 text; save it again with the encoding UTF-8"))
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
