"""Reads a rules folder: rules, their tests, teams, topics and playbooks, all problems of all files at once. It opens no
file itself.

A rule is every `*.yaml` at the top of the folder but `teams.yaml` and `topics.yaml`; their tests are `tests/*.yaml`,
which are read here and run elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import ParamSpec, TypeVar

from monitor.errors import ConfigError, Problem
from monitor.model import Guideline, Scope
from monitor.rules.language import LONGEST_MUTE, parse_rule
from monitor.rules.people.rota import Team
from monitor.rules.people.teams import parse_teams
from monitor.rules.playbook import parse_playbook
from monitor.rules.references import References
from monitor.rules.rule import Rule, Status
from monitor.rules.testing.testcase import TestFile
from monitor.rules.testing.testfile import parse_tests
from monitor.rules.topics import parse_topics
from monitor.yamlfile import Document, parse_yaml, shortened

TEAMS, TOPICS, TESTS = "teams.yaml", "topics.yaml", "tests/"
#: A rules folder holds a few dozen small files; more, or larger ones (bytes), are a wrong path, and take too long.
MOST_FILES, LARGEST_FILE, LARGEST_FOLDER = 2000, 1_000_000, 5_000_000
#: Nobody reads more problems; they are stored, logged and sent as they are.
MOST_PROBLEMS = 500
T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All that stands in a rules folder. `topics` maps a name to its word lists by language, "*" for every language;
    `guidelines` maps a playbook's path to it; `hash` (sha256, hex) changes with any file's name or content; `files` are
    the texts that all this was read from."""

    rules: tuple[Rule, ...] = ()
    teams: Mapping[str, Team] = field(default_factory=dict)
    topics: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    guidelines: Mapping[str, Guideline] = field(default_factory=dict)
    tests: tuple[TestFile, ...] = ()
    hash: str = ""
    warnings: tuple[Problem, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


def to_be_read(path: str) -> bool:
    """Whether a file, by its path in the folder, belongs to the rules. Whatever looks like one of ours is taken in, so
    that a wrong ending (.YAML, .yaml.txt) is told; nothing that is hidden."""
    hidden = any(part.startswith(".") for part in path.split("/"))
    return not hidden and path.casefold().removesuffix(".txt").endswith((".yaml", ".yml", ".md"))


def load_rules(
    files: Mapping[str, str], brands: Sequence[str] | None, folder: str = "rules", today: date | None = None
) -> RuleSet:
    """What `files`, the texts of a rules folder by their paths in it, say.

    `brands` is None where nobody knows them: the configuration is broken, and the rules are only looked through.
    `folder` names the folder in problems. With `today` there are warnings of playbooks whose review is overdue.
    Raises `ConfigError` with all problems of all files, in the order of files and lines.
    """
    found = _Problems()
    place = {name: f"{folder.rstrip('/')}/{name}" for name in files}
    documents = {}
    for name in sorted(files):
        if (_is_yaml(name, ".yaml") or _is_test(name)) and (
            document := found.attempt(parse_yaml, files[name], place[name])
        ):
            documents[name] = document
        elif complaint := _misplaced(name):
            found.problems.append(Problem(place[name], 0, 0, "", complaint))

    def names_in(name: str) -> Collection[str] | None:
        if name in files and name not in documents:
            return None
        return documents[name].value.keys() if name in documents else ()

    tests = {name: documents.pop(name) for name in list(documents) if _is_test(name)}
    playbooks = sorted(name for name in files if name.startswith("playbooks/") and name.endswith(".md"))
    references = References(
        brands,
        names_in(TEAMS),
        names_in(TOPICS),
        playbooks,
        rules={name: _id(documents.get(name)) for name in sorted(map(_meant, files)) if _is_rule(name)},
        members=_members(documents.get(TEAMS)),
    )
    teams = found.attempt(parse_teams, documents.pop(TEAMS)) if TEAMS in documents else None
    topics = found.attempt(parse_topics, documents.pop(TOPICS)) if TOPICS in documents else None
    guidelines = [found.attempt(parse_playbook, files[name], name, place[name]) for name in playbooks]
    rules = [found.attempt(parse_rule, document, name, files[name], references) for name, document in documents.items()]
    tested = [found.attempt(parse_tests, document, name, references) for name, document in tests.items()]
    found.problems += _same_ids(documents)
    if found.problems:
        ordered = sorted(found.problems, key=lambda problem: (problem.file, problem.line, problem.column))
        told, more = ordered[:MOST_PROBLEMS], len(ordered) - MOST_PROBLEMS
        raise ConfigError([*told, Problem(folder, 0, 0, "", f"and {more:,} more mistakes")] if more > 0 else told)
    read = RuleSet(
        rules=tuple(rule for rule in rules if rule),
        teams=teams or {},
        topics=topics or {},
        guidelines={guideline.path: guideline for guideline in guidelines if guideline},
        tests=tuple(file for file in tested if file),
        hash=_hash(files),
        files=dict(files),
    )
    return replace(read, warnings=tuple(_warnings(read, documents, folder, today)))


class _Problems:
    """Gathers problems, so that one broken file hides nothing of the others."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def attempt(self, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return parse(*args, **kwargs)
        except ConfigError as error:
            self.problems += error.problems
            return None


def _is_yaml(name: str, *endings: str) -> bool:
    return "/" not in name and name.endswith(endings)


def _is_rule(name: str) -> bool:
    return _is_yaml(name, ".yaml") and name not in (TEAMS, TOPICS)


def _is_test(name: str) -> bool:
    return name.startswith(TESTS) and _is_yaml(name.removeprefix(TESTS), ".yaml")


def _meant(name: str) -> str:
    """The name that a file will have once its ending is mended: that it is missing need not be told as well."""
    return name.removesuffix(".yml") + ".yaml" if name.endswith(".yml") else name


def _id(document: Document | None) -> str:
    """The id of a rule; empty where nobody can tell."""
    identity = document.value.get("id") if document else None
    return identity if isinstance(identity, str) else ""


def _members(document: Document | None) -> Collection[str] | None:
    """All whom a team may call by name, whatever else is wrong with its entry."""
    if document is None:
        return None
    found: set[str] = set()
    for team in document.value.values():
        members = team.get("members") if isinstance(team, dict) else None
        if isinstance(members, dict | list):
            found.update(map(str, members))
        if isinstance(team, dict) and isinstance(group := team.get("user_group"), str):
            found.add(group)
    return found


def _misplaced(name: str) -> str:
    """What to do with a file that somebody may take for a rule, although nobody reads it."""
    stem, _, ending = name.rpartition("/")[2].partition(".")
    if _is_test(name) or _is_yaml(name, ".yaml") or not re.fullmatch(r"(.*\.)?ya?ml(\.txt)?", ending, re.IGNORECASE):
        return ""
    if not name.endswith(".yaml"):
        return f"a file with the ending .{ending} is not read; rename it to {shortened(stem)}.yaml"
    if name.startswith(TESTS):
        return "tests are not looked for here; move the file to the top of the folder tests"
    return "rules are not looked for here; move the file to the top of the rules folder, or delete it"


def _same_ids(documents: Mapping[str, Document]) -> list[Problem]:
    problems = []
    first: dict[str, str] = {}
    for name, document in documents.items():
        identity = document.value.get("id")
        if isinstance(identity, str) and first.setdefault(identity, name) != name:
            what = f"{first[identity]} has this id already; give every rule its own"
            problems.append(document.problem(("id",), what))
    return problems


def _warnings(read: RuleSet, documents: Mapping[str, Document], folder: str, today: date | None) -> Iterator[Problem]:
    if not read.rules:
        yield Problem(folder, 0, 0, "", "there is no rule here, so nothing will ever alert", warning=True)
    for rule in read.rules:
        document = documents[rule.file]
        if rule.status is Status.LIVE and rule.playbook is None:
            what = "a live rule without a playbook leaves whoever is called alone; name one"
            yield document.problem(("playbook",), what, warning=True)
        if rule.negative_if and (rule.negative_if.sentiment_at_most or 0) > 0:
            what = "counts friendly mentions as negative, too; a threshold is below 0, as -0.5"
            yield document.problem(("negative_if", "sentiment", "at_most"), what, warning=True)
        for index, tier in enumerate(rule.escalate):
            team = read.teams.get(tier.team)
            if tier.mention and team and not (team.user_group or team.members):
                what = f"{tier.team} has neither a user group nor members in {TEAMS}, so nobody will be called by name"
                yield document.problem(("escalate", index, "mention"), what, warning=True)
            if tier.unless_answered and rule.scope is Scope.BRAND:
                what = "with `scope: brand` there is no discussion in which to answer, so this never spares the tier"
                yield document.problem(("escalate", index, "unless"), what, warning=True)
        for index, mute in enumerate(rule.mutes):
            if today and mute.until.date() < today:
                yield document.problem(("mutes", index), "this mute has ended; delete it", warning=True)
            elif today and mute.since is None and mute.until.date() - today > LONGEST_MUTE:
                what = f"it stays silent for more than {LONGEST_MUTE.days} days; `status: off` would say so openly"
                yield document.problem(("mutes", index, "until"), what, warning=True)
    for name, guideline in read.guidelines.items():
        if today and date.fromisoformat(guideline.review_by) < today:
            what = f"its review was due on {guideline.review_by}; {guideline.owner} should read it and set a new date"
            yield Problem(f"{folder.rstrip('/')}/{name}", 0, 0, "review_by", what, warning=True)


def _hash(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name, files[name]):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
