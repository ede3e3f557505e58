"""Reads a rules folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from monitor.errors import Problem
from monitor.model import Guideline
from monitor.rules.rule import Rule, Team


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All that stands in a rules folder. `topics` maps a name to its word lists by language, "*" for every language;
    `guidelines` maps a playbook's path to it; `hash` (sha256, hex) changes with any file's name or content."""

    rules: tuple[Rule, ...] = ()
    teams: Mapping[str, Team] = field(default_factory=dict)
    topics: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    guidelines: Mapping[str, Guideline] = field(default_factory=dict)
    hash: str = ""
    warnings: tuple[Problem, ...] = ()


def load_rules(
    files: Mapping[str, str], brands: Sequence[str], folder: str = "rules", today: date | None = None
) -> RuleSet:
    raise NotImplementedError
