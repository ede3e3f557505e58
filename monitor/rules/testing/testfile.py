"""The language of rule tests: which keys a file in `tests/` has, and the `TestFile` it becomes.

Names of brands, topics, teams and rules are checked as those in a rule are. Whether a test holds is not judged here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    Strict,
    TypeAdapter,
    ValidationInfo,
    with_config,
)

from monitor.checking import checked
from monitor.errors import ConfigError
from monitor.fields import (
    EACH_ONCE,
    FILE,
    Count,
    Duration,
    Language,
    Prose,
    Score,
    Switch,
    Text,
    between,
    did_you_mean,
    fault,
    faults,
)
from monitor.model import Outcome, Severity
from monitor.rules.references import BrandName, References, RuleFileName, TeamName, TopicName, known, references
from monitor.rules.testing.testcase import Button, Click, Expectation, Mute, RuleTest, Said, TestFile
from monitor.rules.testing.when import At, Start
from monitor.schemas import json_schema
from monitor.yamlfile import Document, KeyPath, shortened

#: The discussion of all mentions that name none.
UNNAMED = "discussion"
MOST_OF_A_LINE, MOST_OF_A_TEST = 10_000, 20_000
LONGEST = timedelta(days=400)

# -- kinds of values ---------------------------------------------------------------------------------------------


def _said_of(value: str, info: ValidationInfo) -> str:
    members = references(info).members
    return known(value, members or None, "member", "teams.yaml")


_Number = Annotated[int, Strict(), Field(ge=0, le=1_000_000_000)]
_Confidence = Annotated[float, Strict(), Field(ge=0, le=1)]
_Topics = Annotated[tuple[TopicName, ...], EACH_ONCE]

# -- what is said ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What holds for every entry of `mentions` that says nothing else."""

    brand: BrandName | None = None
    """A brand of the configuration."""
    sentiment: Score | None = None
    """From -1, as negative as can be, to 1."""
    confidence: _Confidence | None = None
    """How sure the model is, from 0 to 1; as sure as it can be of such a sentiment if not given."""
    source: Text | None = None
    """Where it was said, as `sources` in a rule names it."""
    language: Language | None = None
    topics: _Topics | None = None
    """Names of word lists in topics.yaml; those found in `text` if not given."""
    author_reach: _Number | None = None
    """How many followers the author has."""
    discussion: Text | None = None
    """Any name; mentions with the same one belong to one discussion."""
    text: Prose | None = None
    author: Prose | None = None
    """Any name; each mention is by somebody else if not given."""
    answer: Switch | None = None
    """true: a post of one of your own accounts."""


@dataclass(frozen=True, slots=True)
class _Mention(_Defaults):
    at: At = timedelta()
    """How long after the start, for example 35m; the start itself if not given."""
    every: Annotated[Duration, between("1s", "400d")] | None = None
    """With `count`: how long from one to the next."""
    count: Annotated[Count, Field(le=MOST_OF_A_LINE)] = 1
    """How many."""


def _evenly(said: _Mention) -> _Mention:
    if said.count > 1 and said.every is None:
        raise fault("`every` is missing: how long is it from one of them to the next? For example every: 5m", "count")
    if said.count == 1 and said.every is not None:
        raise fault("`count` is missing: how many are there? For example count: 5", "every")
    return said


# -- what people do ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Click:
    at: At
    """How long after the start, for example 35m."""
    button: Button
    user: Text
    """Who presses it."""
    to: Text | None = None
    """With assign: who has it from now on; with hand over: which team."""
    length: Annotated[Annotated[Duration, between("1m", "30d")] | None, Field(alias="for")] = None
    """With snooze: how long."""
    outcome: Outcome | None = None
    """With resolve: how it ended."""
    note: Prose | None = None
    """With resolve: a sentence for the record."""
    discussion: Text | None = None
    """Where the test has several: which one."""


#: Key (as it is written) → the buttons that it goes with, with an example of each, and whether they need it.
_WITH: Mapping[str, tuple[Mapping[Button, str], bool]] = {
    "to": ({Button.ASSIGN: "anna", Button.HAND_OVER: "legal"}, True),
    "for": ({Button.SNOOZE: "2h"}, True),
    "outcome": ({Button.RESOLVE: "answered"}, True),
    "note": ({Button.RESOLVE: "Explained it."}, False),
}


def _fitting(click: _Click, info: ValidationInfo) -> _Click:
    said = {"to": click.to, "for": click.length, "outcome": click.outcome, "note": click.note}
    found: list[tuple[KeyPath, str]] = []
    for key, (buttons, needed) in _WITH.items():
        if said[key] is not None and click.button not in buttons:
            which = " or ".join(f"`button: {button}`" for button in buttons)
            found.append(((key,), f"goes with {which} alone; delete it, or press another button"))
        elif said[key] is None and needed and click.button in buttons:
            what = f"{click.button} needs `{key}`; write for example {key}: {buttons[click.button]}"
            found.append((("button",), what))
    teams = references(info).teams
    if click.button is Button.HAND_OVER and click.to is not None and teams is not None and click.to not in teams:
        what = f'there is no team "{shortened(click.to)}" in teams.yaml{did_you_mean(click.to, teams)}'
        found.append((("to",), what))
    if found:
        raise faults(found)
    return click


