"""A file of rule tests as frozen values: what is said and clicked in simulated time, and what must come of it.

How YAML becomes these is the business of `testfile`; playing them through is that of the simulation, and telling people
how it went that of `results`. All times are aware datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from monitor.errors import Problem
from monitor.model import Outcome


class Button(StrEnum):
    """What a person can press on an alert."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    SNOOZE = "snooze"
    HAND_OVER = "hand over"
    RESOLVE = "resolve"
    NOT_NEGATIVE = "not negative"
    NOT_ABOUT_US = "not about us"


@dataclass(frozen=True, slots=True)
class Said:
    """`count` mentions, the first `at`, and so on `every` so long.

    `topics` None: those that topics.yaml finds in the `text`. `author` None: each mention is by somebody else.
    An `answer` is a post of one of the brand's own accounts. Score and confidence are taken as they are, although no
    model may give them together.
    """

    at: datetime
    every: timedelta
    count: int
    brand: str
    sentiment: float
    confidence: float
    source: str = "test"
    language: str | None = None
    topics: tuple[str, ...] | None = None
    author_reach: int = 0
    discussion: str = "discussion"
    text: str = ""
    author: str | None = None
    answer: bool = False

    def times(self) -> Iterator[datetime]:
        return (self.at + self.every * number for number in range(self.count))


@dataclass(frozen=True, slots=True)
class Click:
    """`user` presses `button`. `to` goes with assign (a person) and with hand over (a team), `length` with snooze,
    `outcome` and `note` with resolve.

    `discussion` None: the one escalation there is.
    """

    at: datetime
    button: Button
    user: str
    to: str | None = None
    length: timedelta | None = None
    outcome: Outcome | None = None
    note: str = ""
    discussion: str | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """No posts of the rule from `at` to `until`."""

    at: datetime
    rule: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must hold once everything due `at` that moment has happened.

    `values` maps what is asked to the answer, in the order in which it is written:
    `state` (a `State` or "none"), `posts` and `replies` (how many so far, in channels and in threads), `tier` (0 before
    the first), `team` (whose turn it is), `mention` (whether that tier called people by name), `severity`, `rule` (the
    id of the one in charge), `called` (a tuple of the names of all who were called so far).
    `discussion`: whose escalation is meant; None: the only one there is, and for posts and replies those of the whole
    test. `places`: line and column of every key, the expectation's own place under "".
    """

    at: datetime
    values: Mapping[str, object]
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    discussion: str | None = None

    @property
    def line(self) -> int:
        return self.places.get("", (0, 0))[0]

    @property
    def column(self) -> int:
        return self.places.get("", (0, 0))[1]


@dataclass(frozen=True, slots=True)
class RuleTest:
    """`start` bears the offset from UTC that the file gives it, so that people are told times as they wrote them."""

    name: str
    start: datetime
    mentions: tuple[Said, ...]
    expect: tuple[Expectation, ...]
    clicks: tuple[Click, ...] = ()
    mutes: tuple[Mute, ...] = ()
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class TestFile:
    """`file` names it in problems (`rules/tests/angry.yaml`), `name` in the rules folder (`tests/angry.yaml`).

    `rules` are the names of the rule files that its tests put into force, all others are not there.
    """

    #: No test for pytest.
    __test__: ClassVar[bool] = False

    file: str
    name: str
    rules: tuple[str, ...]
    tests: tuple[RuleTest, ...]

    def failure(self, expectation: Expectation, key: str, found: object) -> Problem:
        """To say that `key` of `expectation` is not as expected, at its place in the file."""
        line, column = expectation.places.get(key, (expectation.line, expectation.column))
        what = f"expected {plain(expectation.values[key])}, found {plain(found)}"
        return Problem(self.file, line, column, key, what)


def plain(value: object) -> str:
    """A value of an expectation as it stands in a file."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list | set | frozenset):
        return f"[{', '.join(map(plain, value))}]"
    return str(value)
