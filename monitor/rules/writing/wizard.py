"""The questions that make a new rule, each with a default and with words for an answer that will not do. Pure.

How somebody is asked is the command line's business, what becomes of the answers that of `newrule`. Whatever
`interview` lets pass makes files without problems.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from monitor.checking import said
from monitor.durations import duration, duration_text
from monitor.fields import did_you_mean
from monitor.model import Severity
from monitor.rules.language import Owner, Title
from monitor.rules.people.rota import Team
from monitor.rules.references import RuleId
from monitor.rules.rule import Status
from monitor.yamlfile import shortened

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: File names that are no rules.
_TAKEN = ("teams", "topics")
NO_PLAYBOOK = "none"


class Kind(StrEnum):
    """What a rule watches for."""

    DISCUSSION = "discussion"
    SPIKE = "spike"
    VOICE = "voice"
    TOPIC = "topic"


#: As the question lists them.
KINDS: Mapping[str, str] = {
    Kind.DISCUSSION: "one discussion in which many are angry",
    Kind.SPIKE: "unusually many complaints, in discussions however small",
    Kind.VOICE: "one angry post by somebody whom very many people follow",
    Kind.TOPIC: "complaints with certain words in them (a topic of topics.yaml)",
}


@dataclass(frozen=True, slots=True)
class Folder:
    """What is there already: `rules` are the ids and the file names (without .yaml) that are taken."""

    brands: Sequence[str]
    teams: Mapping[str, Team]
    topics: Sequence[str]
    playbooks: Sequence[str]
    rules: Collection[str]
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """All that a new rule is made of. `at_least`: negative mentions, or followers for a loud voice; `times` and
    `baseline` go with a spike, `topic` with a topic."""

    kind: Kind
    brand: str
    title: str
    id: str
    severity: Severity
    team: str
    owner: str
    playbook: str | None
    at_least: int
    within: timedelta = HOUR
    times: int = 3
    baseline: timedelta = 7 * DAY
    topic: str = ""
    status: Status = Status.TEST


# -- the questions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """`key` is the name of its option; `choices` map each answer to what it means, or to nothing. `read` makes a value
    of an answer or raises ValueError with what to answer instead."""

    key: str
    text: str
    default: str
    read: Callable[[str], Any]
    choices: Mapping[str, str] = field(default_factory=dict)


Ask = Callable[[Question], Any]


def interview(folder: Folder, ask: Ask) -> Answers:
    """Ask all that this kind of rule needs; `ask` returns what the question has read.

    The folder must have a brand and a team.
    """
    kinds = {kind: text for kind, text in KINDS.items() if kind != Kind.TOPIC or folder.topics}
    kind = Kind(ask(_choice("kind", "What shall the rule watch for?", kinds, Kind.DISCUSSION)))
    brand = ask(_choice("brand", "Which brand?", _plain(folder.brands), folder.brands[0]))
    topic = ask(_choice("topic", "Which topic?", _plain(folder.topics), folder.topics[0])) if kind is Kind.TOPIC else ""
    numbers = _numbers(kind, ask)
    usual, name = _TITLES[kind].format(topic=topic), _NAMES[kind].format(brand=brand, topic=topic)
    title = ask(_typed("title", "The headline of the alert ({brand} stands for the name)", usual, _title()))
    made = _free(id_of(name if title == usual else title.replace("{brand}", brand)), folder.rules)
    rule_id = ask(Question("id", "Its name, which is never changed; the file is named after it", made, _id_in(folder)))
    severities = {one.value: "" for one in Severity}
    severity = Severity(ask(_choice("severity", "How severe is it?", severities, _SEVERITIES[kind])))
    team = ask(_choice("team", "Which team is told?", _teams(folder), next(iter(folder.teams))))
    playbooks = {**_plain(folder.playbooks), NO_PLAYBOOK: "leaves whoever is called alone"}
    playbook = ask(_choice("playbook", "Which guideline is shown in the alert?", playbooks, next(iter(playbooks))))
    owner = ask(_typed("owner", "Who answers for this rule? A name or an address", folder.owner, _owner()))
    return Answers(
        kind=kind,
        brand=brand,
        title=title,
        id=rule_id,
        severity=severity,
        team=team,
        owner=owner,
        playbook=None if playbook == NO_PLAYBOOK else playbook,
        topic=topic,
        **numbers,
    )


_TITLES = {
    Kind.DISCUSSION: "Negative discussion about {{brand}}",
    Kind.SPIKE: "Unusually many negative mentions of {{brand}}",
    Kind.VOICE: "A loud voice speaks against {{brand}}",
    Kind.TOPIC: "{{brand}} and {topic}",
}
_NAMES = {
    Kind.DISCUSSION: "{brand} negative discussion",
    Kind.SPIKE: "{brand} spike",
    Kind.VOICE: "{brand} loud voice",
    Kind.TOPIC: "{brand} {topic}",
}
_SEVERITIES = {
    Kind.DISCUSSION: Severity.HIGH,
    Kind.SPIKE: Severity.MEDIUM,
    Kind.VOICE: Severity.CRITICAL,
    Kind.TOPIC: Severity.HIGH,
}


def _numbers(kind: Kind, ask: Ask) -> dict[str, Any]:
    if kind is Kind.VOICE:
        text = "How many followers make a voice loud?"
        return {"at_least": ask(_count("at_least", text, "50000", 100, 1_000_000_000))}
    usual_number = {Kind.TOPIC: "1", Kind.DISCUSSION: "4", Kind.SPIKE: "10"}[kind]
    least = 5 if kind is Kind.SPIKE else 1
    at_least = ask(_count("at_least", "How many negative posts, at least?", usual_number, least, 500))
    within = ask(_length("within", "Within how long?", "1h", 10 * MINUTE, 7 * DAY))
    if kind is not Kind.SPIKE:
        return {"at_least": at_least, "within": within}
    times = ask(_count("times", "How many times as many as usual?", "3", 2, 20))
    usual = "7d" if within <= DAY else "30d"
    baseline = ask(_length("baseline", "The usual of how long before?", usual, 2 * within, 60 * DAY))
    return {"at_least": at_least, "within": within, "times": times, "baseline": baseline}


def _plain(names: Sequence[str]) -> dict[str, str]:
    return dict.fromkeys(names, "")


def _teams(folder: Folder) -> dict[str, str]:
    return {name: team.channel for name, team in folder.teams.items()}


def _choice(key: str, text: str, choices: Mapping[str, str], default: str) -> Question:
    names = list(choices)

    def read(answer: str) -> str:
        if answer.isascii() and answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        for name in names:
            if name.casefold() == answer.casefold():
                return name
        hint = did_you_mean(answer, names)
        raise ValueError(f'"{shortened(answer)}" is none of them{hint}' + ("" if hint else "; answer with its number"))

    return Question(key, text, default, read, choices)


def _typed(key: str, text: str, default: str, kind: TypeAdapter[str]) -> Question:
    def read(answer: str) -> str:
        if not answer.isprintable():
            raise ValueError("holds a character that cannot be printed; type it anew")
        return said(kind, answer)

    return Question(key, text, default, read)


def _count(key: str, text: str, default: str, least: int, most: int) -> Question:
    def read(answer: str) -> int:
        digits = re.sub(r"(?<=\d)[ ,.'](?=\d{3}\b)", "", answer)
        if not re.fullmatch("[0-9]{1,12}", digits, re.ASCII):
            raise ValueError(f'"{shortened(answer)}" is no whole number; answer for example {default}')
        if not least <= int(digits) <= most:
            raise ValueError(f"must be between {least:,} and {most:,}")
        return int(digits)

    return Question(key, text, default, read)


def _length(key: str, text: str, default: str, least: timedelta, most: timedelta) -> Question:
    def read(answer: str) -> timedelta:
        length = duration(answer)
        if not least <= length <= most:
            raise ValueError(f"must be between {duration_text(least)} and {duration_text(most)}")
        return length

    return Question(key, text, default, read)


def _id_in(folder: Folder) -> Callable[[str], str]:
    def read(answer: str) -> str:
        name = said(_rule_id(), answer)
        if name in folder.rules or name in _TAKEN:
            raise ValueError(f'there is a "{name}" already; choose another name')
        return name

    return read


def id_of(title: str) -> str:
    """ "Ärger über Acme" → "arger-uber-acme": a name that a file and a rule can have."""
    plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    return "-".join(re.findall("[a-z0-9]+", plain))[:60].strip("-") or "rule"


def _free(name: str, taken: Collection[str]) -> str:
    numbers = (f"{name}-{number}" for number in range(2, 10_000))
    return next(one for one in (name, *numbers) if one not in taken and one not in _TAKEN)


@cache
def _title() -> TypeAdapter[str]:
    return TypeAdapter(Title)


@cache
def _owner() -> TypeAdapter[str]:
    return TypeAdapter(Owner)


@cache
def _rule_id() -> TypeAdapter[str]:
    return TypeAdapter(RuleId)