@dataclass(frozen=True, slots=True)
class _Mute:
    at: At
    """How long after the start, for example 0m."""
    rule: Text
    """The id of a rule."""
    until: At
    """How long after the start it ends, for example 4h."""


# -- what must come of it ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Expectation:
    at: At
    """How long after the start; all that is due at that moment has happened."""
    state: Literal["none", "pending", "held", "open", "acknowledged", "snoozed", "resolved", "dropped"] | None = None
    """none: nothing has fired."""
    posts: _Number | None = None
    """Messages in channels so far; 0 for silence."""
    replies: _Number | None = None
    """Messages in threads so far."""
    tier: Annotated[int, Strict(), Field(ge=0, le=100)] | None = None
    """The tier that was told last; 0 if none was."""
    team: TeamName | None = None
    """The team whose turn it is."""
    mention: Switch | None = None
    """true: that tier called people by name."""
    severity: Severity | None = None
    rule: Text | None = None
    """The id of the rule in charge."""
    called: tuple[Annotated[Text, AfterValidator(_said_of)], ...] | None = None
    """Who was called by name so far."""
    discussion: Text | None = None
    """Where the test has several: which one is meant."""


_SHARED = tuple(one.name for one in fields(_Defaults))
_ASKED = tuple(one.name for one in fields(_Expectation) if one.name not in ("at", "discussion"))


def _asking(expectation: _Expectation) -> _Expectation:
    if all(getattr(expectation, key) is None for key in _ASKED):
        raise fault("nothing is expected here; write for example posts: 1, or state: open")
    return expectation


@dataclass(frozen=True, slots=True)
class _Test:
    name: Prose
    """What the rule does here, in a sentence."""
    start: Start
    """Day and time with the offset from UTC."""
    mentions: Annotated[
        tuple[
            Annotated[_Mention, AfterValidator(_evenly), Field(examples=[{"at": "0m", "every": "5m", "count": 5}])], ...
        ],
        Field(min_length=1),
    ]
    """What is said, and when."""
    expect: Annotated[
        tuple[
            Annotated[
                _Expectation,
                AfterValidator(_asking),
                Field(examples=[{"at": "10m", "posts": 1}], json_schema_extra={"minProperties": 2}),
            ],
            ...,
        ],
        Field(min_length=1),
    ]
    """What must come of it."""
    clicks: tuple[
        Annotated[
            _Click,
            AfterValidator(_fitting),
            Field(examples=[{"at": "40m", "button": "acknowledge", "user": "anna"}]),
        ],
        ...,
    ] = ()
    """What people press, and when."""
    mutes: tuple[Annotated[_Mute, Field(examples=[{"at": "0m", "rule": "acme-spike", "until": "4h"}])], ...] = ()
    """Rules that must not post for a while."""


def _within_reach(test: _Test) -> _Test:
    """No time before the start or too long after it, and not too much to play."""
    found: list[tuple[KeyPath, str]] = []

    def look(path: KeyPath, at: timedelta | datetime, more: timedelta = timedelta()) -> None:
        after = (at - test.start if isinstance(at, datetime) else at) + more
        if after < timedelta():
            found.append((path, "lies before the start of the test"))
        elif after > LONGEST:
            found.append((path, f"lies more than {LONGEST.days} days after the start of the test"))

    for index, said in enumerate(test.mentions):
        look(("mentions", index, "at"), said.at)
        if said.every and said.count > 1:
            look(("mentions", index, "count"), said.at, said.every * (said.count - 1))
    for key, times in (
        ("clicks", [click.at for click in test.clicks]),
        ("expect", [asked.at for asked in test.expect]),
        ("mutes", [mute.at for mute in test.mutes]),
    ):
        for index, at in enumerate(times):
            look((key, index, "at"), at)
    for index, mute in enumerate(test.mutes):
        look(("mutes", index, "until"), mute.until)
        if _absolute(test, mute.until) <= _absolute(test, mute.at):
            found.append((("mutes", index, "until"), "must be later than `at`"))
    if sum(said.count for said in test.mentions) > MOST_OF_A_TEST:
        found.append((("mentions",), f"are more than {MOST_OF_A_TEST:,} in all; fewer show the same"))
    if found:
        raise faults(found)
    return test


def _absolute(test: _Test, at: timedelta | datetime) -> datetime:
    return at if isinstance(at, datetime) else (test.start + at).astimezone(UTC)


def _different_names(tests: tuple[_Test, ...]) -> tuple[_Test, ...]:
    names = [test.name for test in tests]
    if twice := [index for index, name in enumerate(names) if name in names[:index]]:
        raise faults(((index, "name"), "another test of this file has this name already") for index in twice)
    return tests


# -- the file ----------------------------------------------------------------------------------------------------


@with_config(FILE)
@dataclass(frozen=True, slots=True)
class _TestsFile:
    rules: Annotated[tuple[RuleFileName, ...], Field(min_length=1), EACH_ONCE]
    """The files of the rules that are in force in these tests; all others are not there."""
    tests: Annotated[
        tuple[Annotated[_Test, AfterValidator(_within_reach)], ...],
        Field(min_length=1),
        AfterValidator(_different_names),
    ]
    """One after the other, each in a world of its own."""
    defaults: Annotated[_Defaults, Field(examples=[{"brand": "acme", "sentiment": -0.8}])] = field(
        default_factory=_Defaults
    )
    """What holds for every entry of `mentions` that says nothing else."""


@cache
def _tests_file() -> TypeAdapter[_TestsFile]:
    return TypeAdapter(_TestsFile)


def parse_tests(document: Document, name: str, references: References) -> TestFile:
    """The tests in the file `name`, as seen from the rules folder; raises `ConfigError` with all problems."""
    read = checked(_tests_file(), document, references)
    ids = {references.rules.get(rule, "") for rule in read.rules}
    found = [
        document.problem(("tests", index, *path), what)
        for index, test in enumerate(read.tests)
        for path, what in _loose_ends(test, read.defaults, ids)
    ]
    if found:
        raise ConfigError(sorted(found, key=lambda problem: (problem.line, problem.column)))
    tests = tuple(_built(test, read.defaults, document, ("tests", index)) for index, test in enumerate(read.tests))
    return TestFile(document.file, name, read.rules, tests)


def tests_schema() -> dict[str, Any]:
    """The JSON Schema of a file of rule tests."""
    return json_schema(_tests_file(), "Tests of rules of brand-monitor")


def _loose_ends(test: _Test, defaults: _Defaults, ids: Collection[str]) -> Iterator[tuple[KeyPath, str]]:
    """What is missing between the parts of a test, or does not fit together."""
    discussions = set()
    for index, said in enumerate(test.mentions):
        merged = _merged(said, defaults)
        discussions.add(merged.get("discussion", UNNAMED))
        for key, example in (("brand", "acme"), ("sentiment", "-0.8")):
            if key not in merged and not (key == "sentiment" and merged.get("answer")):
                yield ("mentions", index), f"`{key}` is missing; write it here or under `defaults`, as {key}: {example}"
    meant = [(("clicks", index), click.discussion) for index, click in enumerate(test.clicks)]
    meant += [(("expect", index), asked.discussion) for index, asked in enumerate(test.expect)]
    for path, name in meant:
        if name is not None and name not in discussions:
            what = f'no mention of this test is in a discussion "{shortened(name)}"{did_you_mean(name, discussions)}'
            yield (*path, "discussion"), what
    named = [(("mutes", index), mute.rule) for index, mute in enumerate(test.mutes)]
    named += [(("expect", index), asked.rule) for index, asked in enumerate(test.expect) if asked.rule is not None]
    for path, rule in named:
        if "" not in ids and rule not in ids:
            yield (*path, "rule"), f'no file under `rules` has the id "{shortened(rule)}"{did_you_mean(rule, ids)}'


def _merged(said: _Mention, defaults: _Defaults) -> dict[str, Any]:
    both = ((key, getattr(said, key), getattr(defaults, key)) for key in _SHARED)
    return {key: other if own is None else own for key, own, other in both if (own, other) != (None, None)}


def _built(test: _Test, defaults: _Defaults, document: Document, path: KeyPath) -> RuleTest:
    def at(moment: timedelta | datetime) -> datetime:
        return _absolute(test, moment)

    def said(mention: _Mention) -> Said:
        merged = {"sentiment": 0.0, "discussion": UNNAMED, **_merged(mention, defaults)}
        merged.setdefault("confidence", surest(merged["sentiment"]))
        return Said(at=at(mention.at), every=mention.every or timedelta(), count=mention.count, **merged)

    def expectation(index: int, asked: _Expectation) -> Expectation:
        here = (*path, "expect", index)
        places = {key: document.where((*here, key)) for key in _ASKED if getattr(asked, key) is not None}
        values = {key: getattr(asked, key) for key in sorted(places, key=places.__getitem__)}
        return Expectation(at(asked.at), values, {"": document.where(here), **places}, asked.discussion)

    line, column = document.where((*path, "name"))
    return RuleTest(
        name=test.name,
        start=test.start,
        mentions=tuple(map(said, test.mentions)),
        expect=tuple(expectation(*entry) for entry in enumerate(test.expect)),
        clicks=tuple(
            Click(at(c.at), c.button, c.user, c.to, c.length, c.outcome, c.note or "", c.discussion)
            for c in test.clicks
        ),
        mutes=tuple(Mute(at(mute.at), mute.rule, at(mute.until)) for mute in test.mutes),
        line=line,
        column=column,
    )


def surest(sentiment: float) -> float:
    """How sure a model can be at most of a label with which it gives this score."""
    return max((1 + abs(sentiment)) / 2, 1 - abs(sentiment))
